"""Rows of prompts from whatever users have: lists, tables, and files that are read bit by bit."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra
from limbeck.core.strict_json import parse_json

__all__ = ["PromptRow", "each_row", "prompt_files", "read_rows"]

_PROMPT, _COMPLETION = ("prompt", "messages", "instruction"), ("completion", "answer", "response")
_FILES = (".jsonl", ".json", ".parquet", ".csv")
_READ = 1_024
"""Rows of a Parquet file at a time."""


@dataclass(frozen=True)
class PromptRow:
    """A prompt as text or as messages, and what follows it, if that is known."""

    prompt: Any
    completion: str | None


def read_rows(data: Any) -> list[PromptRow]:
    """Rows of prompts from whatever users have.

    Parameters
    ----------
    data : sequence, DataFrame, Hugging Face data set, or path
        Texts; lists of messages with role and content; mappings with ``prompt`` (or ``messages``)
        and, if it is known, ``completion``; or ``text`` alone. A path names a .jsonl, .json,
        .parquet or .csv file of these, and a pattern such as ``"texts/*.parquet"`` several, in the
        order of their names.

    Raises
    ------
    InvalidInput
        If there is no prompt, or one is empty or no text.
    FileRefused
        If the file cannot be read.
    """
    rows = list(each_row(data))
    if not rows:
        raise InvalidInput("There are no prompts.", "Give at least one.")
    return rows


def each_row(data: Any) -> Iterator[PromptRow]:
    """The same rows one after the other; of .jsonl and .parquet files no more than a few are held.

    Parameters
    ----------
    data : sequence, DataFrame, Hugging Face data set, or path
        As for `read_rows`.
    """
    return (_row(item, i) for i, item in enumerate(_items(data)))


def prompt_files(data: Any) -> list[Path]:
    """The files that a path or a pattern names, in the order of their names; none of other data.

    Parameters
    ----------
    data : object
        What was given as prompts.

    Raises
    ------
    FileRefused
        If there is no such file.
    """
    if not isinstance(data, str | PathLike) or Path(fspath(data)).suffix not in _FILES:
        return []
    path = Path(fspath(data))
    found = [path] if path.is_file() else [Path(n) for n in glob.glob(str(path), recursive=True)]
    if not found:
        raise FileRefused(
            f"{str(path)!r} cannot be read: there is no such file.", "Check the path."
        )
    return sorted(found)


def _items(data: Any) -> Iterator[Any]:
    """One item after another."""
    files = prompt_files(data)
    if files:
        for path in files:
            yield from _file(path)
    elif isinstance(data, str):
        raise InvalidInput(f"The prompts are one text: {data[:40]!r}.", "Give a list of texts.")
    elif hasattr(data, "to_dict") and hasattr(data, "columns"):  # a DataFrame
        yield from data.to_dict("records")
    elif isinstance(data, PathLike):
        raise InvalidInput(
            f"The prompts are the path {fspath(data)!r}.",
            f"Give one that ends in {', '.join(_FILES[:-1])} or {_FILES[-1]}.",
        )
    elif isinstance(data, Mapping) or not (
        hasattr(data, "__iter__") or hasattr(data, "__getitem__")
    ):
        raise InvalidInput(
            f"The prompts are one {type(data).__name__}.",
            "Give a list of rows, or a DataFrame; of several splits, one.",
        )
    else:
        yield from data


def _file(path: Path) -> Iterator[Any]:
    if path.suffix == ".parquet":
        yield from _parquet(path)
    elif path.suffix == ".csv":
        from limbeck.data.tables import read_table

        yield from read_table(path).to_dict("records")
    else:
        whole = path.suffix == ".json"
        for number, line in enumerate(_lines(path, whole), 1):
            if not line.strip():
                continue
            try:
                found = parse_json(line)
            except ValueError as error:
                raise FileRefused(
                    f"Line {number} of {str(path)!r} {error}.", "Write one JSON value a line."
                ) from None
            if whole and isinstance(found, list):
                yield from found
            else:
                yield found


def _lines(path: Path, whole: bool) -> Iterator[str]:
    """The lines of a file, or all of it as one."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from [file.read()] if whole else file
    except (OSError, UnicodeDecodeError) as error:
        raise FileRefused(f"{str(path)!r} cannot be read: {error}.", "Check the path.") from None


def _parquet(path: Path) -> Iterator[Any]:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise MissingExtra(
            f"Reading {path.name!r} needs pyarrow.",
            "pip install 'limbeck[parquet]', or give a .jsonl.",
        ) from None
    try:
        with ParquetFile(path) as file:
            for batch in file.iter_batches(_READ):
                yield from batch.to_pylist()
    except (OSError, ValueError) as error:  # ArrowInvalid is a ValueError
        raise FileRefused(f"{str(path)!r} cannot be read: {error}.", "Write it anew.") from error


def _row(item: Any, i: int) -> PromptRow:
    if isinstance(item, PromptRow):
        return item
    if isinstance(item, Mapping):
        names = [n for n in (*_PROMPT, "text") if item.get(n) is not None]
        if not names:
            raise InvalidInput(
                f"Row {i} has {', '.join(map(repr, item)) or 'no column'}, and no prompt.",
                "Name the column prompt (and completion), messages, or text.",
            )
        prompt = _listed(item[names[0]])
        found = next((item[n] for n in _COMPLETION if isinstance(item.get(n), str)), None)
        if found is None and isinstance(prompt, list) and _role(prompt[-1:]) == "assistant":
            prompt, found = prompt[:-1], prompt[-1]["content"]
    else:
        prompt, found = _listed(item), None
    messages = isinstance(prompt, list) and all(isinstance(m, Mapping) for m in prompt)
    if not isinstance(prompt, str) and not messages:
        raise InvalidInput(
            f"Prompt {i} is {str(prompt)[:40]!r} ({type(prompt).__name__}).",
            "Give text, or a list of messages with role and content.",
        )
    if not prompt or (isinstance(prompt, str) and not prompt.strip()):
        raise InvalidInput(f"Prompt {i} is empty.", "Leave it out.")
    return PromptRow(prompt, found)


def _listed(prompt: Any) -> Any:
    """Messages as a list; Parquet files that pandas reads hold them as arrays."""
    return list(prompt) if isinstance(prompt, tuple | np.ndarray) else prompt


def _role(messages: Sequence[Any]) -> str | None:
    last = messages[-1] if messages else None
    return str(last.get("role")) if isinstance(last, Mapping) else None
