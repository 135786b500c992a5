from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.spatial.distance import cosine
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Step
from limbeck.networks import Logits, LogitsCosine
from limbeck.networks.losses.logits import cosine_distance, squared_error

Draw = Callable[..., Tensor]
Make = Callable[..., Step]
LOSSES = [squared_error, cosine_distance]


def test_values_by_hand() -> None:
    student, teacher = (
        torch.tensor([[1.0, 0.0], [1.0, 1.0]]),
        torch.tensor([[0.0, 2.0], [3.0, 3.0]]),
    )
    assert squared_error(student, teacher).item() == (1 + 4 + 4 + 4) / 4
    assert cosine_distance(student, teacher).item() == pytest.approx((1 + 0) / 2, abs=1e-6)


def test_the_losses_are_numpys_and_scipys(draw: Draw) -> None:
    student, teacher, weight = draw(6, 5), draw(6, 5), draw(6).abs()
    s, t = student.numpy(), teacher.numpy()
    squares = ((s - t) ** 2).mean(1)
    angles = np.array([cosine(a, b) for a, b in zip(s, t, strict=True)])
    for loss, rows in ((squared_error, squares), (cosine_distance, angles)):
        assert loss(student, teacher).item() == pytest.approx(rows.mean())
        weighted = loss(student, teacher, weight).item()
        assert weighted == pytest.approx(np.average(rows, weights=weight.numpy()))


def test_without_weights_they_are_torchs_bit_for_bit(draw: Draw) -> None:
    student, teacher = draw(128, 10).float(), draw(128, 10).float()
    assert squared_error(student, teacher) == F.mse_loss(student, teacher)
    expected = F.cosine_embedding_loss(student, teacher, torch.ones(128))
    assert cosine_distance(student, teacher) == expected


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_and_0_at_the_teacher(draw: Draw, loss: Callable[..., Tensor]) -> None:
    student, teacher, weight = draw(4, 3).requires_grad_(), draw(4, 3), draw(4).abs()
    assert torch.autograd.gradcheck(partial(loss, teacher=teacher), (student,))
    assert torch.autograd.gradcheck(partial(loss, teacher=teacher, weight=weight), (student,))
    assert loss(teacher, teacher).item() == pytest.approx(0, abs=1e-12)
    assert loss(student, teacher).item() > 0


def test_the_cosine_is_blind_to_length(draw: Draw) -> None:
    student = draw(4, 3)
    assert cosine_distance(5 * student, student).item() == pytest.approx(0, abs=1e-12)
    assert cosine_distance(-student, student).item() == pytest.approx(2)


@pytest.mark.parametrize("term", [Logits(), LogitsCosine()])
@pytest.mark.parametrize(
    "kind", [TaskKind.CLASSIFICATION, TaskKind.MULTILABEL, TaskKind.REGRESSION]
)
def test_weights_of_0_and_1_choose_rows(
    step: Make, draw: Draw, term: Logits | LogitsCosine, kind: TaskKind
) -> None:
    student, teacher = draw(4, 3), draw(4, 3)
    passes = torch.tensor([0.0, 1, 1, 0], dtype=torch.float64)
    chosen = term.loss(step(student, teacher, kind=kind, weight=passes), None)
    torch.testing.assert_close(chosen, term.loss(step(student[1:3], teacher[1:3], kind=kind), None))
    assert term.loss(step(student, teacher, kind=kind, weight=0 * passes), None) == 0


@pytest.mark.parametrize("term", [Logits(), LogitsCosine()])
def test_masked_tokens_do_not_count(step: Make, draw: Draw, term: Logits | LogitsCosine) -> None:
    student, teacher = draw(2, 3, 4), draw(2, 3, 4)
    there = torch.tensor([[1, 1, 0], [0, 1, 1]])
    found = term.loss(step(student, teacher, None, TaskKind.TOKENS, mask=there), None)
    places = ([0, 0, 1, 1], [0, 1, 1, 2])
    torch.testing.assert_close(found, term.loss(step(student[places], teacher[places]), None))
    assert term.loss(step(student, teacher, None, TaskKind.TOKENS, mask=0 * there), None) == 0


def test_what_they_need_and_refuse() -> None:
    for term in (Logits(), LogitsCosine()):
        assert term.needs.teacher
        assert not term.needs.labels
        assert term.level == 3
        for kind in TaskKind:
            term.check(Task.of(kind, 2))
    Logits().check(Task.of("regression", 1))
    with pytest.raises(InvalidInput, match=r"one output.*Logits"):
        LogitsCosine().check(Task.of("regression", 1))
