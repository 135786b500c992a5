from __future__ import annotations

import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from limbeck.certificates.fingerprint import (
    Fingerprint,
    _deal,
    check_seen,
    overlap,
    row_hashes,
    seen_among,
)
from limbeck.core.errors import InvalidInput

tables = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, np.nan]),
)


@given(tables)
def test_hashes_are_equal_exactly_for_equal_rows(x: np.ndarray) -> None:
    h = row_hashes(x)
    assert h.dtype == np.uint64
    for i in range(len(x)):
        for j in range(len(x)):
            assert (h[i] == h[j]) == np.array_equal(x[i], x[j], equal_nan=True)


def test_every_nan_and_zero_is_the_same() -> None:
    odd = np.array([0x7FF8000000000123], dtype=np.uint64).view(np.float64)
    assert row_hashes(odd[:, None]) == row_hashes(np.array([[np.nan]]))
    assert row_hashes(np.array([[0.0]])) == row_hashes(np.array([[-0.0]]))


def test_columns_have_an_order_and_a_number() -> None:
    pairs = row_hashes(np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 0.0]]))
    assert len({*pairs.tolist(), *row_hashes(np.array([[0.0], [1.0]])).tolist()}) == 5


def test_hashes_spread_and_do_not_depend_on_blocks() -> None:
    x = np.random.default_rng(0).integers(0, 50, size=(40_000, 4)).astype(float)
    h = row_hashes(x)
    assert len(np.unique(h)) == len(np.unique(x, axis=0))
    assert (row_hashes(x[20_000:]) == h[20_000:]).all()
    bits = np.unpackbits(np.unique(h).view(np.uint8)).mean()
    assert bits == pytest.approx(0.5, abs=0.01)


