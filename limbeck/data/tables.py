"""Tables from files: Parquet, and text in any common dialect and encoding."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limbeck.core.arrays import MOST_TIMES
from limbeck.core.errors import FileRefused, MissingExtra
from limbeck.core.unpacked import PACKED, unpacked

__all__ = ["read_table"]

_KINDS = "Give a .csv, .tsv or .txt file, packed (.gz, .zip) or not, or a .parquet file."
_DELIMITERS = (",", ";", "\t", "|")
_LINES = 50
_PARQUET = 1 << 30  # bytes that a Parquet file may hold in any case
_TEXT = (".csv", ".tsv", ".txt", ".tab", ".data")


def read_table(path: Path) -> Any:
    """A DataFrame from a file.

    Text may be separated by commas, semicolons, tabs or bars, and encoded as UTF-8 (with or
    without a byte order mark), UTF-16 or Windows-1252 (which covers Latin-1). Its first line
    holds the names of the columns.

    Parameters
    ----------
    path : Path
        A .csv, .tsv or .txt file, packed (.gz, .bz2, .xz, .zip) or not, or a .parquet file;
        capitals do not matter.

    Returns
    -------
    DataFrame
        Of two columns with one name the second gets a number after a point; which, is kept in
        ``attrs["limbeck_headers"]``.

    Raises
    ------
    FileRefused
        If the file is absent, of another kind, empty, cannot be read, or unpacks to more than 200
        times its size beside the first 16 MiB.
    MissingExtra
        If Parquet is asked for without pyarrow.
    """
    if not path.is_file():
        raise FileRefused(f"There is no file {str(path)!r}.", _KINDS)
    suffixes = [s.lower() for s in path.suffixes]
    try:
        if suffixes[-1:] in ([".parquet"], [".pq"]):
            return _from_parquet(path)
        if suffixes[-1:] and (suffixes[-1] in _TEXT or suffixes[-1] in PACKED):
            return _from_text(unpacked(path), path)
    except ImportError:
        raise MissingExtra(
            f"Reading {path.name!r} needs pyarrow.",
            "pip install 'limbeck[parquet]', or give a .csv.",
        ) from None
    except FileRefused:
        raise
    except Exception as error:
        raise FileRefused(f"{str(path)!r} cannot be read: {error}.", "Write it anew.") from error
    raise FileRefused(f"{path.name!r} is no table.", _KINDS)


def _from_parquet(path: Path) -> Any:
    import pandas as pd
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        rows, columns = file.metadata.num_rows, file.metadata.num_columns
    size = 8 * rows * columns
    if size > _PARQUET + MOST_TIMES * path.stat().st_size:  # repeated values take next to nothing
        raise FileRefused(
            f"{path.name!r} claims {rows:,} rows of {columns:,} columns, which take {size:,} bytes,"
            f" in a file of {path.stat().st_size:,}.",
            "If you know where it comes from, read it with pandas and give the data frame.",
        )
    return pd.read_parquet(path)


def _from_text(data: bytes, path: Path) -> Any:
    import pandas as pd

    text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise FileRefused(f"{path.name!r} is empty.", "Give a file with a row of names and rows.")
    first, _, after = text.partition("\n")
    declared = first.lower().startswith("sep=") and len(first) == 5
    delimiter = first[4] if declared else _delimiter(text)
    body = after if declared else text
    if delimiter is None and ".csv" in path.suffixes and _one_column(body):
        delimiter = ","
    if delimiter is None:
        raise FileRefused(
            f"{path.name!r} is no table: no comma, semicolon, tab or bar parts its lines alike.",
            _KINDS,
        )
    header = next(_rows(body, delimiter))
    frame = pd.read_csv(io.StringIO(body), sep=delimiter, low_memory=False, index_col=False)
    if not len(frame):
        raise FileRefused(f"{path.name!r} holds names and no rows.", "Give a file with rows.")
    if len(header) == len(frame.columns):
        renamed = {
            str(new): old
            for new, old in zip(frame.columns, header, strict=True)
            if str(new) != old and header.count(old) > 1
        }
        if renamed:
            frame.attrs["limbeck_headers"] = renamed
    return frame


def _decoded(data: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
    ):  # fmt: skip
        if data.startswith(mark):
            return data.decode(encoding)
    if data[1:200:2].count(0) > 40:  # Latin letters in UTF-16 without a mark
        return data.decode("utf-16-le")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _one_column(text: str) -> bool:
    """Whether no line has a comma outside quotes: texts alone, under the name of their column."""
    return all(len(row) <= 1 for row in _rows(text, ","))


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # a document may be one field
    return csv.reader(io.StringIO(text), delimiter=delimiter)


def _delimiter(text: str) -> str | None:
    """What parts the first lines into most fields, equally many in each."""
    lines = text.split("\n", _LINES + 1)[:_LINES]
    best, most = None, 1
    for delimiter in _DELIMITERS:
        rows = [r for r in _rows("\n".join(lines), delimiter) if r]
        widths = {len(r) for r in rows[:-1] or rows}
        fields = min(widths, default=1)
        if len(widths) == 1 and fields > most:
            best, most = delimiter, fields
    return best
