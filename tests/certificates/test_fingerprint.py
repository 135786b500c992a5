from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from limbeck.certificates.fingerprint import Fingerprint, overlap, refuse_seen, row_hashes
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


def test_how_often_a_rare_coincidence_refuses_honest_rows() -> None:
    """A million equally likely rows; and a thousand, where training rows have twins."""
    rng = np.random.default_rng(0)
    refused = {
        size: np.mean(
            [
                not overlap(
                    *(rng.integers(0, size, k).astype(np.uint64) for k in (500, 1000))
                ).explained
                for _ in range(400)
            ]
        )
        for size in (10**3, 10**6)
    }
    assert refused[10**3] <= 0.005
    assert 0.15 < refused[10**6] < 0.35


def test_any_overlap_of_continuous_rows_is_refused() -> None:
    rng = np.random.default_rng(0)
    seen, fresh = row_hashes(rng.random((1000, 3))), row_hashes(rng.random((500, 3)))
    assert refuse_seen(fresh, seen).hits == 0
    fresh[7] = seen[3]
    with pytest.raises(InvalidInput, match="Training saw 1 of these 500 rows"):
        refuse_seen(fresh, seen)


@pytest.mark.parametrize(("m", "n"), [(300, 5000), (3000, 300), (300, 300)])
def test_coincidence_in_discrete_rows_is_not_refused(m: int, n: int) -> None:
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(200):
        seen, fresh = (rng.integers(0, 2, size=(size, 8)).astype(float) for size in (m, n))
        refused += not overlap(row_hashes(fresh), row_hashes(seen)).explained
    assert refused <= 2


def test_a_leak_of_discrete_rows_is_refused() -> None:
    rng = np.random.default_rng(0)
    seen = rng.integers(0, 2, size=(500, 12)).astype(float)
    leaked = np.vstack([seen[:250], rng.integers(0, 2, size=(250, 12))])
    found = overlap(row_hashes(leaked), row_hashes(seen))
    assert found.twin_rate == pytest.approx(0.11, abs=0.06)
    assert not found.explained
    with pytest.raises(InvalidInput, match="set aside before training"):
        refuse_seen(row_hashes(leaked), row_hashes(seen))


def test_nothing_seen_explains_everything() -> None:
    found = overlap(row_hashes(np.ones((20, 1))), np.array([], dtype=np.uint64))
    assert found.explained
    assert found.hits == 0
