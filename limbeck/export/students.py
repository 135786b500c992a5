"""A student as a file in a language of its user, with no limbeck in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.export.languages.c import CWriter
from limbeck.export.languages.dialects import check_dialect
from limbeck.export.languages.javascript import JavaScriptWriter
from limbeck.export.languages.python import PythonWriter
from limbeck.export.languages.sql import SqlWriter
from limbeck.export.languages.writer import Writer

__all__ = ["SUFFIXES", "export_student", "source_of"]

SUFFIXES: dict[str, type[Writer]] = {
    ".sql": SqlWriter,
    ".c": CWriter,
    ".h": CWriter,
    ".py": PythonWriter,
    ".js": JavaScriptWriter,
    ".mjs": JavaScriptWriter,
}
"""The languages, by the end of a file's name; ``.json`` and ``.onnx`` are the student's own."""


def source_of(student: Any, suffix: str, dialect: str | None = None) -> str:
    """A student as source code.

    Parameters
    ----------
    student : Student
        One that can be written as a formula.
    suffix : {".sql", ".c", ".h", ".py", ".js", ".mjs"}
        The language.
    dialect : str, optional
        Which SQL; see :func:`limbeck.export.languages.dialects.check_dialect`.

    Raises
    ------
    InvalidInput
        If there is no such language, it lacks what the student needs, or the student is no formula.
    """
    if suffix == ".pmml":
        raise InvalidInput(
            "There is no export to '.pmml': the libraries that write it need Java, or know only"
            " models of their own.",
            "Export to .onnx, which onnxruntime runs.",
        )
    if suffix not in SUFFIXES:
        known = (*SUFFIXES, ".json", ".onnx", ".md")
        raise InvalidInput(f"There is no export to {suffix!r}.", did_you_mean(suffix, known))
    text = SUFFIXES[suffix](student.formula()).written()
    if dialect is not None:
        if suffix != ".sql":
            raise InvalidInput(
                f"dialect={dialect!r} was given for {suffix!r}.", "It is for .sql alone."
            )
        check_dialect(text, dialect)
    return text


def export_student(
    student: Any,
    path: str | Path,
    *,
    dtype: str | None = None,
    inputs: str | None = None,
    dialect: str | None = None,
) -> Path:
    """Write a student as a file that runs without limbeck; the end of the name says which.

    Parameters
    ----------
    student : Student
        What a distillation came to.
    path : str or Path
        ``.sql``, ``.c``, ``.h``, ``.py``, ``.js`` or ``.mjs``; ``.onnx``; ``.json`` for limbeck.
    dtype : {"float64", "float32"}, optional
        Of ``.onnx``: type of the numbers in the inputs, by default float64.
    inputs : {"rows", "columns"}, optional
        Of ``.onnx``: one input of encoded rows, which is the default, or a named input for each
        column; see :func:`limbeck.students.formula_onnx.formula_to_onnx`.
    dialect : str, optional
        Of ``.sql``: a database that must be able to run it.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    InvalidInput
        If there is no such language, or the student cannot be written in it.

    Examples
    --------
    >>> import tempfile
    >>> from limbeck.students.tree.tree import Tree
    >>> tree = Tree(2).fit([[1.0], [2.0], [5.0], [6.0]], ["no", "no", "yes", "yes"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = export_student(tree, f"{folder}/tree.py").read_text()
    >>> scope = {}
    >>> exec(text, scope)
    >>> scope["predict"]({"x0": 1.5}), scope["predict_proba"]({"x0": 7})
    ('no', {'no': 0.0, 'yes': 1.0})
    """
    path = Path(path)
    suffix = path.suffix.lower()
    graph = {name: value for name, value in (("dtype", dtype), ("inputs", inputs)) if value}
    if graph and suffix != ".onnx":
        raise InvalidInput(
            f"{next(iter(graph))} was given for {suffix!r}.", "It is for .onnx alone."
        )
    if suffix == ".json" and dialect is None:
        return Path(student.save(path))
    if suffix == ".onnx" and dialect is None:
        if not hasattr(student, "to_onnx"):
            raise InvalidInput(
                f"A {type(student).__name__} has no ONNX form.",
                f"Export to {', '.join(SUFFIXES)}.",
            )
        student.to_onnx(path, **graph)
        return path
    return write_bytes(source_of(student, suffix, dialect).encode(), path)
