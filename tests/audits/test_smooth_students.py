from __future__ import annotations

import numpy as np
import pytest

from limbeck.audits.refit import Design
from limbeck.audits.smooth_students import (
    Smoothing,
    choose_smoothing,
    equations,
    reduced,
    without,
)

RNG = np.random.default_rng(0)
CODES = np.column_stack([RNG.integers(0, k, 500) for k in (6, 4, 3)])
DESIGN = Design.of(CODES, (7, 5, 4))  # the last bin of each column holds no row
NOMINAL = (False, False, True)
TARGET = CODES[:, 0] * 0.5 + (CODES[:, 1] == 2) + RNG.normal(0, 0.3, 500)
WEIGHT = RNG.poisson(1, 500).astype(float)
SMOOTHING = Smoothing.of(DESIGN, NOMINAL, WEIGHT.sum()).times(0.1)


def penalised(kept: np.ndarray) -> np.ndarray:
    """Predictions of the student by least squares on the rows with the penalty as more rows."""
    p = DESIGN.starts[-1]
    hot = np.zeros((500, p))
    hot[np.arange(500)[:, None], DESIGN.at] = 1.0
    more = [np.sqrt(SMOOTHING.own[i]) * np.eye(p)[i] for i in range(p)]
    step = np.eye(p)[1:] - np.eye(p)[:-1]
    more += list(np.sqrt(SMOOTHING.next)[:, None] * step)
    A = np.concatenate([np.column_stack([np.ones(500), hot]) * np.sqrt(WEIGHT)[:, None],
                        np.column_stack([np.zeros(len(more)), more])])  # fmt: skip
    b = np.concatenate([TARGET * np.sqrt(WEIGHT), np.zeros(len(more))])
    used = np.r_[True, kept]
    solved = np.linalg.lstsq(A[:, used], b, rcond=None)[0]
    return np.column_stack([np.ones(500), hot])[:, used] @ solved


def test_the_student_is_penalised_least_squares() -> None:
    (found,) = equations(DESIGN, TARGET, [WEIGHT])
    student = found.student(DESIGN, SMOOTHING)
    exact = penalised(np.ones(16, dtype=bool))
    assert student.add_up(DESIGN) == pytest.approx(exact, abs=1e-8)
    for a, b in zip(DESIGN.starts[:-1], DESIGN.starts[1:], strict=True):
        assert student.theta[a:b] @ found.mass[a:b] == pytest.approx(0, abs=1e-9)


def test_features_are_left_out_one_by_one_without_solving_anew() -> None:
    (found,) = equations(DESIGN, TARGET, [WEIGHT])
    inverse = found.inverse(SMOOTHING)
    theta = inverse @ found.push
    one, other = slice(7, 12), slice(0, 7)
    kept = np.ones(16, dtype=bool)
    kept[one] = False
    student = found.centred(DESIGN, without(inverse, one, theta))
    assert student.add_up(DESIGN) == pytest.approx(penalised(kept), abs=1e-8)
    kept[other] = False
    twice = reduced(reduced(inverse, one), other)
    student = found.centred(DESIGN, twice @ found.push)
    assert student.add_up(DESIGN) == pytest.approx(penalised(kept), abs=1e-8)
    assert not student.theta[:12].any()


def test_several_weightings_come_in_their_order() -> None:
    weights = [RNG.poisson(1, 500).astype(float) for _ in range(11)]
    for w, found in zip(weights, equations(DESIGN, TARGET, weights), strict=True):
        (alone,) = equations(DESIGN, TARGET, [w])
        assert (found.gram == alone.gram).all()
        assert (found.push == alone.push).all()


@pytest.mark.parametrize(("noise", "firm"), [(0.0, False), (20.0, True)])
def test_noise_makes_the_student_smoother(noise: float, firm: bool) -> None:
    target = CODES[:, 0] % 2 + noise * RNG.normal(size=500)
    aside = np.arange(500) % 5 == 0
    (train,) = equations(DESIGN, target, [np.where(aside, 0.0, 1.0)])
    unit = Smoothing.of(DESIGN, NOMINAL, 500.0)
    found = choose_smoothing(DESIGN, target, unit, train, aside * 1.0)
    assert (found.own >= 0).all()
    assert (found.own[6] / unit.own[6] >= 0.1) == firm
