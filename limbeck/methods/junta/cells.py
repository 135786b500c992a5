"""The table over a few variables, filled by as many questions as it needs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.methods.junta.questions import Answers, Questions
from limbeck.students.junta.table import cut, level, levels_of

__all__ = ["cells_of", "fill"]

_EACH = 20
"""Answers to a cell of numbers, which holds rows that differ in the table's own variables."""


def cells_of(rows: Rows, columns: list[int], bins: int) -> int:
    """Cells of a table over ``columns``, in which missing is a level of each.

    Parameters
    ----------
    rows : Rows
        The data.
    columns : list of int
        The columns of the table.
    bins : int
        Most bins of a column.
    """
    return math.prod(min(len(np.unique(rows.values[:, j])), bins) + 1 for j in columns)


def fill(
    questions: Questions, columns: list[int], bins: int, limit: int, rng: np.random.Generator
) -> Answers:
    """Ask what the table still needs; the answers for all n rows of the user.

    Where no column has more values than the table has levels, one answer tells a cell: it is
    asked only of cells that no pair has reached, and a row that was not asked about has the
    answer of its cell. Cells of numbers get 20 answers each, and all rows are asked about.

    Parameters
    ----------
    questions : Questions
        What was asked so far; new rows that fill cells are kept there.
    columns : list of int
        The variables of the table.
    bins : int
        Levels of a number.
    limit : int
        New rows at most.
    rng : numpy.random.Generator
        Draws the new rows.
    """
    rows = questions.rows
    levels = [np.unique(rows.values[:, j]) for j in columns]
    numeric = [rows.features.columns[j].kind == "numeric" for j in columns]
    if any(n and len(v) > bins for n, v in zip(numeric, levels, strict=True)):
        told = questions.own(np.arange(len(rows)))
        _fill_bins(questions, columns, bins, limit, rng)
        return told
    cell, count = _combined(rows.values, columns, levels)
    kept, _ = questions.kept
    reached = np.zeros(count, dtype=np.bool_)
    reached[cell[questions.known]] = True
    reached[_combined(kept, columns, levels)[0]] = True
    first = np.unique(cell, return_index=True)
    questions.own(first[1][~reached[first[0]]])  # cells that rows of the data lie in
    reached[first[0]] = True
    if count <= 10 * limit:
        new = rng.permutation(np.flatnonzero(~reached))[:limit]
        if len(new):
            questions.new(_rows_in(rows, columns, levels, np.sort(new), rng), keep=True)
    return _by_cell(questions, cell, columns, levels)


def _by_cell(
    questions: Questions,
    cell: NDArray[np.int64],
    columns: list[int],
    levels: list[NDArray[np.float64]],
) -> Answers:
    """The rows' answers: their own, or the mean or most frequent answer of their cell."""
    kept, theirs = questions.kept
    known = questions.known
    told = np.concatenate([questions.own(np.flatnonzero(known)), theirs])
    at = np.concatenate([cell[known], _combined(kept, columns, levels)[0]])
    _, place = np.unique(np.concatenate([cell, at]), return_inverse=True)
    cell, at, count = place[: len(cell)], place[len(cell) :], int(place.max()) + 1
    classes = questions.teacher.task.classes
    if classes:
        votes = np.bincount(at * len(classes) + told, minlength=count * len(classes))
        best: Answers = votes.reshape(count, -1).argmax(axis=1)
    else:
        best = np.bincount(at, told, count) / np.maximum(np.bincount(at, minlength=count), 1)
    out = best[cell]
    out[known] = questions.own(np.flatnonzero(known))
    return out


def _combined(
    values: NDArray[np.float64], columns: list[int], levels: list[NDArray[np.float64]]
) -> tuple[NDArray[np.int64], int]:
    """The cell of every row, and the number of cells."""
    out, count = np.zeros(len(values), dtype=np.int64), 1
    for j, of in zip(columns, levels, strict=True):
        out = out * len(of) + np.searchsorted(of, values[:, j])  # NaN is sorted last
        count *= len(of)
    return out, count


def _rows_in(
    rows: Rows,
    columns: list[int],
    levels: list[NDArray[np.float64]],
    cells: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Random rows of the data, moved into some cells."""
    out = rows.values[rng.integers(len(rows), size=len(cells))]
    for j, of in zip(reversed(columns), reversed(levels), strict=True):
        cells, at = np.divmod(cells, len(of))
        out[:, j] = of[at]
    return out


def _fill_bins(
    questions: Questions, columns: list[int], bins: int, limit: int, rng: np.random.Generator
) -> None:
    """New rows for cells with fewer than 20 answers, each column drawn by itself."""
    rows, known = questions.rows, questions.rows.values
    weight = np.ones(len(rows))
    edges = [cut(rows.features.columns[j], known[:, j], weight, bins)[0] for j in columns]
    counts = [levels_of(rows.features.columns[j], e) for j, e in zip(columns, edges, strict=True)]

    def cell(values: NDArray[np.float64]) -> NDArray[np.int64]:
        parts = [level(values[:, j], e, c) for j, e, c in zip(columns, edges, counts, strict=True)]
        return np.ravel_multi_index(parts, counts)

    there = np.bincount(
        np.concatenate([cell(known), cell(questions.kept[0])]), minlength=math.prod(counts)
    )
    n = min(limit, _EACH * cells_of(rows, columns, bins))
    values = known[rng.integers(len(known), size=n)]
    for j in columns:
        values[:, j] = known[rng.integers(len(known), size=n), j]
    at = cell(values)
    order = np.argsort(at, kind="stable")
    starts = np.searchsorted(at[order], at[order], side="left")
    nth = np.empty(n, dtype=np.int64)
    nth[order] = np.arange(n) - starts  # how many before it lie in the same cell
    wanted = nth + there[at] < _EACH
    if wanted.any():
        questions.new(values[wanted], keep=True)
