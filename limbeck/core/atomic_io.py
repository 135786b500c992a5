"""Files are written whole: a reader sees the old file or the new one, never a part."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from limbeck.core.errors import FileRefused

__all__ = ["write_bytes"]


def write_bytes(content: bytes | bytearray, path: str | os.PathLike[str]) -> Path:
    """Write a file whole: a reader sees the old file or the new one, never a part.

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
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)  # mkstemp makes private files: give this one the usual permissions
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
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
