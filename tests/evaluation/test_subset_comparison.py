from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from limbeck.core.progress import quiet
from limbeck.evaluation.subset_comparison import SubsetData, compare_subsets

X = np.random.default_rng(0).normal(size=(60, 2))
TEST = np.random.default_rng(1).normal(size=(40, 2))


def soft(rows: Any) -> Any:
    p = 1 / (1 + np.exp(-6 * X[rows, :1]))
    return np.hstack([1 - p, p])


def data(labels: bool = False, asked: Any = None) -> SubsetData:
    def told(rows: Any) -> Any:
        if asked is not None:
            asked.append(rows)
        return soft(rows)

    y = (X[:, 0] > 0).astype(np.int64) if labels else None
    right = (TEST[:, 0] > 0).astype(np.int64)
    return SubsetData(X, TEST, told, right, 1 - right if labels else None, y, 2)


@pytest.mark.parametrize("way", ["herding", "k_center", "gradients", "inducing_points"])
def test_every_way_chooses_so_many_different_rows_of_the_pool(way: str) -> None:
    lines, first = compare_subsets(
        data(labels=True), [way], 10, pool=40, seeds=2, student="kernel", tell=quiet
    )
    chosen = first[way]
    assert len(set(chosen.places.tolist())) == 10
    assert [line.way for line in lines] == ["random", way, "random, hard labels"]
    pool = np.random.default_rng([0, 0]).permutation(60)[:40]
    assert set(chosen.places.tolist()) <= set(pool.tolist())
    assert chosen.asked == (40 if way in ("gradients", "inducing_points") else 10)
    # as many of each class as the pool has
    share = (X[pool, 0] > 0).mean() * 10
    assert abs((X[chosen.places, 0] > 0).sum() - share) <= 1
    for line in lines:
        assert line.agreement.value + line.accuracy.value == pytest.approx(1)  # labels turned round


def test_gains_are_over_random_rows_of_the_same_seed_and_share_the_level() -> None:
    one, _ = compare_subsets(data(), ["k_center"], 10, seeds=3, tell=quiet)
    two, _ = compare_subsets(data(), ["k_center", "herding"], 10, seeds=3, tell=quiet)
    assert one[0].gain is None
    assert one[0].accuracy is None
    gain = one[1].gain
    assert gain.value == pytest.approx(one[1].agreement.value - one[0].agreement.value)
    assert two[1].gain.value == pytest.approx(gain.value)
    assert two[1].gain.high - two[1].gain.low > gain.high - gain.low
