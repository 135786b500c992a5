"""The loss against plain numpy, its floor, and its gradients."""

from __future__ import annotations

import numpy as np
import pytest

pywt = pytest.importorskip("pywt")
torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.signal.wavelets import loss as module  # noqa: E402
from limbeck.signal.wavelets.angles import complete, filter_from_angles  # noqa: E402
from limbeck.signal.wavelets.loss import WaveletLoss, WaveletRows, coefficients  # noqa: E402

RNG = np.random.default_rng(0)
X, G = RNG.normal(size=(2, 7, 2, 16))
H = torch.tensor(pywt.Wavelet("db2").rec_lo, dtype=torch.float64)[None]


def flat(x: np.ndarray) -> np.ndarray:
    return np.concatenate(pywt.wavedec(x, "db2", mode="periodization", level=2), -1).reshape(7, -1)


def test_by_plain_numpy() -> None:
    loss = WaveletLoss(WaveletRows.of(X), WaveletRows.of(G), 2, sparsity=2.0, trim=3.0)
    size = [np.linalg.norm(a.reshape(7, -1), axis=1).sum() for a in (X, G)]
    wanted = (2 * np.abs(flat(X)).sum() / size[0] + 3 * np.abs(flat(G)).sum() / size[1]) / 5
    assert float(loss(H)[0]) == pytest.approx(wanted)


def test_input_times_gradient_by_plain_numpy() -> None:
    loss = WaveletLoss(WaveletRows.of(X), WaveletRows.of(G, X), 2, sparsity=0.0, trim=1.0)
    lengths = [np.linalg.norm(a.reshape(7, -1), axis=1) for a in (X, G)]
    wanted = np.abs(flat(X) * flat(G)).sum() / (lengths[0] * lengths[1]).sum()
    assert float(loss(H)[0]) == pytest.approx(wanted)
    assert loss.floor <= wanted
    assert loss.floor == pytest.approx(
        np.abs((X * G).sum((1, 2))).sum() / (lengths[0] * lengths[1]).sum()
    )


def test_one_coefficient_is_the_floor() -> None:
    c = [np.zeros((1, 1, n)) for n in (4, 4, 8)]
    c[1][0, 0, 2] = -3.0
    row = pywt.waverec(c, "db2", mode="periodization")
    loss = WaveletLoss(WaveletRows.of(row), WaveletRows.of(row), 2)
    assert float(loss(H)[0]) == pytest.approx(1.0)
    assert loss.floor == 1.0


def test_gradients_that_differ_by_a_factor_are_one_row() -> None:
    atom, other = RNG.normal(size=(2, 1, 16))
    rows = WaveletRows.of(np.stack([atom, -2 * atom, 0 * atom, 3 * other]))
    assert len(rows) == 2
    sizes = 3 * np.linalg.norm(atom), 3 * np.linalg.norm(other)
    np.testing.assert_allclose(sorted(rows.weights), np.sort(sizes) / sum(sizes))


def test_streaming_changes_nothing(monkeypatch) -> None:
    free = torch.from_numpy(RNG.normal(size=(5, 3)))
    loss = WaveletLoss(WaveletRows.of(X), WaveletRows.of(G, X), 2, "symmetric")
    whole = loss.descend(free, lambda p: filter_from_angles(complete(p)), 0.05)
    monkeypatch.setattr(module, "_AT_ONCE", 5 * 32 * 2)  # two rows at once
    parts = loss.descend(free, lambda p: filter_from_angles(complete(p)), 0.05)
    torch.testing.assert_close(parts, whole)


def test_the_slope_is_that_of_the_value() -> None:
    free = torch.from_numpy(RNG.normal(size=(1, 2)))
    loss = WaveletLoss(WaveletRows.of(X), WaveletRows.of(G), 2, "zero")

    def filters(p: torch.Tensor) -> torch.Tensor:
        return filter_from_angles(complete(p))

    _, slope = loss.descend(free, filters, 0.01)
    for k in range(2):
        move = 1e-6 * torch.eye(2, dtype=torch.float64)[k]
        up, down = (float(loss(filters(free + s * move), 0.01)[0]) for s in (1, -1))
        assert float(slope[0, k]) == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-7)


def test_a_part_stands_for_the_whole() -> None:
    many = RNG.normal(size=(3000, 1, 16)) * RNG.exponential(size=(3000, 1, 1))
    loss = WaveletLoss(WaveletRows.of(many), WaveletRows.of(many), 2)
    part = loss.some(500, RNG)
    assert len(part.signals) <= 500
    assert float(part(H)[0]) == pytest.approx(float(loss(H)[0]), rel=0.05)


def test_images_are_transformed_along_both_sides() -> None:
    image = RNG.normal(size=(2, 1, 16, 16))
    found = coefficients(torch.from_numpy(image), H[0], 2, "periodic")
    wanted = pywt.wavedec2(image, "db2", mode="periodization", level=2)
    side_by_side = [wanted[0], *(b for level in wanted[1:] for b in level)]
    np.testing.assert_allclose(
        found.numpy(), np.concatenate([b.reshape(2, -1) for b in side_by_side], 1), atol=1e-9
    )


@pytest.mark.parametrize(("sparsity", "trim"), [(0, 0), (-1, 2), (np.nan, 1), (1, np.inf)])
def test_weights_that_cannot_be(sparsity, trim) -> None:
    with pytest.raises(InvalidInput, match="one of them above 0"):
        WaveletLoss(WaveletRows.of(X), WaveletRows.of(G), 2, sparsity=sparsity, trim=trim)


def test_zeros_alone_are_refused_only_where_they_count() -> None:
    with pytest.raises(InvalidInput, match="All gradients are zero"):
        WaveletLoss(WaveletRows.of(X), WaveletRows.of(0 * G), 2)
    WaveletLoss(WaveletRows.of(X), WaveletRows.of(0 * G), 2, trim=0.0)
    with pytest.raises(InvalidInput, match="All signals are zero"):
        WaveletLoss(WaveletRows.of(0 * X), WaveletRows.of(G), 2)
