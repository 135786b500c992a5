from __future__ import annotations

import io
import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from limbeck.certificates.budget_rows import Budget
from limbeck.certificates.budgets import budget
from limbeck.certificates.frontier import frontier
from limbeck.core.errors import InvalidInput


def rows(found: Budget) -> dict[tuple[str, str], int]:
    return {(r.task, r.bound): r.n for r in found.rows}


def test_the_command_line_example() -> None:
    found = budget("tree", 0.01, 0.05, features=100, depth=4)
    functions = 100**15 * 2**16
    assert found.log2_size == pytest.approx(math.log2(functions))
    agnostic = math.ceil(2 * math.log((functions - 1) / 0.05) / 0.01**2)
    assert rows(found) == {
        ("distil, perfect", "upper"): 300,
        ("distil, agnostic", "upper"): agnostic,
        ("learn, realizable", "upper"): math.ceil(math.log(functions / 0.05) / 0.01),
        ("learn, realizable", "lower"): math.ceil(0.99 * math.log(20) / 0.01),
        ("learn, agnostic", "upper"): agnostic,
    }
    assert found.vc_least == 2**3 * 7


def test_deep_trees_need_rows_for_their_dimension() -> None:
    found = rows(budget("tree", 0.01, 0.05, features=100, depth=8))
    least = math.ceil((2**7 * 7 - 1) / 0.32)
    assert found["learn, realizable", "lower"] == least > 9 * found["distil, perfect", "upper"]


def test_a_frontier_makes_agnostic_distillation_cheaper() -> None:
    settings: dict[str, Any] = {"features": 100, "depth": 4}
    known = budget("tree", 0.05, 0.05, frontier=20, **settings)
    assert known.rows[1].n == math.ceil(2 * math.log(19 / 0.05) / 0.05**2)
    assert "the frontier of 20 functions" in known.rows[1].source
    assert budget("tree", 0.05, 0.05, frontier=1, **settings).rows[1].n == 0
    with_vc = budget("tree", 0.05, 0.05, frontier_vc=1, **settings).rows[1]
    assert "VC dimension is 1" in with_vc.source
    assert with_vc.n < known.rows[4].n
    # a poorer bound than that of the class is not used
    poor = budget("tree", 0.05, 0.05, frontier_vc=60, **settings)
    assert (poor.rows[1].n, poor.rows[1].source) == (poor.rows[4].n, poor.rows[4].source)


def test_a_frontier_that_was_computed_can_be_given() -> None:
    line = np.arange(10)
    intervals = np.array([(line >= a) & (line < b) for a in range(10) for b in range(a, 11)])
    inside = budget("tree", 0.05, 0.05, features=4, depth=2, frontier=frontier(intervals, line > 4))
    assert inside.rows[1].n == 0
    outside = frontier(intervals, (line < 3) | (line > 6))
    found = budget("tree", 0.05, 0.05, features=4, depth=2, frontier=outside)
    count = len(outside.members)
    assert found.rows[1].n == math.ceil(2 * math.log((count - 1) / 0.05) / 0.05**2)


def test_choosing_from_the_budget_works_as_often_as_it_says() -> None:
    """Every 4-row table as a student: the excess error of the best on the rows, simulated."""
    rng = np.random.default_rng(0)
    tables = np.array(list(itertools.product([0, 1], repeat=4)))[:7]
    epsilon, delta = 0.2, 0.2
    n = budget(
        "tree", epsilon, delta, features=4, depth=2, frontier=len(tables)
    ).rows[1].n  # fmt: skip
    failed = 0
    for _ in range(500):
        weights, teacher = rng.dirichlet(np.ones(4)), rng.integers(0, 2, 4)
        counts = rng.multinomial(n, weights)
        wrong = tables != teacher
        picked = int(np.argmin(wrong @ counts))
        failed += (wrong @ weights)[picked] > (wrong @ weights).min() + epsilon
    assert failed / 500 <= delta


def test_a_rate_of_disagreement_makes_it_cheaper() -> None:
    found = budget("tree", 0.01, 0.05, features=100, depth=4, disagreement=0.02)
    functions = 100**15 * 2**16
    n = math.ceil((4 * 0.02 / 1e-4 + 10 / 0.03) * math.log((functions - 1) / 0.05))
    assert rows(found)["distil, agnostic", "upper"] == n
    assert 94_000 < n < 94_500
    assert "tau = 0.02" in found.rows[1].source
    with pytest.raises(InvalidInput, match=r"the number of linear thresholds.* is infinite"):
        budget("linear", 0.1, 0.05, features=3, disagreement=0.02)
    of_frontier = budget("linear", 0.1, 0.05, features=3, disagreement=0.02, frontier=5)
    assert "tau = 0.02" in of_frontier.rows[1].source
    with pytest.raises(InvalidInput, match=r"disagreement is 1\.5"):
        budget("tree", 0.1, 0.05, features=3, depth=2, disagreement=1.5)


