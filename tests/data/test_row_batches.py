from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.data.row_batches import RowBatches, is_batched, row_batches

pytest.importorskip("pyarrow")
FRAME = pd.DataFrame({"x": np.arange(10.0), "kind": list("abcdefghij")})


def whole(given, columns=None) -> pd.DataFrame:
    return pd.concat(list(row_batches(given, columns)), ignore_index=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in (2, 0, 1):
        FRAME.iloc[3 * i : 3 * i + 3].to_parquet(tmp_path / f"rows-{i}.parquet")
    (tmp_path / "notes.txt").write_text("no table")
    return tmp_path


def test_files_are_read_in_the_order_of_their_names(folder: Path) -> None:
    for given in (folder, str(folder / "*.parquet"), folder / "rows-?.parquet"):
        assert whole(given).equals(FRAME[:9])
    assert whole(folder / "rows-1.parquet").equals(FRAME[3:6].reset_index(drop=True))
    rows = row_batches(folder, ["kind"])
    assert list(next(iter(rows))) == ["kind"]
    assert len(list(rows)) == len(list(rows)) == 3  # it can be gone through again


def test_arrow_files_datasets_and_generated_batches(folder: Path) -> None:
    from pyarrow.dataset import dataset

    FRAME.to_feather(folder / "all.arrow", compression="uncompressed")
    assert whole(folder / "all.arrow").equals(FRAME)
    assert whole(dataset(folder / "rows-0.parquet")).equals(FRAME[:3])
    made = RowBatches(lambda: (FRAME[i : i + 5] for i in (0, 5)))
    assert whole(made).equals(FRAME)


def test_what_is_read_in_batches(folder: Path) -> None:
    from pyarrow.dataset import dataset

    assert all(map(is_batched, ("rows/*.parquet", folder, dataset(folder / "rows-0.parquet"))))
    assert not any(map(is_batched, (FRAME, FRAME.to_numpy(), [1, 2], ["a text"])))


def test_a_dask_data_frame_is_read_by_its_partitions() -> None:
    dask = pytest.importorskip("dask.dataframe")
    frame = dask.from_pandas(FRAME, npartitions=3)
    assert is_batched(frame)
    assert whole(frame, ["x"]).equals(FRAME[["x"]])


def test_what_is_refused(folder: Path) -> None:
    with pytest.raises(FileRefused, match="no file 'absent"):
        row_batches("absent*.parquet")
    with pytest.raises(FileRefused, match=r"end in \.parquet, \.txt"):
        row_batches(folder / "*")
    (folder / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(FileRefused, match="cannot be read"):
        row_batches(folder / "broken.parquet")
    with pytest.raises(InvalidInput, match="no column 'y'"):
        row_batches(folder / "rows-0.parquet", ["y"])
    with pytest.raises(InvalidInput, match="batch of rows is a ndarray"):
        list(RowBatches(lambda: [np.zeros((2, 2))]))
