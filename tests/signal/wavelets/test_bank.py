"""The transform against PyWavelets, its inverse, and its transpose against autograd."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pywt = pytest.importorskip("pywt")
torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.signal.wavelets.bank import (  # noqa: E402
    analysis,
    analysis2,
    attributions,
    attributions2,
    band_lengths,
    high_pass,
    most_levels,
    synthesis,
    synthesis2,
)

MODES = {"periodic": "periodization", "symmetric": "symmetric", "zero": "zero"}
NAMES = ["haar", "db2", "db5", "sym4", "coif2", "db10"]
boundaries = st.sampled_from(sorted(MODES))
wavelets = st.sampled_from(NAMES)


def taps(name: str) -> torch.Tensor:
    return torch.tensor(pywt.Wavelet(name).rec_lo, dtype=torch.float64)


def peer(name: str, x: np.ndarray, mode: str, levels: int) -> list:
    with warnings.catch_warnings():  # PyWavelets warns where every coefficient feels the ends
        warnings.simplefilter("ignore")
        transform = pywt.wavedec if x.ndim == 3 else pywt.wavedec2
        return transform(x, name, mode=mode, level=levels)


@given(boundaries, wavelets, st.integers(2, 70), st.integers(1, 4), st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_signals_as_pywavelets_and_back(boundary, name, length, levels, seed) -> None:
    x = np.random.default_rng(seed).normal(size=(2, 3, length))
    h = taps(name)
    ours = analysis(torch.from_numpy(x), h, levels, boundary)
    for a, b in zip(ours, peer(name, x, MODES[boundary], levels), strict=True):
        np.testing.assert_allclose(a.numpy(), b, atol=1e-9)
    assert band_lengths(length, len(h), levels, boundary) == tuple(a.shape[-1] for a in ours)
    np.testing.assert_allclose(synthesis(ours, h, length, boundary).numpy(), x, atol=1e-9)


@pytest.mark.parametrize("boundary", MODES)
@pytest.mark.parametrize(
    ("name", "shape"), [("db2", (16, 12)), ("sym4", (15, 9)), ("haar", (7, 8))]
)
def test_images_as_pywavelets_and_back(boundary, name, shape) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, *shape))
    ours = analysis2(torch.from_numpy(x), taps(name), 2, boundary)
    first, *rest = peer(name, x, MODES[boundary], 2)
    np.testing.assert_allclose(ours[0].numpy(), first, atol=1e-9)
    for a, b in zip(ours[1:], rest, strict=True):
        for band, other in zip(a, b, strict=True):
            np.testing.assert_allclose(band.numpy(), other, atol=1e-9)
    np.testing.assert_allclose(synthesis2(ours, taps(name), shape, boundary).numpy(), x, atol=1e-9)


@given(boundaries, wavelets, st.integers(3, 40), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_attributions_are_the_transpose_of_synthesis(boundary, name, length, levels) -> None:
    """Autograd through the inverse, as TRIM is defined, gives the same numbers."""
    rng = np.random.default_rng(length)
    x, g = torch.from_numpy(rng.normal(size=(2, 2, 1, length)))
    h = taps(name)
    bands = [b.requires_grad_() for b in analysis(x, h, levels, boundary)]
    (synthesis(bands, h, length, boundary) * g).sum().backward()
    for band, a in zip(bands, attributions(g, h, levels, boundary), strict=True):
        np.testing.assert_allclose(a.numpy(), band.grad.numpy(), atol=1e-9)


@pytest.mark.parametrize("boundary", MODES)
def test_attributions_of_images(boundary) -> None:
    rng = np.random.default_rng(0)
    x, g = torch.from_numpy(rng.normal(size=(2, 2, 1, 9, 7)))
    h = taps("db3")
    first, *rest = analysis2(x, h, 2, boundary)
    bands = [first.requires_grad_(), *(tuple(b.requires_grad_() for b in part) for part in rest)]
    (synthesis2(bands, h, (9, 7), boundary) * g).sum().backward()
    found = attributions2(g, h, 2, boundary)
    np.testing.assert_allclose(found[0].numpy(), bands[0].grad.numpy(), atol=1e-9)
    for part, own in zip(bands[1:], found[1:], strict=True):
        for band, a in zip(part, own, strict=True):
            np.testing.assert_allclose(a.numpy(), band.grad.numpy(), atol=1e-9)


@pytest.mark.parametrize("shape", [(3, 2, 17), (2, 1, 8, 6)])
def test_many_filters_at_once_are_each_alone(shape) -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=shape))
    h = torch.stack([taps("db3"), taps("coif1")])
    transform = analysis if len(shape) == 3 else analysis2
    both = transform(x, h, 2)
    for s in range(2):
        alone = transform(x, h[s], 2)
        torch.testing.assert_close(both[0][s], alone[0])
        torch.testing.assert_close(both[2][0][s] if len(shape) == 4 else both[2][s],
                                   alone[2][0] if len(shape) == 4 else alone[2])  # fmt: skip


def test_the_high_pass_is_the_alternating_flip() -> None:
    for name in NAMES:
        wavelet = pywt.Wavelet(name)
        np.testing.assert_allclose(high_pass(taps(name)).numpy(), wavelet.rec_hi, atol=1e-12)


def test_a_gradient_reaches_the_filter() -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 1, 10)))
    h = taps("db2").requires_grad_()
    assert torch.autograd.gradcheck(lambda h: torch.cat(analysis(x, h, 2), -1), h)


@given(st.integers(1, 5000), st.integers(1, 20))
def test_most_levels_as_pywavelets(length, half) -> None:
    assert most_levels(length, 2 * half) == pywt.dwt_max_level(length, 2 * half)


@pytest.mark.parametrize("h", [torch.ones(3), torch.ones(0), torch.ones(2, 2, 2)])
def test_no_filter(h) -> None:
    with pytest.raises(InvalidInput, match="even number of taps"):
        analysis(torch.zeros(1, 1, 8), h, 1)


def test_an_unknown_boundary() -> None:
    with pytest.raises(InvalidInput, match="reflect"):
        analysis(torch.zeros(1, 1, 8), taps("haar"), 1, "reflect")
