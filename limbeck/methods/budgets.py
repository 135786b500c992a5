"""How many queries a method may ask, which rows it uses, and the checks of these settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput, whole_number
from limbeck.core.status import Status
from limbeck.methods.weights import check_query_weight
from limbeck.samplers.named import sampler_named
from limbeck.students.targets import read_weight

__all__ = [
    "check_leaf_rows",
    "check_queries",
    "check_shape",
    "check_size",
    "leaves_note",
    "query_budget",
    "used_rows",
]


def check_queries(queries: int | None, sampler: Any = "auto", query_weight: float = 0.5) -> None:
    """Refuse settings of queries before any work.

    Parameters
    ----------
    queries : int or None
        How many are asked at most.
    sampler : str or Sampler
        Where they come from: ``auto``, ``none``, the name of a sampler, or one.
    query_weight : float
        Their share of the whole weight.

    Raises
    ------
    InvalidInput
        If there are fewer than 0, no such sampler, or the share is none.
    """
    if queries is not None and queries < 0:
        raise InvalidInput(f"queries is {queries}.", "Give 0 for none, or a number.")
    check_query_weight(query_weight)
    if isinstance(sampler, str) and sampler not in ("auto", "none"):
        sampler_named(sampler)


def check_size(name: str, size: int | None, most: int) -> None:
    """Refuse a size that is not among those that are considered.

    Parameters
    ----------
    name : str
        The setting, such as ``leaves``; the largest size is then called ``max_leaves``.
    size : int or None
        The size that is wanted; None for the one that cross-fitting chooses.
    most : int
        The largest.

    Raises
    ------
    InvalidInput
        If it is below 1 or above the largest.
    """
    if size is not None and not 1 <= size <= most:
        raise InvalidInput(
            f"{name} is {size}, and max_{name} is {most}.",
            f"Give {name} between 1 and max_{name}.",
        )


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


def check_shape(max_depth: int | None, min_samples_leaf: int) -> None:
    """Refuse limits of a tree's shape that are no whole numbers from 1.

    Parameters
    ----------
    max_depth : int or None
        Most questions before a leaf.
    min_samples_leaf : int
        Fewest of the user's rows in a leaf.

    Raises
    ------
    InvalidInput
        If one is.
    """
    if max_depth is not None:
        whole_number("max_depth", max_depth, 1)
    whole_number("min_samples_leaf", min_samples_leaf, 1)


def check_leaf_rows(min_samples_leaf: int, rows: int) -> None:
    """Refuse leaves so large that there is no split.

    Parameters
    ----------
    min_samples_leaf : int
        Fewest of the user's rows in a leaf.
    rows : int
        How many rows there are.

    Raises
    ------
    InvalidInput
        If no split leaves so many on both sides.
    """
    if min_samples_leaf > 1 and 2 * min_samples_leaf > rows:
        raise InvalidInput(
            f"min_samples_leaf is {min_samples_leaf}, and there are {rows} rows: no split"
            " leaves so many on both sides.",
            f"Give at most {rows // 2}.",
        )


def leaves_note(status: Status, max_leaves: int, rows: int, largest: int) -> Status:
    """A status that says, where more leaves were allowed than there are rows, how many are of use.

    Parameters
    ----------
    status : Status
        How the search ended.
    max_leaves : int
        What was allowed.
    rows : int
        How many rows there are.
    largest : int
        Leaves of the largest tree.
    """
    if max_leaves <= rows:
        return status
    note = (
        f"max_leaves is {max_leaves:,} for {rows:,} rows; the largest tree found has {largest:,}."
    )
    return replace(status, message=f"{status.message} {note}")
