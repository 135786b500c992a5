"""An additive student in words: its contributions, bin by bin."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.students.tree.text import number, signed

__all__ = ["text"]

_CELLS = 36  # of a pair that are printed


def text(student: Any, digits: int | None, exact: bool) -> str:
    """Indented lines, a term after the other; most important first.

    Parameters
    ----------
    student : Additive
        A fitted student.
    digits, exact
        As for its method ``text``.
    """
    terms, features = student.terms_, student.features_
    rank = {name: i for i, name in enumerate(student.importances())}
    kept = None if exact else digits or 4
    names = features.names
    lines = [f"{_what(student)} = {_numbers(terms.intercept, kept, False)} + the sum of:"]
    order = sorted(
        zip(terms.columns, terms.tables, strict=True),
        key=lambda term: (len(term[0]), [rank[names[j]] for j in term[0]]),
    )
    paired = {names[j] for at in terms.columns if len(at) == 2 for j in at}
    idle = []
    for at, table in order:
        if len(at) == 1 and not table.any():
            idle += [] if names[at[0]] in paired else [names[at[0]]]
            continue
        seen = [np.flatnonzero(student.weight_[j] > 0) for j in at]
        words = [student.bins_.words(j, features.columns[j], digits, exact) for j in at]
        title = " and ".join(names[j] for j in at)
        if len(at) == 2 and len(seen[0]) * len(seen[1]) > _CELLS:
            low, high = float(table.min()), float(table.max())
            lines.append(f"{title}: {signed(low, kept)} to {signed(high, kept)}")
            continue
        lines.append(f"{title}:")
        for cell in product(*seen):
            where = ", ".join(w[b] for w, b in zip(words, cell, strict=True))
            lines.append(f"  {where}: {_numbers(table[cell], kept, True)}")
    if idle:
        lines.append(f"not used: {', '.join(idle)}")
    return "\n".join(lines)


def _what(student: Any) -> str:
    classes = student.task_.classes
    if not student.task_.classifies:
        return "value"
    if len(classes) > 2:
        return f"scores of {', '.join(map(repr, classes))}"
    return f"log-odds of {classes[-1]!r}"


def _numbers(values: float | NDArray[np.float64], kept: int | None, sign: bool) -> str:
    form = signed if sign else number
    return ", ".join(form(float(v), kept) for v in np.ravel(values))
