"""The columns that have a role in an audit: score, outcome, weights, cases and groups.

Shapes: n rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.reading import Read, read_column
from limbeck.audits.results import ColumnReading
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.data.labels import is_missing, label_array

__all__ = ["group_labels", "read_cases", "read_outcome", "read_score", "read_weight"]

_QUANTILES = 4
_FEW = 12
"""A number with more different values is cut into quantile bins to make groups."""
_CROSSED = " x "

Vector = NDArray[np.float64]


def read_score(
    column: Any, name: str, levels: Sequence[Any] | None, missing: tuple[Any, ...]
) -> tuple[Vector, ColumnReading]:
    """The score as numbers (n,); ordered categories count 1, 2, 3, ... in their order.

    Parameters
    ----------
    column : Series
        The column.
    name : str
        Its name.
    levels : sequence, or None
        Levels of a score in words, lowest first.
    missing : tuple
        Values that stand for missing.

    Raises
    ------
    InvalidInput
        If it holds text without an order, dates, or infinite values.
    """
    read = read_column(column, name, missing)
    told = replace(read.reading, role="score")
    if levels is not None:
        return _levelled(column, name, levels, told)
    if told.kind == "ordered categories":
        codes = column.cat.codes.to_numpy(dtype=np.float64)
        order = ", ".join(f"{c} {i}" for i, c in enumerate(column.cat.categories, 1))
        return np.where(codes < 0, np.nan, codes + 1), replace(told, note=f"counted as {order}")
    if told.kind == "number" and read.refused:
        raise InvalidInput(f"The score {name!r} holds infinite values.", "Drop those rows.")
    if told.kind not in ("number", "yes or no"):
        seen = ", ".join(repr(v) for v in list(column.dropna().unique())[:4])
        why = f": {read.refused}" if read.refused and told.kind == "text" else ""
        raise InvalidInput(
            f"The score {name!r} holds text or dates (such as {seen}), and a score is a number"
            f"{why}.",
            "Code its levels as numbers in their order, or give the order:"
            " score_levels=('Low', 'Medium', 'High') (--score-levels Low,Medium,High).",
        )
    return read.values.to_numpy(dtype=np.float64, na_value=np.nan), told


def _levelled(
    column: Any, name: str, levels: Sequence[Any], told: ColumnReading
) -> tuple[Vector, ColumnReading]:
    place = {str(level): float(i) for i, level in enumerate(levels, 1)}
    text = [None if m else str(v) for v, m in zip(column.tolist(), column.isna(), strict=True)]
    strange = sorted({t for t in text if t is not None and t not in place})
    if strange or len(place) < 2:
        raise InvalidInput(
            f"The score {name!r} holds {', '.join(map(repr, strange[:4])) or 'one level'}, and"
            f" score_levels names {', '.join(map(repr, place))}.",
            "Name all levels once, the lowest first.",
        )
    note = "counted as " + ", ".join(f"{k} {v:g}" for k, v in place.items())
    score = np.array([np.nan if t is None else place[t] for t in text])
    return score, replace(told, kind="ordered categories", note=note)


def read_outcome(
    column: Any, name: str, positive: Any, missing: tuple[Any, ...]
) -> tuple[Vector, ColumnReading]:
    """The outcome as 0 and 1 (n,), NaN where it is missing.

    Parameters
    ----------
    column : Series
        The column.
    name : str
        Its name.
    positive : object
        The value that means that the outcome happened; None where 0 and 1 tell.
    missing : tuple
        Values that stand for missing.

    Raises
    ------
    InvalidInput
        If it has more than two values, or it is not known which of the two happened.
    """
    read = read_column(column, name, missing)
    told = replace(read.reading, role="outcome")
    labels = label_array(read.values if told.kind in ("number", "yes or no") else column, name)
    gone = is_missing(labels)
    seen = list(dict.fromkeys(labels[~gone].tolist()))
    shown = ", ".join(repr(v) for v in seen[:4])
    if len(seen) > 2:
        raise InvalidInput(
            f"The outcome {name!r} has {len(seen)} values (such as {shown}), and an outcome"
            " happened or did not: 1 or 0.",
            "Choose the value that is audited, such as df[name] == value; rows with a third value"
            " (still open, not known) are best left out.",
        )
    if positive is not None:
        return _happened(labels, gone, seen, name, positive, told)
    if not all(v in (0, 1) for v in seen):
        raise InvalidInput(
            f"The outcome {name!r} is coded {' and '.join(map(repr, seen))}, so which of them"
            " happened is not known.",
            "Code it as 1 where it happened and 0 where it did not, or name the value that means it"
            f" happened: positive={seen[0]!r} (--positive {seen[0]}).",
        )
    out = np.full(len(labels), np.nan)
    out[~gone] = labels[~gone].astype(np.float64)
    return out, told


def _happened(
    labels: NDArray[Any],
    gone: NDArray[np.bool_],
    seen: list[Any],
    name: str,
    positive: Any,
    told: ColumnReading,
) -> tuple[Vector, ColumnReading]:
    chosen = [v for v in seen if v == positive or str(v) == str(positive)]
    if len(chosen) != 1:
        raise InvalidInput(
            f"positive is {positive!r}, and the outcome {name!r} holds"
            f" {' and '.join(map(repr, seen))}.",
            did_you_mean(str(positive), map(str, seen)),
        )
    out = np.full(len(labels), np.nan)
    out[~gone] = [float(v == chosen[0]) for v in labels[~gone].tolist()]
    return out, replace(told, note=f"1 where it is {chosen[0]!r}")


def read_weight(column: Any, name: str, role: str) -> tuple[Vector, ColumnReading]:
    """Weights (n,); frequency weights are whole numbers.

    Parameters
    ----------
    column : Series
        The column.
    name : str
        Its name.
    role : str
        Which kind of weight.

    Raises
    ------
    InvalidInput
        If one is no number, negative or infinite, or a frequency is no whole number.
    """
    read = read_column(column, name)
    told = replace(read.reading, role=role)
    if told.kind not in ("number", "yes or no"):
        raise InvalidInput(f"The {role} {name!r} is no number.", "Give numbers.")
    out = read.values.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(out).any() or (out < 0).any():
        raise InvalidInput(
            f"The {role} {name!r} holds a negative or infinite value.", "Give numbers of 0 or more."
        )
    there = out[np.isfinite(out)]
    if role == "frequency weight" and (there != np.round(there)).any():
        bad = float(there[there != np.round(there)][0])
        raise InvalidInput(
            f"The frequency weight {name!r} holds {bad:g}, and a row cannot stand for a part of a"
            " person.",
            "Give whole numbers, or name it as sampling_weight if rows were drawn with unequal"
            " chances.",
        )
    return out, told


def read_cases(column: Any, name: str) -> tuple[NDArray[np.int64], ColumnReading]:
    """A number for each case (n,); rows without one are cases of their own.

    Parameters
    ----------
    column : Series
        The column.
    name : str
        Its name.
    """
    import pandas as pd

    codes = pd.factorize(column)[0].astype(np.int64)
    gone = codes < 0
    codes[gone] = codes.max(initial=-1) + 1 + np.arange(int(gone.sum()))
    told = ColumnReading(name, "case", "names of cases", int(column.nunique()), int(gone.sum()), "")
    return codes, told


def group_labels(
    frame: Any, groups: Sequence[str | Sequence[str]], missing: tuple[Any, ...] = ()
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Labels of the rows (n,) for each grouping, and what was cut into bins.

    Parameters
    ----------
    frame : DataFrame
        The rows, columns as they were read.
    groups : sequence of str or of sequences of str
        A column, or several that are crossed; also written as "race x sex".
    missing : tuple
        Values that stand for missing.

    Returns
    -------
    dict, list of str
        A number with more than 12 values is cut at its quartiles, which is said.
    """
    out, notes = {}, []
    for group in groups:
        names = crossed(group, list(frame.columns))
        parts = []
        for name in names:
            labels, note = _labels(frame[name], name, missing)
            parts.append(labels)
            notes += [note] if note else []
        joined = parts[0]
        for labels in parts[1:]:
            joined = np.array([f"{a}, {b}" for a, b in zip(joined, labels, strict=True)], object)
        out[_CROSSED.join(names)] = joined
    return out, list(dict.fromkeys(notes))


