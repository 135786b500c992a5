from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.special import log_expit, log_softmax
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import IGNORED, Step
from limbeck.networks import GoldLabels, TeacherLabels
from limbeck.networks.losses.labels import gold_labels, teacher_labels

Draw = Callable[..., Tensor]
Make = Callable[..., Step]
WEIGHT = torch.tensor([1.0, 0.0, 0.5, 2.0], dtype=torch.float64)


def test_cross_entropy_by_hand() -> None:
    student = torch.tensor([[0.0, np.log(3.0)], [0.0, 0.0]])
    # the probabilities of the labels are 3/4 and 1/2
    found = gold_labels(student, torch.tensor([1, 0]), TaskKind.CLASSIFICATION)
    assert found.item() == pytest.approx((np.log(4 / 3) + np.log(2)) / 2, rel=1e-6)


def test_the_losses_are_numpys(draw: Draw) -> None:
    student, values = draw(4, 3), draw(4, 3)
    labels, several = torch.tensor([0, 2, 1, 1]), (values > 0).long()
    s, y, m = student.numpy(), labels.numpy(), several.numpy()
    classes = -log_softmax(s, axis=1)[np.arange(4), y]
    yes_no = -(m * log_expit(s) + (1 - m) * log_expit(-s)).mean(1)
    squares = ((s - values.numpy()) ** 2).mean(1)
    for kind, truth, rows in (
        (TaskKind.CLASSIFICATION, labels, classes),
        (TaskKind.MULTILABEL, several, yes_no),
        (TaskKind.REGRESSION, values, squares),
    ):
        assert gold_labels(student, truth, kind).item() == pytest.approx(rows.mean())
        weighted = gold_labels(student, truth, kind, WEIGHT).item()
        assert weighted == pytest.approx(np.average(rows, weights=WEIGHT.numpy()))


def test_without_weights_they_are_torchs_bit_for_bit(draw: Draw) -> None:
    student, values = draw(64, 5).float(), draw(64, 5).float()
    labels, several = values.argmax(1), (values > 0).float()
    assert gold_labels(student, labels, TaskKind.CLASSIFICATION) == F.cross_entropy(student, labels)
    assert gold_labels(student, values, TaskKind.REGRESSION) == F.mse_loss(student, values)
    expected = F.binary_cross_entropy_with_logits(student, several)
    assert gold_labels(student, several, TaskKind.MULTILABEL) == expected


def test_a_column_of_values_is_not_broadcast(draw: Draw) -> None:
    student, values = draw(4, 1), draw(4)
    found = gold_labels(student, values, TaskKind.REGRESSION)
    assert found == F.mse_loss(student[:, 0], values)


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_gradients(draw: Draw, weight: Tensor | None) -> None:
    student, other = draw(4, 3).requires_grad_(), draw(4, 3)
    truths = {
        TaskKind.CLASSIFICATION: other.argmax(1),
        TaskKind.MULTILABEL: other > 0,
        TaskKind.REGRESSION: other,
    }
    for kind, truth in truths.items():
        loss = partial(gold_labels, labels=truth, kind=kind, weight=weight)
        assert torch.autograd.gradcheck(loss, (student,))
        if kind is not TaskKind.REGRESSION:
            loss = partial(teacher_labels, teacher=other, kind=kind, weight=weight)
            assert torch.autograd.gradcheck(loss, (student,))


def test_the_least_value_is_0_where_all_is_certain_and_right() -> None:
    logits = 100 * torch.eye(3)
    assert gold_labels(logits, torch.arange(3), TaskKind.CLASSIFICATION) == 0
    assert teacher_labels(logits, logits, TaskKind.CLASSIFICATION) == 0
    signs = 200 * torch.eye(3) - 100
    assert teacher_labels(signs, signs, TaskKind.MULTILABEL).item() == pytest.approx(0, abs=1e-30)
    assert gold_labels(logits, logits, TaskKind.REGRESSION) == 0


def test_at_the_teacher_teacher_labels_cost_minus_the_log_of_the_largest(draw: Draw) -> None:
    logits = draw(6, 4)
    found = teacher_labels(logits, logits, TaskKind.CLASSIFICATION).item()
    assert found == pytest.approx(-log_softmax(logits.numpy(), axis=1).max(1).mean())


def test_teacher_labels_are_plain_training_on_the_answers(step: Make, draw: Draw) -> None:
    student, teacher = draw(4, 3), draw(4, 3)
    found = TeacherLabels().loss(step(student, teacher), None)
    assert found == F.cross_entropy(student, teacher.argmax(1))
    several = TeacherLabels().loss(step(student, teacher, kind=TaskKind.MULTILABEL), None)
    assert several == F.binary_cross_entropy_with_logits(student, (teacher > 0).double())


def test_gold_labels_ignore_the_filter_and_teacher_labels_follow_it(step: Make, draw: Draw) -> None:
    student, teacher, labels = draw(4, 3), draw(4, 3), torch.tensor([0, 1, 2, 0])
    passes = torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    now = step(student, teacher, labels, weight=passes)
    assert GoldLabels().loss(now, None) == F.cross_entropy(student, labels)
    chosen = TeacherLabels().loss(now, None)
    expected = F.cross_entropy(student[[0, 3]], teacher[[0, 3]].argmax(1))
    torch.testing.assert_close(chosen, expected)


