"""The audited rows: columns found, checked and encoded, with what the auditor must know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.columns import unfit
from limbeck.audits.counting import FEWEST_ROWS, counted
from limbeck.audits.leaks import copied_columns, looks_strange
from limbeck.audits.reading import Read, read_column
from limbeck.audits.results import Caveat, ColumnReading
from limbeck.audits.roles import (
    crossed,
    group_labels,
    read_cases,
    read_outcome,
    read_score,
    read_weight,
)
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput, did_you_mean

__all__ = ["FEWEST_ROWS", "AuditTable", "read_table"]

_HEADERS = "limbeck_headers"
"""Where `limbeck.data.tables` tells of columns that had the name of an earlier one."""

Vector = NDArray[np.float64]
Groups = str | Sequence[str | Sequence[str]]


def read_table(
    df: Any,
    *,
    score: str,
    outcome: str | None = None,
    features: Sequence[str] | None = None,
    drop: Sequence[str] = (),
    frequency_weight: str | None = None,
    sampling_weight: str | None = None,
    cases: str | None = None,
    groups: Groups | None = None,
    positive: Any = None,
    score_levels: Sequence[Any] | None = None,
    missing: Sequence[Any] = (),
    seed: int = 0,
) -> AuditTable:
    """Read and check the rows of an audit.

    Parameters
    ----------
    df : DataFrame
        Rows with a column of scores, perhaps outcomes and weights, and features.
    score, outcome, frequency_weight, sampling_weight, cases : str
        Names of columns; the outcome is 0 or 1 (or False and True).
    features : sequence of str, optional
        The columns to audit; all others by default.
    drop : sequence of str
        Columns to leave out.
    groups : str, or sequence of str or of sequences of str, optional
        Columns by which results are also given; they stay audited features. Several columns
        together, or "race x sex", are crossed.
    positive : optional
        The value of the outcome that means that it happened.
    score_levels : sequence, optional
        The levels of a score in words, the lowest first.
    missing : sequence
        Values that stand for missing in any column, such as 999.
    seed : int
        Of the folds behind the caveats.

    Returns
    -------
    AuditTable
        Rows without score, outcome or weight are left out and counted in a caveat; so are copies
        of a row; so are, with a reason each, features that cannot be audited: constant, nearly
        always missing, dates, lists, names of rows, more than 500 levels, copies of score, outcome
        or another feature.

    Raises
    ------
    InvalidInput
        If a column does not exist, the score is no varying number, the outcome has not two
        values, score and outcome look swapped, or fewer than 200 rows or no feature are left.
    """
    frame, names = _frame(df)
    by: tuple[str | Sequence[str], ...] = (
        (groups,) if isinstance(groups, str) else (*(groups or ()),)
    )
    members = [n for g in by for n in crossed(g, names)]
    weights = [n for n in (frequency_weight, sampling_weight) if n is not None]
    roles = [score, *(n for n in (outcome, *weights, cases) if n is not None)]
    _names_exist([*roles, *members, *(features or ()), *drop], names)
    _roles_fit(roles, frequency_weight, sampling_weight, cases)
    _one_of_each_name(frame, [*roles, *members])
    gone = tuple(missing)
    _not_swapped(frame, score, outcome)
    told: list[ColumnReading] = []
    s, reading = read_score(frame[score], score, score_levels, gone)
    told.append(reading)
    o = w = None
    if outcome is not None:
        o, reading = read_outcome(frame[outcome], outcome, positive, gone)
        told.append(reading)
    kind = "frequency weight" if frequency_weight is not None else "sampling weight"
    if weights:
        w, reading = read_weight(frame[weights[0]], weights[0], kind)
        told.append(reading)
    kept, caveats = _complete(s, o, w, kind)
    frame = frame.loc[kept].reset_index(drop=True)
    s = s[kept]
    o, w = (None if o is None else o[kept]), (None if w is None else w[kept])
    _varies(s, o, score, outcome)
    wanted = list(features) if features is not None else names
    wanted = [n for n in wanted if n not in {*roles, *drop}]
    dropped = [(n, "left out as asked") for n in drop if n not in roles]
    columns = {name: read_column(frame[name], name, gone) for name in wanted}
    used = _features(columns, s, o, _Said(told, caveats, dropped))
    encoded, values = _encode(used)
    told += [read.reading for read in used.values()]
    case = None
    if cases is not None:
        case, reading = read_cases(frame[cases], cases)
        told.append(reading)
    labels, notes = group_labels(frame, by, gone)
    table = AuditTable(
        frame, encoded, values, s, o, labels, score, outcome or "",
        w if frequency_weight is not None else None,
        w if sampling_weight is not None else None,
        case, tuple(caveats), tuple(dropped), _in_order(told, names, frame, drop),
    )  # fmt: skip
    table = counted(table, weights, cases, seed)
    strange = looks_strange(
        table.features, table.values, table.score, table.outcome, table.cases, table.mass
    )
    strange += [Caveat("groups", note, "Give a column of bins for other cuts.") for note in notes]
    return replace(table, caveats=(*table.caveats, *strange))


@dataclass(frozen=True)
class _Said:
    """What is said of columns: readings, caveats, and why some are left out."""

    told: list[ColumnReading]
    caveats: list[Caveat]
    dropped: list[tuple[str, str]]

    def leave_out(self, name: str, read: Read, reason: str, remedy: str) -> None:
        self.dropped.append((name, reason))
        self.caveats.append(Caveat(name, f"{name} is not audited: {reason}.", remedy))
        self.told.append(replace(read.reading, role="left out", note=reason))


def _features(
    columns: dict[str, Read], s: Vector, o: Vector | None, said: _Said
) -> dict[str, Read]:
    """The columns that are audited; of the others it is said why they are not."""
    used: dict[str, Read] = {}
    for name, read in columns.items():
        reason, remedy = unfit(read, name, s, o)
        if reason:
            said.leave_out(name, read, reason, remedy)
            continue
        used[name] = read
        if read.doubt:
            value = read.doubt.partition(" ")[0]
            remedy = f"If it stands for missing, give missing=({value},) (--missing {value})."
            said.caveats.append(Caveat(name, read.doubt, remedy))
    for name, same in copied_columns(list(used), _encode(used)[1]).items():
        reason = f"it says the same as {same}, row by row"
        remedy = f"Audit it in the place of {same} if you prefer its name."
        said.leave_out(name, used.pop(name), reason, remedy)
    if not used:
        raise InvalidInput(
            "No feature is left to audit.", "Give columns that are neither score nor outcome."
        )
    return used


def _frame(df: Any) -> tuple[Any, list[str]]:
    if not (hasattr(df, "columns") and hasattr(df, "iloc")):
        raise InvalidInput(
            f"An audit reads a pandas DataFrame, and was given {type(df).__name__}.",
            "Read the file with pandas.read_csv, or use: limbeck audit FILE.",
        )
    names = [str(c) for c in df.columns]
    twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
    if twice is not None:
        raise InvalidInput(f"Two columns are called {twice!r}.", "Rename or drop one of them.")
    return df.rename(columns=str), names


def _names_exist(asked: list[str], names: list[str]) -> None:
    for name in asked:
        if name not in names:
            raise InvalidInput(f"There is no column {name!r}.", did_you_mean(name, names))


def _roles_fit(
    roles: list[str], frequency: str | None, sampling: str | None, cases: str | None
) -> None:
    if len(set(roles)) < len(roles):
        raise InvalidInput(
            f"One column has two roles: {', '.join(map(repr, roles))}.",
            "Name different columns for score, outcome, weights and cases.",
        )
    if frequency is not None and sampling is not None:
        raise InvalidInput(
            f"{frequency!r} is a frequency weight and {sampling!r} a sampling weight.",
            "Give one: rows stand for several people each, or were drawn with unequal chances.",
        )
    if frequency is not None and cases is not None:
        raise InvalidInput(
            f"{frequency!r} says that a row stands for several people, and {cases!r} that several"
            " rows stand for one.",
            "Give one of the two.",
        )


def _one_of_each_name(frame: Any, asked: list[str]) -> None:
    """Refuse to choose between columns of one name in a file, unless they hold the same."""
    for later, name in frame.attrs.get(_HEADERS, {}).items():
        if name in asked and not frame[name].equals(frame[later]):
            raise InvalidInput(
                f"Two columns of the file are called {name!r}, and they differ.",
                "Give one of them another name in the file, or take it out.",
            )


def _not_swapped(frame: Any, score: str, outcome: str | None) -> None:
    if outcome is None:
        return
    of_score, of_outcome = (int(frame[n].dropna().astype(str).nunique()) for n in (score, outcome))
    if of_score == 2 and of_outcome > 2:
        raise InvalidInput(
            f"The score {score!r} has two values and the outcome {outcome!r} has"
            f" {of_outcome}: they look swapped.",
            f"Try score={outcome!r}, outcome={score!r}.",
        )


def _complete(
    s: Vector, o: Vector | None, w: Vector | None, kind: str
) -> tuple[NDArray[np.bool_], list[Caveat]]:
    """Which rows have all that is needed, and caveats on the others."""
    caveats: list[Caveat] = []
    kept = np.isfinite(s)
    for role, column in (("score", s), ("outcome", o), (kind, w)):
        lost = 0 if column is None else int((~np.isfinite(column)).sum())
        if column is not None and lost:
            kept &= np.isfinite(column)
            caveats.append(
                Caveat(
                    role,
                    f"{lost:,} of {len(s):,} rows have no {role} and were left out.",
                    "Ask whether rows without it differ from the others.",
                )
            )
    if w is not None:
        kept &= w > 0
    people = float(w[kept].sum()) if w is not None and kind == "frequency weight" else kept.sum()
    if people < FEWEST_ROWS:
        raise InvalidInput(
            f"There are {int(people)} rows with all that is needed, and an audit of fewer than"
            f" {FEWEST_ROWS} cannot conclude anything.",
            "Give more rows.",
        )
    return kept, caveats


def _varies(s: Vector, o: Vector | None, score: str, outcome: str | None) -> None:
    if np.ptp(s) == 0:
        raise InvalidInput(
            f"All scores in {score!r} are {s[0]:g}.", "Give the column that holds the scores."
        )
    if o is not None and np.ptp(o) == 0:
        raise InvalidInput(
            f"All outcomes in {outcome!r} are {o[0]:g}.",
            "Leave the outcome out, or give rows with both outcomes.",
        )


def _encode(used: dict[str, Read]) -> tuple[Features, Vector]:
    import pandas as pd

    if not used:
        return Features((), True, ()), np.empty((0, 0))
    part = pd.DataFrame({name: read.values for name, read in used.items()})
    found = Features.of(part)
    return found, found.encode(part)


def _in_order(
    told: list[ColumnReading], names: list[str], frame: Any, drop: Sequence[str]
) -> tuple[ColumnReading, ...]:
    """What is known of each column, in the table's order; names given twice in a file are told."""
    known = {r.name: r for r in told}
    renamed = frame.attrs.get(_HEADERS, {})
    out = []
    for name in names:
        reading = known.get(name)
        if reading is None:
            role = "left out" if name in drop else "not used"
            column = frame[name]
            count = int(column.astype(str).nunique())
            note = "left out as asked" if name in drop else ""
            reading = ColumnReading(name, role, "", count, int(column.isna().sum()), note)
        if name in renamed:
            twice = f"a later column called {renamed[name]} in the file"
            reading = replace(reading, note="; ".join(n for n in (twice, reading.note) if n))
        out.append(reading)
    return tuple(out)
