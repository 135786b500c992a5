"""How many queries a method may ask, and which rows it uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import AccessDenied
from limbeck.students.targets import read_weight

__all__ = ["query_budget", "used_rows"]


def query_budget(teacher: Teacher, queries: int | None, usual: int = 10_000) -> int:
    """How many queries may be asked.

    Parameters
    ----------
    teacher : Teacher
        It may answer stored rows only.
    queries : int or None
        What was asked for; None for as many as usual where it answers queries.
    usual : int
        That number.

    Raises
    ------
    AccessDenied
        If queries were asked of a teacher that answers none.
    """
    can = Access.QUERIES in teacher.access
    n = queries if queries is not None else (usual if can else 0)
    if n and not can:
        raise AccessDenied(
            f"{n} queries were asked of {teacher.name}, which answers stored rows only.",
            "Set queries=0, or give a teacher that can be asked about new rows.",
        )
    return n


def used_rows(
    n: int, sample_weight: NDArray[np.float64] | None, most: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The positions of rows that are used, some by chance of those that count, and their weights.

    Parameters
    ----------
    n : int
        Number of rows.
    sample_weight : ndarray of shape (n,), optional
        How much each counts; rows of weight 0 are left out.
    most : int
        The most that are used.
    rng : numpy.random.Generator
        Draws them where there are more.
    """
    weight = read_weight(sample_weight, n)
    used = np.flatnonzero(weight)
    if len(used) > most:
        used = np.sort(rng.choice(used, most, replace=False))
    return used, weight[used]
