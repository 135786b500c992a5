from __future__ import annotations

import numpy as np
import pytest
import torch

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms import Components, Fourier, Own, Wavelet
from limbeck.signal.transforms.base import like, numbers


def test_missing_values_are_counted_and_placed():
    X = np.zeros((4, 2, 5))
    X[2, 1, 0] = X[2, 1, 3] = np.nan
    X[3, 0, 0] = np.inf
    with pytest.raises(InvalidInput, match=r"Row 2 holds 2 values .* place 5; 2 of 4 rows"):
        numbers(X)


@pytest.mark.parametrize("X", [np.zeros(3), np.zeros((0, 3)), np.zeros((3, 0)), [["a", "b"]]])
def test_what_is_no_table_of_numbers_is_refused(X):
    with pytest.raises(InvalidInput):
        numbers(X)


def test_tensors_and_lists_are_rows():
    np.testing.assert_array_equal(numbers([[1, 2]]), [[1.0, 2.0]])
    x = torch.ones(2, 3, requires_grad=True)
    np.testing.assert_array_equal(numbers(x), np.ones((2, 3)))


def test_bands_are_columns_without_gaps():
    transform = Wavelet("db2", levels=3).fit(np.random.default_rng(0).normal(size=(2, 2, 31)))
    stops = [0, *(band.stop for band in transform.bands)]
    assert [band.start for band in transform.bands] == stops[:-1]
    assert all(np.prod(b.shape) == b.stop - b.start for b in transform.bands)
    assert transform.forward(torch.zeros(5, 2, 31)).shape == (5, stops[-1])


def test_before_fit_nothing_is_known():
    transform = Fourier()
    assert not transform.fitted
    with pytest.raises(InvalidInput, match="Fourier has seen no rows"):
        transform.forward(torch.zeros(1, 4))
    with pytest.raises(InvalidInput, match="has seen no rows"):
        _ = transform.bands


def test_other_shapes_than_the_fitted_one_are_refused():
    transform = Fourier().fit(np.ones((2, 8)))
    with pytest.raises(InvalidInput, match=r"fitted for rows of shape \(8,\).*\(9,\)"):
        transform.forward(torch.zeros(1, 9))
    with pytest.raises(InvalidInput, match="fitted for coefficients"):
        transform.inverse(torch.zeros(1, 9))


def test_coefficients_keep_dtype():
    transform = Wavelet("haar").fit(np.ones((2, 8)))
    x = torch.randn(3, 8, dtype=torch.float32)
    assert transform.forward(x).dtype == torch.float32
    torch.testing.assert_close(transform.inverse(transform.forward(x)), x)
    assert like(np.ones(2), x).dtype == torch.float32


def test_spread_of_an_orthogonal_transform_keeps_the_sum_of_each_band():
    rng = np.random.default_rng(0)
    transform = Wavelet("db3", levels=2).fit(rng.normal(size=(1, 2, 32)))
    strengths = rng.random(64)
    spread = transform.spread(strengths)
    assert spread.shape == (3, 2, 32)
    for row, band in zip(spread, transform.bands, strict=True):
        assert row.sum() == pytest.approx(strengths[band.start : band.stop].sum())


def test_spread_puts_a_coefficient_where_its_atom_lies():
    transform = Wavelet("haar", levels=1).fit(np.ones((1, 8)))
    at_detail = np.zeros(8)
    at_detail[4 + 2] = 1.0  # the third detail is made of inputs 4 and 5
    expected = np.zeros((2, 8))
    expected[1, 4:6] = 0.5
    np.testing.assert_allclose(transform.spread(at_detail), expected, atol=1e-12)


def test_spread_leaves_the_centre_out():
    X = np.random.default_rng(0).normal(5, 1, size=(20, 3))
    spread = Components().fit(X).spread(np.ones(3))
    np.testing.assert_allclose(spread.sum(axis=0), 1.0)  # columns of an orthogonal matrix


def test_spread_in_pieces_is_the_whole(monkeypatch):
    transform = Own(lambda x: 2 * x, lambda s: s / 2).fit(np.ones((1, 7)))
    whole = transform.spread(np.arange(7.0))
    monkeypatch.setattr("limbeck.signal.transforms.base._TOGETHER", 2)
    np.testing.assert_allclose(transform.spread(np.arange(7.0)), whole)
    np.testing.assert_allclose(whole[0], np.arange(7) / 4)
