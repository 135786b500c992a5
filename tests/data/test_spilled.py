from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from limbeck.data import spilled
from limbeck.data.spilled import Spilled


@pytest.mark.parametrize("together", [1, 1001, 1 << 16])
def test_records_come_back_by_bucket_in_the_order_in_which_they_were_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(spilled, "_TOGETHER", together)
    rng = np.random.default_rng(0)
    records = Spilled(tmp_path / "records", np.dtype("<i8"))
    added: dict[int, list[int]] = {b: [] for b in range(256)}
    for start, size in ((0, 1000), (1000, 1), (1001, 0), (1001, 700)):
        bucket = rng.integers(0, 256, size).astype(np.uint8)
        values = np.arange(start, start + size)
        records.add(values, bucket)
        for b, value in zip(bucket, values, strict=True):
            added[int(b)].append(int(value))
    assert [b.tolist() for b in records] == list(added.values())
    assert [b.tolist() for b in records] == list(added.values())  # and again
    assert (tmp_path / "records").stat().st_size == 8 * 1701


def test_without_records_every_bucket_is_empty(tmp_path: Path) -> None:
    assert [len(b) for b in Spilled(tmp_path / "none", np.dtype("S40"))] == [0] * 256
