from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.students.rules.candidates import CandidateTrees
from limbeck.students.rules.search import ListSearch, RuleLimits
from limbeck.students.rules.set_search import AnyOfSearch, SurestSearch


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


def test_a_disjunction_counts_what_is_wrong():
    search = list_search("two", AnyOfSearch, positive=1)
    path = search.path()
    assert all(a > b for a, b in pairwise(path.costs))
    before = search.total()
    at, c, gain = search._best(np.inf)
    search._insert(at, c)
    assert before - search.total() == pytest.approx(gain, abs=1e-2)


def test_sure_rules_come_first():
    search = list_search("three", SurestSearch)
    path = search.path()
    assert len(path.lists) > 3
    sure = search._sure[list(path.lists[-1])]
    assert (np.diff(sure) <= 1e-9).all()
    before = search.total()
    at, c, gain = search._best(np.inf)
    search._insert(at, c)
    assert before - search.total() == pytest.approx(gain, abs=1e-2)
