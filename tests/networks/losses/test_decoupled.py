from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import entropy, pearsonr
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Step
from limbeck.networks import DIST, DKD, LinearSchedule, SoftTargets
from limbeck.networks.losses.decoupled import decoupled, inter_class, intra_class
from limbeck.networks.losses.probabilities import soft_targets

Draw = Callable[..., Tensor]
Make = Callable[..., Step]
LABELS = torch.tensor([0, 3, 1, 2, 3])


def parts_by_scipy(s: Tensor, t: Tensor, labels: Tensor, T: float) -> tuple[Tensor, Tensor]:
    """TCKD and NCKD of each row, from probabilities as the paper defines them."""
    target, others = [], []
    for a, b, y in zip(s.numpy() / T, t.numpy() / T, labels.tolist(), strict=True):
        p, q = softmax(a), softmax(b)
        target.append(entropy([q[y], 1 - q[y]], [p[y], 1 - p[y]]))
        others.append(entropy(np.delete(q, y), np.delete(p, y)))  # scipy makes them sum to 1
    return torch.tensor(np.array(target)), torch.tensor(np.array(others))


@pytest.mark.parametrize("T", [1.0, 4.0])
def test_dkd_is_the_papers(draw: Draw, T: float) -> None:
    student, teacher, weight = 2 * draw(5, 4), 2 * draw(5, 4), draw(5).abs()
    target, others = parts_by_scipy(student, teacher, LABELS, T)
    rows = T**2 * (0.5 * target + 3 * others)
    found = decoupled(student, teacher, LABELS, 0.5, 3.0, T)
    torch.testing.assert_close(found, rows.mean())
    found = decoupled(student, teacher, LABELS, 0.5, 3.0, T, weight)
    torch.testing.assert_close(found, (rows * weight).sum() / weight.sum())


@pytest.mark.parametrize("who", ["teacher", "both"])
def test_dkd_of_classes_that_are_ruled_out_is_the_papers(draw: Draw, who: str) -> None:
    student, teacher = 2 * draw(5, 4), 2 * draw(5, 4)
    teacher[:, 1] = -np.inf  # the label of the third row, too
    if who == "both":
        student[:, 1] = -np.inf
    student.requires_grad_()
    target, others = parts_by_scipy(student.detach(), teacher, LABELS, 2.0)
    loss = decoupled(student, teacher, LABELS, 0.5, 3.0, 2.0)
    torch.testing.assert_close(loss, (4 * (0.5 * target + 3 * others)).mean())
    (gradient,) = torch.autograd.grad(loss, student)
    assert gradient.isfinite().all()


def test_dkd_of_a_teacher_that_rules_out_all_but_the_target() -> None:
    teacher = torch.tensor([[1.0, -np.inf, -np.inf]])
    student = torch.zeros(1, 3, requires_grad=True)
    loss = decoupled(student, teacher, torch.tensor([0]), 1.0, 8.0, 1.0)
    assert loss.item() == pytest.approx(np.log(3))  # -log p_y, and nothing of the others
    assert torch.autograd.grad(loss, student)[0].isfinite().all()


def test_dkd_by_hand() -> None:
    # teacher (1/2, 1/4, 1/4), student (1/2, 1/8, 3/8), target 0: the first part is 0
    teacher = torch.tensor([[1 / 2, 1 / 4, 1 / 4]]).log()
    student = torch.tensor([[1 / 2, 1 / 8, 3 / 8]]).log()
    expected = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    found = decoupled(student, teacher, torch.tensor([0]), 1.0, 1.0, 1.0)
    assert found.item() == pytest.approx(expected, rel=1e-5)


@given(seed=st.integers(0, 10**6), T=st.floats(0.5, 8))
def test_kl_is_the_target_part_and_the_others_part_times_their_share(seed: int, T: float) -> None:
    rng = torch.Generator().manual_seed(seed)
    student, teacher = 3 * torch.randn(2, 1, 6, generator=rng, dtype=torch.float64)
    y = torch.tensor([seed % 6])
    share = 1 - torch.softmax(teacher / T, -1)[0, y].item()  # equation 5 of the paper
    found = decoupled(student, teacher, y, 1.0, share, T)
    torch.testing.assert_close(found, soft_targets(student, teacher, T))


def test_dkd_where_the_teacher_is_certain_stays_finite() -> None:
    teacher = torch.tensor([[1000.0, 3.0, 1.0]])
    student = torch.tensor([[-1000.0, 1.0, 3.0]], requires_grad=True)
    loss = decoupled(student, teacher, torch.tensor([0]))
    loss.backward()
    assert torch.isfinite(loss)
    assert student.grad is not None
    assert torch.isfinite(student.grad).all()


@pytest.mark.parametrize("T", [1.0, 3.0])
def test_dist_is_scipys_pearson(draw: Draw, T: float) -> None:
    student, teacher = 2 * draw(6, 4), 2 * draw(6, 4)
    p, q = softmax(student.numpy() / T, axis=1), softmax(teacher.numpy() / T, axis=1)
    rows = [1 - pearsonr(a, b).statistic for a, b in zip(p, q, strict=True)]
    columns = [1 - pearsonr(a, b).statistic for a, b in zip(p.T, q.T, strict=True)]
    assert inter_class(student, teacher, T).item() == pytest.approx(T**2 * np.mean(rows))
    assert intra_class(student, teacher, T).item() == pytest.approx(T**2 * np.mean(columns))


