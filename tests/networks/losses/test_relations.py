from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.modules.batch import Step
from limbeck.networks import Relations
from limbeck.networks.losses.relations import angle_relations, distance_relations

Draw = Callable[..., Tensor]
Make = Callable[..., Step]
LOSSES = [distance_relations, angle_relations]


def huber(x: float) -> float:
    return x**2 / 2 if abs(x) <= 1 else abs(x) - 0.5


def by_loops(which: int, s: Tensor, t: Tensor, w: Tensor) -> float:
    """The paper's sums over ordered pairs and triplets of different rows, in plain Python."""
    total = parts = 0.0
    if which == 0:
        scaled = []
        for x in (s, t):
            d = squareform(pdist(x.numpy()))
            pairs = np.outer(w, w) * (1 - np.eye(len(w)))
            scaled.append(d / np.average(d, weights=pairs))
        for i, j in permutations(range(len(w)), 2):
            total += float(w[i] * w[j]) * huber(scaled[0][i, j] - scaled[1][i, j])
            parts += float(w[i] * w[j])
        return total / parts
    for i, j, k in permutations(range(len(w)), 3):
        angles = []
        for x in (s.numpy(), t.numpy()):
            a, b = x[j] - x[i], x[k] - x[i]
            angles.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        total += float(w[i] * w[j] * w[k]) * huber(angles[0] - angles[1])
        parts += float(w[i] * w[j] * w[k])
    return total / parts


@pytest.mark.parametrize("which", [0, 1])
def test_the_losses_are_the_papers_sums(draw: Draw, which: int) -> None:
    student, teacher, weight = draw(5, 3), draw(5, 4), draw(5).abs()
    found = LOSSES[which](student, teacher).item()
    assert found == pytest.approx(by_loops(which, student, teacher, torch.ones(5)))
    weighted = LOSSES[which](student, teacher, weight).item()
    assert weighted == pytest.approx(by_loops(which, student, teacher, weight))


def test_by_hand() -> None:
    line = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    corner = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    # cosines at the middle row: -1 and 0; at the two ends: 1 and cos(45 degrees)
    end = huber(1 - 0.5**0.5)
    assert angle_relations(line, corner).item() == pytest.approx((0.5 + 2 * end) / 3, rel=1e-5)
    # distances over their means: (1, 1, 2) * 3/4 and (1, 1, sqrt 2) * 3 / (2 + sqrt 2)
    mean = (2 + 2**0.5) / 3
    parts = 2 * huber(0.75 - 1 / mean) + huber(1.5 - 2**0.5 / mean)
    assert distance_relations(line, corner).item() == pytest.approx(parts / 3, rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.1, 10))
def test_0_where_the_students_rows_are_the_teachers_turned_moved_and_scaled(
    loss: Callable[..., Tensor], seed: int, scale: float
) -> None:
    rng = torch.Generator().manual_seed(seed)
    teacher = torch.randn(5, 3, generator=rng, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=rng, dtype=torch.float64))[0]
    assert loss(scale * teacher @ turn + 2, teacher).item() == pytest.approx(0, abs=1e-12)
    assert loss(teacher.square(), teacher).item() > 0


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients(draw: Draw, loss: Callable[..., Tensor]) -> None:
    student, teacher, weight = draw(4, 3).requires_grad_(), draw(4, 2), draw(4).abs()
    assert torch.autograd.gradcheck(partial(loss, teacher=teacher), (student,))
    assert torch.autograd.gradcheck(partial(loss, teacher=teacher, weight=weight), (student,))


@pytest.mark.parametrize("loss", LOSSES)
def test_rows_that_coincide_have_a_finite_gradient(draw: Draw, loss: Callable[..., Tensor]) -> None:
    for student in (torch.zeros(4, 3), torch.cat([torch.ones(2, 3), torch.eye(3)[:2]])):
        student.requires_grad_()
        found = loss(student, draw(4, 3).float())
        found.backward()
        assert torch.isfinite(found)
        assert student.grad is not None
        assert student.grad.abs().max() < 100


@pytest.mark.parametrize("loss", LOSSES)
def test_fewer_rows_than_a_relation_needs_cost_0(draw: Draw, loss: Callable[..., Tensor]) -> None:
    for rows in (0, 1):
        student = draw(rows, 3).requires_grad_()
        found = loss(student, draw(rows, 3))
        found.backward()
        assert found == 0
    weight = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    assert loss(draw(3, 3), draw(3, 3), weight) == 0


def test_the_term_adds_its_parts_and_takes_means_of_places(step: Make, draw: Draw) -> None:
    images, tokens = draw(5, 3, 2, 2), draw(5, 4, 6)
    mask = torch.arange(4) < torch.tensor([4, 2, 1, 3, 4])[:, None]
    now = step(draw(5, 2), draw(5, 2), layers={"a": (images, tokens)}, mask=mask)
    s = images.mean((2, 3))
    t = torch.stack([row[there].mean(0) for row, there in zip(tokens, mask, strict=True)])
    expected = 3 * distance_relations(s, t) + 4 * angle_relations(s, t)
    found = Relations({"a": "a"}, distance=3, angle=4).loss(now, None)
    torch.testing.assert_close(found, expected)
    only = Relations({"a": "a"}, distance=0, angle=1).loss(now, None)
    torch.testing.assert_close(only, angle_relations(s, t))
    assert Relations({"a": "a"}).maps(now) is None


def test_weights_of_0_and_1_choose_rows(step: Make, draw: Draw) -> None:
    student, teacher, logits = draw(6, 3), draw(6, 4), draw(6, 2)
    passes, rows = torch.tensor([1.0, 0, 1, 1, 0, 1], dtype=torch.float64), [0, 2, 3, 5]
    term = Relations({"a": "a"})
    chosen = step(logits, logits, layers={"a": (student, teacher)}, weight=passes)
    plain = step(logits[rows], logits[rows], layers={"a": (student[rows], teacher[rows])})
    torch.testing.assert_close(term.loss(chosen, None), term.loss(plain, None))


@pytest.mark.parametrize(
    "bad", [{"distance": -1}, {"angle": float("nan")}, {"distance": 0, "angle": 0}]
)
def test_weights_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=r"distance|angle"):
        Relations({"a": "a"}, **bad)


@pytest.mark.parametrize("which", [0, 1])
def test_rows_of_unequal_weight_count_by_the_product(which: int, draw: Draw) -> None:
    s, t, w = draw(5, 3), draw(5, 2), torch.arange(1.0, 6.0, dtype=torch.float64)
    assert float(LOSSES[which](s, t, w)) == pytest.approx(by_loops(which, s, t, w))
