"""Strings and paths that stand for a teacher, and which of them are refused unread.

Nothing is imported, run or unpickled here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.teachers.entry import entries

__all__ = ["check_file", "first_bytes", "is_named", "path_of", "unknown_file"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: C:\ is a folder
_PICKLES = (".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle")
_WEIGHTS = (".pt", ".pth", ".ckpt", ".bin")


def path_of(obj: Any) -> Path | None:
    """The path that a string or path stands for; None for other things, and for ``hf:folder``.

    Parameters
    ----------
    obj : object
        Whatever was given as a teacher.
    """
    if isinstance(obj, os.PathLike):
        return Path(os.fspath(obj))
    if isinstance(obj, str) and (not _SCHEME.match(obj) or Path(obj).exists()):
        return Path(obj)
    return None


def first_bytes(path: Path, size: int = 4096) -> bytes:
    """The first bytes of a file; none where there is no such file.

    Parameters
    ----------
    path : Path
        The file.
    size : int
        How many, at most.
    """
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def is_named(name: str) -> bool:
    """Whether a string names a file or service rather than ``package.module:name``.

    It does where such a file exists, or where a kind of teacher knows its suffix or prefix.

    Parameters
    ----------
    name : str
        As given to ``--teacher``.
    """
    if (name and Path(name).exists()) or Path(name).suffix.lower() in _PICKLES + _WEIGHTS:
        return True
    marks = [mark for _, _, entry in entries() for mark in entry.files]
    return any(
        name.lower().endswith(mark) if mark.startswith(".") else name.startswith(mark)
        for mark in marks
    )


def check_file(obj: Any) -> None:
    """Refuse a path that is not there, and every pickle.

    Parameters
    ----------
    obj : str or path
        What was given as a teacher.

    Raises
    ------
    FileRefused
        Says what to do instead.
    """
    path = path_of(obj)
    if path is None:
        return
    suffix = path.suffix.lower()
    start = first_bytes(path, 2)
    if suffix in _PICKLES or (suffix not in _WEIGHTS and re.fullmatch(rb"\x80[\x02-\x05]", start)):
        raise FileRefused(
            f"{str(path)!r} is a pickle, which can run any code when it is read, and is never"
            " loaded.",
            "Where you trust it, load it yourself and give the model, or convert it once:"
            " skops.io.dump(joblib.load('model.joblib'), 'model.skops').",
        )
    if suffix in _WEIGHTS:
        raise FileRefused(
            f"{str(path)!r} holds a pickle of torch, which can run any code when it is read, and"
            " is never loaded.",
            "Write safetensors.torch.save_file(module.state_dict(), 'model.safetensors') once, or"
            " give the module.",
        )
    if not path.exists():
        raise FileRefused(f"There is no file {str(path)!r}.", "Check the path. " + _known())


def unknown_file(obj: Any) -> InvalidInput:
    """The error for a string or path that no kind of teacher accepts.

    Parameters
    ----------
    obj : str or path
        What was given as a teacher.
    """
    if path_of(obj) is None:
        return InvalidInput(
            f"{str(obj)!r} names no file and nothing that is known as a teacher.",
            f"{_known()} A model package.module:name is named in the shell only; in Python, import"
            " it.",
        )
    return InvalidInput(f"{str(obj)!r} is no file of a known kind of teacher.", _known())


def _known() -> str:
    kinds = [
        f"{' or '.join(entry.files)} ({entry.summary})" for _, _, entry in entries() if entry.files
    ]
    return f"Known: {'; '.join(kinds)}." if kinds else "Give the model itself."