def test_intra_class_with_weights_is_that_of_repeated_rows(draw: Draw) -> None:
    student, teacher = draw(4, 3), draw(4, 3)
    times = torch.tensor([2, 0, 1, 3])
    found = intra_class(student, teacher, 2.0, times.double())
    repeated = (x.repeat_interleave(times, 0) for x in (student, teacher))
    torch.testing.assert_close(found, intra_class(*repeated, 2.0))


def test_a_single_row_has_no_correlation_within_classes(draw: Draw) -> None:
    student = draw(3, 4).requires_grad_()
    assert intra_class(student[:1], draw(1, 4)) == 0
    one = torch.tensor([0.0, 0.7, 0.0], dtype=torch.float64)
    loss = intra_class(student, draw(3, 4), 1.0, one)
    loss.backward()
    assert loss == 0
    assert student.grad is not None
    assert not student.grad.any()


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_and_0_at_the_teacher(draw: Draw, weighted: bool) -> None:
    student, teacher = draw(5, 4).requires_grad_(), draw(5, 4)
    weight = draw(5).abs() if weighted else None
    losses: list[Callable[..., Tensor]] = [
        partial(decoupled, labels=LABELS, weight=weight),
        partial(inter_class, temperature=2.0, weight=weight),
        partial(intra_class, temperature=2.0, weight=weight),
    ]
    for loss in losses:
        assert torch.autograd.gradcheck(partial(loss, teacher=teacher), (student,))
        assert loss(teacher, teacher=teacher).item() == pytest.approx(0, abs=1e-10)
        assert loss(student, teacher=teacher).item() > 0


@pytest.mark.parametrize("term", [DKD(), DIST(), DIST(inter=0, temperature=4)])
def test_weights_of_0_and_1_and_masks_choose_rows(step: Make, draw: Draw, term: DKD | DIST) -> None:
    student, teacher = draw(5, 4), draw(5, 4)
    passes, rows = torch.tensor([1.0, 0, 1, 1, 0], dtype=torch.float64), [0, 2, 3]
    chosen = term.loss(step(student, teacher, LABELS, weight=passes), None)
    plain = term.loss(step(student[rows], teacher[rows], LABELS[rows]), None)
    torch.testing.assert_close(chosen, plain)
    assert term.loss(step(student, teacher, LABELS, weight=0 * passes), None) == 0
    tokens = (student[None], teacher[None], LABELS[None], TaskKind.TOKENS)
    masked = term.loss(step(*tokens, mask=passes[None]), None)
    torch.testing.assert_close(masked, plain)
    assert term.loss(step(*tokens, mask=0 * passes[None]), None) == 0


def test_temperatures_may_follow_a_schedule(step: Make, draw: Draw) -> None:
    student, teacher = draw(5, 4), draw(5, 4)
    for term in (DKD, DIST):
        now = step(student, teacher, LABELS, done=0.5)
        moving, fixed = term(temperature=LinearSchedule(4, 2)), term(temperature=3.0)
        assert moving.loss(now, None) == fixed.loss(now, None)


def test_dkd_takes_each_weight_for_its_part(step: Make, draw: Draw) -> None:
    student, teacher = draw(5, 4), draw(5, 4)
    target, others = parts_by_scipy(student, teacher, LABELS, 2.0)
    found = DKD(alpha=0.5, beta=3, temperature=2).loss(step(student, teacher, LABELS), None)
    torch.testing.assert_close(found, 4 * (0.5 * target + 3 * others).mean())


def test_dist_adds_its_parts(step: Make, draw: Draw) -> None:
    student, teacher = draw(5, 4), draw(5, 4)
    expected = 2 * inter_class(student, teacher, 4.0) + 3 * intra_class(student, teacher, 4.0)
    found = DIST(inter=2, intra=3, temperature=4).loss(step(student, teacher), None)
    torch.testing.assert_close(found, expected)


def test_what_they_need_and_refuse() -> None:
    assert DKD().needs.labels
    assert DKD().needs.teacher
    assert DIST().needs.teacher
    assert not DIST().needs.labels
    assert DKD.level == DIST.level == SoftTargets.level
    for term in (DKD(), DIST()):
        with pytest.raises(InvalidInput, match="regression"):
            term.check(Task.of("regression", 1))
        with pytest.raises(InvalidInput, match="multi-label"):
            term.check(Task.of("multilabel", 4))
        term.check(Task.of("language", 4))
    DKD().check(Task.of("classification", 2))
    with pytest.raises(InvalidInput, match=r"two classes.*inter=0"):
        DIST().check(Task.of("classification", 2))
    DIST(inter=0).check(Task.of("classification", 2))
    for term, bad in (
        (DKD, {"alpha": -0.1}),
        (DKD, {"alpha": 0, "beta": 0}),
        (DKD, {"temperature": 0}),
        (DIST, {"inter": float("nan")}),
        (DIST, {"inter": 0, "intra": 0}),
        (DIST, {"temperature": -2}),
    ):
        with pytest.raises(InvalidInput):
            term(**bad)
