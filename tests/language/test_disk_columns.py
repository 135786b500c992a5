from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from limbeck.language.disk_columns import DiskColumn
from limbeck.language.shards import ShardFolder


def test_a_column_is_read_by_place_and_keeps_its_order(tmp_path: Path) -> None:
    folder = ShardFolder(tmp_path, {}, 5)
    rows = [{"ids": np.arange(i, i + 2), "other": np.zeros(1)} for i in range(5)]
    folder.append(rows[:3], 3)
    folder.append(rows[3:], 2)
    column = DiskColumn(folder, "ids", lambda array: tuple(array.tolist()))
    whole = [(i, i + 1) for i in range(5)]
    assert list(column) == whole
    assert column[1:5:2] == (whole[1], whole[3])
    assert column[-1] == whole[4]
    some = column.take([4, 0, 2])
    assert list(some) == [whole[4], whole[0], whole[2]]
    assert list(some.take(np.array([2, 0]))) == [whole[2], whole[4]]
    with pytest.raises(IndexError):
        column[5]
