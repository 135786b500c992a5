from __future__ import annotations

import numpy as np
import pytest
import torch

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms import GraphWavelets
from limbeck.signal.transforms.graph_wavelets import band_pass


def graph(n: int = 14, seed: int = 0) -> np.ndarray:
    A = np.triu(np.random.default_rng(seed).random((n, n)) < 0.35, 1).astype(float)
    return A + A.T


def test_the_kernel_has_the_values_and_slopes_of_the_paper():
    np.testing.assert_allclose(band_pass(np.array([0, 0.5, 1, 2, 4])), [0, 0.25, 1, 1, 0.25])
    for knee, slope in ((1.0, 2.0), (2.0, -1.0)):  # of x^2 at 1, of 4 / x^2 at 2
        sides = (band_pass(knee + np.array([-1e-6, 1e-6])) - band_pass(knee)) / [-1e-6, 1e-6]
        np.testing.assert_allclose(sides, slope, atol=1e-4)


def test_scales_span_the_spectrum():
    transform = GraphWavelets(graph(), scales=5)
    L = np.diag(graph().sum(axis=0)) - graph()
    top = np.linalg.eigvalsh(L)[-1]
    np.testing.assert_allclose(transform.scales[[0, -1]], [2 * 20 / top, 1 / top])
    ratios = transform.scales[1:] / transform.scales[:-1]
    np.testing.assert_allclose(ratios, ratios[0])


def test_each_scale_is_its_function_of_the_laplacian():
    A = graph()
    transform = GraphWavelets(A, scales=3).fit(np.ones((1, 14)))
    X = np.random.default_rng(1).normal(size=(2, 14))
    s = transform.forward(torch.from_numpy(X)).numpy()
    values, vectors = np.linalg.eigh(np.diag(A.sum(axis=0)) - A)
    for band, t in zip(transform.bands[1:], transform.scales, strict=True):
        expected = X @ vectors @ np.diag(band_pass(t * values)) @ vectors.T
        np.testing.assert_allclose(s[:, band.start : band.stop], expected, atol=1e-10)


@pytest.mark.parametrize("laplacian", ["combinatorial", "normalized"])
def test_the_inverse_is_the_pseudo_inverse_and_exact(laplacian):
    transform = GraphWavelets(graph(), laplacian=laplacian)
    np.testing.assert_allclose(transform.back, np.linalg.pinv(transform.forth), atol=1e-9)
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 2, 14)))
    transform.fit(x)
    torch.testing.assert_close(transform.inverse(transform.forward(x)), x)
    assert transform.bands[-1].stop == 5 * 2 * 14


def test_constants_have_no_wavelets():
    transform = GraphWavelets(graph()).fit(np.ones((1, 14)))
    s = transform.forward(torch.ones(1, 14, dtype=torch.float64))
    np.testing.assert_allclose(s[:, transform.bands[1].start :], 0, atol=1e-10)


def test_what_cannot_be_is_refused():
    with pytest.raises(InvalidInput, match="no edges"):
        GraphWavelets(np.zeros((3, 3)))
    with pytest.raises(InvalidInput, match="scales is 0"):
        GraphWavelets(graph(), scales=0)
