"""Pieces of long work, kept on disk once they are finished: a run that was cut off goes on.

A piece is found by what it was made from: the hash of its inputs. So nothing is mixed: a run with
other rows, settings or answers finds none of these pieces. Each is one file with checksums,
written whole or not at all; one that is damaged is made again. Where no folder is given, nothing
is kept and nothing hashed.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from limbeck.core.arrays import read_arrays
from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused
from limbeck.core.strict_json import parse_json
from limbeck.core.whole_folder import open_folder

__all__ = ["NAME", "Pieces", "digest", "keeping", "kept", "piece"]

T = TypeVar("T")
NAME = "unfinished"
"""The folder of the pieces, within that of the run."""
_MOST_WHOLE = 2**53  # integers beyond are written as text
_CURRENT: ContextVar[Pieces | None] = ContextVar("pieces", default=None)


class Pieces:
    """A folder of pieces.

    Parameters
    ----------
    folder : Path
        That of the run; the pieces lie in ``unfinished`` within.

    Raises
    ------
    FileRefused
        If the folder cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = open_folder(open_folder(folder) / NAME)

    def read(self, name: str) -> tuple[Any] | None:
        """A piece that is there and whole, in a tuple of one; else None.

        Parameters
        ----------
        name : str
            As it was written.
        """
        path = self.folder / f"{name}.npz"
        if not path.exists():
            return None
        try:
            count = int(read_arrays(path, ["count"])["count"])
            arrays = read_arrays(path, ["value", *(f"a{i}" for i in range(count))])
            return (_joined(parse_json(arrays["value"].tobytes()), arrays),)
        except (FileRefused, ValueError, TypeError, KeyError, IndexError):
            return None  # damaged: it is made again

    def write(self, name: str, value: Any) -> None:
        """Keep a piece.

        Parameters
        ----------
        name : str
            Without the hash of its inputs it is found by nobody else.
        value : nested lists, tuples, dicts, arrays, numbers, text and None
            What it is.

        Raises
        ------
        FileRefused
            If it cannot be written.
        """
        arrays: dict[str, Any] = {}
        text = json.dumps(_split(value, arrays), allow_nan=False).encode()
        file = io.BytesIO()
        np.savez(
            file, count=np.array(len(arrays)), value=np.frombuffer(text, np.uint8), **arrays
        )  # a zip, so with a checksum for each array
        write_bytes(file.getvalue(), self.folder / f"{name}.npz")

    def remove(self) -> None:
        """All pieces, once the run is saved."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def keeping(folder: str | Path | None) -> Iterator[Pieces | None]:
    """Keep the pieces of what is done within in a folder.

    Parameters
    ----------
    folder : str, Path or None
        That of the run. None keeps none.
    """
    pieces = None if folder is None else Pieces(Path(folder))
    token = _CURRENT.set(pieces)
    try:
        yield pieces
    except BaseException:
        if pieces is not None:
            with suppress(OSError):  # where nothing was finished, nothing stays
                pieces.folder.rmdir()
                pieces.folder.parent.rmdir()
        raise
    finally:
        _CURRENT.reset(token)


def piece(
    name: str,
    made_from: Callable[[], Any],
    make: Callable[[], T],
    *,
    write: Callable[[T], Any] = lambda value: value,
    read: Callable[[Any], T] = lambda value: value,
    rng: np.random.Generator | None = None,
) -> T:
    """What ``make`` makes; where pieces are kept, read instead if it was made before.

    Parameters
    ----------
    name : str
        What it is, for the name of its file.
    made_from : callable
        All that it depends on, to be hashed by `digest`; called only where pieces are kept.
    make : callable
        Makes it.
    write, read : callable
        To nested lists, dicts, arrays and numbers, and back. What was read must be as what was
        made.
    rng : numpy.random.Generator, optional
        The chance that ``make`` uses: its state is part of what the piece is made from, and is
        afterwards as ``make`` left it.
    """
    pieces = _CURRENT.get()
    if pieces is None:
        return make()
    before = None if rng is None else rng.bit_generator.state
    full = f"{name}-{digest([made_from(), before])}"
    found = pieces.read(full)
    if found is not None:
        value, after = found[0]
        if rng is not None:
            rng.bit_generator.state = after
        return read(value)
    made = make()
    with suppress(TypeError):  # what cannot be kept is made again
        pieces.write(full, [write(made), None if rng is None else rng.bit_generator.state])
    return made


def kept() -> bool:
    """Whether pieces are kept here and now."""
    return _CURRENT.get() is not None


def digest(value: Any) -> str:
    """A hash of nested containers, arrays, tables and numbers that is the same in every process.

    Versions of limbeck, numpy and scikit-learn are part of it: others may compute otherwise.

    Parameters
    ----------
    value : object
        What joblib can hash.
    """
    import joblib

    try:
        own = version("limbeck")
    except PackageNotFoundError:  # run from its sources
        own = ""
    versions = [own, version("numpy"), version("scikit-learn")]
    return hashlib.sha256(joblib.hash((versions, value), "sha1").encode()).hexdigest()[:32]


def _split(value: Any, arrays: dict[str, Any]) -> Any:
    """What JSON holds of a value: a pair of its kind and its content; arrays go to a table."""
    if isinstance(value, np.ndarray | np.generic) and not isinstance(value, float | str):
        name = f"a{len(arrays)}"
        arrays[name] = value
        return ["scalar" if isinstance(value, np.generic) else "array", name]
    if isinstance(value, dict):
        return ["dict", [[_split(k, arrays), _split(v, arrays)] for k, v in value.items()]]
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return [kind, [_split(v, arrays) for v in value]]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MOST_WHOLE:
        return ["int", str(int(value))]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else ["float", repr(float(value))]
    if value is None or isinstance(value, str | int | bool):
        return value
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _joined(value: Any, arrays: dict[str, Any]) -> Any:
    if not isinstance(value, list):
        return value
    kind, content = value
    if kind == "array":
        return arrays[content]
    if kind == "scalar":
        return arrays[content][()]
    if kind == "dict":
        return {_joined(k, arrays): _joined(v, arrays) for k, v in content}
    if kind in ("list", "tuple"):
        found = [_joined(v, arrays) for v in content]
        return found if kind == "list" else tuple(found)
    if kind == "int":
        return int(content)
    if kind == "float":
        return float(content)
    raise ValueError(f"{kind!r} is no kind of value")
