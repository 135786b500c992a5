from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from limbeck.certificates.certify import certify
from limbeck.certificates.chains import chain
from limbeck.certificates.composed import ComposedBound, direct_delta, step_delta
from limbeck.core.errors import InvalidInput


def test_all_bounds_together_take_delta() -> None:
    for steps in (1, 2, 3, 7):
        parts = direct_delta(0.05) + steps * step_delta(0.05, steps)
        assert parts == pytest.approx(0.05)


def composed(threshold: Any, rng: np.random.Generator, n: int, other: int = 0) -> ComposedBound:
    """Thresholds at 0.50, 0.52 and 0.55: the last differs from the first on 5% of inputs."""
    teacher, first, last = threshold(0.50), threshold(0.52), threshold(0.55)
    X = rng.random((n, 3))
    Z = rng.random((other, 3)) if other else X
    steps = (
        certify(first, Z, teacher.predict(Z), delta=step_delta(0.05, 2)),
        certify(last, Z, first.predict(Z), delta=step_delta(0.05, 2)),
    )
    direct = certify(last, X, teacher.predict(X), delta=direct_delta(0.05))
    return ComposedBound(("tree", "rules"), steps, direct)


def test_the_smaller_bound_covers_the_truth_as_often_as_it_says(threshold: Any) -> None:
    rng = np.random.default_rng(0)
    found = [composed(threshold, rng, 200) for _ in range(40)]
    wrong = sum(b.bound < 0.05 for b in found)
    assert wrong <= 0.05 * 40  # 0.025 of each kind at most; far fewer by the union bound
    assert all(b.total_delta == pytest.approx(0.05) for b in found)
    assert not any(b.by_steps for b in found)  # on the same rows the direct bound is the smaller


def test_steps_that_were_certified_on_more_rows_give_the_smaller_bound(threshold: Any) -> None:
    found = composed(threshold, np.random.default_rng(1), 60, other=20_000)
    assert found.by_steps
    assert found.bound == found.epsilon == found.steps[0].epsilon + found.steps[1].epsilon
    assert 0.05 < found.bound < found.direct.epsilon
    assert "the tree from the teacher by at most" in found.sentence
    assert "probability at least 95%, and the bound of its steps is the smaller" in found.sentence


def test_tolerances_add_up(scale: Any) -> None:
    rng = np.random.default_rng(2)
    X = rng.random((800, 3))
    one, two, three = scale(1.0), scale(1.1), scale(1.3)
    steps = tuple(
        certify(student, X, teacher.predict(X), delta=0.0125, epsilon=0.025)
        for student, teacher in ((two, one), (three, two))
    )
    direct = certify(three, X, one.predict(X), delta=0.025, epsilon=0.05)
    found = ComposedBound(("additive", "linear"), steps, direct)
    assert found.tolerance == pytest.approx(sum(s.tolerance or 0 for s in steps))
    assert found.epsilon == pytest.approx(0.05)
    Z = rng.random((4000, 3))
    off = np.abs(three.predict(Z) - one.predict(Z)) > found.tolerance
    assert off.mean() <= found.epsilon
    assert "on all but 5%" in found.sentence


def test_classes_and_numbers_do_not_add_up(threshold: Any, scale: Any) -> None:
    X = np.random.default_rng(3).random((400, 3))
    classes = certify(threshold(0.5), X, threshold(0.51).predict(X))
    numbers = certify(scale(1.0), X, scale(1.1).predict(X))
    with pytest.raises(InvalidInput, match="Some certificates of the chain are for classes"):
        chain([classes, numbers])
