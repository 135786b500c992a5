"""Angles to filters and back."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pywt = pytest.importorskip("pywt")
torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.signal.wavelets.angles import (  # noqa: E402
    angles_from_filter,
    complete,
    filter_from_angles,
    moments,
    random_filter,
    with_moments,
)

FAMILIES = [
    name
    for family in ("haar", "db", "sym", "coif")
    for name in pywt.wavelist(family)
    if len(pywt.Wavelet(name).rec_lo) <= 20
]


@given(st.lists(st.floats(-10, 10), min_size=0, max_size=12))
@settings(max_examples=100, deadline=None)
def test_any_angles_give_an_orthogonal_filter(free) -> None:
    """Norm 1, orthogonal to its double shifts, sum sqrt 2: each to 1e-10 and better."""
    h = filter_from_angles(complete(torch.tensor(free, dtype=torch.float64))).numpy()
    shifts = np.correlate(h, h, "full")[len(h) - 1 :: 2]
    np.testing.assert_allclose(shifts, np.eye(len(shifts))[0], atol=1e-12)
    assert h.sum() == pytest.approx(sqrt(2), abs=1e-12)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_comes_back(name) -> None:
    h = np.array(pywt.Wavelet(name).rec_lo)
    angles = angles_from_filter(h)
    np.testing.assert_allclose(filter_from_angles(torch.from_numpy(angles)).numpy(), h, atol=1e-9)
    assert ((angles > -pi) & (angles <= pi)).all()
    assert np.cos(angles.sum() - pi / 4) == pytest.approx(1)


@given(st.integers(1, 8), st.integers(0, 999), st.integers(0, 2))
@settings(max_examples=100, deadline=None)
def test_random_and_padded_filters_come_back(half, seed, before) -> None:
    h = np.pad(random_filter(2 * half, np.random.default_rng(seed)), (before, 2 - before))
    found = filter_from_angles(torch.from_numpy(angles_from_filter(h))).numpy()
    np.testing.assert_allclose(found, h, atol=1e-7)


def test_db2_by_hand() -> None:
    """D4: the partial sum of its angles is a third of pi, up to its mirror image."""
    found = abs(angles_from_filter(pywt.Wavelet("db2").rec_lo)[0])
    assert found == pytest.approx(pi / 3) or found == pytest.approx(pi / 6)


def test_the_sign_of_a_filter_is_taken_from_its_sum() -> None:
    h = np.array(pywt.Wavelet("sym4").rec_lo)
    np.testing.assert_allclose(angles_from_filter(-h), angles_from_filter(h))


@pytest.mark.parametrize("h", [[1.0], [1.0, 0.0, 0.0], [], [np.nan, 1.0]])
def test_no_row_of_taps(h) -> None:
    with pytest.raises(InvalidInput, match="even number"):
        angles_from_filter(np.array(h))


def test_a_filter_that_is_not_orthogonal() -> None:
    with pytest.raises(InvalidInput, match=r"off by 0\.\d"):
        angles_from_filter(np.array(pywt.Wavelet("bior2.2").rec_lo))


@pytest.mark.parametrize("n", range(1, 7))
def test_db_has_n_moments_and_no_more(n) -> None:
    h = torch.tensor(pywt.Wavelet(f"db{n}").rec_lo, dtype=torch.float64)
    found = moments(h, n + 1).abs()
    assert (found[: n - 1] < 1e-9).all()
    assert found[n - 1] > 1e-4


@pytest.mark.parametrize("count", [2, 3])
def test_projection_onto_moments(count) -> None:
    rng = np.random.default_rng(0)
    free = torch.from_numpy(rng.uniform(-pi, pi, (12, 4)))
    found = with_moments(free, count)
    assert len(found) > 3
    h = filter_from_angles(complete(found))
    assert moments(h, count).abs().max() < 1e-10
    for row in h:  # a polynomial of degree count - 1 leaves no detail away from the ends
        t = np.linspace(-1, 1, 64) ** (count - 1)
        high = row.flip(0).numpy() * np.where(np.arange(10) % 2, -1, 1)
        np.testing.assert_allclose(np.correlate(t, high), 0, atol=1e-9)


def test_too_many_moments() -> None:
    with pytest.raises(InvalidInput, match="at most 2"):
        with_moments(torch.zeros(1, 1, dtype=torch.float64), 3)
