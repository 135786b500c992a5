"""What is predicted, and whether two networks predict the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import View
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.labels import shaped
from limbeck.networks.datasets.tasks import guess_task, same_outputs

X = torch.zeros(4, 3)
TOKENS = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 3, 5]])


@pytest.mark.parametrize(
    ("labels", "outputs", "kind"),
    [
        ([0, 1, 2, 0], 3, TaskKind.CLASSIFICATION),
        ([0, 1, 1, 0], 2, TaskKind.CLASSIFICATION),
        ([[0], [1], [1], [0]], 2, TaskKind.CLASSIFICATION),
        ([0, 1, 1, 0], 1, TaskKind.MULTILABEL),
        ([0.0, 1.0, 1.0, 0.0], 1, TaskKind.MULTILABEL),
        ([0.5, 1.5, 3.0, 2.0], 1, TaskKind.REGRESSION),
        ([3, 4, 9, 1], 1, TaskKind.REGRESSION),
        ([[0, 1], [1, 1], [0, 0], [1, 0]], 2, TaskKind.MULTILABEL),
        ([[0.1, 1], [1, 1], [0, 0], [1, 0]], 2, TaskKind.REGRESSION),
        (None, 3, TaskKind.CLASSIFICATION),
        (None, 1, TaskKind.REGRESSION),
    ],
)
def test_a_goal_by_rows(labels: Any, outputs: int, kind: TaskKind) -> None:
    samples = Samples.of(X, None if labels is None else np.array(labels))
    assert guess_task(samples, torch.zeros(4, outputs)) == Task.of(kind, outputs)


def test_a_goal_by_places() -> None:
    logits = torch.zeros(4, 3, 11)
    tags = {"input_ids": TOKENS, "labels": TOKENS % 2}
    same = {"input_ids": TOKENS, "labels": torch.where(TOKENS == 9, -100, TOKENS)}
    assert guess_task(Samples.of(tags), logits) == Task.of("tokens", 11)
    assert guess_task(Samples.of(same), logits) == Task.of("language", 11)
    assert guess_task(Samples.of((TOKENS, TOKENS)), logits).kind is TaskKind.LANGUAGE
    none = Samples.of({"input_ids": TOKENS})
    causal = type("TinyForCausalLM", (nn.Module,), {})()
    assert guess_task(none, logits).kind is TaskKind.TOKENS
    assert guess_task(none, logits, module=causal).kind is TaskKind.LANGUAGE


def test_what_is_said_is_taken() -> None:
    samples = Samples.of((X, np.array([0, 1, 1, 0])))
    assert guess_task(samples, torch.zeros(4, 1), "regression").kind is TaskKind.REGRESSION
    task = Task.of("classification", 3)
    assert guess_task(samples, torch.zeros(4, 3), task) == task
    module = nn.Identity()
    module.config = SimpleNamespace(problem_type="regression")
    assert guess_task(samples, torch.zeros(4, 1), module=module).kind is TaskKind.REGRESSION


@pytest.mark.parametrize(
    ("labels", "shape", "task", "told"),
    [
        ([0, 1, 1, 0], (4,), None, r"shape \(4,\)"),
        ([0, 1, 1, 0], (4, 2, 5, 5), None, r"\(4, 2, 5, 5\)"),
        ([0, 1, 1, 0], (4, 2), "clasification", "Did you mean 'classification'"),
        ([0, 1, 1, 0], (4, 2), "tokens", r"Let it return \(n, t, k\)"),
        ([0, 1, 1, 0], (4, 2), Task.of("classification", 3), "2 outputs, the task 3"),
        ([0.5, 1, 1, 0], (4, 2), None, "such as 0.5"),
        ([[0, 1, 1]] * 4, (4, 2), None, r"\(n, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(labels: Any, shape: Any, task: Any, told: str) -> None:
    samples = Samples.of(X, np.array(labels))
    with pytest.raises(InvalidInput, match=told):
        guess_task(samples, torch.zeros(shape), task)


def test_labels_in_the_shape_of_the_goal() -> None:
    classes = Task.of("classification", 3)
    for labels in (torch.tensor([0, 2]), torch.tensor([[0], [2]]), torch.tensor([0.0, 2.0])):
        found = shaped(labels, classes)
        assert found.tolist() == [0, 2]
        assert found.dtype is torch.int64
    both = Task.of("multilabel", 2)
    assert shaped(torch.tensor([[True, False]]), both).tolist() == [[1.0, 0.0]]
    tokens = Task.of("tokens", 3)
    assert shaped(torch.tensor([[0, -100, 2]]), tokens).tolist() == [[0, -100, 2]]
    assert shaped(torch.tensor([3]), Task.of("regression", 1)).dtype is torch.float32
    assert shaped(torch.tensor([3.0]).double(), Task.of("regression", 1)).dtype is torch.float64


@pytest.mark.parametrize(
    ("labels", "task", "told"),
    [
        (torch.tensor([0, 3]), Task.of("classification", 3), "label 3. Classes are 0 to 2"),
        (torch.tensor([-2, 0]), Task.of("classification", 3), "label -2"),
        (
            torch.tensor([[0.5, 0.4]]),
            Task.of("classification", 2),
            r"\[0.5, 0.4\], which is no dist",
        ),
        (torch.tensor([0.5, 1]), Task.of("classification", 3), "task='regression'"),
        (torch.zeros(2, 4), Task.of("classification", 5), r"shape \(2, 4\)"),
        (torch.zeros(2), Task.of("tokens", 4), r"shape \(2,\)"),
        (torch.tensor([[0.5]]), Task.of("multilabel", 1), "label 0.5"),
        (
            torch.tensor([[torch.nan]]),
            Task.of("regression", 1),
            "missing or infinite",
        ),
        (torch.zeros(2, 3), Task.of("regression", 1), r"\(2, 3\) for 1 outputs"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: Tensor, task: Task, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        shaped(labels, task)


def _with(**config: Any) -> nn.Module:
    module = nn.Identity()
    module.config = SimpleNamespace(**config)
    return module


def test_networks_that_answer_the_same_pass() -> None:
    view = View(torch.zeros(2, 3))
    same_outputs(view, view)
    unnamed = _with(id2label={0: "LABEL_0", 1: "LABEL_1"})
    same_outputs(view, view, unnamed, _with(id2label={0: "no", 1: "yes"}))


def test_networks_that_answer_differently_are_refused() -> None:
    view = View(torch.zeros(2, 3))
    with pytest.raises(InvalidInput, match=r"3 outputs, the student 4.*hidden layers"):
        same_outputs(view, View(torch.zeros(2, 4)))
    with pytest.raises(InvalidInput, match=r"\(2, 3\), the student's \(2, 5, 3\)"):
        same_outputs(view, View(torch.zeros(2, 5, 3)))
    one, two = ({0: "no", 1: "yes"}, {0: "yes", 1: "no"})
    with pytest.raises(InvalidInput, match="Class 0 is 'no' to the teacher and 'yes'"):
        same_outputs(view, view, _with(id2label=one), _with(id2label=two))


def test_labels_of_real_networks_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8, num_labels=2,
    )  # fmt: skip
    net = transformers.BertForSequenceClassification(config)
    view = View(torch.zeros(1, 2))
    same_outputs(view, view, net, net)
    samples = Samples.of({"input_ids": TOKENS, "label": torch.tensor([0, 1, 0, 1])})
    assert guess_task(samples, torch.zeros(4, 2), module=net).kind is TaskKind.CLASSIFICATION