def test_hashing_needs_little_memory() -> None:
    x = np.random.default_rng(0).random((100_000, 50))  # 40 MB
    tracemalloc.start()
    row_hashes(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 15e6


def test_the_hash_of_a_row_never_changes() -> None:
    """Stored hashes of seen rows must still fit: these were written down once."""
    assert row_hashes(np.array([[1.0, 2.0], [np.nan, -0.0]])).tolist() == [
        14199987803724027041,
        10605810629709943833,
    ]


def test_fingerprint_depends_on_rows_answers_and_classes_and_not_on_order() -> None:
    x = np.arange(6.0).reshape(3, 2)
    y = np.array([0.0, 1.0, 1.0])

    def digest(*blocks: np.ndarray, answers: np.ndarray = y, classes: tuple[str, ...] = ()) -> str:
        f = Fingerprint()
        for block in blocks:
            f.add(block)
        return f.hexdigest(answers, classes)

    base = digest(x)
    assert base == digest(x[:1], x[1:])
    assert len(base) == 64
    assert base == digest(x[::-1], answers=y[::-1]) == digest(x.astype(np.float32) * (1 + 1e-12))
    ordered, turned = Fingerprint(), Fingerprint()
    ordered.add(x)
    turned.add(x[::-1])
    assert ordered.hexdigest(y, ordered=True) != turned.hexdigest(y[::-1], ordered=True)
    others = [
        digest(x, answers=y[::-1]),
        digest(x, classes=("a", "b")),
        digest(x, classes=("b", "a")),
        digest(x + 1e-12),
    ]
    assert len({base, *others}) == 5


@pytest.mark.parametrize(
    ("size", "m", "n", "runs"),
    [(10**6, 1000, 500, 200), (10**5, 1000, 500, 200), (1000, 1000, 500, 60),
     (400, 50, 2000, 25), (300, 40, 40, 200)],
)  # fmt: skip
def test_honest_rows_are_refused_at_most_as_often_as_said(
    size: int, m: int, n: int, runs: int
) -> None:
    """Equally likely rows: nearly none is seen twice, or many are; 1 in 1,000 may be refused."""
    rng = np.random.default_rng(0)
    refused = sum(
        not overlap(*(rng.integers(0, size, k).astype(np.uint64) for k in (n, m))).explained
        for _ in range(runs)
    )
    assert refused <= 1  # more have a probability of 2% at most


def test_the_p_value_is_the_share_of_all_ways_to_deal_the_rows() -> None:
    """Every way to hold out 4 of 11 rows, counted."""
    rows = np.array([1, 1, 2, 2, 3, 3, 3, 4, 5, 6, 6], dtype=np.uint64)
    hits = [
        np.isin(rows[list(held)], np.delete(rows, held)).sum()
        for held in combinations(range(11), 4)
    ]
    held = [0, 2, 4, 9]
    found = overlap(rows[held], np.delete(rows, held))
    assert found.hits == 4
    assert found.expected == pytest.approx(np.mean(hits))
    share = np.mean(np.array(hits) >= 4)
    assert 0.1 < share < 0.5
    assert found.p_value == pytest.approx(share, abs=0.1)  # 199 dealings
    dealt = _deal(np.array([[1, 2], [2, 3], [3, 1]]), 4, 20_000, np.random.default_rng(1))
    assert np.bincount(dealt) / 20_000 == pytest.approx(np.bincount(hits) / len(hits), abs=0.015)


@pytest.mark.parametrize(("m", "n", "leaked"), [(1000, 500, 9), (100_000, 500, 2), (50, 20, 10)])
def test_a_few_copied_rows_are_refused_where_none_repeat(m: int, n: int, leaked: int) -> None:
    seen = np.arange(m, dtype=np.uint64)
    fresh = np.arange(m, m + n, dtype=np.uint64)
    fresh[:leaked] = seen[:leaked]
    assert not overlap(fresh, seen).explained
    fresh[leaked // 2 :] = np.arange(2 * m + n, 2 * m + 2 * n - leaked // 2, dtype=np.uint64)
    assert overlap(fresh, seen).explained


def test_a_single_copy_of_a_continuous_row_is_refused() -> None:
    rng = np.random.default_rng(0)
    values, fresh = rng.random((1000, 3)), rng.random((500, 3))
    seen, kinds = row_hashes(values), ("numeric",) * 3
    assert seen_among(fresh, seen, kinds).explained
    fresh[7] = values[3] * (1 + 1e-12)
    found = seen_among(fresh, seen, kinds)
    assert found.copied.sum() == 1
    with pytest.raises(InvalidInput, match="Training saw 1 of these 500 rows"):
        found.refuse()


@pytest.mark.parametrize(("m", "n"), [(300, 2000), (3000, 300), (300, 300)])
def test_coincidence_in_discrete_rows_is_not_refused(m: int, n: int) -> None:
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(20):
        seen, fresh = (rng.integers(0, 2, size=(size, 8)).astype(float) for size in (m, n))
        refused += not overlap(row_hashes(fresh), row_hashes(seen)).explained
    assert refused <= 1  # two have a probability of 0.02%


def test_a_leak_of_discrete_rows_is_refused() -> None:
    rng = np.random.default_rng(0)
    seen = rng.integers(0, 2, size=(500, 12)).astype(float)
    leaked = np.vstack([seen[:250], rng.integers(0, 2, size=(250, 12))])
    found = overlap(row_hashes(leaked), row_hashes(seen))
    assert found.expected == pytest.approx(160, abs=1)
    assert not found.explained
    with pytest.raises(InvalidInput, match="set aside before training"):
        check_seen(row_hashes(leaked), row_hashes(seen))


def test_nothing_seen_explains_everything() -> None:
    found = overlap(row_hashes(np.ones((20, 1))), np.array([], dtype=np.uint64))
    assert found.explained
    assert found.hits == 0


def test_a_copied_holdout_is_rarer_than_all_dealings() -> None:
    """No dealing out of 4,999 makes as many hits: (1 + 0) / 5,000 (Phipson and Smyth 2010)."""
    seen = np.arange(1000, dtype=np.uint64)
    found = overlap(seen[:100], seen)
    assert (found.hits, found.p_value) == (100, 1 / 5000)
