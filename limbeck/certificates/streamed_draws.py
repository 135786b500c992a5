"""The independent draws among rows that are read in batches: what tells copies lies on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.fingerprint import among
from limbeck.data.spilled import Spilled

__all__ = ["StreamedDraws"]

_NEAR = np.dtype([("near", "<u8"), ("hash", "<u8")])


class StreamedDraws:
    """Hashes of rows with what goes with each, written batch by batch and compared by buckets.

    Parameters
    ----------
    folder : Path
        Where to write.
    columns : mapping
        What goes with each row, and its type: ``loss``, and ``group`` and ``place`` where needed.
    """

    def __init__(self, folder: Path, columns: dict[str, str]) -> None:
        self._dtype = np.dtype([("hash", "<u8"), *columns.items()])
        self._draws = Spilled(folder / "draws", self._dtype)
        self._near = Spilled(folder / "near", _NEAR)

    def add(
        self,
        own: NDArray[np.uint64],
        nears: Sequence[NDArray[np.uint64]],
        *columns: NDArray[Any],
    ) -> None:
        """Write a batch of b rows.

        Parameters
        ----------
        own : ndarray of shape (b,), uint64
            Their hashes; see `limbeck.data.duplicates.row_hashes`.
        nears : sequence of ndarray of shape (b,), uint64
            Those of rows that rounding alone sets apart; see
            `limbeck.data.duplicates.hashes_with_near`.
        *columns : ndarray of shape (b,)
            What goes with each row, in the order of the columns.
        """
        self._draws.add(_records(self._dtype, own, *columns), _bucket(own))
        for near in nears:
            beside = near != own
            self._near.add(_records(_NEAR, near[beside], own[beside]), _bucket(near[beside]))

    def parts(self) -> Iterator[NDArray[Any]]:
        """Rows in parts, identical ones in one part and with one hash, in the order of places."""
        known, label = self._joined
        apart = []
        for bucket, draws in enumerate(self._draws):
            here = known[slice(*np.searchsorted(known >> np.uint64(56), [bucket, bucket + 1]))]
            if len(here):
                named = among(draws["hash"], here)
                apart.append(draws[named])
                draws = draws[~named]
            yield draws
        if apart:
            joined = np.concatenate(apart)
            joined["hash"] = label[np.searchsorted(known, joined["hash"])]
            yield joined[np.argsort(joined["place"])] if "place" in self._columns else joined

    @property
    def _columns(self) -> tuple[str, ...]:
        return self._dtype.names or ()

    @cached_property
    def _joined(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Hashes of rows that rounding alone sets apart, in order, and one number for each row."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        near = [
            pairs[among(pairs["near"], draws["hash"])] if len(pairs) else pairs
            for pairs, draws in zip(self._near, self._draws, strict=True)
        ]
        pairs = np.concatenate(near)
        known, at = np.unique(np.concatenate([pairs["near"], pairs["hash"]]), return_inverse=True)
        size = len(pairs)
        if not size:
            return known, known
        edges = coo_array((np.ones(size), (at[:size], at[size:])), shape=(len(known), len(known)))
        label = connected_components(edges, directed=False)[1]
        return known, label.astype(np.uint64)

    @cached_property
    def different(self) -> tuple[int, float]:
        """Different rows, and the sum of the largest loss of each."""
        n, total = 0, 0.0
        for draws in self.parts():
            losses = _worst(draws, ("hash",))[1]
            n, total = n + len(losses), total + float(losses.sum(dtype=np.float64))
        return n, total

    def by_group(self, *, apart: bool) -> dict[int, tuple[int, int]]:
        """Draws of each group, and how many of them the student is wrong on.

        Parameters
        ----------
        apart : bool
            Whether identical rows are draws of their own.
        """
        out: dict[int, tuple[int, int]] = {}
        for draws in self._draws if apart else self.parts():
            codes, losses = draws["group"], draws["loss"]
            if not apart:
                firsts, losses = _worst(draws, ("hash", "group"))
                codes = firsts["group"]
            times, wrong = np.bincount(codes), np.bincount(codes, losses)
            for code in np.flatnonzero(times).tolist():
                n, errors = out.get(code, (0, 0))
                out[code] = n + int(times[code]), errors + int(wrong[code])
        return out

    def mark(self, losses: Path, keys: tuple[str, ...]) -> None:
        """Leave one loss of identical rows: that of the first becomes the largest, others NaN.

        Parameters
        ----------
        losses : Path
            A file of float64, one loss for each row in order of its place; it is changed.
        keys : tuple of str
            The columns in which identical rows agree: ``hash``, and ``group``.
        """
        marked = np.memmap(losses, dtype="<f8", mode="r+")
        for draws in self.parts():
            ordered, starts = _sets(draws, keys)
            if len(starts) == len(ordered):
                continue
            others = np.ones(len(ordered), dtype=np.bool_)
            others[starts] = False
            largest = np.maximum.reduceat(ordered["loss"], starts)
            several = np.diff(starts, append=len(ordered)) > 1
            marked[ordered["place"][starts[several]]] = largest[several]
            marked[ordered["place"][others]] = np.nan
        marked.flush()

    def shared_cases(self) -> NDArray[np.int64]:
        """Pairs of cases that share a row, (p, 2)."""
        out = [np.empty((0, 2), dtype=np.int64)]
        for draws in self.parts():
            ordered, starts = _sets(draws, ("hash",))
            times = np.diff(starts, append=len(ordered))
            pairs = np.stack([np.repeat(ordered["case"][starts], times), ordered["case"]], axis=1)
            out.append(np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0))
        return np.concatenate(out)

    def all_wrong(self) -> int:
        """Rows that the student is wrong on, each a draw of its own."""
        return sum(int(draws["loss"].sum(dtype=np.int64)) for draws in self._draws)


def _bucket(hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return np.asarray(hashes >> np.uint64(56), dtype=np.uint8)


def _records(kind: np.dtype[Any], *columns: NDArray[Any]) -> NDArray[Any]:
    out = np.empty(len(columns[0]), dtype=kind)
    for name, column in zip(kind.names or (), columns, strict=True):
        out[name] = column
    return out


def _sets(draws: NDArray[Any], keys: tuple[str, ...]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Rows with those that agree in some columns side by side, and where each such set starts."""
    order = np.lexsort([draws[k] for k in keys])  # stable: in the order in which they came
    draws = draws[order]
    new = np.zeros(len(draws), dtype=np.bool_)
    new[:1] = True
    for k in keys:
        new[1:] |= draws[k][1:] != draws[k][:-1]
    return draws, np.flatnonzero(new)


def _worst(draws: NDArray[Any], keys: tuple[str, ...]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The first of the rows that agree in some columns, and their largest loss."""
    draws, starts = _sets(draws, keys)
    if not len(starts):
        return draws, draws["loss"]
    return draws[starts], np.maximum.reduceat(draws["loss"], starts)
