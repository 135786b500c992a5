from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.certificates.budgets import budget
from limbeck.certificates.certify import certify
from limbeck.certificates.chains import chain, two_steps
from limbeck.core.errors import InvalidInput


def test_errors_add_along_a_chain() -> None:
    assert chain([(0.02, 0.01)]) == (0.02, 0.01)
    assert chain([(0.02, 0.01), (0.03, 0.04)]) == pytest.approx((0.05, 0.05))
    assert chain([(0.7, 0.01), (0.6, 0.995), (0.0, 0.0)]) == (1.0, 1.0)


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_a_chain_of_students_never_disagrees_more_than_its_bound(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    models = [rng.integers(0, 3, 50)]
    for _ in range(length):
        flips = rng.random(50) < rng.random() * 0.5
        models.append(np.where(flips, rng.integers(0, 3, 50), models[-1]))
    steps = [(float((a != b).mean()), 0.0) for a, b in itertools.pairwise(models)]
    assert (models[0] != models[-1]).mean() <= chain(steps)[0] + 1e-12


@pytest.mark.parametrize("bad", [[], [(0.1, -0.1)], [(1.1, 0.0)], [(0.1, float("nan"))]])
def test_bounds_outside_the_unit_interval(bad: list[tuple[float, float]]) -> None:
    with pytest.raises(InvalidInput, match="Give pairs of numbers in"):
        chain(bad)


def test_certificates_along_a_chain_add_up(threshold: Any) -> None:
    """Thresholds at 0.50, 0.52 and 0.55 of uniform inputs; rows of its own for each step."""
    rng = np.random.default_rng(0)
    teacher, first, last = threshold(0.50), threshold(0.52), threshold(0.55)
    steps = []
    for student, answers in ((first, teacher), (last, first)):
        X = rng.random((2000, 3))
        steps.append(certify(student, X, answers.predict(X), delta=0.01))
    epsilon, delta = chain(steps)
    assert (epsilon, delta) == (steps[0].epsilon + steps[1].epsilon, 0.02)
    assert 0.05 <= epsilon < 0.09  # the truth is 0.05
    assert chain([steps[0], (0.01, 0.02)])[1] == pytest.approx(0.03)


def test_certificates_that_do_not_add_up(threshold: Any, scale: Any) -> None:
    X = np.random.default_rng(0).random((400, 3))
    answers = threshold(0.51).predict(X)
    rows = certify(threshold(0.5), X, answers)
    cases = certify(threshold(0.5), X, answers, cases=np.arange(400) // 2)
    with pytest.raises(InvalidInput, match="others cases"):
        chain([rows, cases])
    values = certify(scale(), X, X[:, 0] + 0.01)
    mean = certify(scale(), X, X[:, 0], loss="absolute", loss_range=(0.0, 2.0))
    with pytest.raises(InvalidInput, match="for the loss 'absolute'"):
        chain([mean, mean])
    with pytest.raises(InvalidInput, match="for classes, others for numbers"):
        chain([rows, values])


@given(st.integers(0, 10_000))
def test_two_steps_over_every_student_of_a_finite_domain(seed: int) -> None:
    """All 2^m tables as first students, a random class as second ones."""
    rng = np.random.default_rng(seed)
    m = 6
    weights = rng.dirichlet(np.full(m, rng.choice([0.2, 1.0, 5.0])))
    tables = np.array(list(itertools.product([0, 1], repeat=m)))
    f = tables[rng.integers(len(tables))]
    second = tables[rng.choice(len(tables), rng.integers(1, 9), replace=False)]
    to_f = (second != f) @ weights
    e2 = rng.random() * 0.3
    for g in tables:
        e1 = min(float((g != f) @ weights), 1.0)
        to_g = (second != g) @ weights
        for h in np.flatnonzero(to_g <= to_g.min() + e2):
            assert to_f[h] <= to_f.min() + 2 * e1 + e2 + 1e-12
            assert to_f[h] <= chain([(e1, 0.0), (min(to_g[h], 1.0), 0.0)])[0] + 1e-12


def test_twice_the_first_error_can_be_paid() -> None:
    """f = 000; g = 010 is off on the middle point, which h turns on and the best student not."""
    weights = np.array([0.401, 0.1, 0.499])
    f, g, h, best = np.array([[0, 0, 0], [0, 1, 0], [0, 1, 1], [1, 0, 0]])
    assert (h != g) @ weights < (best != g) @ weights  # an agnostic second step picks h
    first = (g != f) @ weights
    assert (h != f) @ weights - (best != f) @ weights == pytest.approx(2 * first, abs=0.003)


def test_the_budget_of_two_steps() -> None:
    first = budget("tree", 0.01, 0.02, features=100, depth=4)
    second = budget("rules", 0.03, 0.04, features=100, leaves=8, depth=4)
    found = two_steps(first, second)
    assert found.perfect == (392 + 108, pytest.approx(0.04), pytest.approx(0.06))
    agnostic = second.rows[1].n
    assert found.agnostic == (392 + agnostic, pytest.approx(0.05), pytest.approx(0.06))
    assert "the best of the second class + 0.05" in str(found)


def test_a_first_step_that_may_err_on_most_inputs_leaves_nothing() -> None:
    rough = budget("tree", 0.6, 0.025, features=10, depth=2)
    fine = budget("tree", 0.1, 0.025, features=10, depth=2)
    found = two_steps(rough, fine)
    assert found.perfect[1:] == (pytest.approx(0.7), 0.05)
    assert found.agnostic[1] == 1.0
