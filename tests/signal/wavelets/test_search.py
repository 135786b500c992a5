"""The search finds known wavelets, and knows when it has."""

from __future__ import annotations

import numpy as np
import pytest

pywt = pytest.importorskip("pywt")
torch = pytest.importorskip("torch")

from limbeck.signal.wavelets.angles import (  # noqa: E402
    angles_from_filter,
    filter_from_angles,
    moments,
    random_filter,
)
from limbeck.signal.wavelets.bank import analysis, synthesis  # noqa: E402
from limbeck.signal.wavelets.loss import WaveletLoss, WaveletRows  # noqa: E402
from limbeck.signal.wavelets.search import FilterSearch, difference  # noqa: E402


def taps(name: str) -> np.ndarray:
    if name.startswith("random"):
        return random_filter(8, np.random.default_rng(int(name[6:])))
    return np.array(pywt.Wavelet(name).rec_lo)


def atom(low: np.ndarray, level: int, length: int = 128) -> np.ndarray:
    """The signal (1, 1, length) of one detail coefficient of 3 levels."""
    h = torch.from_numpy(low)
    bands = analysis(torch.zeros(1, 1, length, dtype=torch.float64), h, 3)
    bands[4 - level][0, 0, bands[4 - level].shape[-1] // 2] = 1
    return synthesis(bands, h, length).numpy()


def loss_of(rows: np.ndarray) -> WaveletLoss:
    return WaveletLoss(WaveletRows.of(rows), WaveletRows.of(rows), 3, sparsity=0.0)


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("haar", 1),
        ("db3", 2),
        pytest.param("sym4", 3, marks=pytest.mark.slow),
        pytest.param("db2", 3, marks=pytest.mark.slow),
        pytest.param("random3", 2, marks=pytest.mark.slow),
    ],
)
def test_a_wavelet_is_found_from_random_starts(name, level) -> None:
    low = taps(name)
    search = FilterSearch(len(low), starts=16, kept=6)
    found = search.run(loss_of(atom(low, level)), np.random.default_rng(0))
    assert difference(found.low, low) < 0.01
    assert found.arrived
    assert found.loss == pytest.approx(1, abs=1e-3)
    assert found.margin > 0.02


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("name", ["db4", "db5", "db6", "db8", "sym5", "coif2", "random1"])
def test_longer_wavelets(name, level) -> None:
    low = taps(name)
    found = FilterSearch(len(low)).run(loss_of(atom(low, level)), np.random.default_rng(1))
    assert difference(found.low, low) < 0.05
    assert found.arrived


def test_a_filter_shorter_than_allowed_is_found_and_stays_short() -> None:
    found = FilterSearch(10, starts=8).run(loss_of(atom(taps("db2"), 2)), np.random.default_rng(0))
    assert len(found.low) == 4
    assert difference(found.low, taps("db2")) < 0.01


def test_what_no_wavelet_explains_is_not_said_to_be_found() -> None:
    noise = np.random.default_rng(0).normal(size=(3, 1, 64))
    found = FilterSearch(6, starts=4, kept=2).run(loss_of(noise), np.random.default_rng(0))
    assert not found.arrived
    assert found.loss > 3


def test_the_end_is_never_above_a_named_start() -> None:
    noise = np.random.default_rng(5).normal(size=(12, 1, 64)).cumsum(-1)
    loss, named = loss_of(noise), taps("db3")
    found = FilterSearch(6, starts=2, kept=2).run(loss, np.random.default_rng(0), [named])
    assert found.loss <= float(loss(torch.from_numpy(named)[None])[0]) * (1 + 1e-3)


def test_moments_hold_to_rounding() -> None:
    rows = np.random.default_rng(1).normal(size=(8, 1, 32)).cumsum(-1)
    found = FilterSearch(6, starts=3, kept=2, moments=3).run(
        loss_of(rows), np.random.default_rng(0)
    )
    assert len(found.low) == 6
    assert moments(torch.from_numpy(found.low), 3).abs().max() < 1e-10


def test_same_seed_same_filter() -> None:
    rows = loss_of(np.random.default_rng(1).normal(size=(8, 1, 32)))
    a, b = (FilterSearch(4, starts=3).run(rows, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(a.low, b.low)


def test_refining_from_near_by() -> None:
    low = taps("sym4")
    angles = angles_from_filter(low)
    angles[0] += 0.05
    angles[-1] -= 0.05
    near = filter_from_angles(torch.from_numpy(angles)).numpy()
    found = FilterSearch(8).refine(loss_of(atom(low, 2)), [near], np.random.default_rng(0))
    assert difference(near, low) > 0.02
    assert difference(found.low, low) < 1e-3


def test_difference_knows_sign_reversal_and_shift() -> None:
    low = taps("db3")
    assert difference(-low[::-1], low) == pytest.approx(0)
    assert difference(np.pad(low, (3, 1)), low) == pytest.approx(0)
    assert difference(low, np.pad(low, (0, 4))) == pytest.approx(0)
    assert difference(taps("haar"), taps("db2")) == pytest.approx(
        min(
            np.linalg.norm(np.pad(s * taps("haar"), (k, 2 - k)) - taps("db2"))
            for k in range(3)
            for s in (1, -1)
        )
    )
