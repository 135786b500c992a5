from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck.core.columns import Features
from limbeck.students.additive.bins import Bins


def learn(frame: pd.DataFrame, most: int = 4, least: float = 1) -> tuple[Features, Bins]:
    features = Features.of(frame)
    values = features.encode(frame)
    return features, Bins.learn(features, values, np.ones(len(frame)), most, least)


def test_edges_lie_midway_and_bins_weigh_alike() -> None:
    frame = pd.DataFrame({"x": np.arange(100.0)})
    features, bins = learn(frame)
    assert bins.edges[0] == pytest.approx([24.5, 49.5, 74.5])
    assert bins.between is not None
    assert bins.between[0].tolist() == [[24.0, 25.0], [49.0, 50.0], [74.0, 75.0]]
    assert bins.counts == (5,)
    codes = bins.codes(features.encode(frame))
    assert np.bincount(codes[:, 0]).tolist() == [25, 25, 25, 25]


def test_every_bin_of_a_number_holds_enough() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        v = rng.choice([0.0, 1.0, 2.0, 5.0, 9.0, *rng.normal(size=30)], 400, p=None)
        features, bins = learn(pd.DataFrame({"x": v}), 10, 20)
        codes = bins.codes(features.encode(pd.DataFrame({"x": v})))
        assert np.bincount(codes[:, 0]).min() >= 20
        assert bins.counts[0] - 1 <= 12


def test_a_heavy_value_stands_alone() -> None:
    v = np.concatenate([np.zeros(500), np.arange(1.0, 501.0)])
    _, bins = learn(pd.DataFrame({"x": v}), 4, 10)
    assert bins.edges[0][0] == pytest.approx(0.5)


def test_missing_is_the_last_bin_and_rare_levels_share_one() -> None:
    frame = pd.DataFrame(
        {
            "x": [1.0, 2.0, np.nan] * 10,
            "colour": ["red"] * 15 + ["blue"] * 12 + ["green", "pink", None],
        }
    )
    features, bins = learn(frame, 4, 5)
    codes = bins.codes(features.encode(frame))
    assert codes[2, 0] == bins.counts[0] - 1
    assert codes[-1, 1] == bins.counts[1] - 1
    assert codes[27, 1] == codes[28, 1] == bins.counts[1] - 2
    assert bins.words(1, features.columns[1]) == ("blue", "red", "other (2 levels)", "missing")
    assert bins.words(0, features.columns[0]) == ("up to 1", "above 1", "missing")


def test_one_rare_level_keeps_its_bin() -> None:
    frame = pd.DataFrame({"colour": ["red"] * 20 + ["blue"]})
    _, bins = learn(frame, 4, 5)
    assert bins.counts == (3,)


def test_round_trip_and_problems() -> None:
    frame = pd.DataFrame({"x": np.arange(30.0), "colour": ["a", "b", "c"] * 10})
    features, bins = learn(frame)
    again = Bins.from_lists(bins.to_lists())
    assert (again.codes(features.encode(frame)) == bins.codes(features.encode(frame))).all()
    assert not again.problem(features)
    assert Bins(bins.edges[:1], bins.groups[:1]).problem(features)
    assert Bins(bins.edges[::-1], bins.groups[::-1]).problem(features)
    with pytest.raises(ValueError, match="whole numbers"):
        Bins.from_lists([{"edges": [], "groups": [0.5]}])


def _one_by_one(v: np.ndarray, w: np.ndarray, most: int, least: float) -> list[tuple[float, float]]:
    """The cuts of a number, value after value."""
    seen, at = np.unique(v, return_inverse=True)
    mass = np.bincount(at, w, len(seen))
    left, room, held, cuts = float(mass.sum()), most, 0.0, []
    for i in range(len(seen) - 1):
        held += mass[i]
        if held >= max(left / room, least) and left - held >= least and room > 1:
            cuts.append((seen[i], seen[i + 1]))
            left, room, held = left - held, room - 1, 0.0
        elif mass[i + 1] >= max(left / room, least) and held >= least:
            cuts.append((seen[i], seen[i + 1]))  # a heavy value stands alone
            left, room, held = left - held, max(room - 1, 2), 0.0
    return cuts


@pytest.mark.parametrize("n", [1, 2, 50, 3000, 18_000])
@pytest.mark.parametrize("kind", ["distinct", "rounded", "heavy", "two heavy"])
def test_cuts_in_windows_are_those_value_after_value(n: int, kind: str) -> None:
    rng = np.random.default_rng(n)
    v = rng.normal(size=n).astype(np.float32).astype(float)
    if kind == "rounded":
        v = v.round(1)
    if "heavy" in kind:
        v[rng.random(n) < 0.3] = 0.5
    if kind == "two heavy":
        v[rng.random(n) < 0.3] = v.max()
    for w in (np.ones(n), rng.exponential(size=n), rng.poisson(1.0, n).astype(float)):
        for most, least in ((16, 0.01 * n), (24, 10.0), (2, 0.0), (500, 1.0)):
            found = Bins.learn(Features.of(v[:, None]), v[:, None], w, most, least)
            assert found.between is not None
            assert found.between[0].tolist() == [list(c) for c in _one_by_one(v, w, most, least)]
