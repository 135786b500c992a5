"""Texts from files: tables, JSON lines, and data sets that Hugging Face saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra, did_you_mean
from limbeck.core.strict_json import parse_json
from limbeck.core.texts import as_texts
from limbeck.data.tables import read_table

__all__ = ["read_text_table", "read_texts", "text_column", "texts_given"]

_KINDS = "Give a .csv, .parquet or .jsonl file, or the folder of a Hugging Face data set."
_JSON_LINES = (".jsonl", ".ndjson")


def read_texts(path: str | Path, column: str | None = None) -> NDArray[Any]:
    """The texts of a file, of shape (n,).

    Parameters
    ----------
    path : path
        See `read_text_table`.
    column : str, optional
        The column that holds them; see `text_column`.
    """
    return text_column(read_text_table(path), column)


def read_text_table(path: str | Path) -> Any:
    """A DataFrame from a file or folder that holds texts.

    Parameters
    ----------
    path : path
        A table as `limbeck.data.tables.read_table` takes it; ``.jsonl`` with an object or a text
        on each line; or the folder of a Hugging Face data set, or of one of its splits.

    Raises
    ------
    FileRefused
        If it cannot be read; of JSON lines the line is named.
    """
    path = Path(path)
    if path.is_dir():
        return _from_folder(path)
    if path.suffix.lower() not in _JSON_LINES:
        return read_table(path)
    import pandas as pd

    if not path.is_file():
        raise FileRefused(f"There is no file {str(path)!r}.", _KINDS)
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = parse_json(line)
        except (ValueError, FileRefused) as error:
            raise FileRefused(
                f"Line {number:,} of {path.name!r} is no JSON: {error}.", "Correct that line."
            ) from None
        if not isinstance(found, dict | str):
            raise FileRefused(
                f"Line {number:,} of {path.name!r} is a {type(found).__name__}.",
                'Write an object, such as {"text": "..."}, or a text.',
            )
        rows.append({"text": found} if isinstance(found, str) else found)
    if not rows:
        raise FileRefused(f"{path.name!r} is empty.", "Give a file with a text on each line.")
    return pd.DataFrame(rows)


def text_column(frame: Any, column: str | None = None) -> NDArray[Any]:
    """The texts of a table: the column that is named, or the only one of texts.

    Parameters
    ----------
    frame : DataFrame
        The table.
    column : str, optional
        The column; without it the one called ``text``, or the only one that holds texts.

    Raises
    ------
    InvalidInput
        If there is no such column, several hold texts, or one holds something else.
    """
    names = [str(name) for name in frame.columns]
    if column is None:
        held = [n for n in names if holds_texts(frame[n])]
        column = "text" if "text" in names else (held[0] if len(held) == 1 else None)
    if column is None:
        which = f"hold texts: {', '.join(map(repr, held[:6]))}" if held else "hold texts: none"
        raise InvalidInput(
            f"Of the columns {', '.join(map(repr, names[:6]))} these {which}.",
            "Name the one with the texts: column=..., or --column in the shell.",
        )
    if column not in names:
        raise InvalidInput(f"There is no column {column!r}.", did_you_mean(column, names))
    return as_texts(frame[column].fillna(""))  # a cell without a text is an empty text


def holds_texts(column: Any) -> bool:
    """Whether the first values of a column of a table are texts; those of a category are not."""
    if str(column.dtype) == "category":
        return False
    some = column.dropna().head(100)
    return len(some) > 0 and all(isinstance(value, str) for value in some)


def _from_folder(folder: Path) -> Any:
    """The Arrow or Parquet files of a data set, one after the other."""
    import pandas as pd

    if (folder / "dataset_dict.json").is_file():
        splits = sorted(p.name for p in folder.iterdir() if (p / "state.json").is_file())
        raise FileRefused(
            f"{folder.name!r} holds several splits: {', '.join(splits)}.",
            f"Give the folder of one, such as {str(folder / splits[0])!r}."
            if splits
            else "Write it again with save_to_disk.",
        )
    arrow = sorted(folder.glob("data-*.arrow")) or sorted(folder.glob("*.arrow"))
    parquet = sorted(folder.glob("*.parquet"))
    if arrow:
        return pd.concat([_arrow(file) for file in arrow], ignore_index=True)
    if parquet:
        return pd.concat([read_table(file) for file in parquet], ignore_index=True)
    raise FileRefused(f"{str(folder)!r} holds no data set.", _KINDS)


def _arrow(path: Path) -> Any:
    try:
        import pyarrow
        from pyarrow import ipc
    except ImportError:
        raise MissingExtra(
            f"Reading {path.name!r} needs pyarrow.", "pip install 'limbeck[parquet]'."
        ) from None
    try:
        with pyarrow.memory_map(str(path)) as source:
            return ipc.open_stream(source).read_pandas()
    except pyarrow.ArrowInvalid as error:
        raise FileRefused(f"{str(path)!r} cannot be read: {error}.", "Write it anew.") from error


def texts_given(texts: Any, column: str | None = None) -> NDArray[Any]:
    """Texts from what a user gave: a list, a table, or a path.

    Parameters
    ----------
    texts : list, array, Series, DataFrame, str or Path
        Texts, a table with a column of them, or the file or folder that holds them.
    column : str, optional
        The column that holds them.
    """
    if isinstance(texts, str | Path):
        return read_texts(texts, column)
    if hasattr(texts, "columns"):
        return text_column(texts, column)
    found = as_texts(texts)
    if not len(found):
        raise InvalidInput("There is no text.", "Give a list of texts, or a file that holds them.")
    return np.asarray(found)
