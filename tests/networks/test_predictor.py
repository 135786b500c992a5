"""Networks as what a certificate needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.evaluation.networks import ask
from limbeck.modules.batch import IGNORED
from limbeck.networks.datasets.data import Samples
from limbeck.networks.predictor import Certified, layout_of, rows_of, table_of, told_of
from limbeck.students.onnx.student import answers_of


class Tokens(nn.Module):
    """Logits by token: its own, or those of the token before."""

    def __init__(self, moved: int = 0) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.eye(4))
        self.moved = moved
        self.drop = nn.Dropout(0.9)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return self.drop(self.table[(input_ids + self.moved) % 4])


def certified(data: Any, teacher: nn.Module, student: nn.Module, task: Task) -> Any:
    samples = Samples.of(data).aimed(task)
    batches = lambda: samples.batches(range(len(samples)), 2)  # noqa: E731
    told: list[Any] = []
    ask(teacher, batches(), task, lambda logits, batch: told.append(told_of(logits, batch, task)))
    table = table_of(batches(), told, task, layout_of(batches()))
    return Certified(student, table, batch_size=2)


def test_classes_are_answered_in_eval_mode() -> None:
    torch.manual_seed(0)
    x, y = torch.randn(5, 2, 3), torch.zeros(5, dtype=torch.long)
    net = nn.Sequential(nn.Flatten(), nn.Linear(6, 2), nn.Dropout(0.9)).train()
    found = certified((x, y), net, net, Task(("no", "yes")))
    assert found.table.rows.shape == (5, 6)
    expected = np.array(["no", "yes"])[net[1](x.flatten(1)).argmax(1).numpy()]
    np.testing.assert_array_equal(found.predict(found.table.rows), expected)
    np.testing.assert_array_equal(found.table.answers, expected)
    assert net.training
    assert len(found.fingerprint()) == 64


def test_one_number_is_answered_as_it_is_and_several_by_the_largest_error() -> None:
    x = torch.arange(8.0).view(4, 2)
    one = certified((x, x.sum(1, keepdim=True)), nn.Linear(2, 1), nn.Linear(2, 1),
                    Task(unit="mm", outputs=1))  # fmt: skip
    np.testing.assert_allclose(one.predict(one.table.rows), one.module(x)[:, 0].detach(), rtol=1e-6)
    many = certified((x, x), nn.Identity(), nn.Sequential(nn.Identity()),
                     Task(unit="mm", outputs=2))  # fmt: skip
    assert many.task_.unit == "mm"
    assert many.predict(many.table.rows).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("kind", [TaskKind.TOKENS, TaskKind.LANGUAGE])
def test_tokens_are_answered_by_the_share_that_differs(kind: TaskKind) -> None:
    ids = torch.tensor([[1, 2, 3], [1, 2, 0]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    data = {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, IGNORED)}
    task = Task.of(kind, 4)
    same = certified(data, Tokens(), Tokens().train(), task)
    assert same.predict(same.table.rows).tolist() == [0, 0]
    other = certified(data, Tokens(), Tokens(1), task)
    assert other.predict(other.table.rows).tolist() == [1, 1]


@pytest.mark.parametrize("kind", [TaskKind.TOKENS, TaskKind.LANGUAGE])
def test_sequences_of_which_no_token_counts_are_left_out(kind: TaskKind) -> None:
    """They would count as rows on which student and teacher agree."""
    ids = torch.tensor([[1, 2, 3], [1, 2, 0], [3, 2, 1]])
    labels = ids.clone()
    labels[1] = IGNORED
    data = {"input_ids": ids, "labels": labels}
    other = certified(data, Tokens(), Tokens(1), Task.of(kind, 4))
    assert other.table.rows[:, :3].tolist() == [[1, 2, 3], [3, 2, 1]]
    assert len(other.table.answers) == 2
    assert other.predict(other.table.rows).tolist() == [1, 1]


def test_ragged_batches_share_a_layout() -> None:
    batches = [type("B", (), {"inputs": torch.ones(1, n)}) for n in (2, 4, 3)]
    layout = layout_of(batches)
    assert layout.blocks[0].shape == (4,)
    assert rows_of(batches[0].inputs, layout).tolist() == [[1, 1, 0, 0]]


def test_named_inputs_are_taken_by_name() -> None:
    ids, mask = torch.tensor([[5, 6]]), torch.ones(1, 2, dtype=torch.long)
    one, two = (
        type("B", (), {"inputs": i})
        for i in (
            {"input_ids": ids, "attention_mask": mask},
            {"attention_mask": mask, "input_ids": ids},
        )
    )
    layout = layout_of([one, two])
    assert rows_of(two.inputs, layout).tolist() == rows_of(one.inputs, layout).tolist()
    assert rows_of(two.inputs, layout).tolist() == [[5, 6, 1, 1]]
    with pytest.raises(InvalidInput, match=r"\['input_ids'\], others \['attention_mask', 'inp"):
        rows_of({"input_ids": ids}, layout)


def test_labels_that_hold_together_are_answered_by_the_share_that_differs() -> None:
    scores = np.array([[1.0, -1.0], [1.0, 1.0]])
    told = np.array([[1, 0], [0, 1]])
    assert answers_of(scores, Task(), told, "labels").tolist() == [0, 0.5]


def test_a_single_logit_answers_with_one_of_two_classes() -> None:
    scores = np.array([[1.5], [-2.0], [0.0]])
    assert answers_of(scores, Task((0, 1)), None, "").tolist() == [1, 0, 0]
    batch = type("B", (), {"inputs": torch.zeros(3, 2), "mask": None, "labels": None})
    task = Task.of("multilabel", 1)
    told = told_of(torch.from_numpy(scores), batch, task)
    table = table_of([batch], [told], task, layout_of([batch]))
    assert table.compared == ""
    assert table.task == Task((0, 1))
    assert table.answers.tolist() == [1, 0, 0]
    two = table_of([batch], [np.array([[0, 1]] * 3)], Task.of("multilabel", 2), layout_of([batch]))
    assert two.compared == "labels"
