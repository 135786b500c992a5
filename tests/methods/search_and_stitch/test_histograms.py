from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.methods.search_and_stitch import histograms
from limbeck.methods.search_and_stitch.histograms import LiteralHistograms
from limbeck.methods.search_and_stitch.literals import Literals, grid


def made(seed, n=60):
    """Numbers with ties and gaps, a category, a column that is constant."""
    rng = np.random.default_rng(seed)
    values = np.column_stack([
        rng.integers(0, 6, n), rng.normal(size=n), rng.integers(0, 4, n), np.ones(n)
    ]).astype(float)  # fmt: skip
    values[rng.random(values.shape) < 0.1] = np.nan
    features = Features((
        Feature("whole"), Feature("number"),
        Feature("colour", "categorical", ("a", "b", "c", "d")), Feature("one"),
    ))  # fmt: skip
    return rng, Literals(grid(features, values)), values


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_sums_are_those_of_the_rows_where_a_literal_is_true(seed):
    rng, literals, values = made(seed)
    bins, truth = LiteralHistograms(literals, values), literals.truth(values)
    rows = np.flatnonzero(rng.random(len(values)) < 0.6)
    weight, label = rng.random(len(rows)), rng.integers(0, 3, len(rows))
    found = bins.inside(bins.in_bins(rows, weight, label, 3))
    expected = [(truth[:, rows] * (weight * (label == k))).sum(axis=1) for k in range(3)]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    counted = bins.counts(rows, label, 3)
    np.testing.assert_array_equal(
        bins.inside(counted), [truth[:, rows[label == k]].sum(axis=1) for k in range(3)]
    )
    inside = truth[:, rows]
    np.testing.assert_array_equal(bins.splits(counted), inside.any(1) & ~inside.all(1))


def test_truth_of_a_literal_rows_added_and_parts():
    _, literals, values = made(3)
    bins, truth = LiteralHistograms(literals, values), literals.truth(values)
    rows = np.array([5, 2, 9, 9])
    fewer = np.arange(0, len(literals), 2)
    more = bins.with_rows(values[:7])
    for i in range(len(literals)):
        np.testing.assert_array_equal(bins.true(i, rows), truth[i, rows])
        np.testing.assert_array_equal(bins.take(rows).true(i, np.arange(4)), truth[i, rows])
        np.testing.assert_array_equal(
            more.true(i, np.arange(len(values), len(values) + 7)), truth[i, :7]
        )
    for at, i in enumerate(fewer):
        np.testing.assert_array_equal(bins.only(fewer).true(at, rows), truth[i, rows])


def test_blocks_of_rows_add_up(monkeypatch):
    rng, literals, values = made(1)
    bins = LiteralHistograms(literals, values)
    rows, weight = np.arange(60), rng.random(60)
    whole = bins.in_bins(rows, weight)
    monkeypatch.setattr(histograms, "_AT_ONCE", 1)
    monkeypatch.setattr(LiteralHistograms, "_blocks", lambda self, n, sums: [
        slice(0, 7), slice(7, n)
    ])  # fmt: skip
    assert bins.in_bins(rows, weight) == pytest.approx(whole)
