"""Tables that need not fit into memory: data frames one after the other, always in one order."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra

__all__ = ["RowBatches", "is_batched", "row_batches", "table_files"]

_FORMATS = {".parquet": "parquet", ".pq": "parquet", ".arrow": "ipc", ".feather": "ipc"}
_ROWS = 65_536


@dataclass(frozen=True, eq=False)
class RowBatches:
    """Rows in batches, which can be gone through again.

    Parameters
    ----------
    frames : callable
        Gives an iterator of data frames; each call the same ones in the same order.
    """

    frames: Callable[[], Iterable[Any]]

    def __iter__(self) -> Iterator[Any]:
        for frame in self.frames():
            if not hasattr(frame, "columns"):
                raise InvalidInput(
                    f"A batch of rows is a {type(frame).__name__}.", "Give data frames."
                )
            if len(frame):
                yield frame


def is_batched(rows: Any) -> bool:
    """Whether rows are given as a table that is read in batches; see `row_batches`.

    Parameters
    ----------
    rows : object
        What a user gave as rows.
    """
    return isinstance(rows, str | Path | RowBatches) or _is_arrow(rows) or _is_dask(rows)


def row_batches(rows: Any, columns: list[str] | None = None) -> RowBatches:
    """Read a table in batches of at most 65,536 rows.

    Parameters
    ----------
    rows : str, Path, pyarrow.dataset.Dataset, Dask data frame or RowBatches
        A Parquet or Arrow file, a folder of them, or a pattern such as ``"rows/*.parquet"``. Files
        are read in the order of their names, with numbers in names as text.
    columns : list of str, optional
        The columns to read, where only some are needed.

    Returns
    -------
    RowBatches
        The rows.

    Raises
    ------
    FileRefused
        If there is no such file, or one of another kind.
    MissingExtra
        If pyarrow is not installed.
    """
    if isinstance(rows, RowBatches):
        return rows
    if _is_dask(rows):
        chosen = rows if columns is None else rows[columns]
        return RowBatches(lambda: (part.compute() for part in chosen.partitions))
    data = rows if _is_arrow(rows) else _opened(table_files(rows))
    if columns is not None:
        absent = [c for c in columns if c not in data.schema.names]
        if absent:
            raise InvalidInput(
                f"There is no column {absent[0]!r}; there are {', '.join(data.schema.names[:20])}.",
                "Give the table that the student was made for.",
            )
    return RowBatches(lambda: _frames(data, columns))


def _frames(data: Any, columns: list[str] | None) -> Iterator[Any]:
    # one file and one batch ahead: else Arrow reads hundreds of megabytes in advance
    batches = data.to_batches(
        columns=columns, batch_size=_ROWS, batch_readahead=1, fragment_readahead=1
    )
    for batch in batches:
        yield batch.to_pandas()


def table_files(given: str | Path) -> list[str]:
    """The Parquet or Arrow files of a path, in the order of their names.

    Raises
    ------
    FileRefused
        If there is none.
    """
    path = Path(given)
    if path.is_dir():
        found = [p for p in path.iterdir() if p.suffix.lower() in _FORMATS]
    elif path.is_file():
        found = [path]
    else:
        found = [Path(name) for name in glob.glob(str(given), recursive=True)]
    names = sorted(str(p) for p in found)
    if not names:
        raise FileRefused(
            f"There is no file {str(given)!r}.",
            'Give a .parquet or .arrow file, a folder of them, or a pattern: "rows/*.parquet".',
        )
    return names


def _opened(names: list[str]) -> Any:
    kinds = {Path(n).suffix.lower() for n in names}
    formats = {_FORMATS.get(k) for k in kinds}
    if None in formats or len(formats) > 1:
        raise FileRefused(
            f"{names[0]!r} and others end in {', '.join(sorted(kinds))}.",
            "Give only .parquet files, or only .arrow files; read other tables with pandas.",
        )
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.dataset import dataset
    except ImportError:
        raise MissingExtra(
            f"Reading {names[0]!r} needs pyarrow.", "pip install 'limbeck[parquet]'."
        ) from None
    try:
        return dataset(names, format=formats.pop())
    except (ArrowInvalid, OSError) as error:
        raise FileRefused(f"{names[0]!r} cannot be read: {error}.", "Write it anew.") from error


def _is_arrow(rows: Any) -> bool:
    kind = type(rows)
    return hasattr(rows, "to_batches") and kind.__module__.startswith("pyarrow._dataset")


def _is_dask(rows: Any) -> bool:
    return type(rows).__module__.startswith("dask.") and hasattr(rows, "partitions")
