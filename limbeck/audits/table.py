"""The audited rows: columns found, checked and encoded, with what the auditor must know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.columns import looks_strange, unfit
from limbeck.audits.results import Caveat
from limbeck.errors import InvalidInput, did_you_mean
from limbeck.features import Features

__all__ = ["FEWEST_ROWS", "AuditTable", "read_table"]

FEWEST_ROWS = 200
"""With fewer rows an audit cannot conclude anything, and is refused."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AuditTable:
    """What is audited, n rows by d features.

    Parameters
    ----------
    frame : DataFrame
        The rows that are used, with all their columns, in the user's form.
    features : Features
        The d audited features.
    values : ndarray of shape (n, d)
        Their encoded values; NaN is missing.
    score : ndarray of shape (n,)
        The audited score, in its own units.
    outcome : ndarray of shape (n,) or None
        What happened, 0 or 1.
    weight : ndarray of shape (n,) or None
        How many cases a row stands for (whole numbers), or a sampling weight.
    groups : mapping from str to ndarray of shape (n,)
        Labels of the rows, a column each.
    score_name, outcome_name, weight_name : str
        Their columns; empty where there is none.
    caveats : tuple of Caveat
        What was dropped or looks strange, and the remedy.
    dropped : tuple of (str, str)
        Columns that are not audited, and why.
    """

    frame: Any
    features: Features
    values: Vector
    score: Vector
    outcome: Vector | None
    weight: Vector | None
    groups: dict[str, NDArray[Any]]
    score_name: str
    outcome_name: str = ""
    weight_name: str = ""
    caveats: tuple[Caveat, ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.score)

    @property
    def mass(self) -> Vector:
        """The weights, 1 for all rows where none are given."""
        return np.ones(len(self)) if self.weight is None else self.weight

    @property
    def counted(self) -> bool:
        """Whether the weights are numbers of cases (whole), so that a row stands for many."""
        return self.weight is not None and bool((self.weight == np.round(self.weight)).all())

    def without(self, name: str) -> AuditTable:
        """The table with one feature fewer."""
        j = self.features.index(name)
        f = self.features
        kept = tuple(c for c in f.columns if c.name != name)
        dtypes = tuple(t for i, t in enumerate(f.dtypes) if i != j)
        return replace(
            self, features=Features(kept, True, dtypes), values=np.delete(self.values, j, axis=1)
        )


