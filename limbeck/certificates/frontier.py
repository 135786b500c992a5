"""The Pareto frontier of a finite class of students for one teacher, and VC dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput

__all__ = ["Frontier", "frontier", "mutual_vc", "vc_dimension"]

_BLOCK = 512
_LIMIT = 500_000


@dataclass(frozen=True)
class Frontier:
    """Which students of a class are ever needed for a teacher, under any distribution.

    Parameters
    ----------
    members : tuple of int
        Indices of the undominated students, one of each set of equal ones.
    vc : int
        VC dimension of the frontier.
    class_vc : int
        VC dimension of the whole class.
    """

    members: tuple[int, ...]
    vc: int
    class_vc: int


def frontier(functions: Any, teacher: Any, *, limit: int = _LIMIT) -> Frontier:
    """The students that no other student beats wherever it matters.

    A student is dominated if another agrees with the teacher wherever it does and somewhere
    more; then it is at least as far from the teacher under every distribution. Agnostic
    distillation costs at most what is left (Boix-Adsera 2024; docs/theory.md), and sometimes
    less. If the teacher is in the class, it alone is left, and the VC dimension is 0. The domain
    is finite, and there are two classes.

    Parameters
    ----------
    functions : array-like of bool, shape (g, m)
        Every student of the class on every point of a finite domain.
    teacher : array-like of bool, shape (m,)
        The teacher on the same points.
    limit : int
        As in `vc_dimension`.

    Returns
    -------
    Frontier
        Members and the two VC dimensions.

    Raises
    ------
    InvalidInput
        If the shapes do not fit or a value is no boolean; and as in `vc_dimension`.
    """
    table = _booleans(functions)
    answers = np.asarray(teacher)
    if answers.shape != (table.shape[1],):
        raise InvalidInput(
            f"The teacher has shape {answers.shape}, and the students know"
            f" {table.shape[1]} points.",
            "Give the teacher's answer to each point.",
        )
    agree = table == _booleans(answers[None])[0]
    _, index = np.unique(agree, axis=0, return_index=True)
    index = np.sort(index)  # the first of equal students stands for all
    kept = agree[index].astype(np.float32)
    size = kept.sum(axis=1)
    needed = np.ones(len(index), dtype=np.bool_)
    for start in range(0, len(index), _BLOCK):
        part = slice(start, start + _BLOCK)
        common = kept[part] @ kept.T  # exact in float32 below 2^24 points
        covered = (common == size[part, None]) & (size[None] > size[part, None])
        needed[part] = ~covered.any(axis=1)
    members = index[needed]
    return Frontier(
        tuple(map(int, members)),
        vc_dimension(table[members], limit=limit),
        vc_dimension(table, limit=limit),
    )


def vc_dimension(functions: Any, *, limit: int = _LIMIT) -> int:
    """VC dimension of a finite class on a finite domain, exact.

    The size of the largest set of points on which the class takes all 2^k patterns (Vapnik and
    Chervonenkis 1971). Shattered sets grow point by point, since every subset of a shattered
    set is shattered. A branch is cut where its rarest pattern is held by fewer than 2^j
    functions, as j more points are then out of reach.

    Parameters
    ----------
    functions : array-like of bool, shape (g, m)
        Every function of the class on every point.
    limit : int
        The most sets to look at.

    Returns
    -------
    int
        The VC dimension; 0 for a single function.

    Raises
    ------
    InvalidInput
        If the table is empty or no boolean, or the search passes the limit.
    """
    return _most_shattered([_booleans(functions)], limit)


def mutual_vc(teachers: Any, students: Any, *, limit: int = _LIMIT) -> int:
    """Mutual VC dimension of two finite classes on one finite domain, exact.

    The size of the largest set of points that both classes shatter (Hu and Peale 2023). It
    governs learning from labels by a learner that knows the teachers' class and need not answer
    with a student; one that must (proper) can need more, see docs/theory.md.

    Parameters
    ----------
    teachers : array-like of bool, shape (f, m)
        Every function of the teachers' class on every point.
    students : array-like of bool, shape (g, m)
        Every function of the students' class on the same points.
    limit : int
        As in `vc_dimension`.

    Returns
    -------
    int
        At most the VC dimension of either class.

    Raises
    ------
    InvalidInput
        As in `vc_dimension`; or if the classes differ in the number of points.
    """
    tables = [_booleans(teachers), _booleans(students)]
    if tables[0].shape[1] != tables[1].shape[1]:
        raise InvalidInput(
            f"The teachers know {tables[0].shape[1]} points, the students {tables[1].shape[1]}.",
            "Give both classes on the same points.",
        )
    return _most_shattered(tables, limit)


def _most_shattered(tables: list[NDArray[np.bool_]], limit: int) -> int:
    """Size of the largest set of points that every table shatters."""
    tables = [np.unique(table, axis=0) for table in tables]
    # a constant point is never shattered; points equal or opposite everywhere never together
    varies = np.all([table.any(axis=0) & ~table.all(axis=0) for table in tables], axis=0)
    columns = [table.T[varies] for table in tables]
    folded = np.concatenate([c ^ c[:, :1] for c in columns], axis=1)
    _, first = np.unique(folded, axis=0, return_index=True)
    points = [c[first] for c in columns]
    ceiling = min(int(np.log2(len(table))) for table in tables)
    best = looked = 0

    def grow(patterns: list[NDArray[np.int64]], size: int, start: int) -> None:
        nonlocal best, looked
        for j in range(start, len(first)):
            if best == ceiling:
                return
            looked += 1
            if looked > limit:
                raise InvalidInput(
                    f"More than {limit:,} sets of points would have to be looked at; the VC"
                    f" dimension is at least {best} and at most {ceiling}.",
                    "Give fewer functions or points, or a larger limit.",
                )
            grown = [2 * p + c[j] for p, c in zip(patterns, points, strict=True)]
            rarest = min(int(np.bincount(g, minlength=2 ** (size + 1)).min()) for g in grown)
            if rarest:
                best = max(best, size + 1)
                if size + 1 + int(np.log2(rarest)) > best:
                    grow(grown, size + 1, j + 1)

    grow([np.zeros(len(table), dtype=np.int64) for table in tables], 0, 0)
    return best


def _booleans(values: Any) -> NDArray[np.bool_]:
    table = np.asarray(values)
    if table.ndim != 2 or 0 in table.shape:
        raise InvalidInput(
            f"The table has shape {table.shape}.", "Give functions by points, (g, m), not empty."
        )
    if not np.isin(table, (0, 1)).all():
        raise InvalidInput("The table holds other values than booleans.", "Give True and False.")
    return table.astype(np.bool_)