def test_the_rest_is_what_the_filter_leaves_out(step: Make, draw: Draw) -> None:
    student, teacher, labels = draw(4, 3), draw(4, 3), torch.tensor([0, 1, 2, 0])
    now = step(student, teacher, labels, weight=WEIGHT)
    found = GoldLabels(rest=True).loss(now, None)
    torch.testing.assert_close(found, F.cross_entropy(student[1:2], labels[1:2]))
    control = step(student, None, labels)
    assert GoldLabels(rest=True).loss(control, None) == F.cross_entropy(student, labels)
    with pytest.raises(InvalidInput, match="there is no filter"):
        GoldLabels(rest=True).loss(step(student, teacher, labels), None)
    every = step(student.requires_grad_(), teacher, labels, weight=torch.ones(4).double())
    loss = GoldLabels(rest=True).loss(every, None)
    loss.backward()
    assert loss == 0
    assert student.grad is not None
    assert not student.grad.any()


@pytest.mark.parametrize("kind", [TaskKind.TOKENS, TaskKind.LANGUAGE])
def test_only_tokens_that_count_count(step: Make, draw: Draw, kind: TaskKind) -> None:
    student, teacher = draw(2, 3, 5), draw(2, 3, 5)
    labels = torch.tensor([[1, 4, IGNORED], [0, IGNORED, 2]])
    now = step(student, teacher, labels, kind)
    if kind is TaskKind.TOKENS:
        places = torch.stack([student[0, 0], student[0, 1], student[1, 0], student[1, 2]])
        truth = torch.tensor([1, 4, 0, 2])
    else:  # the output before a token predicts it
        places, truth = torch.stack([student[0, 0], student[1, 1]]), torch.tensor([4, 2])
    torch.testing.assert_close(GoldLabels().loss(now, None), F.cross_entropy(places, truth))


def test_a_batch_in_which_nothing_counts_costs_0(step: Make, draw: Draw) -> None:
    student = draw(2, 3, 5).requires_grad_()
    labels = torch.full((2, 3), IGNORED)
    now = step(student, draw(2, 3, 5), labels, TaskKind.TOKENS)
    for term in (GoldLabels(), TeacherLabels()):
        loss = term.loss(now, None)
        assert loss == 0
        loss.backward(retain_graph=True)


def test_weights_that_are_all_0_cost_0_in_any_precision(draw: Draw) -> None:
    student, labels = draw(4, 3), torch.tensor([0, 1, 2, 0])
    for precise in (student, student.float()):
        for weight in (torch.zeros(4), torch.zeros(4).double()):
            assert gold_labels(precise, labels, TaskKind.CLASSIFICATION, weight) == 0


def test_what_they_need_and_refuse() -> None:
    assert GoldLabels().needs.labels
    assert not GoldLabels().needs.teacher
    assert TeacherLabels().needs.teacher
    assert not TeacherLabels().needs.labels
    assert (GoldLabels().level, TeacherLabels().level) == (0, 1)
    for kind in TaskKind:
        GoldLabels().check(Task.of(kind, 4))
    with pytest.raises(InvalidInput, match="regression"):
        TeacherLabels().check(Task.of("regression", 1))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_smoothed_and_soft_labels_are_torchs(draw: Draw, smoothing: float) -> None:
    student = draw(64, 5).float()
    labels, soft = draw(64, 5).argmax(1), draw(64, 5).float().softmax(1)
    peer = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)
    for truth in (labels, soft):
        found = gold_labels(student, truth, TaskKind.CLASSIFICATION, label_smoothing=smoothing)
        assert found == peer(student, truth)
    known = torch.arange(64) % 3 == 0
    marked = torch.where(known, labels, IGNORED)
    found = gold_labels(
        student, marked, TaskKind.CLASSIFICATION, label_smoothing=smoothing, labelled=known
    )
    torch.testing.assert_close(found, peer(student, marked))
    marked_soft = torch.where(known[:, None], soft, float(IGNORED))
    found = gold_labels(
        student, marked_soft, TaskKind.CLASSIFICATION, label_smoothing=smoothing, labelled=known
    )
    torch.testing.assert_close(found, peer(student[known], soft[known]))
    two = (labels > 2).long()
    yes = torch.stack([torch.zeros(64), student[:, 0]], 1)
    found = gold_labels(
        student[:, :1], two[:, None], TaskKind.MULTILABEL, label_smoothing=smoothing
    )
    torch.testing.assert_close(found, peer(yes, two))


def test_where_nothing_has_a_label_there_is_no_loss_and_no_gradient(draw: Draw) -> None:
    for kind in (TaskKind.CLASSIFICATION, TaskKind.MULTILABEL):
        student = draw(4, 3).requires_grad_()
        labels = (
            torch.full((4, 3), -100.0) if kind is TaskKind.MULTILABEL else torch.full((4,), -100)
        )
        loss = gold_labels(student, labels, kind, labelled=labels >= 0)
        loss.backward()
        assert loss == 0
        assert student.grad is not None
        assert student.grad.abs().sum() == 0


def test_smoothing_is_a_share() -> None:
    for bad in (-0.1, 1.5, True):
        with pytest.raises(InvalidInput, match="label_smoothing"):
            GoldLabels(label_smoothing=bad)
    with pytest.raises(InvalidInput, match="regression"):
        GoldLabels(label_smoothing=0.1).check(Task.of("regression", 1))


def test_soft_labels_of_another_precision_are_taken() -> None:
    logits = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    soft = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    told = gold_labels(logits, soft.double(), TaskKind.CLASSIFICATION)
    assert float(told) == pytest.approx(float(F.cross_entropy(logits, soft)))
