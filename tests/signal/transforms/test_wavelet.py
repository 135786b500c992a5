from __future__ import annotations

import numpy as np
import pytest
import pywt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms import Wavelet

pytestmark = pytest.mark.filterwarnings("ignore:Level value")  # PyWavelets likes fewer levels

MODES = {"periodic": "periodization", "symmetric": "symmetric", "zero": "zero"}


@given(
    st.sampled_from(["haar", "db2", "db5", "sym4", "coif1"]),
    st.sampled_from(list(MODES)),
    st.integers(8, 45),
    st.integers(1, 3),
)
@settings(max_examples=40, deadline=None)
def test_signals_are_those_of_pywavelets_and_come_back(name, boundary, length, levels):
    X = np.random.default_rng(length).normal(size=(2, 3, length))
    transform = Wavelet(name, levels=levels, boundary=boundary).fit(X)
    s = transform.forward(torch.from_numpy(X))
    peers = pywt.wavedec(X, name, MODES[boundary], levels, axis=-1)
    for band, peer in zip(transform.bands, peers, strict=True):
        found = s[:, band.start : band.stop].reshape(-1, *band.shape)
        np.testing.assert_allclose(found.numpy(), peer, atol=1e-8)
    np.testing.assert_allclose(transform.inverse(s).numpy(), X, atol=1e-8)


@pytest.mark.parametrize("boundary", MODES)
@pytest.mark.parametrize("size", [(16, 12), (9, 14)])
def test_images_are_those_of_pywavelets_and_come_back(boundary, size):
    X = np.random.default_rng(0).normal(size=(2, 3, *size))
    transform = Wavelet("db2", levels=2, boundary=boundary).fit(X)
    s = transform.forward(torch.from_numpy(X))
    first, *details = pywt.wavedec2(X, "db2", MODES[boundary], 2)
    peers = [first, *(part for level in details for part in level)]
    for band, peer in zip(transform.bands, peers, strict=True):
        found = s[:, band.start : band.stop].reshape(-1, *band.shape)
        np.testing.assert_allclose(found.numpy(), peer, atol=1e-10)
    np.testing.assert_allclose(transform.inverse(s).numpy(), X, atol=1e-9)
    assert [b.name for b in transform.bands][:3] == [
        "approximation 2",
        "horizontal 2",
        "vertical 2",
    ]


def test_a_filter_is_the_wavelet_of_that_filter():
    X = np.random.default_rng(0).normal(size=(2, 24))
    named = Wavelet("sym4", levels=2).fit(X)
    given = Wavelet(torch.tensor(pywt.Wavelet("sym4").rec_lo, dtype=torch.float64), levels=2)
    x = torch.from_numpy(X)
    torch.testing.assert_close(named.forward(x), given.fit(X).forward(x))
    assert "8 taps" in repr(given)


def test_levels_by_default_leave_something_free_of_the_ends():
    assert len(Wavelet("db5").fit(np.ones((1, 40))).bands) == 1 + pywt.dwt_max_level(40, 10)
    assert len(Wavelet("db5").fit(np.ones((1, 8))).bands) == 2


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Wavelet("db55"), "'db55' is not among .* Did you mean"),
        (lambda: Wavelet("bior2.2"), "is not among the orthogonal wavelets"),
        (lambda: Wavelet([1.0, 2.0, 3.0]), r"shape \(3,\)"),
        (lambda: Wavelet([np.nan, 1.0]), "low-pass filter"),
        (
            lambda: Wavelet("haar", levels=6).fit(np.ones((1, 40))),
            r"levels is 6.*from 1 to 5",
        ),
        (lambda: Wavelet("haar", levels=0).fit(np.ones((1, 40))), "levels is 0"),
        (lambda: Wavelet("haar").fit(np.ones((3, 1))), "Give longer signals"),
        (lambda: Wavelet("haar", boundary="mirror").fit(np.ones((1, 8))), "boundary is 'mirror'"),
        (lambda: Wavelet("haar").fit(np.ones((1, 2, 2, 2, 2))), "rows have shape"),
    ],
)
def test_what_cannot_be_is_refused(make, problem):
    with pytest.raises(InvalidInput, match=problem):
        make()
