"""Students as JSON: one versioned schema, exact round trips, files written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.atomic_io import write_bytes
from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, did_you_mean
from limbeck.core.registry import STUDENTS
from limbeck.core.strict_json import parse_json
from limbeck.core.task import Label, Task
from limbeck.data.labels import is_label

__all__ = [
    "FORMAT",
    "VERSION",
    "fingerprint",
    "head",
    "importances_of",
    "parsed",
    "read",
    "read_head",
    "write",
]

FORMAT, VERSION = "limbeck-student", 1
_KINDS = ("numeric", "boolean", "categorical", "text")
T = TypeVar("T")


def head(
    kind: str,
    features: Features,
    task: Task,
    importances: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """The part of the schema that all students share, ready for JSON.

    Parameters
    ----------
    kind : str
        The kind of student, such as ``tree``.
    features : Features
        The columns.
    task : Task
        What is predicted.
    importances : ndarray of shape (d,), optional
        How much each column matters, where that was measured.
    """
    columns = [
        {"name": c.name, "kind": c.kind, "unit": c.unit, "levels": list(c.levels)}
        for c in features.columns
    ]
    rows: dict[str, Any] = {"frame": features.frame, "dtypes": list(features.dtypes)}
    if features.shape:
        rows["shape"] = list(features.shape)
    if features.numbers:
        rows["numbers"] = list(features.numbers)
    found = {
        "format": FORMAT,
        "version": VERSION,
        "kind": kind,
        "features": columns,
        "rows": rows,
        "task": {"classes": [plain(c) for c in task.classes], "unit": task.unit},
    }
    return found if importances is None else {**found, "importances": importances.tolist()}


def plain(label: Any) -> Label:
    """A label as a Python text, bool, int or float (numpy scalars converted)."""
    value: Label = label.item() if hasattr(label, "item") else label
    return value


def read_head(data: Any, kind: str) -> tuple[Features, Task]:
    """Read what :func:`head` wrote.

    Parameters
    ----------
    data : object
        Content of a file.
    kind : str
        The kind of student that is expected.

    Raises
    ------
    FileRefused
        If the format, version, kind or a field is not as it should be.
    """
    _check_format(data)
    if data.get("kind") != kind:
        raise FileRefused(
            f"This student is of kind {data.get('kind')!r}, not {kind!r}.",
            "Use limbeck.students.load, which finds the kind.",
        )
    return parsed(data, _columns), parsed(data, _task)


def importances_of(data: dict[str, Any], d: int) -> NDArray[np.float64] | None:
    """The importances of the d columns that a file holds; None where it holds none.

    Parameters
    ----------
    data : dict
        Content of a file.
    d : int
        Number of columns.

    Raises
    ------
    FileRefused
        If they are not d shares from 0 to 1.
    """
    if "importances" not in data:
        return None
    shares = parsed(data, lambda given: np.array(given["importances"], dtype=np.float64))
    if shares.shape != (d,) or not ((shares >= 0) & (shares <= 1)).all():
        raise FileRefused(
            f"The importances are not {d} shares from 0 to 1.",
            "Save the student again; the file was altered.",
        )
    return shares


def parsed(data: dict[str, Any], reader: Callable[[dict[str, Any]], T]) -> T:
    """What ``reader`` makes of ``data``, with a fault of the data turned into FileRefused.

    Parameters
    ----------
    data : dict
        Content of a file.
    reader : callable
        Makes a student, or a part of one, of it.
    """
    try:
        return reader(data)
    except FileRefused:
        raise
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
        fault = f"lacks {error}" if isinstance(error, KeyError) else f"is malformed: {error}"
        raise FileRefused(f"The student's file {fault}.", "Save the student again.") from None


def canonical(data: Any) -> str:
    """JSON with sorted keys and no spaces; floats by repr, so that they come back exactly."""
    return json.dumps(
        data, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
    )


def fingerprint(data: Any) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(data).encode()).hexdigest()


def write(data: dict[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write canonical JSON to a file; see :func:`limbeck.core.atomic_io.write_bytes`.

    Parameters
    ----------
    data : dict
        What is written.
    path : path
        The file; one that exists is replaced.
    """
    return write_bytes(f"{canonical(data)}\n".encode(), path)


