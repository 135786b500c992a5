from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.students.rules.candidates import CandidateClauses, CandidateTrees
from limbeck.students.rules.clause import Clause
from limbeck.students.rules.search import ListSearch, RuleLimits, piece_cost, statistics
from limbeck.students.rules.set_search import SurestSearch
from limbeck.students.tree.conditions import Condition


def trees(task: str, n: int = 300, seed: int = 0) -> CandidateTrees:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    score = X[:, 0] * X[:, 1] + np.abs(X[:, 2])
    y = score if task == "value" else np.digitize(score, [0.8] if task == "two" else [0.3, 1.3])
    k = {"value": 0, "two": 2, "three": 3}[task]
    return CandidateTrees(Features.of(X), X, y, rng.random(n) + 0.5, k, 3)


def list_search(task: str, kind: type[ListSearch] = ListSearch, **given) -> ListSearch:
    made, rng = trees(task), np.random.default_rng(1)
    return kind(made, made.first(10, rng), RuleLimits(6), rng, **given)


@pytest.mark.parametrize("task", ["two", "three", "value"])
def test_gains_are_the_differences_of_costs(task):
    search = list_search(task)
    for at, c in ((0, 3), (1, 10), (1, 20)):
        search._insert(at, c)
    before, (place, gains) = search.total(), search._offers(search.taken)
    rng = np.random.default_rng(2)
    for _ in range(25):
        c, other = int(rng.integers(len(search.candidates))), int(rng.integers(4))
        search._insert(int(place[c]), c)
        reached = search.total()
        assert before - reached == pytest.approx(gains[c], abs=1e-2)
        search._remove(int(place[c]))
        search._insert(other, c)
        assert search.total() >= reached - 1e-2  # no other place is better
        search._remove(other)
    assert search.total() == pytest.approx(before, rel=1e-6)


@pytest.mark.parametrize("task", ["two", "three", "value"])
def test_a_moved_limit_gains_what_is_said(task):
    search = list_search(task, SurestSearch if task == "three" else ListSearch)
    search.path()
    old = search.rules[1]
    search._remove(1)
    before, known = search.total(), len(search.candidates)
    at, c, gain = search._moved(old)
    assert search.candidates.clauses[c].columns == search.candidates.clauses[old].columns
    assert search.taken.shape[2] == len(search.candidates) >= known
    search._insert(at, c)
    assert before - search.total() == pytest.approx(gain, abs=1e-2)


def test_limits_are_moved_to_where_the_rule_lies():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(800, 3))
    y = ((X[:, 0] > 0.37) & (X[:, 0] <= 0.81) & (X[:, 1] > 0.5)).astype(int)
    made = CandidateTrees(Features.of(X), X, y, np.ones(800), 2, 3)
    candidates = CandidateClauses(800)
    f = made.features.columns
    rough = Clause.of({0: Condition(f[0], 0.2, 0.9, missing=False),
                       1: Condition(f[1], low=0.3, missing=False)})  # fmt: skip
    candidates.add(rough, rough.holds(X))
    search = ListSearch(made, candidates, RuleLimits(1), rng)
    search._insert(0, 0)
    for _ in range(6):
        old = search.rules[0]
        search._remove(0)
        at, c, _ = search._moved(old)
        search._insert(at, c)
    found = search.candidates.clauses[search.rules[0]].conditions
    assert (found[0].low, found[0].high) == pytest.approx((0.37, 0.81), abs=0.03)
    assert found[1].low == pytest.approx(0.5, abs=0.03)


def test_a_list_keeps_to_its_numbers():
    made, rng = trees("two"), np.random.default_rng(1)
    for most in (2, 7, 20):
        search = ListSearch(made, made.first(10, rng), RuleLimits(50, most), rng)
        for found in search.path().lists:
            assert search.candidates.numbers[list(found)].sum() + 1 <= most
    assert len(found) > 3


def test_the_sums_kept_are_those_of_the_rows():
    search = list_search("three")
    search.path()
    rows = search.candidates.rows
    for rule in range(len(search.rules) + 1):
        inside = search.first == rule
        assert np.allclose(search.taken[:, rule], search.stats[inside].T @ rows[inside], atol=1e-2)
    for i, rule in enumerate(search.rules):  # a row is decided by the first rule that holds
        held = rows[:, rule] > 0
        assert (search.first[held] <= i).all()
        assert held[search.first == i].all()


@pytest.mark.parametrize("task", ["two", "three", "value"])
def test_every_rule_lowers_the_cost(task):
    path = list_search(task).path()
    assert path.lists[0] == ()
    assert all(a > b for a, b in pairwise(path.costs))
    assert [len(found) for found in path.lists] == list(range(len(path.lists)))


def test_costs_by_hand():
    gini = piece_cost(2, 1e-9)
    assert gini(np.array([3.0, 1.0])) == pytest.approx(0.5 * 4 * (1 - 10 / 16) + 0.5 * 1)
    y, w = np.array([1.0, 2.0, 6.0]), np.array([1.0, 1.0, 2.0])
    moments = statistics(y, w, 0).sum(axis=0)
    mean = 15 / 4
    assert piece_cost(0, 1e-9)(moments) == pytest.approx((w * (y - mean) ** 2).sum())


def test_no_candidate_no_rule():
    made = CandidateTrees(Features.of(np.ones((20, 1))), np.ones((20, 1)), np.arange(20) % 2,
                          np.ones(20), 2, 3)  # fmt: skip
    rng = np.random.default_rng(0)
    assert ListSearch(made, made.first(5, rng), RuleLimits(4), rng).path().lists == ((),)
