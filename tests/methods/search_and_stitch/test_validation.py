from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features, Rows
from limbeck.core.task import Task
from limbeck.data.splits import split_folds
from limbeck.methods.search_and_stitch import validation
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.methods.search_and_stitch.queries import AnsweredQueries
from limbeck.methods.search_and_stitch.sample import Sample
from limbeck.methods.search_and_stitch.validation import HeldOutLosses, judge


def left_out(X, y, task, queries=None, max_leaves=6, **settings):
    rows = Features.of(X).rows(X)
    none = np.zeros((0, 0), dtype=np.int64)
    asked = queries or AnsweredQueries(rows[:0], y[:0], none, "none", 0)
    method = SearchAndStitch(max_leaves=max_leaves, **settings)
    fold = split_folds(rows.values, np.random.default_rng(0))
    both = np.vstack([X, asked.rows.values])
    stats = np.zeros((1, len(both)), dtype=np.float32)
    shared = Sample(Literals(grid(rows.features, both)), both, stats)
    return judge(
        method, rows, y, np.ones(len(X)), task, asked, fold, shared, np.random.default_rng(0)
    ), fold


def test_labels_of_chance_are_not_learned():
    """On the rows a tree was grown on chance labels look learnt; on rows left out they do not."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)), rng.integers(0, 2, 200)
    found, _ = left_out(X, y, Task((0, 1)), max_leaves=16)
    assert found.stitched.shape == found.greedy.shape == (16, 200)
    assert 0.4 < found.stitched[-1].mean() < 0.6
    assert 0.4 < found.greedy[-1].mean() < 0.6


def test_a_parity_is_found_by_two_looks_only():
    rng = np.random.default_rng(0)
    X = rng.choice([-1.0, 1.0], size=(600, 6))
    y = (X[:, 1] * X[:, 4] > 0).astype(int)
    found, _ = left_out(X, y, Task((0, 1)), max_leaves=4)
    assert found.stitched[3].mean() == 0
    assert found.greedy[3].mean() > 0.2
    assert found.gain([2, 3, 4]) > 3


def test_values_are_in_units_of_their_variance():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = 1000.0 * np.where(X[:, 0] > 0, 3.0, 1.0)
    found, _ = left_out(X, y, Task(), max_leaves=2)
    assert found.stitched[0].mean() == pytest.approx(1.0, abs=0.02)
    assert found.stitched[1].mean() < 0.03  # thresholds are those of the even grid


def test_trees_never_see_the_fold_nor_queries_made_of_it(monkeypatch):
    seen = []

    class Spy(validation.TreeSearch):
        def __init__(self, method, rows, *rest):
            seen.append(rows.values)
            super().__init__(method, rows, *rest)

    monkeypatch.setattr(validation, "TreeSearch", Spy)
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(int)
    rows = Features.of(X).rows(X)
    asked = AnsweredQueries(Rows(rows.features, X + 50.0), y, np.arange(60)[:, None], "mine", 60)
    _, fold = left_out(X, y, Task((0, 1)), asked)
    assert len(seen) == 5
    for at, values in enumerate(seen):
        assert len(values) == 2 * (fold != at).sum()
        for row in X[fold == at]:
            assert not (values == row).all(axis=1).any()
            assert not (values == row + 50.0).all(axis=1).any()


def test_the_gain_is_in_standard_errors():
    loss = np.zeros((4, 100))
    worse = loss.copy()
    worse[1:, :20] = 1.0
    found = HeldOutLosses(loss, worse, np.ones(100))
    assert found.gain([2, 3, 4]) == pytest.approx(0.2 / (0.4 / 10))
    assert HeldOutLosses(worse, loss, np.ones(100)).gain([3, 4]) == -found.gain([3, 4])
    assert HeldOutLosses(loss, loss, np.ones(100)).gain([1, 2]) == 0.0
