from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.rules.clause import Clause, Neighbours, first_true, test
from limbeck.students.tree.conditions import Condition
from tests.students.tree.test_conditions import Rule

# `test` of limbeck is no test of pytest.
test.__test__ = False

FEATURES = Features(
    (
        Feature("length [mm]", unit="mm"),
        Feature("weight"),
        Feature("colour", "categorical", levels=("red", "green or blue", "grey")),
        Feature("smoker", "boolean"),
    ),
    frame=True,
    dtypes=("float64", "float64", "category", "bool"),
)


def rows(rng: np.random.Generator, n: int, holes: float = 0.2) -> np.ndarray:
    values = np.column_stack([
        np.round(rng.normal(size=n), 1), rng.normal(size=n) * 100, rng.integers(0, 3, n),
        rng.integers(0, 2, n),
    ]).astype(float)  # fmt: skip
    values[rng.random(values.shape) < holes] = np.nan
    return values


@st.composite
def clauses(draw) -> Clause:
    conditions = {}
    for j in draw(st.permutations(range(4)))[: draw(st.integers(0, 4))]:
        feature = FEATURES.columns[j]
        missing = draw(st.booleans())
        if draw(st.integers(0, 9)) == 0:
            conditions[j] = Condition(feature, present=False)
            continue
        if feature.kind == "categorical":
            some = frozenset(map(float, draw(st.sets(st.integers(0, 2), min_size=1, max_size=2))))
            which = {"codes": some} if draw(st.booleans()) else {"without": some}
            conditions[j] = Condition(feature, missing=missing, **which)
        elif feature.kind == "boolean":
            end = draw(st.sampled_from(["low", "high"]))
            conditions[j] = Condition(feature, missing=missing, **{end: 0.5})
        else:
            ends = sorted(draw(st.sets(st.integers(-15, 15), min_size=2, max_size=2)))
            low, high = (e / 10 if j == 0 else e * 10.0 for e in ends)
            kept = draw(st.sampled_from(["both", "low", "high"]))
            low = -math.inf if kept == "high" else low
            high = math.inf if kept == "low" else high
            conditions[j] = Condition(feature, low, high, missing=missing)
    return Clause.of(conditions)


@settings(max_examples=60, deadline=None)
@given(clauses(), st.integers(0, 2**32 - 1))
def test_what_is_printed_is_what_is_computed(clause, seed):
    values = rows(np.random.default_rng(seed), 60)
    said = clause.words()
    read = Rule(f"IF {said} THEN x" if said else "ALWAYS x", FEATURES)
    assert [read.holds(row) for row in values] == clause.holds(values).tolist()


def test_a_row_at_the_last_limit_keeps_its_side_in_float32():
    condition = Condition(FEATURES.columns[0], low=0.0, high=1.2)  # float32(1.2) is above 1.2
    values = np.full((3, 4), 1.0)
    values[:, 0] = [0.0, 0.5, 1.2]
    settled = Clause.of({0: condition}).settled(values)
    single = values.astype(np.float32).astype(float)
    assert settled.holds(values).tolist() == settled.holds(single).tolist() == [False, True, True]
    assert settled.as_printed().holds(values).tolist() == [False, True, True]


@settings(max_examples=50, deadline=None)
@given(clauses(), st.integers(0, 2**32 - 1))
def test_settling_and_short_decimals_change_no_row(clause, seed):
    values = rows(np.random.default_rng(seed), 200)
    settled = clause.settled(values)
    assert np.array_equal(settled.holds(values), clause.holds(values))
    for digits in (None, 4):
        assert np.array_equal(settled.as_printed(digits).holds(values), clause.holds(values))
    assert settled.as_printed(exact=True) == settled
    single = values.astype(np.float32).astype(float)
    assert np.array_equal(settled.holds(single), clause.holds(values))


@settings(max_examples=30, deadline=None)
@given(clauses(), st.integers(0, 2**32 - 1))
def test_a_clause_comes_back_from_json(clause, seed):
    settled = clause.settled(rows(np.random.default_rng(seed), 50))
    listed = json.loads(json.dumps(settled.to_list(), allow_nan=False))
    assert Clause.from_list(listed, FEATURES) == settled


def test_decimals_are_as_short_as_the_rows_allow():
    values = np.array([[1.2, 0, 0, 0], [7.9, 0, 0, 0]], dtype=float)
    clause = Clause.of({0: Condition(FEATURES.columns[0], high=3.14159)}).settled(values)
    assert clause.low == (None,)
    assert clause.high == (Neighbours(1.2, 7.9),)
    assert clause.as_printed().words() == "(length <= 5 mm or is missing)"


def test_numbers_are_thresholds_and_levels():
    length, colour, smoker = FEATURES.columns[0], FEATURES.columns[2], FEATURES.columns[3]
    assert Clause.of({}).numbers == 0
    assert Clause.of({0: Condition(length, 1.0, 2.0)}).numbers == 2
    assert Clause.of({0: Condition(length, high=2.0), 3: Condition(smoker, low=0.5)}).numbers == 2
    assert Clause.of({2: Condition(colour, codes=frozenset({1.0}))}).numbers == 1
    assert Clause.of({2: Condition(colour, without=frozenset({0.0, 1.0}))}).numbers == 1  # is grey
    assert Clause.of({0: Condition(length, present=False)}).numbers == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(clauses(), max_size=5), st.integers(0, 2**32 - 1))
def test_the_first_clause_that_holds_is_found(some, seed):
    values = rows(np.random.default_rng(seed), 50)
    found = first_true(some, values)
    truth = [c.holds(values) for c in some]
    for i, row in enumerate(found):
        assert row == next((k for k, t in enumerate(truth) if t[i]), len(some))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("column", 7, "different columns"),
        ("low", 3.0, "no value lies"),
        ("high_seen", [5.0, 6.0], "outside of the values"),
        ("present", 1, "true or false"),
        ("codes", [9], "no such level"),
    ],
)
def test_a_wrong_file_is_refused(field, value, message):
    clause = Clause.of({0: Condition(FEATURES.columns[0], high=2.0)})
    entry = {**clause.to_list()[0], field: value}
    with pytest.raises((ValueError, TypeError), match=message):
        Clause.from_list([entry], FEATURES)


def test_no_row_at_a_limit_leaves_it():
    clause = Clause.of({0: Condition(FEATURES.columns[0], high=2.0)})
    settled = clause.settled(np.array([[1.0, 0, 0, 0]]))
    assert settled == replace(clause, high=(None,))
