"""Cases of rows that are read in batches: a hash and a sum for each, no rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.loss_file import LossFile
from limbeck.core.errors import InvalidInput
from limbeck.data.cases import case_hashes
from limbeck.data.labels import is_missing, label_array

__all__ = ["StreamedCases"]


class StreamedCases:
    """The cases of rows, by 64-bit hashes of their labels.

    Memory grows with the cases, by about 200 bytes each; the number of the case of each row, 8
    bytes, lies on disk. Two of a million cases have one hash with probability 3e-8.

    Parameters
    ----------
    folder : Path
        Where to write.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "cases"
        self._path.touch()
        self._known: dict[int, int] = {}
        self._unit: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self._known)

    @property
    def hashes(self) -> NDArray[np.uint64]:
        """Of the cases, as `limbeck.data.cases.case_hashes`."""
        return np.fromiter(self._known, dtype=np.uint64, count=len(self._known))

    def add(self, cases: Any, n: int) -> NDArray[np.int64]:
        """Number the cases of a batch, from 0 in the order in which they first occur, (n,).

        Parameters
        ----------
        cases : array-like of shape (n,)
            Their labels.
        n : int
            Rows in the batch.

        Raises
        ------
        InvalidInput
            If a case is missing.
        """
        labels = label_array(cases, "The list of cases")
        missing = int(is_missing(labels).sum())
        if missing or len(labels) != n:
            raise InvalidInput(
                f"The case of {missing or abs(n - len(labels))} rows is missing.",
                "Give every row its case.",
            )
        found, at, inverse = np.unique(case_hashes(labels), return_index=True, return_inverse=True)
        number = np.empty(len(found), dtype=np.int64)
        for i in np.argsort(at).tolist():
            number[i] = self._known.setdefault(int(found[i]), len(self._known))
        codes = number[inverse]
        with self._path.open("ab") as file:
            file.write(codes.astype("<i8").tobytes())
        return codes

    def join(self, pairs: NDArray[np.int64]) -> int:
        """Make one draw of cases that share a row; how many fewer there are then.

        Parameters
        ----------
        pairs : ndarray of shape (p, 2), int64
            Numbers of cases that share a row.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        size = len(self)
        graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
        count, label = connected_components(graph, directed=False)
        first = np.full(count, size)
        np.minimum.at(first, label, np.arange(size))
        self._unit = first[label]  # the earliest case stands for those joined to it
        return size - int(count)

    def losses(
        self, marked: LossFile, groups: Path | None = None, group: int = 0
    ) -> NDArray[np.float64]:
        """The mean loss of each draw over its different rows, in the order of first rows, (m,).

        Parameters
        ----------
        marked : LossFile
            The loss of each row; NaN for those that copy another one.
        groups : Path, optional
            A file with the number of the group of each row, int32.
        group : int
            The group whose rows count, where there are groups.
        """
        size = len(self)
        sums, times, first = np.zeros(size), np.zeros(size, np.int64), np.full(size, len(marked))
        for start, part in zip(marked.starts(), marked.parts(), strict=True):
            unit = np.fromfile(self._path, dtype="<i8", count=len(part), offset=8 * start)
            unit = unit if self._unit is None else self._unit[unit]
            counts = ~np.isnan(part)
            if groups is not None:
                codes = np.fromfile(groups, dtype="<i4", count=len(part), offset=4 * start)
                counts &= codes == group
            place, unit = start + np.flatnonzero(counts), unit[counts]
            np.add.at(sums, unit, part[counts])  # row after row, as bincount adds them up
            np.add.at(times, unit, 1)
            np.minimum.at(first, unit, place)
        there = np.flatnonzero(times)
        there = there[np.argsort(first[there])]
        return np.asarray(sums[there] / times[there])

    def digest(self, rows: str) -> str:
        """SHA-256 of the rows in their order with their cases, as `Evidence.ordered_rows`.

        Parameters
        ----------
        rows : str
            That of the rows alone.
        """
        out = hashlib.sha256(rows.encode())
        for block in self._blocks():
            out.update(block)
        return out.hexdigest()

    def _blocks(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while block := file.read(1 << 20):
                yield block
