"""What takes long to make is made again only where its sources, or limbeck itself, changed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["ROOT", "cached"]

ROOT = Path(__file__).resolve().parent.parent.parent
_CACHE = ROOT / "build" / "docs"


def cached(name: str, sources: Iterable[Path], make: Callable[[Path], None]) -> Path:
    """A folder that ``make`` filled.

    Parameters
    ----------
    name : str
        A folder below ``build/docs``.
    sources : paths
        Files on which the content depends; limbeck's own are always among them.
    make : callable
        Gets an empty folder.

    Returns
    -------
    Path
        The folder.
    """
    digest = hashlib.sha256()
    for path in (*sources, *sorted((ROOT / "limbeck").rglob("*.py"))):
        digest.update(path.read_bytes())
    folder = _CACHE / name
    stamp = folder / ".sources"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make(folder)
    stamp.write_text(digest.hexdigest())
    return folder
