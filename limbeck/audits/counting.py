"""What counts as one case: a row, a person behind a frequency weight, a named case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.results import Caveat
from limbeck.core.errors import InvalidInput
from limbeck.data.copies import Copies, find_copies
from limbeck.data.duplicates import round_to_float32

__all__ = ["FEWEST_ROWS", "counted"]

FEWEST_ROWS = 200
"""With fewer rows, or cases, an audit cannot conclude anything, and is refused."""
_EXACT = 2**24  # whole numbers up to here are exact in float32
_MOST_WRITTEN = 200_000
"""People behind frequency weights for whom a row each is written out."""


def counted(table: AuditTable, weights: list[str], cases: str | None, seed: int) -> AuditTable:
    """The table with copies of rows taken out, and a sentence on what counts as a case.

    Parameters
    ----------
    table : AuditTable
        As it was read.
    weights : list of str
        The column of weights, if any.
    cases : str or None
        The column that names the cases; identical rows are then not looked for.
    seed : int
        Of the model that tells copies from people.
    """
    n = len(table)
    if cases is not None:
        m = int(table.cases.max()) + 1
        _enough(m)
        return replace(
            table,
            counting=f"{n:,} rows of {m:,} cases by {cases}: folds, resamples and tests take whole"
            " cases.",
        )
    copies = _copies(table, weights, seed)
    if table.sampling is not None:
        size = float(table.evidence.sum())
        counting = (
            f"{n:,} rows with sampling weights, worth about {size:,.0f} rows drawn with equal"
            " chances."
        )
        table = replace(table, counting=counting)
    if copies.kind == "none":
        return _written_out(_plain_counting(table))
    if copies.kind == "chance":
        return _written_out(_by_chance(table, copies))
    return _written_out(_without_copies(table, copies, weights))


def _copies(table: AuditTable, weights: list[str], seed: int) -> Copies:
    frame, n = table.frame, len(table)
    compared, continuous = [], False
    for name in frame.columns:
        if name in weights:
            continue
        column, numbers = frame[name], _numbers(frame[name])
        distinct = len(np.unique(round_to_float32(numbers)))
        fractions = column.dtype.kind == "f" and bool((np.nan_to_num(numbers % 1) != 0).any())
        if distinct == n and not fractions:
            continue  # a name or number of the row: a copy may have got a new one
        if name != table.outcome_name:
            compared.append(numbers)
        continuous |= fractions and distinct > n / 20
    people = np.ones(n, dtype=np.int64)
    if table.frequency is not None:
        people = table.frequency.astype(np.int64)
    values = np.column_stack(compared) if compared else np.zeros((n, 1))
    return find_copies(values, table.outcome, people, continuous, seed)


def _numbers(column: Any) -> NDArray[np.float64]:
    """A column as numbers that float32 keeps apart: its own, or the place of each value."""
    import pandas as pd

    if column.dtype.kind in "fb":
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if pd.api.types.is_numeric_dtype(column.dtype):
        found = np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
        if not (np.abs(found) > _EXACT).any():
            return found
        return np.asarray(np.unique(found, return_inverse=True)[1], dtype=np.float64)
    places = pd.factorize(column.astype(str), use_na_sentinel=False)[0]
    return np.asarray(places, dtype=np.float64)


def _plain_counting(table: AuditTable) -> AuditTable:
    if table.counting:
        return table
    return replace(table, counting=f"{len(table):,} rows, each one case.")


def _by_chance(table: AuditTable, copies: Copies) -> AuditTable:
    people = table.frequency is not None
    total = int(table.mass.sum()) if people else len(table)
    words = (
        f"{total:,} {'people' if people else 'rows'}, each one case; {copies.identical:,} agree"
        " with another in all columns but names and numbers of rows, and nothing says that they are"
        " copies."
    )
    return replace(table, counting=table.counting or words)


def _without_copies(table: AuditTable, copies: Copies, weights: list[str]) -> AuditTable:
    """The table without copies of rows; with frequency weights, the weights put right."""
    n = len(table)
    if table.frequency is not None and copies.kind == "copies":
        return _no_people(table, weights[0])
    at = np.flatnonzero(copies.count > 0)
    m = len(at)
    _enough(int(copies.count.sum()))
    if table.frequency is not None:
        name = weights[0]
        caveat = Caveat(
            name,
            f"All frequency weights are multiples of {copies.times}, as numbers of people are not."
            f" {copies.times} people of a row count as one case.",
            "Weights that blow a sample up to a population are sampling weights:"
            f" sampling_weight={name!r}.",
        )
        people = copies.count[at].astype(np.float64)
        said = f"{m:,} rows that stand for {int(people.sum()):,} cases."
        table = replace(table.take(at), frequency=people if people.max() > 1 else None)
    else:
        often = f", {copies.times} of each or a multiple of it" if copies.times > 1 else ""
        caveat = Caveat(
            "copies",
            f"{n - m:,} of {n:,} rows are copies of another{often}: they agree in all columns but"
            " names and numbers of rows. A copy says nothing new, so copies were left out:"
            f" the audit is of {m:,} rows.",
            "If they are different people who happen to agree, name the people with cases=.",
        )
        said = f"{m:,} rows, each one case, after {n - m:,} copies were left out."
        table = table.take(at)
    return replace(table, caveats=(*table.caveats, caveat), counting=said)


def _written_out(table: AuditTable) -> AuditTable:
    """A row a person in the place of frequency weights, where that is no huge table."""
    if table.frequency is None or table.frequency.sum() > _MOST_WRITTEN:
        return table
    at = np.repeat(np.arange(len(table)), table.frequency.astype(np.int64))
    return replace(table.take(at), frequency=None)


def _no_people(table: AuditTable, name: str) -> AuditTable:
    """Frequency weights that no number of different people explains become sampling weights."""
    _enough(len(table))
    caveat = Caveat(
        name,
        "The rows cannot stand for as many different people as the frequency weights say: so many"
        " people would not agree in every column, outcome and score included. The weights count in"
        " averages, and each row as one case.",
        "Give a row a person; or, if rows were drawn with unequal chances,"
        f" sampling_weight={name!r}.",
    )
    counted = replace(table, frequency=None, sampling=table.frequency)
    size = float(counted.evidence.sum())
    return replace(
        counted,
        caveats=(*table.caveats, caveat),
        counting=f"{len(table):,} weighted rows, worth about {size:,.0f} rows of equal weight.",
    )


def _enough(cases: int) -> None:
    if cases < FEWEST_ROWS:
        raise InvalidInput(
            f"There are {cases} different cases, and an audit of fewer than {FEWEST_ROWS} cannot"
            " conclude anything.",
            "Give more cases.",
        )
