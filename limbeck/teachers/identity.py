"""By what a teacher's stored answers are known again in a later run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import CodeType
from typing import Any

from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput

__all__ = ["teacher_identity"]


def teacher_identity(teacher: Teacher, given: Any, name: str | None = None) -> str | None:
    """A hash of what its answers depend on; None where that cannot be told.

    A file counts by its content, a folder of transformers by the names, sizes and times of its
    weights, a function by its code and what it closes over, another object by what it is pickled
    to (which is never read back).

    Parameters
    ----------
    teacher : Teacher
        As `limbeck.as_teacher` made it.
    given : Any
        What it was made of.
    name : str, optional
        A name by which a user says that it is the same; it then stands for all but the classes
        and the prompt.

    Raises
    ------
    InvalidInput
        If the name is empty.
    """
    known = [list(map(str, teacher.task.classes)), str(getattr(teacher, "prompt", ""))]
    if name is not None:
        if not isinstance(name, str) or not name.strip():
            raise InvalidInput(f"name is {name!r}.", "Give a name of the teacher, or leave it out.")
        return _digest(["named", name, *known])
    folder = getattr(getattr(teacher, "folder", None), "path", None)
    if folder is not None:
        weights = sorted(Path(folder).glob("*.safetensors"))
        stats = [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in weights]
        return _digest(["folder", teacher.name, str(folder), stats, *known])
    if isinstance(given, str | Path) and Path(given).is_file():
        content = hashlib.sha256(Path(given).read_bytes()).hexdigest()
        return _digest(["file", content, *known])
    inside = _object(given)
    return None if inside is None else _digest(["object", teacher.name, inside, *known])


def _object(given: Any) -> str | None:
    """Of what is in memory: its code, and all that it holds."""
    import cloudpickle

    parts = [_code(code) for code in (getattr(given, "__code__", None),) if code is not None]
    try:
        parts.append(hashlib.sha256(cloudpickle.dumps(given)).hexdigest())
    except Exception:  # whatever a model's own pickling raises
        return None
    return json.dumps(parts, allow_nan=False)


def _code(code: CodeType) -> str:
    """Of a function of a module, which is pickled by its name alone."""
    inner = [_code(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    whole = [code.co_code.hex(), list(code.co_names), list(code.co_varnames), inner]
    return _digest(whole)


def _digest(whole: list[Any]) -> str:
    return hashlib.sha256(json.dumps(whole, allow_nan=False).encode()).hexdigest()
