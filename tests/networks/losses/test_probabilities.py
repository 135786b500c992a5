from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.special import expit, softmax
from scipy.stats import entropy, zscore
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import IGNORED, Step
from limbeck.networks import JensenShannon, LinearSchedule, ReverseKL, SoftTargets
from limbeck.networks.losses.probabilities import (
    jensen_shannon,
    reverse_kl,
    soft_targets,
    standardised,
)

Draw = Callable[..., Tensor]
Make = Callable[..., Step]
TERMS = [SoftTargets, ReverseKL, JensenShannon]
LOSSES = [soft_targets, reverse_kl, jensen_shannon]


def rows_by_scipy(which: int, s: NDArray, t: NDArray, T: float) -> NDArray:
    """The loss of each row from scipy's entropies."""
    p, q = softmax(s / T, axis=-1), softmax(t / T, axis=-1)
    if which == 0:
        found = entropy(q, p, axis=-1)
    elif which == 1:
        found = entropy(p, q, axis=-1)
    else:
        found = jensenshannon(p, q, axis=-1) ** 2
    return T**2 * found


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("T", [0.5, 1.0, 4.0])
def test_the_losses_are_scipys(draw: Draw, which: int, T: float) -> None:
    student, teacher, weight = draw(6, 5), draw(6, 5), draw(6).abs()
    rows = rows_by_scipy(which, student.numpy(), teacher.numpy(), T)
    assert LOSSES[which](student, teacher, T).item() == pytest.approx(rows.mean())
    weighted = LOSSES[which](student, teacher, T, weight).item()
    assert weighted == pytest.approx(np.average(rows, weights=weight.numpy()))


def test_values_by_hand() -> None:
    student, teacher = torch.zeros(1, 2), torch.tensor([[0.0, np.log(3.0)]])
    forward = 0.25 * np.log(0.25 / 0.5) + 0.75 * np.log(0.75 / 0.5)
    backward = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    assert soft_targets(student, teacher).item() == pytest.approx(forward, rel=1e-6)
    assert reverse_kl(student, teacher).item() == pytest.approx(backward, rel=1e-6)
    # at temperature 2 the teacher's odds are the square root of 3
    q = 3**0.5 / (1 + 3**0.5)
    soft = 4 * (q * np.log(2 * q) + (1 - q) * np.log(2 * (1 - q)))
    assert soft_targets(student, teacher, 2.0).item() == pytest.approx(soft, rel=1e-5)


def test_without_weights_soft_targets_are_the_usual_line_bit_for_bit(draw: Draw) -> None:
    s, t, T = draw(128, 10).float(), draw(128, 10).float(), 4.0
    usual = F.kl_div(F.log_softmax(s / T, -1), F.softmax(t / T, -1), reduction="batchmean") * T * T
    assert torch.equal(soft_targets(s, t, T), usual)


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("who", ["teacher", "student", "both", "each another"])
@pytest.mark.parametrize("T", [1.0, 4.0])
def test_classes_that_are_ruled_out_have_scipys_values(
    draw: Draw, which: int, who: str, T: float
) -> None:
    """A logit of -inf is a probability of 0, and 0 log 0 is 0."""
    student, teacher = draw(6, 5), draw(6, 5)
    if who != "student":
        teacher[:, 1] = -np.inf
    if who != "teacher":
        student[:, 3 if who == "each another" else 1] = -np.inf
    rows = rows_by_scipy(which, student.numpy(), teacher.numpy(), T)
    for weight in (None, draw(6).abs()):
        found = LOSSES[which](student.requires_grad_(), teacher, T, weight)
        expected = np.average(rows, weights=weight)
        assert found.item() == pytest.approx(expected)
        if np.isfinite(expected):
            (gradient,) = torch.autograd.grad(found, student)
            assert gradient.isfinite().all()


@pytest.mark.parametrize("which", [0, 1, 2])
def test_standardised_classes_that_are_ruled_out(draw: Draw, which: int) -> None:
    """Mean and deviation are of the other classes, so that the loss is that of these alone."""
    student, teacher = draw(6, 5), draw(6, 5)
    student[:, 1] = teacher[:, 1] = -np.inf
    student.requires_grad_()
    loss = LOSSES[which](standardised(student), standardised(teacher), 2.0)
    left = [x[:, [0, 2, 3, 4]] for x in (student, teacher)]
    torch.testing.assert_close(loss, LOSSES[which](*map(standardised, left), 2.0))
    (gradient,) = torch.autograd.grad(loss, student)
    assert gradient.isfinite().all()


