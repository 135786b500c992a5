from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms import Fourier


@given(st.lists(st.integers(1, 7), min_size=1, max_size=3), st.sampled_from([None, 1, 3]))
@settings(max_examples=20, deadline=None)
def test_the_transform_is_an_orthogonal_matrix(shape, bands):
    d = int(np.prod(shape))
    transform = Fourier(bands).fit(np.ones((1, *shape)))
    unit = torch.eye(d, dtype=torch.float64).reshape(d, *shape)
    matrix = transform.forward(unit).numpy()
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(d), atol=1e-10)
    np.testing.assert_allclose(transform.inverse(torch.from_numpy(matrix)), unit, atol=1e-10)


@pytest.mark.parametrize("length", [10, 11])
def test_coefficients_are_cosines_and_sines(length):
    X = np.random.default_rng(0).normal(size=(3, length))
    found = Fourier(1).fit(X).forward(torch.from_numpy(X)).numpy()
    t = np.arange(length)
    expected = [X.sum(axis=1) / length**0.5]
    for k in range(1, length // 2 + 1):
        half = 2 * k == length
        scale = (1 / length) ** 0.5 if half else (2 / length) ** 0.5
        expected.append(scale * X @ np.cos(2 * np.pi * k * t / length))
        if not half:
            expected.append(-scale * X @ np.sin(2 * np.pi * k * t / length))
    np.testing.assert_allclose(found, np.stack(expected, axis=1), atol=1e-10)


def test_a_wave_lies_in_the_band_of_its_frequency():
    t = np.arange(64)
    X = np.stack([np.cos(2 * np.pi * f * t + 1) for f in (0.0, 4 / 64, 20 / 64)])[:, None]
    transform = Fourier([0.05, 0.2]).fit(X)
    s = transform.forward(torch.from_numpy(X)).numpy()
    assert [b.name for b in transform.bands] == ["up to 0.05", "0.05 to 0.2", "0.2 to 0.5"]
    energy = np.array([[(row[b.start : b.stop] ** 2).sum() for b in transform.bands] for row in s])
    np.testing.assert_allclose(energy / energy.sum(axis=1, keepdims=True), np.eye(3), atol=1e-12)


def test_octaves_are_the_default():
    bands = Fourier().fit(np.ones((1, 32))).bands
    assert [b.name for b in bands] == [
        "mean", "up to 0.0312", "0.0312 to 0.0625", "0.0625 to 0.125", "0.125 to 0.25",
        "0.25 to 0.5",
    ]  # fmt: skip
    assert [b.stop - b.start for b in bands] == [1, 2, 2, 4, 8, 15]


def test_pictures_have_bands_of_both_axes_together():
    y, x = np.mgrid[:16, :16]
    X = np.stack([np.cos(2 * np.pi * (fy * y + fx * x) / 16) for fy, fx in ((1, 1), (5, 5))])
    transform = Fourier([0.2]).fit(X[:, None])
    s = transform.forward(torch.from_numpy(X[:, None])).numpy()
    low = (s[:, : transform.bands[0].stop] ** 2).sum(axis=1)
    np.testing.assert_allclose(low / (s**2).sum(axis=1), [1, 0], atol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Fourier(0),
        lambda: Fourier([0.3, 0.2]).fit(np.ones((1, 8))),
        lambda: Fourier([0.6]).fit(np.ones((1, 8))),
        lambda: Fourier().fit(np.ones((1, 2, 2, 2, 2))),
    ],
)
def test_bands_that_cannot_be_are_refused(make):
    with pytest.raises(InvalidInput):
        make()
