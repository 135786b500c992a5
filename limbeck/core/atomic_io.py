"""Files are written whole: a reader sees the old file or the new one, never a part."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from limbeck.core.errors import FileRefused

__all__ = ["write_bytes"]

_SUFFIX = ".part"


def write_bytes(content: bytes | bytearray, path: str | os.PathLike[str]) -> Path:
    """Write a file whole: a reader sees the old file or the new one, never a part.

    What a writer of the same file left beside it when it was killed is removed.

    Parameters
    ----------
    content : bytes or bytearray
        The whole content.
    path : path
        The file; one that exists is replaced.

    Raises
    ------
    FileRefused
        If the folder does not exist or cannot be written to, or the disk is full.
    """
    path = Path(path)
    temporary = ""
    try:
        _clear(path)
        handle, temporary = _held(path)
        with os.fdopen(handle, "wb") as file:  # it holds the lock until the file is in its place
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            mask = os.umask(0)  # mkstemp makes private files: give this one the usual permissions
            os.umask(mask)
            Path(temporary).chmod(0o666 & ~mask)
            if os.name != "nt":
                os.replace(temporary, path)
        if os.name == "nt":  # open files cannot be renamed there
            os.replace(temporary, path)
    except OSError as error:
        raise FileRefused(
            f"{str(path)!r} cannot be written: {error.strerror or error}.",
            "Free some space, or choose another disk."
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            else "Create the folder, or choose another name.",
        ) from None
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
    return path


def _held(path: Path) -> tuple[int, str]:
    """A new file beside another, locked, so that nobody takes it for one that was left behind."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_SUFFIX)
        if _locked(handle, wait=True) and not os.path.exists(name):  # cleared before it was locked
            os.close(handle)
            continue
        return handle, name


def _clear(path: Path) -> None:
    """Remove what killed writers of this file left; those alive hold locks."""
    start = f".{path.name}."
    for name in os.listdir(path.parent):
        if not (name.startswith(start) and name.endswith(_SUFFIX)):
            continue
        left = path.parent / name
        with suppress(OSError), left.open("rb") as file:
            if _locked(file.fileno(), wait=False):
                left.unlink()


def _locked(handle: int, *, wait: bool) -> bool:
    """Lock a file that is open, where the system has such locks; False where that failed."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        return False
    with suppress(OSError):  # held by another process, or not on this disk
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return True
    return False
