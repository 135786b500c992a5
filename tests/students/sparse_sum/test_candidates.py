from __future__ import annotations

import numpy as np

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.sparse_sum.candidates import boosted_rules, candidates
from limbeck.students.sparse_sum.terms import FilledColumns, SumTerm, TermTest, medians


def made(values, features, targets, **settings):
    columns = FilledColumns(values, medians(features, values))
    return candidates(features, columns, targets, np.ones(len(values)), **settings), columns


def test_every_kind_of_term_is_offered_and_the_matrix_holds_their_values() -> None:
    rng = np.random.default_rng(0)
    features = Features(
        (Feature("x"), Feature("b", "boolean"),
         Feature("c", "categorical", levels=("u", "v", "w"))), True, ("float64", "bool", "object"),
    )  # fmt: skip
    values = np.column_stack([
        rng.standard_normal(300), rng.random(300) < 0.5, rng.integers(0, 3, 300)
    ]).astype(float)  # fmt: skip
    values[::7, 0] = np.nan
    target = ((values[:, 0] > 0) & (values[:, 1] > 0))[:, None] * 1.0
    pool, columns = made(values, features, target)
    found = set(pool.terms)
    assert len(found) == len(pool.terms) == len(pool.matrix)
    assert SumTerm("column", 0) in found
    assert SumTerm("all", tests=(TermTest(1, "is", 1.0),)) in found
    assert {SumTerm("all", tests=(TermTest(2, "is", c),)) for c in (0.0, 1.0, 2.0)} <= found
    assert SumTerm("all", tests=(TermTest(0, "missing"),)) in found
    assert {t.kind for t in found} == {"column", "above", "below", "all"}
    assert any(len(t.tests) > 1 for t in found)
    for term, row in zip(pool.terms, pool.matrix, strict=True):
        value = np.asarray(term.evaluate(columns), float)
        spread = value.std() or 1.0
        assert np.allclose(row, (value - value.mean()) / spread, atol=1e-4)


def test_the_rule_of_a_conjunction_is_among_those_of_boosted_trees() -> None:
    rng = np.random.default_rng(1)
    tests = [TermTest(j, "is", 1.0) for j in range(6)]
    steps = (rng.random((6, 500)) < 0.5).astype(np.float32)
    target = (steps[1] * steps[4])[:, None].astype(float)
    found = boosted_rules(tests, steps, target, np.ones(500), 5.0)
    assert (tests[1], tests[4]) in found
    assert all(len(rule) > 1 and list(rule) == sorted(rule) for rule in found)


def test_no_rule_has_two_conditions_on_one_side_of_a_column() -> None:
    rng = np.random.default_rng(2)
    x = rng.random(400)
    tests = [TermTest(0, ">", t) for t in np.linspace(0.1, 0.9, 9)]
    steps = np.stack([x > t.value for t in tests]).astype(np.float32)
    for rule in boosted_rules(tests, steps, np.sin(9 * x)[:, None], np.ones(400), 5.0):
        assert len({(t.column, t.op) for t in rule}) == len(rule)


def test_thresholds_part_enough_rows() -> None:
    x = np.random.default_rng(3).standard_normal(1000)
    pool, _ = made(x[:, None], Features.of(x[:, None]), x[:, None], rules=False, hinges=False)
    cuts = [t.tests[0].value for t in pool.terms if t.kind == "all"]
    assert 10 <= len(cuts) <= 48
    assert all(5 <= (x <= c).sum() <= 995 for c in cuts)


def test_five_hundred_levels_and_a_thousand_columns_stay_within_memory() -> None:
    rng = np.random.default_rng(4)
    features = Features(
        (Feature("c", "categorical", levels=tuple(f"l{i}" for i in range(500))),), True, ("object",)
    )
    values = rng.integers(0, 500, 2000).astype(float)[:, None]
    pool, _ = made(values, features, (values % 2).astype(float))
    assert len(pool.terms) <= 64 + 400
    wide = rng.standard_normal((200, 1000))
    pool, _ = made(wide, Features.of(wide), wide[:, :1])
    assert pool.matrix.size <= 20_000_000


def test_what_does_not_vary_offers_nothing() -> None:
    values = np.full((50, 2), np.nan)
    values[:, 1] = 3.0
    pool, _ = made(values, Features.of(values), np.ones((50, 1)))
    assert pool.terms == []
    assert pool.matrix.shape == (0, 50)