def read(path: str | Path) -> dict[str, Any]:
    """Read a student's file and check its format and version.

    Raises
    ------
    FileRefused
        If the file cannot be read, is no JSON, no student, or written by a newer limbeck.
    """
    try:
        data = parse_json(Path(path).read_bytes())
    except OSError as error:
        raise FileRefused(
            f"{str(path)!r} cannot be read: {error.strerror}.", "Check the path."
        ) from None
    except ValueError as error:
        raise FileRefused(
            f"{str(path)!r} {error}.", "Give a file that student.save wrote."
        ) from None
    _check_format(data)
    checked: dict[str, Any] = data
    return checked


def load(path: str | Path) -> Any:
    """Read a student from the file that its ``save`` wrote.

    Parameters
    ----------
    path : str or Path
        The file; an .onnx file that limbeck wrote is a network.

    Returns
    -------
    Student
        Of the kind that was saved, with the same fingerprint.

    Raises
    ------
    FileRefused
        If the file cannot be read, is no student, is malformed, or is newer than this limbeck.
    """
    if Path(path).suffix == ".onnx":
        from limbeck.students.onnx.student import OnnxStudent

        return OnnxStudent(path)
    data = read(path)
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in STUDENTS.names():
        known = did_you_mean(str(kind), STUDENTS.names())
        raise FileRefused(f"There is no student of kind {kind!r}.", known)
    return STUDENTS.get(kind).from_dict(data)


def _check_format(data: Any) -> None:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise FileRefused(
            f"This is no student: its format is not {FORMAT!r}.",
            "Give a file that student.save wrote.",
        )
    version = data.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise FileRefused(f"There is no version {version!r}.", "Save the student again.")
    if version > VERSION:
        raise FileRefused(
            f"The student has version {version}, and this limbeck reads up to {VERSION}.",
            "Upgrade limbeck: pip install --upgrade limbeck.",
        )


def _columns(data: dict[str, Any]) -> Features:
    columns = tuple(
        Feature(_text(c["name"]), c["kind"], _text(c["unit"]), tuple(map(_text, c["levels"])))
        for c in data["features"]
    )
    strange = [c.kind for c in columns if c.kind not in _KINDS]
    if strange:
        raise ValueError(f"there is no kind of column {strange[0]!r}")
    names = [c.name for c in columns]
    if not names or len(set(names)) < len(names):
        raise ValueError("it needs columns with different names")
    rows = data["rows"]
    dtypes = tuple(map(_text, rows["dtypes"]))
    frame = rows["frame"]
    if not isinstance(frame, bool) or len(dtypes) != (len(names) if frame else 1):
        raise ValueError("the dtypes do not fit the columns")
    shape = tuple(rows.get("shape", ()))
    if not all(isinstance(side, int) and side > 0 for side in shape) or (
        shape and math.prod(shape) != len(names)
    ):
        raise ValueError("the shape of a row does not fit the columns")
    numbers = tuple(rows.get("numbers", ()))
    if not all(isinstance(n, int) for n in numbers) or (
        numbers and not (frame and len(set(numbers)) == len(names))
    ):
        raise ValueError("the numbers of the columns do not fit them")
    return Features(columns, frame, dtypes, shape, numbers)


def _task(data: dict[str, Any]) -> Task:
    classes = tuple(data["task"]["classes"])
    if not all(map(is_label, classes)) or len(set(classes)) < len(classes):
        raise ValueError("classes must be different labels")
    return Task(classes, _text(data["task"]["unit"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text was expected, and {value!r} found")
    return value