def read_table(
    df: Any,
    *,
    score: str,
    outcome: str | None = None,
    features: Sequence[str] | None = None,
    drop: Sequence[str] = (),
    weight: str | None = None,
    groups: str | Sequence[str] | None = None,
) -> AuditTable:
    """Read and check the rows of an audit.

    Parameters
    ----------
    df : DataFrame
        Rows with a column of scores, perhaps outcomes and weights, and features.
    score, outcome, weight : str
        Names of columns; the outcome is 0 or 1 (or False and True).
    features : sequence of str, optional
        The columns to audit; all others by default.
    drop : sequence of str
        Columns to leave out.
    groups : str or sequence of str, optional
        Columns by which results are also given; they stay audited features.

    Returns
    -------
    AuditTable
        Rows without score, outcome or weight are left out and counted in a caveat; so are, with a
        reason each, features that cannot be audited: constant, nearly always missing, dates,
        lists, names of rows, more than 500 levels, a copy of score or outcome.

    Raises
    ------
    InvalidInput
        If a column does not exist, the score is no varying number, the outcome has not two
        values, score and outcome look swapped, or fewer than 200 rows or no feature are left.
    """
    if not (hasattr(df, "columns") and hasattr(df, "iloc")):
        raise InvalidInput(
            f"An audit reads a pandas DataFrame, and was given {type(df).__name__}.",
            "Read the file with pandas.read_csv, or use: limbeck audit FILE.",
        )
    names = [str(c) for c in df.columns]
    twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
    if twice is not None:
        raise InvalidInput(f"Two columns are called {twice!r}.", "Rename or drop one of them.")
    frame = df.rename(columns=str)
    by = (groups,) if isinstance(groups, str) else tuple(groups or ())
    roles = [score, *(n for n in (outcome, weight) if n is not None)]
    for name in (*roles, *by, *(features or ()), *drop):
        if name not in names:
            raise InvalidInput(f"There is no column {name!r}.", did_you_mean(name, names))
    if len(set(roles)) < len(roles):
        raise InvalidInput(
            f"One column has two roles: {', '.join(map(repr, roles))}.",
            "Name different columns for score, outcome and weight.",
        )
    swapped = outcome is not None and _distinct(frame[score]) == 2 and _distinct(frame[outcome]) > 2
    if swapped:
        raise InvalidInput(
            f"The score {score!r} has two values and the outcome {outcome!r} has"
            f" {_distinct(frame[outcome])}: they look swapped.",
            f"Try score={outcome!r}, outcome={score!r}.",
        )
    s = _score(frame[score], score)
    o = None if outcome is None else _outcome(frame[outcome], outcome)
    w = None if weight is None else _weight(frame[weight], weight)
    caveats: list[Caveat] = []
    kept = np.isfinite(s)
    for role, column in ((score, s), (outcome, o), (weight, w)):
        lost = 0 if column is None else int((~np.isfinite(column)).sum())
        if column is not None and lost:
            kept &= np.isfinite(column)
            caveats.append(
                Caveat(
                    str(role),
                    f"{lost:,} of {len(frame):,} rows have no {role} and were left out.",
                    "Ask whether rows without it differ from the others.",
                )
            )
    if w is not None:
        kept &= w > 0
    if kept.sum() < FEWEST_ROWS:
        raise InvalidInput(
            f"There are {int(kept.sum())} rows with all that is needed, and an audit of fewer than"
            f" {FEWEST_ROWS} cannot conclude anything.",
            "Give more rows.",
        )
    frame = frame.loc[kept].reset_index(drop=True)
    s = s[kept]
    o, w = (None if o is None else o[kept]), (None if w is None else w[kept])
    if np.ptp(s) == 0:
        raise InvalidInput(
            f"All scores in {score!r} are {s[0]:g}.", "Give the column that holds the scores."
        )
    if o is not None and np.ptp(o) == 0:
        raise InvalidInput(
            f"All outcomes in {outcome!r} are {o[0]:g}.",
            "Leave the outcome out, or give rows with both outcomes.",
        )
    wanted = list(features) if features is not None else names
    wanted = [n for n in wanted if n not in {*roles, *drop}]
    used, dropped = [], [(n, "left out as asked") for n in drop if n not in roles]
    for name in wanted:
        reason, remedy = unfit(frame[name], name, s, o)
        if reason:
            dropped.append((name, reason))
            caveats.append(Caveat(name, f"{name} is not audited: {reason}.", remedy))
        else:
            used.append(name)
    if not used:
        raise InvalidInput(
            "No feature is left to audit.", "Give columns that are neither score nor outcome."
        )
    part = frame[used]
    found = Features.of(part)
    values = found.encode(part)
    for j, feature in enumerate(found.columns):
        caveats += looks_strange(feature, values[:, j], s, o)
    labels = {name: _labels(frame[name]) for name in by}
    return AuditTable(
        frame, found, values, s, o, w, labels, score, outcome or "", weight or "",
        tuple(caveats), tuple(dropped),
    )  # fmt: skip


def _distinct(column: Any) -> int:
    return int(column.dropna().nunique())


def _score(column: Any, name: str) -> Vector:
    from pandas.api import types

    if not types.is_numeric_dtype(column.dtype) or types.is_complex_dtype(column.dtype):
        seen = ", ".join(repr(v) for v in list(column.dropna().unique())[:4])
        raise InvalidInput(
            f"The score {name!r} holds text or dates (such as {seen}), and a score is a number.",
            "Code its levels as numbers in their order, such as Low 1, Medium 2, High 3.",
        )
    out: Vector = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(out).any():
        raise InvalidInput(f"The score {name!r} holds infinite values.", "Drop those rows.")
    return out


def _outcome(column: Any, name: str) -> Vector:
    present = column.dropna()
    seen = present.unique().tolist()
    if len(seen) > 2:
        shown = ", ".join(repr(v) for v in seen[:4])
        raise InvalidInput(
            f"The outcome {name!r} has {len(seen)} values (such as {shown}), and an outcome"
            " happened or did not: 1 or 0.",
            "Choose the value that is audited, such as df[name] == value.",
        )
    try:
        out: Vector = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        out = np.full(len(column), -1.0)
    if not np.isin(out[np.isfinite(out)], (0.0, 1.0)).all() or np.isinf(out).any():
        shown = " and ".join(repr(v) for v in seen)
        raise InvalidInput(
            f"The outcome {name!r} is coded {shown}, so which of them happened is not known.",
            "Code it as 1 where it happened and 0 where it did not.",
        )
    return out


def _weight(column: Any, name: str) -> Vector:
    try:
        out: Vector = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise InvalidInput(f"The weight {name!r} is no number.", "Give numbers.") from None
    if np.isinf(out).any() or (out < 0).any():
        raise InvalidInput(
            f"The weight {name!r} holds a negative or infinite value.", "Give numbers of 0 or more."
        )
    return out


def _labels(column: Any) -> NDArray[Any]:
    missing = column.isna().to_numpy()
    values = zip(column.tolist(), missing, strict=True)
    return np.array(["missing" if m else str(v) for v, m in values], dtype=object)
