from __future__ import annotations

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from limbeck.certificates.budgets import budget
from limbeck.errors import InvalidInput


def test_the_command_line_example() -> None:
    found = budget("tree", 0.01, 0.05, features=100, depth=4)
    rows = {r.task: r.n for r in found.rows}
    size = 15 * math.log2(100) + 16
    assert found.log2_size == pytest.approx(size)
    assert rows == {
        "distil, perfect": 300,
        "distil, agnostic": rows["learn, agnostic"],
        "learn, realizable": math.ceil((size * math.log(2) + math.log(20)) / 0.01),
        "learn, agnostic": math.ceil(2 * (size * math.log(2) + math.log(40)) / 0.01**2),
    }


def test_a_frontier_makes_agnostic_distillation_cheaper() -> None:
    known = budget("tree", 0.05, 0.05, features=100, depth=4, frontier=20)
    assert known.rows[1].n == math.ceil(2 * math.log(2 * 20 / 0.05) / 0.05**2)
    assert "|frontier| = 20" in known.rows[1].source
    assert known.rows[1].n < known.rows[3].n


def test_linear_rows_satisfy_the_inequalities_and_are_the_fewest() -> None:
    found = budget("linear", 0.1, 0.05, features=9)
    assert found.vc == 10
    assert found.log2_size is None
    realizable, agnostic = found.rows[2].n, found.rows[3].n

    def labelings(n: int) -> float:
        return 10 * math.log(math.e * 2 * n / 10)

    def consistent(n: int) -> float:
        return math.log(2) + labelings(n) - 0.1 * n / 2 * math.log(2)

    def uniform(n: int) -> float:
        return math.log(4) + labelings(n) - 0.01 * n / 32

    assert consistent(realizable) <= math.log(0.05) < consistent(realizable - 1)
    assert uniform(agnostic) <= math.log(0.05) < uniform(agnostic - 1)


def test_real_thresholds_cost_a_logarithm_more() -> None:
    boolean = budget("tree", 0.1, 0.05, features=10, depth=3)
    real = budget("tree", 0.1, 0.05, features=10, depth=3, thresholds=None)
    assert real.log2_size is None
    assert real.rows[0] == boolean.rows[0]
    assert boolean.rows[2].n < real.rows[2].n < 100 * boolean.rows[2].n


@given(st.floats(0.001, 0.5), st.floats(0.001, 0.5), st.integers(1, 6), st.integers(1, 500))
def test_learning_never_needs_fewer_rows_than_perfect_distillation(
    epsilon: float, delta: float, depth: int, d: int
) -> None:
    rows = budget("tree", epsilon, delta, features=d, depth=depth).rows
    assert rows[0].n <= rows[2].n <= rows[3].n
    assert rows[1].n <= rows[3].n


def test_it_can_be_read() -> None:
    found = budget("junta", 0.01, 0.05, features=100, k=4)
    assert "distil, perfect" in found.text()
    assert "ln(|G|/delta) / epsilon" in str(found)
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(found)
    shown = console.export_text()
    assert "599,223" in shown
    assert "Blumer" in shown


@pytest.mark.parametrize(
    ("into", "settings", "message"),
    [
        ("trees", {}, "Did you mean 'tree'"),
        ("tree", {}, "neither depth nor leaves"),
        ("tree", {"depth": 0}, "depth is 0"),
        ("tree", {"depth": 3, "classes": 1}, "classes is 1"),
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
