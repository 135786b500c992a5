from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.signal.bands import Band
from limbeck.students.wavelet.strongest import KEEPS, Strongest, groups_of

BANDS = (Band("approximation 1", 0, 4, (2, 2)), Band("detail 1", 4, 10, (2, 3)))
S = np.array([[1.0, -5.0, 2.0, 0.0, -3.0, 1.0, 2.0, 0.5, 0.1, -0.2]])


def strongest(keep: str, largest: int, spread: np.ndarray | None = None) -> Strongest:
    spread = np.arange(10.0) if spread is None else spread
    return Strongest(groups_of(BANDS), keep, largest, spread)  # type: ignore[arg-type]


def test_each_channel_of_each_band_is_a_group() -> None:
    assert groups_of(BANDS) == (slice(0, 2), slice(2, 4), slice(4, 7), slice(7, 10))


def test_features_by_hand() -> None:
    assert strongest("size", 2).features(S).tolist() == [[5, 1, 2, 0, 3, 2, 0.5, 0.2]]
    assert strongest("value", 2).features(S).tolist() == [[1, -5, 2, 0, 2, 1, 0.5, 0.1]]
    assert strongest("place", 1).places.tolist() == [1, 3, 6, 9]
    assert strongest("place", 2).features(S).tolist() == [[-5, 1, 0, 2, 2, 1, -0.2, 0.1]]
    assert strongest("size", 3).counts == (2, 2, 3, 3)
    assert strongest("size", 2).ranks.tolist() == [0, 1] * 4


@pytest.mark.parametrize("keep", KEEPS)
def test_fewer_features_are_the_first_of_more(keep: str) -> None:
    T = np.random.default_rng(0).normal(size=(7, 10))
    many, few = strongest(keep, 3), strongest(keep, 1)
    np.testing.assert_array_equal(many.features(T)[:, many.ranks < 1], few.features(T))


@given(st.integers(0, 2**31), st.sampled_from(KEEPS), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_what_is_kept_gives_the_features_again(seed: int, keep: str, largest: int) -> None:
    T = np.random.default_rng(seed).normal(size=(4, 10))
    chosen = strongest(keep, largest)
    kept = chosen.kept(T)
    assert ((kept == 0) | (kept == T)).all()
    assert ((kept != 0).sum(axis=1) == sum(chosen.counts)).all()
    if keep != "value":
        np.testing.assert_array_equal(chosen.features(kept), chosen.features(T))
