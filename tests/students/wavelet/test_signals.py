from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.signal.bands import Decomposition
from limbeck.signal.filters import filter_of
from limbeck.students.wavelet.signals import TransformedSignals, flat_signals
from limbeck.students.wavelet.strongest import Strongest, groups_of

X = np.random.default_rng(0).normal(size=(50, 16))


def transformed(rows: np.ndarray) -> TransformedSignals:
    transform = Decomposition(filter_of([0.5**0.5, 0.5**0.5]), 2, "periodic", (16,))
    return TransformedSignals(rows, Features.of(rows), transform)


def test_signals_of_any_shape_become_rows() -> None:
    flat, shape = flat_signals(X.reshape(50, 2, 8))
    assert (flat == X).all()
    assert shape == (2, 8)
    assert flat_signals(X)[1] == (16,)


def test_spread_and_features_are_those_of_all_rows_at_once() -> None:
    signals = transformed(X)
    (_, S), *_ = signals.blocks()
    weight = np.arange(1.0, 51.0)
    middle = np.average(S, axis=0, weights=weight)
    spread = np.sqrt(np.average((S - middle) ** 2, axis=0, weights=weight))
    np.testing.assert_allclose(signals.spread(weight), spread)
    strongest = Strongest(groups_of(signals.transform.bands), "place", 2, spread)
    some = np.array([3, 30, 49])
    np.testing.assert_array_equal(signals.features_of(strongest, some), strongest.features(S)[some])


def test_a_gap_is_named_by_its_row_and_place() -> None:
    broken = X.copy()
    broken[31, 5] = np.nan
    with pytest.raises(InvalidInput, match=r"Signal 31 holds a missing value .* position 5"):
        list(transformed(broken).blocks())