def test_labels_that_are_ruled_out_are_bernoulli_of_0(step: Make, draw: Draw) -> None:
    student, teacher = draw(4, 3), draw(4, 3)
    student[:, 1] = teacher[:, 1] = -np.inf
    for term in TERMS:
        found = term().loss(step(student, teacher, kind=TaskKind.MULTILABEL), None)
        left = [x[:, [0, 2]] for x in (student, teacher)]
        rest = term().loss(step(*left, kind=TaskKind.MULTILABEL), None)
        torch.testing.assert_close(found, rest * 2 / 3)


def test_equal_logits_standardise_to_0_with_a_finite_gradient() -> None:
    logits = torch.full((2, 4), 3.0, requires_grad=True)
    found = standardised(logits)
    assert not found.any()
    assert torch.autograd.grad(found[:, 0].sum(), logits)[0].isfinite().all()


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients(draw: Draw, loss: Callable[..., Tensor]) -> None:
    student, teacher, weight = draw(4, 3).requires_grad_(), draw(4, 3), draw(4).abs()
    for more in ({}, {"weight": weight}):
        one = partial(loss, teacher=teacher, temperature=3.0, **more)
        assert torch.autograd.gradcheck(one, (student,))
    assert torch.autograd.gradcheck(lambda z: standardised(z), (student,))


@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), T=st.floats(0.1, 20), shift=st.floats(-50, 50))
def test_never_below_0_and_0_where_student_equals_teacher(
    loss: Callable[..., Tensor], seed: int, T: float, shift: float
) -> None:
    rng = torch.Generator().manual_seed(seed)
    student, teacher = 3 * torch.randn(2, 4, 5, generator=rng, dtype=torch.float64)
    assert loss(student, teacher, T).item() >= -1e-12
    # probabilities, so logits that differ by a constant are equal
    assert loss(teacher + shift, teacher, T).item() == pytest.approx(0, abs=1e-10)


def test_jensen_shannon_is_symmetric_and_bounded_where_kl_is_not(draw: Draw) -> None:
    a, b = draw(4, 3), draw(4, 3)
    torch.testing.assert_close(jensen_shannon(a, b, 2.0), jensen_shannon(b, a, 2.0))
    yes, no = torch.tensor([[1000.0, 0.0]]), torch.tensor([[0.0, 1000.0]])
    assert jensen_shannon(yes, no).item() == pytest.approx(np.log(2))
    assert soft_targets(yes, no).item() == pytest.approx(1000)


def test_standardised_rows_are_scipys_z_scores(draw: Draw) -> None:
    logits = 7 * draw(5, 4) + 3
    np.testing.assert_allclose(standardised(logits), zscore(logits.numpy(), axis=1), rtol=1e-6)


def test_standardising_makes_scale_and_shift_of_the_teacher_irrelevant(
    step: Make, draw: Draw
) -> None:
    student, teacher = draw(5, 4), draw(5, 4)
    term = SoftTargets(temperature=2, standardise=True)
    found = term.loss(step(student, teacher), None)
    expected = rows_by_scipy(0, zscore(student.numpy(), axis=1), zscore(teacher.numpy(), axis=1), 2)
    assert found.item() == pytest.approx(expected.mean(), rel=1e-5)
    moved = term.loss(step(student, 5 * teacher + 2), None)
    torch.testing.assert_close(moved, found, rtol=1e-5, atol=0)
    assert term.loss(step(3 * teacher + 1, teacher), None).item() == pytest.approx(0, abs=1e-12)
    assert torch.autograd.gradcheck(
        lambda s: term.loss(step(s, teacher), None), (student.requires_grad_(),)
    )


