from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.methods.search_and_stitch.choosing import ChosenSize
from limbeck.methods.search_and_stitch.disputes import CANDIDATES, kept_back, rows_decide
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.teachers import CallableTeacher


def planted(X: Any) -> Any:
    """A tree of depth 4 with 11 leaves over 11 of the columns."""
    a, b, c, d = (X[:, i] > 0 for i in (0, 1, 2, 3))
    left = np.where(b, X[:, 4] > 0, np.where(X[:, 6] > 0, c, ~d))
    right = np.where(X[:, 7] > 0, (X[:, 8] > 0) & (X[:, 9] > 0), X[:, 10] > 0)
    return np.where(a, left, right).astype(int)


def signs(n: int, seed: int, d: int = 60) -> Any:
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(n, d))


def distil(function: Any, X: Any, seed: int = 0, classes: Any = (0, 1), **settings: Any) -> Any:
    asked = []

    def counted(X: Any) -> Any:
        asked.append(len(X))
        return function(X)

    teacher = CallableTeacher(counted, classes=classes)
    method = SearchAndStitch(**settings)
    found = method.distill(teacher, Features.of(X).rows(X), np.random.default_rng(seed), quiet)
    assert found.queries == sum(asked) - len(X)
    return found


@pytest.mark.parametrize(
    ("queries", "kept"),
    [(0, 0), (99, 0), (100, 20), (199, 39), (500, 40), (1999, 40), (20_000, 40)],
)
def test_a_fifth_of_few_queries_is_kept_back(queries: int, kept: int) -> None:
    assert kept_back(queries) == kept


def test_few_questions_find_the_tree_that_rows_left_out_miss() -> None:
    fresh = signs(5000, 99, 100)
    agreed, settled = [], 0
    for seed in range(4):
        found = distil(planted, signs(80, seed, 100), seed, queries=150)
        agreed.append(np.mean(found.student.predict(fresh) == planted(fresh)))
        disputes = found.trace["disputes"]
        settled += disputes["won"] > 0
        assert disputes["asked"] <= kept_back(150)
        assert found.queries <= 150
    assert settled >= 1
    assert np.mean(agreed) > 0.95


def test_a_tree_that_fits_by_chance_is_not_taken() -> None:
    """Answers of which the columns tell nothing: the larger tree wins half of its disputes."""
    chance = np.random.default_rng(5)
    values: dict[bytes, int] = {}

    def random(X: Any) -> Any:
        return np.array([values.setdefault(x.tobytes(), int(chance.random() < 0.2)) for x in X])

    for seed in range(2):
        found = distil(random, signs(100, seed, 30), seed, queries=200)
        disputes = found.trace["disputes"]
        assert disputes["asked"] == 40
        assert found.student.size < 10


def test_nothing_is_asked_without_a_dispute_or_about_values() -> None:
    found = distil(lambda X: (X[:, 0] > 0).astype(int), signs(100, 0), queries=200)
    assert found.trace["disputes"] == {"asked": 0, "share": 0.0, "won": 0}
    assert found.queries == 160
    found = distil(lambda X: X[:, 0] + X[:, 1], signs(100, 0), queries=200, classes=None)
    assert found.trace["disputes"]["asked"] == 0
    found = distil(planted, signs(100, 0), queries=0)
    assert found.queries == found.trace["disputes"]["asked"] == 0
    found = distil(planted, signs(100, 0), queries=200, sampler="none")
    assert found.queries == 0


def test_leaves_are_never_more_than_asked_for() -> None:
    for seed in range(2):
        found = distil(planted, signs(100, seed), seed, queries=200, leaves=5)
        assert found.student.size <= 5


@pytest.mark.parametrize(("queries", "rows", "seed", "won"), [(2000, 40, 0, 0), (4000, 80, 1, 40)])
def test_many_queries_and_few_rows_still_need_some_questions(
    queries: int, rows: int, seed: int, won: int
) -> None:
    """Rows left out choose a right tree, and one that agrees on 0.937."""
    fresh = signs(5000, 99, 100)
    found = distil(planted, signs(rows, seed, 100), seed, queries=queries)
    assert found.trace["disputes"]["won"] == won
    assert np.mean(found.student.predict(fresh) == planted(fresh)) == 1
    assert found.queries <= queries


class Coins:
    """A sampler of its own: columns of +-1."""

    drawn = 0

    def draw(self, rows: Any, n: int, rng: np.random.Generator) -> Any:
        self.drawn += n
        return rows.features.rows(rng.choice([-1.0, 1.0], size=(n, len(rows.features))))

    def describe(self) -> str:
        return "coins"


@pytest.mark.parametrize("sampler", ["marginals", Coins()], ids=["named", "object"])
def test_a_sampler_that_was_chosen_has_a_part_for_disputes(sampler: Any) -> None:
    X, fresh = signs(80, 0, 100), signs(5000, 99, 100)
    found = distil(planted, X, queries=150, sampler=sampler)
    assert found.trace["disputes"]["asked"] == kept_back(150)
    assert found.queries == 150
    assert np.mean(found.student.predict(fresh) == planted(fresh)) > 0.95
    if isinstance(sampler, Coins):
        assert sampler.drawn == 120 + CANDIDATES


def choice_of(losses: Any) -> Any:
    wrong = np.asarray(losses, dtype=float)[None]
    return ChosenSize([], [], "stitched", wrong, judged=True, leaves=1)


def test_rows_decide_where_there_are_enough_of_them() -> None:
    few, many = choice_of([1] * 24 + [0] * 76), choice_of([1] * 11 + [0] * 188)
    assert not rows_decide(few, 20_000, 0.05)  # standard error 0.043
    assert rows_decide(few, 20_000, 0.1)
    assert rows_decide(many, 20_000, 0.05)  # 0.017
    assert not rows_decide(many, 1999, 0.05)
    assert not rows_decide(replace(many, judged=False), 20_000, 0.05)
