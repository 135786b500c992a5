from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.fft import dct

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms import GraphFourier


def chain(n: int) -> np.ndarray:
    return np.eye(n, k=1) + np.eye(n, k=-1)


def test_on_a_chain_it_is_the_cosine_transform():
    """The eigenvectors of a path are the basis of the DCT-II (Strang 1999), up to sign."""
    X = np.random.default_rng(0).normal(size=(4, 9))
    s = GraphFourier(chain(9), bands=3).fit(X).forward(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(np.abs(s), np.abs(dct(X, norm="ortho")), atol=1e-10)


def test_it_is_exact_and_orthogonal_with_channels():
    X = np.random.default_rng(0).normal(size=(4, 2, 9))
    transform = GraphFourier(chain(9), laplacian="normalized").fit(X)
    x = torch.from_numpy(X)
    s = transform.forward(x)
    torch.testing.assert_close(transform.inverse(s), x)
    torch.testing.assert_close(s.norm(), x.norm())
    assert all(band.shape[0] == 2 for band in transform.bands)


def test_a_constant_lies_in_the_first_band():
    transform = GraphFourier(chain(8), bands=4).fit(np.ones((1, 8)))
    s = transform.forward(torch.ones(1, 8, dtype=torch.float64))[0]
    np.testing.assert_allclose(s[transform.bands[0].stop :], 0, atol=1e-12)
    assert transform.bands[0].name.startswith("eigenvalues 0 to")


def test_no_bands_or_other_nodes_are_refused():
    with pytest.raises(InvalidInput, match="bands is 0"):
        GraphFourier(chain(4), bands=0)
    with pytest.raises(InvalidInput, match="4 nodes"):
        GraphFourier(chain(4)).fit(np.ones((2, 5)))
