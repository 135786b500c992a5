"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from limbeck.core.errors import InvalidInput, did_you_mean

__all__ = [
    "Answers", "Cases", "Identical", "Seen", "Share", "StudentFile", "Table", "class_names",
    "column_of", "duplicates_rule", "groups_of", "parts",
]  # fmt: skip

Share = Annotated[float, typer.Option(help="Strictly between 0 and 1.")]
Table = Annotated[Path, typer.Option(help="A .parquet or .csv file with one row per input.")]
StudentFile = Annotated[Path, typer.Option(help="student.json, as limbeck wrote it.")]
Answers = Annotated[str, typer.Option(help="The column with the teacher's answers.")]
Cases = Annotated[
    str | None,
    typer.Option(help="A column, such as a patient: rows that may depend on each other."),
]
Identical = Annotated[
    str, typer.Option(help="What identical rows are: auto, drop (copies) or keep (own draws).")
]
Seen = Annotated[
    Path | None, typer.Option(help="Hashes of training rows; seen.npy beside the student if there.")
]


def column_of(frame: Any, name: str | None) -> Any:
    """The values of a column; refused where there is none of that name.

    Parameters
    ----------
    frame : DataFrame
        The table.
    name : str
        The column.
    """
    if name is None:
        return None
    if name not in frame.columns:
        raise InvalidInput(f"There is no column {name!r}.", did_you_mean(name, frame.columns))
    return frame[name].to_numpy()


def parts(text: str) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in text.split(",")]


def duplicates_rule(name: str) -> Any:
    """What identical rows are, refused where there is no such rule."""
    from limbeck.data.duplicates import RULES

    if name not in RULES:
        raise InvalidInput(f"--duplicates is {name!r}.", did_you_mean(name, RULES))
    return name


def groups_of(frame: Any, name: str | None) -> Any:
    """A column, or "class" for the teacher's classes where no column is called so.

    Parameters
    ----------
    frame : DataFrame
        The table.
    name : str
        The column.
    """
    return name if name == "class" and name not in frame.columns else column_of(frame, name)


def class_names(text: str | None, y: Any) -> list[Any] | None:
    """Classes named in the shell, of the type that the labels have.

    Parameters
    ----------
    text : str or None
        Names with commas between them.
    y : ndarray of shape (n,), or None
        The labels.
    """
    if text is None:
        return None
    names = parts(text)
    if y is None:
        return names
    known = {str(label): label for label in set(y.tolist())}
    return [known.get(name, name) for name in names]
