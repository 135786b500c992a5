"""Rows that belong together: cases such as patients, and copies of a row."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from limbeck.core.errors import InvalidInput, did_you_mean

__all__ = ["Units", "case_hashes", "check_shared_cases", "read_column", "units_of"]


@dataclass(frozen=True, eq=False)
class Units:
    """The independent draws that rows stem from.

    Parameters
    ----------
    of : ndarray of shape (n,), int64
        For each row the number of its unit, from 0 in the order in which units first occur. A
        unit is a row with its copies, or a case; cases that share a copied row are one unit.
    kept : ndarray of shape (m,), int64
        Places of the rows that count: the first of each set of copies.
    merged : int
        Cases that were joined to another, since the two share a row.
    """

    of: NDArray[np.int64]
    kept: NDArray[np.int64]
    merged: int = 0

    @property
    def count(self) -> int:
        """The number of units."""
        return int(self.of.max()) + 1 if len(self.of) else 0


def read_column(given: Any, X: Any, name: str) -> NDArray[Any] | None:
    """A label for each row: an array, or a column of X by its name.

    Parameters
    ----------
    given : array-like of shape (n,), str or None
        The labels, or the column that holds them.
    X : array-like or DataFrame of shape (n, d)
        The rows.
    name : str
        The argument, for messages.

    Returns
    -------
    ndarray of shape (n,) or None
        None where None was given.

    Raises
    ------
    InvalidInput
        If there is no such column, the length differs, or the label of a case is missing.
    """
    if given is None:
        return None
    if isinstance(given, str):
        names = [str(c) for c in getattr(X, "columns", ())]
        if given not in names:
            raise InvalidInput(f"There is no column {given!r}.", did_you_mean(given, names))
        given = X[given]
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    labels = np.asarray(given)
    n = int(X.shape[0]) if hasattr(X, "shape") else len(X)
    if labels.shape != (n,):
        raise InvalidInput(
            f"{name} has shape {labels.shape}, and there are {n} rows.", "Give one per row."
        )
    if name == "cases":
        missing = sum(v is None or v != v or type(v).__name__ == "NAType" for v in labels.tolist())
        if missing:
            raise InvalidInput(
                f"The case of {missing} rows is missing.", "Give every row its case."
            )
    return labels


def units_of(first: NDArray[np.int64], cases: NDArray[Any] | None = None) -> Units:
    """The units of rows, by their copies and their cases.

    Parameters
    ----------
    first : ndarray of shape (n,), int64
        As in `limbeck.data.duplicates.Duplicates`.
    cases : ndarray of shape (n,), optional
        The case of each row.

    Returns
    -------
    Units
        The unit of each row, and the rows that count.
    """
    n = len(first)
    kept = np.flatnonzero(first == np.arange(n))
    if cases is None:
        return Units(np.searchsorted(kept, first), kept)
    codes = _codes(cases)
    total = int(codes.max()) + 1 if n else 0
    # a row and the first of its copies have one unit, so their cases are joined
    edges = np.stack([codes, codes[first]])
    graph = coo_array((np.ones(n), edges), shape=(total, total))
    count, joined = connected_components(graph, directed=False)
    return Units(_in_order(joined[codes]), kept, total - int(count))


def case_hashes(cases: NDArray[Any]) -> NDArray[np.uint64]:
    """A 64-bit hash for the case of each row, the same for the numbers 7 and 7.0.

    Parameters
    ----------
    cases : ndarray of shape (n,)
        Labels of any kind.

    Returns
    -------
    ndarray of shape (n,), uint64
        The first 8 bytes of SHA-256 of the label's text.
    """
    codes = _codes(cases)
    names = np.empty(int(codes.max()) + 1 if len(codes) else 0, dtype=object)
    names[codes] = np.asarray(cases, dtype=object)
    out = np.empty(len(names), dtype=np.uint64)
    for i, label in enumerate(names):
        label = label.item() if isinstance(label, np.generic) else label
        if isinstance(label, float) and label.is_integer():
            label = int(label)
        digest = hashlib.sha256(f"case {label}".encode()).digest()
        out[i] = int.from_bytes(digest[:8], "little")
    return out[codes]


def check_shared_cases(
    known: NDArray[Any] | None, test: NDArray[Any] | None, where: str = "X"
) -> None:
    """Refuse test rows of cases that training sees as well.

    Parameters
    ----------
    known, test : ndarray or None
        The cases of the rows for training, and of those for the certificate.
    where : str
        What the former are called.

    Raises
    ------
    InvalidInput
        If they share a case.
    """
    if known is None or test is None:
        return
    shared = np.intersect1d(case_hashes(known), case_hashes(test))
    if len(shared):
        raise InvalidInput(
            f"{len(shared):,} cases of the holdout rows are cases of {where} as well.",
            "Give holdout rows of other cases, or holdout=0.3 to split by case.",
        )


def _codes(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Labels as numbers from 0, whatever mixture of kinds they are."""
    if labels.dtype != object:
        return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.int64)
    known: dict[Any, int] = {}
    return np.array([known.setdefault(v, len(known)) for v in labels.tolist()], dtype=np.int64)


def _in_order(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Numbers from 0 in the order in which labels first occur."""
    _, at, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(at), dtype=np.int64)
    rank[np.argsort(at)] = np.arange(len(at))
    return rank[inverse]
