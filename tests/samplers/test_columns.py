from __future__ import annotations

import weakref

import numpy as np

from limbeck.core.columns import Features
from limbeck.samplers import columns
from limbeck.samplers.columns import profile_of
from limbeck.samplers.jitter import Jitter
from limbeck.samplers.munge import _neighbours


def rows_of(X):
    return Features.of(X).rows(X)


def test_neighbours_are_the_nearest_rows_that_differ():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(60, 3)), np.zeros((5, 3))])
    rows = rows_of(X)
    spread = profile_of(rows).spread
    distance = np.linalg.norm((X[:, None] - X[None]) / spread, axis=2)
    distance[(X[:, None] == X[None]).all(axis=2)] = np.inf
    found = _neighbours(rows)
    np.testing.assert_allclose(distance[np.arange(65), found], distance.min(axis=1), rtol=1e-5)


def test_what_was_measured_goes_with_the_rows():
    rows = rows_of(np.random.default_rng(0).normal(size=(50, 3)))
    Jitter().draw(rows, 3, np.random.default_rng(0))
    assert rows in columns._PROFILES
    seen = weakref.ref(rows)
    del rows
    assert seen() is None
