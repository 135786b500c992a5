from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limbeck.certificates.streamed_draws import StreamedDraws

TOP = 1 << 56  # of another bucket
HASHES = np.array([5, TOP + 1, 5, 7, TOP + 1, 9], dtype=np.uint64)
NEAR = np.array([5, TOP + 1, 5, 7, TOP + 1, 7], dtype=np.uint64)  # rounding sets 9 and 7 apart
LOSSES, GROUPS = np.array([0, 1, 1, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
COLUMNS = {"loss": "<f8", "group": "<i4", "place": "<i8", "case": "<i8"}


@pytest.fixture
def draws(tmp_path: Path) -> StreamedDraws:
    made = StreamedDraws(tmp_path, COLUMNS)
    for at in (slice(0, 2), slice(2, 6)):
        columns: list[Any] = [LOSSES, GROUPS, np.arange(6), np.array([0, 1, 2, 3, 1, 4])]
        made.add(HASHES[at], [NEAR[at]], *(c[at] for c in columns))
    return made


def test_a_row_counts_once_with_its_largest_loss(draws: StreamedDraws) -> None:
    assert draws.different == (3, 3.0)  # 5; TOP + 1; and 7 with 9
    assert draws.by_group(apart=False) == {0: (2, 2), 1: (2, 2)}
    assert draws.by_group(apart=True) == {0: (3, 2), 1: (3, 2)}
    assert draws.all_wrong() == 4


def test_the_first_of_identical_rows_is_marked_with_the_largest_loss(
    draws: StreamedDraws, tmp_path: Path
) -> None:
    for keys, marked in (
        (("hash",), [1, 1, np.nan, 1, np.nan, np.nan]),
        (("hash", "group"), [1, 1, np.nan, 1, 1, np.nan]),
    ):
        LOSSES.astype("<f8").tofile(tmp_path / "losses")
        draws.mark(tmp_path / "losses", keys)
        np.testing.assert_array_equal(np.fromfile(tmp_path / "losses"), marked)


def test_cases_that_share_a_row_are_pairs(draws: StreamedDraws) -> None:
    pairs = {frozenset(pair) for pair in draws.shared_cases().tolist()}
    assert pairs == {frozenset({0, 2}), frozenset({3, 4})}