def test_a_mutual_dimension_bounds_learners_that_know_the_teachers_class() -> None:
    found = rows(budget("tree", 0.01, 0.05, features=100, depth=8, mutual_vc=300))
    assert found["learn, teacher's class known", "lower"] == math.ceil(299 / 0.32)
    none = rows(budget("tree", 0.01, 0.05, features=100, depth=8, mutual_vc=0))
    assert none["learn, teacher's class known", "lower"] == 0


def test_linear_rows_satisfy_the_inequalities_and_are_the_fewest() -> None:
    found = budget("linear", 0.1, 0.05, features=9)
    assert (found.vc, found.log2_size) == (10, None)
    realizable, agnostic = found.rows[2].n, found.rows[4].n

    def labelings(n: int) -> float:
        return math.log(2 * sum(math.comb(2 * n - 1, i) for i in range(10)))

    def consistent(n: int) -> float:
        return math.log(2) + labelings(n) - 0.1 * n / 2 * math.log(2)

    def uniform(n: int) -> float:
        shown = math.log(2 * sum(math.comb(n - 1, i) for i in range(10)))
        return math.sqrt(2 * shown / n) + math.sqrt(2 * math.log(20) / n)

    assert consistent(realizable) <= math.log(0.05) < consistent(realizable - 1)
    assert uniform(agnostic) <= 0.1 < uniform(agnostic - 1)


def test_real_thresholds_cost_a_logarithm_more() -> None:
    boolean = budget("tree", 0.1, 0.05, features=10, depth=3)
    real = budget("tree", 0.1, 0.05, features=10, depth=3, thresholds=None)
    assert real.log2_size is None
    assert real.rows[0] == boolean.rows[0]
    assert boolean.rows[2].n < real.rows[2].n < 100 * boolean.rows[2].n


@given(st.floats(0.001, 0.5), st.floats(0.001, 0.5), st.integers(1, 6), st.integers(6, 500))
def test_bounds_are_in_order(epsilon: float, delta: float, depth: int, d: int) -> None:
    found = rows(budget("tree", epsilon, delta, features=d, depth=depth))
    upper = found["learn, realizable", "upper"]
    assert found["distil, perfect", "upper"] <= upper
    assert found["learn, realizable", "lower"] <= upper
    assert found["distil, agnostic", "upper"] <= found["learn, agnostic", "upper"]


@pytest.mark.parametrize(
    ("into", "settings"),
    [
        ("m_of_n", {"k": 5}),
        ("scorecard", {"k": 5, "points": 3}),
        ("rules", {"leaves": 4, "depth": 3}),
        ("additive", {"thresholds": 7}),
        ("additive", {"thresholds": 7, "pairs": 2}),
    ],
)
def test_every_readable_student_has_a_budget(into: str, settings: dict[str, int]) -> None:
    found = budget(into, 0.05, 0.05, features=20, **settings)
    assert found.rows[0].n == 60
    assert found.rows[2].n > found.rows[3].n > 0


def test_it_can_be_read() -> None:
    found = budget("junta", 0.01, 0.05, features=100, k=4)
    assert "distil, perfect    at most" in found.text()
    assert "learn, realizable  at least" in found.text()
    assert "ln(|G|/delta) / epsilon" in str(found)
    assert "VC dimension at least 16" in str(found)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(found)
    shown = console.export_text()
    assert f"{found.rows[1].n:,}" in shown
    for said in (found.text(), shown):
        assert "Perfect: the teacher equals a member of the class, on every input." in said


@pytest.mark.parametrize(
    ("into", "settings", "message"),
    [
        ("trees", {}, "Did you mean 'tree'"),
        ("wavelet", {}, "no budget for 'wavelet'"),
        ("tree", {}, "neither depth nor leaves"),
        ("tree", {"depth": 0}, "depth is 0"),
        ("tree", {"depth": 3, "classes": 1}, "classes is 1"),
        ("tree", {"depth": 3, "classes": 3, "mutual_vc": 2}, "with 3 classes"),
        ("tree", {"depth": 3, "frontier": 0}, "frontier is 0"),
        ("tree", {"depth": 3, "frontier_vc": -1}, "frontier_vc is -1"),
        ("linear", {"classes": 3}, "classes is 3"),
        ("junta", {}, "k=None"),
        ("junta", {"k": 11}, "k=11 of 10"),
        ("rules", {"depth": 2}, "needs leaves"),
        ("tree", {"depth": 60, "thresholds": None}, "2\\^62"),
    ],
)
def test_refusals(into: str, settings: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        budget(into, 0.01, 0.05, features=10, **settings)
    with pytest.raises(InvalidInput, match="epsilon is 0"):
        budget("linear", 0.0, 0.05, features=10)
