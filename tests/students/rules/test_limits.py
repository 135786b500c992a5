from __future__ import annotations

import numpy as np

from limbeck.core.column import Feature
from limbeck.students.rules.clause import Clause
from limbeck.students.rules.limits import limits_moved
from limbeck.students.tree.conditions import Condition

A, B = Feature("a"), Feature("b")
CLAUSE = Clause.of({0: Condition(A, low=2.0, high=6.0, missing=True),
                    1: Condition(B, high=0.5, missing=False)})  # fmt: skip


def test_rows_of_each_way_are_those_that_its_clause_holds_for() -> None:
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.integers(0, 9, 80), rng.normal(size=80).round(1)]).astype(float)
    values[rng.random(values.shape) < 0.1] = np.nan
    ways, truth = limits_moved(CLAUSE, values)
    assert {(w.condition, w.side) for w in ways} == {(0, "low"), (0, "high"), (1, "high")}
    for way, rows in zip(ways, truth.T, strict=True):
        assert (way.of(CLAUSE).holds(values) == rows).all()


def test_limits_go_midway_between_the_rows_that_satisfy_all_else() -> None:
    a = np.array([1.0, 3.0, 5.0, 8.0, 4.0])
    values = np.column_stack([a, [0, 0, 0, 0, 1.0]])  # the last row is not of column b
    ways, _ = limits_moved(CLAUSE, values)
    places = {side: [w.place for w in ways if (w.condition, w.side) == (0, side)]
              for side in ("low", "high")}  # fmt: skip
    assert places == {"low": [4.0], "high": [4.0, 6.5]}  # the limit itself, 2, is left out


def test_a_limit_goes_to_at_most_32_places_from_end_to_end() -> None:
    values = np.column_stack([np.full(200, 3.0), np.arange(200.0)])
    ways, truth = limits_moved(CLAUSE, values)
    places = [w.place for w in ways if w.condition == 1]
    assert (len(places), places[-1]) == (31, 198.5)  # the first of 32 is the limit itself
    assert truth.shape == (200, len(ways))