@pytest.mark.parametrize("which", [0, 1, 2])
def test_multi_label_is_the_mean_of_bernoulli_divergences(
    step: Make, draw: Draw, which: int
) -> None:
    student, teacher, weight = draw(4, 3), draw(4, 3), draw(4).abs()
    s, t = student.numpy(), teacher.numpy()
    # two logits with the difference z have the probability sigmoid(z)
    rows = rows_by_scipy(which, np.stack([s, 0 * s], -1), np.stack([t, 0 * t], -1), 2.0)
    term = TERMS[which](temperature=2)
    found = term.loss(step(student, teacher, kind=TaskKind.MULTILABEL), None)
    assert found.item() == pytest.approx(rows.mean())
    weighted = term.loss(step(student, teacher, kind=TaskKind.MULTILABEL, weight=weight), None)
    expected = np.average(rows.mean(1), weights=weight.numpy())
    assert weighted.item() == pytest.approx(expected)
    if which == 0:  # binary cross entropy on soft labels, less its least value
        p, q = expit(s), expit(t)
        kl = q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))
        plain = SoftTargets().loss(step(student, teacher, kind=TaskKind.MULTILABEL), None)
        assert plain.item() == pytest.approx(kl.mean())


@pytest.mark.parametrize("term", TERMS)
def test_weights_of_0_and_1_choose_rows(
    step: Make, draw: Draw, term: Callable[..., SoftTargets]
) -> None:
    student, teacher = draw(5, 4), draw(5, 4)
    passes = torch.tensor([1.0, 0, 0, 1, 1], dtype=torch.float64)
    chosen = term(3.0).loss(step(student, teacher, weight=passes), None)
    plain = term(3.0).loss(step(student[[0, 3, 4]], teacher[[0, 3, 4]]), None)
    torch.testing.assert_close(chosen, plain)
    none = term(3.0).loss(step(student, teacher, weight=0 * passes), None)
    assert none == 0


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("kind", [TaskKind.TOKENS, TaskKind.LANGUAGE])
def test_masked_tokens_do_not_count(
    step: Make, draw: Draw, term: Callable[..., SoftTargets], kind: TaskKind
) -> None:
    student, teacher = draw(2, 3, 4), draw(2, 3, 4)
    there = torch.tensor([[1, 1, 0], [0, 1, 1]])
    labels = torch.tensor([[2, IGNORED, 0], [1, 3, 1]])
    found = term().loss(step(student, teacher, None, kind, mask=there), None)
    both = term().loss(step(student, teacher, labels, kind, mask=there), None)
    if kind is TaskKind.TOKENS:
        places, fewer = ([0, 0, 1, 1], [0, 1, 1, 2]), ([0, 1, 1], [0, 1, 2])
    else:
        places, fewer = ([0, 1], [0, 1]), ([1], [1])  # nothing predicts from padding
    torch.testing.assert_close(found, term().loss(step(student[places], teacher[places]), None))
    torch.testing.assert_close(both, term().loss(step(student[fewer], teacher[fewer]), None))
    nothing = term().loss(step(student, teacher, None, kind, mask=0 * there), None)
    assert nothing == 0


def test_the_temperature_may_follow_a_schedule(step: Make, draw: Draw) -> None:
    student, teacher = draw(4, 3), draw(4, 3)
    term = SoftTargets(temperature=LinearSchedule(4, 2))
    for done, T in ((0.0, 4.0), (0.5, 3.0), (1.0, 2.0)):
        found = term.loss(step(student, teacher, done=done), None)
        assert found == soft_targets(student, teacher, T)


@pytest.mark.parametrize("T", [0, -1, float("nan"), float("inf"), "4", True, LinearSchedule(4, 0)])
@pytest.mark.parametrize("term", TERMS)
def test_a_temperature_must_be_positive(T: object, term: Callable[..., SoftTargets]) -> None:
    with pytest.raises(InvalidInput, match=r"The temperature is .* positive"):
        term(temperature=T)


@pytest.mark.parametrize("term", TERMS)
def test_what_they_need_and_refuse(term: Callable[..., SoftTargets]) -> None:
    assert term().needs.teacher
    assert not term().needs.labels
    assert term().level == 2
    with pytest.raises(InvalidInput, match=r"regression has none: a temperature.*Logits"):
        term().check(Task.of("regression", 1))
    with pytest.raises(InvalidInput, match="one class"):
        term().check(Task.of("classification", 1))
    for kind in set(TaskKind) - {TaskKind.REGRESSION}:
        term().check(Task.of(kind, 2))
    for task in (Task.of("classification", 2), Task.of("multilabel", 9)):
        with pytest.raises(InvalidInput, match="standardise"):
            term(standardise=True).check(task)
    term(standardise=True).check(Task.of("language", 3))
