"""Large rules first, and every training row is answered as before."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.column import Feature
from limbeck.students.rule_list.order import by_support
from limbeck.students.rules.clause import Clause, first_true
from limbeck.students.rules.pieces import decided, means
from limbeck.students.tree.conditions import Condition

FEATURES = [Feature(name) for name in "abc"]


def clause(**limits):
    return Clause.of(
        {"abc".index(name): Condition(FEATURES["abc".index(name)], low=low, high=high,
                                      missing=False)
         for name, (low, high) in limits.items()}
    )  # fmt: skip


def drawn(seed, rules, classes):
    """Random rows with gaps, and a list over them."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, (120, 3)).astype(float)
    values[rng.random(values.shape) < 0.1] = np.nan
    target = rng.integers(0, classes, 120) if classes else rng.normal(size=120)
    clauses = []
    for _ in range(rules):
        names = rng.choice(list("abc"), rng.integers(1, 3), replace=False)
        low = {n: rng.choice([-np.inf, 0.5, 1.5, 2.5]) for n in names}
        clauses.append(clause(**{n: (low[n], max(low[n], 0) + 2 if rng.random() < 0.6 or
                                     np.isinf(low[n]) else np.inf) for n in names}))  # fmt: skip
    return clauses, values, target, rng.random(120) + 0.1


def answers(clauses, values, target, weight, classes):
    value, _ = means(decided(clauses, values), target, weight, classes)
    said = value[first_true(clauses, values)]
    return said.argmax(axis=1) if classes else said[:, 0]


@given(st.integers(0, 10**6), st.integers(0, 6), st.sampled_from([0, 2, 3]))
@settings(max_examples=60, deadline=None)
def test_no_training_row_is_answered_otherwise(seed, rules, classes):
    clauses, *data = drawn(seed, rules, classes)
    before = answers(clauses, *data, classes)
    ordered = by_support(clauses, data[0], data[2])
    assert sorted(map(repr, ordered)) == sorted(map(repr, clauses))
    np.testing.assert_allclose(answers(ordered, *data, classes), before)


def test_an_exception_stands_before_its_rule_and_after_what_it_has_nothing_to_do_with():
    values = np.array([[0.0, 0.0, 0.0]] * 6 + [[3.0, 0.0, 0.0]] * 3 + [[3.0, 5.0, 0.0]])
    exception = clause(a=(2, np.inf), b=(4, np.inf))
    most, some = clause(a=(-np.inf, 1)), clause(a=(2, np.inf))
    found = by_support([exception, some, most], values, np.ones(10))
    assert found == [most, exception, some]
