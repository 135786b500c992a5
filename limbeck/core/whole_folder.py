"""Folders are saved whole: a reader finds the old result or the new one, never parts of both.

A new folder is written beside its place and renamed. Into one that exists, and may hold other
things, all files are first written to a folder inside; renaming that to ``.saved`` is the moment
from which the new result counts: its files are then moved to their places, and where that was cut
off, whoever opens the folder next goes on with it (a redo log).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path

from limbeck.core.errors import FileRefused, InvalidInput

__all__ = ["check_folder", "open_folder", "settle", "whole_folder"]

_READY = ".saved"  # holds a whole result whose files are on the way to their places
_STALE = ".stale"  # in it: what the result before had and this one has not
_WRITING = ".saving-"


def open_folder(folder: str | os.PathLike[str]) -> Path:
    """Make a folder if it does not exist, before any work.

    Parameters
    ----------
    folder : str or Path
        With all folders above it.

    Raises
    ------
    InvalidInput
        If it is a file.
    FileRefused
        If it cannot be made or written to.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{str(folder)!r} is a file.", "Give the name of a folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(None, "it may not be written to")
    except OSError as error:
        raise FileRefused(
            f"{str(folder)!r} cannot be made: {error.strerror or error}.", "Choose another folder."
        ) from None
    return folder


def check_folder(folder: str | os.PathLike[str]) -> None:
    """Refuse a folder that cannot be made or written to, and leave nothing that was not there.

    Parameters
    ----------
    folder : str or Path
        Where a result shall be; what is refused later leaves no empty folders above it either.

    Raises
    ------
    InvalidInput
        If it is a file.
    FileRefused
        If it cannot be made or written to.
    """
    path = Path(folder).absolute()
    made = [place for place in (path, *path.parents) if not place.exists()]
    open_folder(folder)
    for place in made:
        with suppress(OSError):  # another run has begun to write there
            place.rmdir()


@contextmanager
def whole_folder(
    folder: str | Path, owned: Sequence[str] = (), marks: Sequence[str] = ()
) -> Iterator[Path]:
    """A folder to write to, whose content replaces that of another all at once at the end.

    If anything is raised inside, the other folder stays as it was. Of two that write to the same
    folder, the one that ends last is kept, whole.

    Parameters
    ----------
    folder : str or Path
        Where the content shall be. Made if it does not exist; what else lies there stays.
    owned : sequence of str
        Patterns of names, as ``finalist-*``, of what such results consist of: what a result before
        had of these, and this one has not, is removed.

    marks : sequence of str
        Names, one of which lies in every such folder: without one nothing is removed.

    Raises
    ------
    InvalidInput
        If it is a file.
    FileRefused
        If it cannot be made or written to.
    """
    folder = Path(folder)
    fresh = not folder.exists()
    place = open_folder(folder.parent if fresh else folder)
    _clear(place, folder.name)
    try:
        staging = Path(tempfile.mkdtemp(dir=place, prefix=f".{folder.name}{_WRITING}"))
    except OSError as error:
        raise FileRefused(
            f"{str(folder)!r} cannot be written: {error.strerror or error}.",
            "Free some space, or choose another folder.",
        ) from None
    try:
        with _locked(staging):
            _usual_mode(staging)
            yield staging
            _put(staging, folder, owned, marks)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def settle(folder: str | Path) -> None:
    """Finish a save that was cut off after all of it had been written.

    Parameters
    ----------
    folder : str or Path
        Of a result.

    Raises
    ------
    FileRefused
        If the files cannot be moved to their places.
    """
    folder = Path(folder)
    if not (folder / _READY).is_dir():
        return
    try:
        with _locked(folder):
            _redo(folder)
    except OSError as error:
        raise FileRefused(
            f"{str(folder)!r} was cut off while it was saved: {error.strerror or error}.",
            "Open it once where it may be written to.",
        ) from None


def _put(staging: Path, folder: Path, owned: Sequence[str], marks: Sequence[str]) -> None:
    """What was written takes its place."""
    _synced(staging)
    if staging.parent == folder.parent:
        with suppress(OSError):  # somebody else has made it in the meantime
            staging.rename(folder)
            _synced(folder.parent)
            return
    with _locked(folder):
        _redo(folder)
        new = {p.name for p in staging.iterdir()}
        there = {p.name for p in folder.iterdir()}
        own = owned if there.intersection(marks) else ()
        stale = [name for name in there - new if any(fnmatch(name, o) for o in own)]
        (staging / _STALE).write_bytes(b"\0".join(os.fsencode(name) for name in stale))
        staging.rename(folder / _READY)
        _synced(folder)
        _redo(folder)


def _redo(folder: Path) -> None:
    """Move a result that is whole to its place; each step can be done again."""
    ready = folder / _READY
    if not ready.is_dir():
        return
    listed = ready / _STALE
    if listed.exists():
        names = set(listed.read_bytes().split(b"\0"))
        for path in list(folder.iterdir()):
            if os.fsencode(path.name) in names:
                _remove(path)
    for path in sorted(ready.iterdir()):
        if path.name == _STALE:
            continue
        if path.is_dir() or (folder / path.name).is_dir():
            _remove(folder / path.name)
        path.replace(folder / path.name)
    shutil.rmtree(ready)
    _synced(folder)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _clear(place: Path, name: str) -> None:
    """Remove what writers left that were killed: nobody holds its lock."""
    for left in place.glob(f".{name}{_WRITING}*"):
        with suppress(OSError), _locked(left, wait=False):
            shutil.rmtree(left)


@contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a folder against other processes, where the system has such locks."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)


def _usual_mode(folder: Path) -> None:
    """Permissions as of any new folder: those of mkdtemp are private."""
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)


def _synced(folder: Path) -> None:
    """Names in a folder survive a cut of power, where the system can promise it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
