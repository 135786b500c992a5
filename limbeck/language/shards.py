"""Rows of arrays of any length in numbered files, each written whole, with their checksums.

``index.json`` says what the rows depend on and which shards are complete; it is written after each
shard. A killed run leaves complete shards, and goes on after them. Order is by row: which shard and
which place a row has follows from its number, so that rows can be read in any order.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused
from limbeck.core.strict_json import read_json, write_json

__all__ = ["ShardFolder"]

_VERSION = 1
_COUNTS = ("rows", "places", "bytes", "crc32")
_OPEN = 128  # files that are mapped at a time
Arrays = dict[str, NDArray[Any]]


class ShardFolder:
    """A folder of shards.

    Parameters
    ----------
    folder : Path
        Where it is.
    head : mapping
        What the rows depend on, ready for JSON.
    rows : int
        How many there will be.
    shards : sequence of mapping
        Those that are complete: file, rows, places, bytes and checksum.
    facts : mapping
        What was measured on the way.

    Attributes
    ----------
    format, holds, again : str
        Of the index; what the rows are, and how they are made again, as messages say it.
    """

    format, holds, again = "limbeck recorded logits", "logits", "record again"

    def __init__(
        self,
        folder: Path,
        head: Mapping[str, Any],
        rows: int,
        shards: Sequence[Mapping[str, Any]] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder, self.head, self.rows = folder, dict(head), rows
        self.shards, self.facts = [dict(s) for s in shards], dict(facts or {})
        self._ends = np.cumsum([s["rows"] for s in self.shards], dtype=np.int64).tolist()
        self._mapped: OrderedDict[int, tuple[Any, Arrays]] = OrderedDict()
        self._checked: set[int] = set()

    @classmethod
    def open(cls, folder: Path) -> Self | None:
        """What is in a folder; None where there is nothing.

        Raises
        ------
        FileRefused
            If the index is damaged, or a shard is missing.
        """
        path = folder / "index.json"
        if not path.exists():
            return None
        data = read_json(path, cls.format, _VERSION)
        try:
            found = cls(folder, data["head"], data["rows"], data["shards"], data["facts"])
            for shard in found.shards:
                name, size = shard["file"], (folder / _plain(shard["file"])).stat().st_size
                if any(type(shard[n]) is not int or shard[n] < 0 for n in _COUNTS):
                    raise ValueError(f"{name} has {shard}")
                if size != shard["bytes"]:
                    raise ValueError(f"{name} has {size:,} bytes, not {shard['bytes']:,}")
        except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
            raise FileRefused(
                f"{str(path)!r} does not fit its folder: {error}.",
                f"Remove the folder, and {cls.again}.",
            ) from None
        return found

    def check_head(self, head: Mapping[str, Any]) -> None:
        """Refuse what was written from something else.

        Parameters
        ----------
        head : mapping
            What the logits depend on: texts, model, prompts, carrier, ...

        Raises
        ------
        FileRefused
            If the folder differs in any of it.
        """
        for name, value in head.items():
            if self.head.get(name) != value:
                other = "other" if name.endswith("s") else "another"
                raise FileRefused(
                    f"{str(self.folder)!r} holds {self.holds} with {other}"
                    f" {name.replace('_', ' ')}.",
                    "Give another folder, or remove this one.",
                )

    @property
    def done(self) -> int:
        """Rows that are complete."""
        return self._ends[-1] if self._ends else 0

    @property
    def bytes(self) -> int:
        """Of all shards."""
        return sum(s["bytes"] for s in self.shards)

    @property
    def places(self) -> int:
        """Stored distributions of all shards."""
        return sum(s["places"] for s in self.shards)

    def append(self, rows: Sequence[Arrays], places: int) -> None:
        """Write the next rows as one shard.

        Parameters
        ----------
        rows : sequence of dict of ndarray
            The same names in each.
        places : int
            How many distributions they hold.

        Raises
        ------
        FileRefused
            If it cannot be written; what was complete stays.
        """
        from safetensors.numpy import save

        tensors: Arrays = {}
        for name in rows[0]:
            sizes = [len(row[name]) for row in rows]
            tensors[name] = np.ascontiguousarray(np.concatenate([row[name] for row in rows]))
            tensors[f"{name}.starts"] = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        content = save(tensors)
        file = f"shard-{len(self.shards):06}.safetensors"
        write_bytes(content, self.folder / file)
        entry = {
            "file": file,
            "rows": len(rows),
            "places": places,
            "bytes": len(content),
            "crc32": zlib.crc32(content),
        }
        self.shards.append(entry)
        self._ends.append(self.done + len(rows))
        self.save()

    def save(self) -> None:
        """Write the index."""
        content = {
            "format": self.format,
            "version": _VERSION,
            "head": self.head,
            "rows": self.rows,
            "shards": self.shards,
            "facts": self.facts,
        }
        write_json(content, self.folder / "index.json")

    def row(self, number: int, names: Sequence[str] | None = None) -> Arrays:
        """The arrays of one row.

        Parameters
        ----------
        number : int
            From 0.
        names : sequence of str, optional
            Some of the arrays; by default all.

        Raises
        ------
        FileRefused
            If the shard is not what was written.
        """
        shard = bisect_right(self._ends, number)
        at = number - (self._ends[shard - 1] if shard else 0)
        file, starts = self._shard(shard)
        chosen = starts if names is None else {name: starts[name] for name in names}
        found = {}
        for name, s in chosen.items():
            if s[-1] == 0:  # a tensor without values has no slices
                found[name] = file.get_tensor(name)
            else:
                found[name] = file.get_slice(name)[int(s[at]) : int(s[at + 1])]
        return found

    def _shard(self, number: int) -> tuple[Any, Arrays]:
        """A mapped shard with the starts of its rows; checked when first read."""
        if number in self._mapped:
            self._mapped.move_to_end(number)
            return self._mapped[number]
        from safetensors import safe_open

        path = self.folder / _plain(self.shards[number]["file"])
        if number not in self._checked:
            self._check(path, self.shards[number]["crc32"])
            self._checked.add(number)
        opened: Any = safe_open(path, framework="np")
        names = [n for n in opened.keys() if n.endswith(".starts")]  # noqa: SIM118  (no mapping)
        starts = {n.removesuffix(".starts"): opened.get_tensor(n) for n in names}
        self._mapped[number] = opened, starts
        if len(self._mapped) > _OPEN:
            self._mapped.popitem(last=False)
        return self._mapped[number]

    def _check(self, path: Path, expected: int) -> None:
        """Refuse a shard that is not what was written."""
        try:
            with path.open("rb") as file:
                found = 0
                while block := file.read(1 << 24):
                    found = zlib.crc32(block, found)
        except OSError as error:
            raise FileRefused(
                f"{str(path)!r} cannot be read: {error.strerror}.", f"{self.again.capitalize()}."
            ) from None
        if found != expected:
            raise FileRefused(
                f"{str(path)!r} is not what was written.", f"Remove the folder, and {self.again}."
            )


def _plain(name: Any) -> str:
    """The name of a file of the folder's own."""
    if not isinstance(name, str) or Path(name).name != name or name.startswith("."):
        raise ValueError(f"{name!r} is no file of this folder")
    return name
