"""The path over the weights."""

from __future__ import annotations

import numpy as np
import pytest

pywt = pytest.importorskip("pywt")
torch = pytest.importorskip("torch")

from limbeck.signal.wavelets.loss import WaveletLoss, WaveletRows  # noqa: E402
from limbeck.signal.wavelets.path import follow, follow_penalty, kept_share, points_of  # noqa: E402
from limbeck.signal.wavelets.penalty import Penalty  # noqa: E402
from limbeck.signal.wavelets.search import FilterSearch  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 1, 32)).cumsum(-1)
G = RNG.normal(size=(16, 1, 32))
START = np.array(pywt.Wavelet("db2").rec_lo)


def test_weights_are_ordered_by_ratio_and_none_comes_twice() -> None:
    found = points_of((1.0, 2.0, 0.0), (0.0, 2.0, 1.0))
    assert [t / (s + t) for s, t in found] == pytest.approx([0, 1 / 3, 1 / 2, 2 / 3, 1])
    assert points_of(0.0, 0.0) == ()


def test_along_the_path_signals_give_way_to_attributions() -> None:
    loss = WaveletLoss(WaveletRows.of(X), WaveletRows.of(G), 2)
    points = list(
        follow(
            loss,
            points_of((1.0, 0.0), (0.0, 1.0)),
            FilterSearch(4, starts=2, kept=2),
            np.random.default_rng(0),
            [START],
        )
    )
    assert [(p.sparsity, p.trim) for p in points] == [(1, 0), (1, 1), (0, 1)]
    first, middle, last = points
    assert first.signals <= middle.signals * 1.002
    assert middle.signals <= last.signals * 1.002
    assert last.attributions <= middle.attributions * 1.002
    assert middle.attributions <= first.attributions * 1.002
    assert first.found.loss == pytest.approx(first.signals)
    for p in points:
        assert p.found.loss <= p.before * 1.001
        assert p.success is not True


def test_success_is_denied_where_nothing_was_gained() -> None:
    h = torch.from_numpy(START)[None]
    x, gradients = WaveletRows.of(X), WaveletRows.of(G)
    loss = WaveletLoss(x, gradients, 2, trim=0.0)
    best = FilterSearch(4, starts=8, kept=2).run(loss, np.random.default_rng(0)).low
    loss, search = WaveletLoss(x, gradients, 2), FilterSearch(len(best), starts=2)
    (point,) = follow(loss, [(1.0, 0.0)], search, np.random.default_rng(1), [best])
    assert point.success is False
    assert (
        float(WaveletLoss(WaveletRows.of(X), WaveletRows.of(G), 2, trim=0.0)(h)[0])
        > point.found.loss
    )


def test_kept_share_by_numpy() -> None:
    loss = WaveletLoss(WaveletRows.of(X), WaveletRows.of(G), 2)
    c = np.concatenate(pywt.wavedec(X[:, 0], "db2", mode="periodization", level=2), -1)
    energy = np.sort((c**2).ravel())[::-1].cumsum()
    wanted = (energy < 0.99 * energy[-1]).mean()
    assert kept_share(loss, START) == pytest.approx(wanted)


def test_the_penalty_path_starts_each_point_from_the_last() -> None:
    loss = WaveletLoss(WaveletRows.of(X), WaveletRows.of(G), 2, "zero")
    settings = Penalty(2, epochs=2, batch_size=10)
    points = list(
        follow_penalty(
            loss, [(1e-3, 0.0), (1e-3, 1.0)], settings, X, G, START, np.random.default_rng(0)
        )
    )
    first, second = (p.found.low for p in points)
    assert 0 < np.abs(first - START).max() < 0.02  # 6 steps of 1e-3
    assert 0 < np.abs(second - first).max() < 0.02
    assert np.abs(second - START).max() < 0.03
    assert not points[0].found.arrived