def crossed(group: str | Sequence[str], names: list[str]) -> tuple[str, ...]:
    """The columns of a grouping: one, or several that are crossed."""
    if not isinstance(group, str):
        return tuple(group)
    if group not in names and _CROSSED in group:
        return tuple(part.strip() for part in group.split(_CROSSED))
    return (group,)


def _labels(column: Any, name: str, missing: tuple[Any, ...]) -> tuple[NDArray[Any], str]:
    read: Read = read_column(column, name, missing)
    values = read.values if not read.refused else column
    gone = values.isna().to_numpy()
    if read.reading.kind == "number" and read.reading.values > _FEW:
        v = values.to_numpy(dtype=np.float64, na_value=np.nan)
        cuts = np.unique(np.nanquantile(v, np.arange(1, _QUANTILES) / _QUANTILES, method="lower"))
        at = np.searchsorted(cuts, v, side="left")
        words = [f"up to {cuts[0]:.6g}"]
        words += [f"above {a:.6g} to {b:.6g}" for a, b in pairwise(cuts)]
        words.append(f"above {cuts[-1]:.6g}")
        order = [f"{i + 1}: {w}" for i, w in enumerate(words)]  # names sort as the numbers do
        made = np.array([order[i] for i in at], dtype=object)
        return np.where(gone, "missing", made), f"{name} was cut at its quartiles to make groups."
    pairs = zip(values.tolist(), gone, strict=True)
    return np.array(["missing" if m else str(v) for v, m in pairs], dtype=object), ""
