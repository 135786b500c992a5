from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score

import limbeck
from limbeck.core.columns import Features, Rows
from limbeck.evaluation.drawn_rows import _area, _drawn, _error, told_apart

NUMBERS = np.arange(400)


def apart(drawn: np.ndarray, sources=None, seed: int = 0):
    rng = np.random.default_rng(seed)
    real = np.random.default_rng(100 + seed).normal(size=(400, 4))
    none = np.zeros((len(drawn), 0), dtype=np.int64)
    return told_apart(real, drawn, NUMBERS, none if sources is None else sources, rng)


def normal(seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, size=(400, 4))


def test_rows_of_the_same_distribution_are_told_by_chance_alone() -> None:
    found = [apart(normal(1000 + s), seed=s)[0] for s in range(8)]
    assert np.mean([m.low <= 0.5 <= m.high for m in found]) >= 0.75
    assert np.mean([m.value for m in found]) == pytest.approx(0.5, abs=0.03)


def test_rows_from_elsewhere_are_told() -> None:
    area, told = apart(normal(5, shift=3.0))
    assert area.low > 0.95
    assert told > 0.95
    some = apart(normal(5, shift=0.5))[0]
    assert 0.6 < some.value < 0.95


def test_few_drawn_rows_weigh_as_much_as_many_real_ones() -> None:
    found = [apart(normal(s, shift=0.8)[:60], seed=s)[1] for s in range(4)]
    assert min(found) > 0.65  # counted as they are, most of them would be called real


def test_copies_stay_with_their_rows() -> None:
    real = np.random.default_rng(100).normal(size=(400, 4))
    area, _ = apart(real, NUMBERS[:, None])
    assert area.low <= 0.5 <= area.high


def test_missing_values_and_tiny_tables() -> None:
    drawn = normal(3)
    drawn[:, 0] = np.nan
    assert apart(drawn)[0].value > 0.99
    few = told_apart(drawn[:1], drawn[:1], NUMBERS[:1], NUMBERS[:1, None], np.random.default_rng(0))
    assert few[0].value == 0.5


def test_area_and_error_are_those_of_the_books() -> None:
    rng = np.random.default_rng(0)
    y, odds = rng.integers(0, 2, 60), rng.integers(0, 9, 60) / 8
    assert _area(odds, y) == pytest.approx(roc_auc_score(y, odds))
    assert _error(0.5, 100, 100) == pytest.approx(np.sqrt(201 / (12 * 100 * 100)))  # Mann-Whitney


@pytest.mark.parametrize("into", ["tree", "additive"])
def test_every_result_with_queries_says_so(into) -> None:
    X = np.random.default_rng(0).normal(size=(300, 4))
    model = LinearRegression().fit(X, X[:, 0])
    given = {"into": into, "progress": False, "sampler": "marginals"}
    given |= {"max_leaves": 2, "patience": 1} if into == "tree" else {}
    result = limbeck.distill(model, X, queries=200, **given)
    told = result.trace["queries_told_apart"]
    assert told["sampler"] == "marginals"
    assert told["low"] <= told["auc"] <= told["high"]
    assert "200 drawn by marginals; a classifier tells them" in str(result)
    again = limbeck.distill(model, X, queries=200, **given)
    assert again.trace["queries_told_apart"] == told
    without = limbeck.distill(model, X, queries=0, **given)
    assert "queries_told_apart" not in without.trace
    assert "drawn by" not in str(without)


def test_a_sampler_that_names_no_sources_has_none() -> None:
    X = np.zeros((4, 2))
    rows = Features.of(X).rows(X)
    drawn, sources = _drawn(rows, Plain(), 3, np.random.default_rng(0))
    assert (len(drawn), sources.shape) == (3, (3, 0))


class Plain:
    """A sampler of rows as they are."""

    def draw(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        return rows[rng.integers(0, len(rows), n)]

    def describe(self) -> str:
        return "rows of the data"
