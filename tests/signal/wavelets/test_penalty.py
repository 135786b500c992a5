"""The authors' form: each penalty by hand, and what it leaves of orthogonality."""

from __future__ import annotations

import numpy as np
import pytest

pywt = pytest.importorskip("pywt")
torch = pytest.importorskip("torch")

from limbeck.signal.wavelets.penalty import Penalty, orthogonality_error, penalties  # noqa: E402

RNG = np.random.default_rng(0)


def loops(h: np.ndarray) -> float:
    """The formulas of the module's head, term by term."""
    n = len(h)
    g = np.array([(-1) ** k * h[n - 1 - k] for k in range(n)])
    total = (h.sum() - np.sqrt(2)) ** 2 + g.sum() ** 2 + (h @ h - 1) ** 2
    H = [sum(h[m] * np.exp(-2j * np.pi * k * m / n) for m in range(n)) for k in range(n)]
    total += sum((abs(H[k]) ** 2 + abs(H[k + n // 2]) ** 2 - 2) ** 2 for k in range(n // 2))
    for j in range(n // 2):
        product = sum(h[i] * h[i - 2 * j] for i in range(2 * j, n))
        total += (product - (j == 0)) ** 2
    return total / 2


@pytest.mark.parametrize("taps", [2, 4, 10])
def test_penalties_term_by_term(taps) -> None:
    h = RNG.normal(size=taps)
    assert float(penalties(torch.from_numpy(h))) == pytest.approx(loops(h))


@pytest.mark.parametrize("name", ["haar", "db5", "sym4", "coif2"])
def test_a_wavelet_pays_nothing(name) -> None:
    h = np.array(pywt.Wavelet(name).rec_lo)
    assert float(penalties(torch.from_numpy(h))) < 1e-18
    assert orthogonality_error(h) < 1e-10


def test_the_loss_by_pywavelets() -> None:
    x, g = RNG.normal(size=(2, 6, 1, 32))
    h = np.array(pywt.Wavelet("db2").rec_lo)
    settings = Penalty(2, sparsity=0.3, trim=0.7)
    found = settings.loss(*(torch.from_numpy(a) for a in (h, x, g)))
    bands = [pywt.wavedec(a, "db2", mode="zero", level=2) for a in (x, g)]
    norms = [sum(np.abs(b).sum() for b in own) for own in bands]
    wanted = (0.3 * norms[0] + 0.7 * norms[1]) / (6 * 3)  # nothing is lost, nothing is paid
    assert float(found) == pytest.approx(wanted, rel=1e-6)
    product = sum(np.abs(a * b).sum() for a, b in zip(*bands, strict=True))
    times = Penalty(2, sparsity=0.0, trim=1.0, input_x_gradient=True)
    assert float(times.loss(*(torch.from_numpy(a) for a in (h, x, g)))) == pytest.approx(
        product / 18, rel=1e-6
    )


def test_images() -> None:
    x, g = RNG.normal(size=(2, 4, 1, 8, 8))
    h = np.array(pywt.Wavelet("haar").rec_lo)
    found = Penalty(1, sparsity=1.0, trim=0.0).loss(*(torch.from_numpy(a) for a in (h, x, g)))
    first, rest = pywt.wavedec2(x, "haar", mode="zero", level=1)
    wanted = sum(np.abs(b).sum() for b in (first, *rest)) / (4 * 4)
    assert float(found) == pytest.approx(wanted, rel=1e-6)


def test_a_heavy_weight_leaks_through_the_penalties() -> None:
    x, g = RNG.normal(size=(2, 100, 1, 32))
    start = np.array(pywt.Wavelet("db2").rec_lo)
    settings = Penalty(2, sparsity=0.0, trim=10.0, epochs=10, batch_size=10)
    low = settings.run(x, g, start, np.random.default_rng(0))
    assert orthogonality_error(low) > 1e-3
    assert np.linalg.norm(low) < 1
