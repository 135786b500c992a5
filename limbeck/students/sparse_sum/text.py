"""A sum in words: its terms with their weights, and how the sum becomes an answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.reports.markup import escaped
from limbeck.students.sparse_sum.model import TermWeights
from limbeck.students.sparse_sum.terms import SumTerm
from limbeck.students.tree.conditions import quoted
from limbeck.students.tree.text import number, percent, signed

__all__ = ["SumText", "sum_text"]

Vector = NDArray[np.float64]
LISTED = 12  # columns of which it is said what a missing value counts as
SIDE_BY_SIDE = 6  # classes that stand beside each other; more are written one below the other


@dataclass(frozen=True)
class SumText:
    """A table and the sentences below it.

    Parameters
    ----------
    head : list of str
        Names of the table's columns.
    rows : list of list of str
        Its cells.
    notes : list of str
        Sentences.
    """

    head: list[str]
    rows: list[list[str]]
    notes: list[str]

    def __str__(self) -> str:
        table = [self.head, *self.rows]
        widths = [max(len(r[c]) for r in table) for c in range(len(self.head))]
        lines = []
        for row in table:
            cells = [row[0].ljust(widths[0])]
            cells += [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([*lines, "", *self.notes])

    def html(self) -> str:
        """The same as HTML."""
        head = "".join(f"<th>{escaped(t)}</th>" for t in self.head)
        body = "".join(
            "<tr>" + "".join(f"<td>{escaped(t)}</td>" for t in row) + "</tr>" for row in self.rows
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return table + "".join(f"<p>{escaped(note)}</p>" for note in self.notes)


def sum_text(
    found: TermWeights,
    features: Features,
    task: Task,
    fill: Vector,
    *,
    digits: int | None = None,
    unit: str = "weight",
    per_unit: float = 1.0,
    card: bool = False,
) -> SumText:
    """A sum as a table and sentences.

    Parameters
    ----------
    found : TermWeights
        The sum.
    features : Features
        The columns.
    task : Task
        What is predicted.
    fill : ndarray of shape (d,)
        What missing numbers count as.
    digits : int, optional
        Significant digits of the weights; None for all.
    unit : str
        What the weights are called.
    per_unit : float
        How much log-odds one unit of the sum is.
    card : bool
        Whether the intercept is said as the total at which the answer turns.
    """
    words = ["always", *(_said(term, features) for term in found.terms)]
    table = np.vstack([found.intercept, found.weights])
    outputs = table.shape[1]
    if outputs == 1:
        if card:
            words, table = words[1:], table[1:]
        rows = [[w, signed(float(v[0]), digits)] for w, v in zip(words, table, strict=True)]
        head = [_of(task, unit), unit]
    elif outputs <= SIDE_BY_SIDE:
        rows = [
            [w, *(signed(float(x), digits) if x else "" for x in v)]
            for w, v in zip(words, table, strict=True)
            if v.any()
        ]
        head = [f"{unit} for", *(str(c) for c in task.classes)]
    else:
        rows, head = [], ["class", "term", unit]
        for c, label in enumerate(task.classes):
            for i in np.flatnonzero(table[:, c]):
                rows.append([str(label), words[i], signed(float(table[i, c]), digits)])
        rows = [[f"{a}: {b}", c] for a, b, c in rows]
        head = ["class: term", unit]
    answer = _card(task, found, per_unit) if card else _answer(task, found, unit, per_unit)
    times = [f"A line without if adds its number times its {unit}."]
    times = times if any(t.kind != "all" for t in found.terms) else []
    notes = [*times, *answer, *_missing(found, features, fill)]
    return SumText(head, rows, notes)


def _said(term: SumTerm, features: Features) -> str:
    words = term.words(features)
    return f"if {words}" if term.kind == "all" else words


def _of(task: Task, unit: str) -> str:
    if not task.classifies:
        return f"value in {task.unit}" if task.unit else "value"
    return f"{'points' if unit == 'points' else 'sum'} for {quoted(str(task.classes[-1]))}"


def _answer(task: Task, found: TermWeights, unit: str, per_unit: float) -> list[str]:
    """How the sum becomes an answer."""
    if not task.classifies:
        return ["The value is the sum."]
    if len(task.classes) == 1:
        return [f"The answer is always {quoted(str(task.classes[0]))}."]
    if len(task.classes) > 2:
        none = [str(c) for c, w, b in zip(task.classes, found.weights.T, found.intercept,
                                          strict=True) if not w.any() and not b]  # fmt: skip
        rest = f" The sum of {', '.join(map(quoted, none))} is 0." if none else ""
        scale = "" if per_unit == 1 else f" times {number(per_unit)}"
        return [
            f"The class with the largest sum is the answer, of equal sums the first.{rest}",
            f"Probabilities are in proportion to exp(sum{scale}).",
        ]
    first, last = (quoted(str(c)) for c in task.classes)
    at = _grid(per_unit)
    shown = ", ".join(f"{signed(s) if s else '0'}: {percent(expit(s * per_unit))}" for s in at)
    return [
        f"The answer is {last} where the sum is above 0, else {first}.",
        f"Probability of {last} by sum: {shown}.",
    ]


def _card(task: Task, found: TermWeights, scale: float) -> list[str]:
    """The total at which the answer turns, and a table from totals to probabilities."""
    first, last = (quoted(str(c)) for c in task.classes)
    turn = -float(found.intercept[0])
    low, high = (math.floor(turn - 4 / scale), math.ceil(turn + 4 / scale))
    step = max(1, round((high - low) / 10))
    totals = range(low, high + 1, step)
    shown = ", ".join(f"{t}: {percent(float(expit((t - turn) * scale)))}" for t in totals)
    return [
        f"The answer is {last} above {number(turn)} points, else {first}.",
        f"Probability of {last} by points: {shown}.",
    ]


def _grid(per_unit: float) -> list[float]:
    """Sums at which probabilities are shown: those for log-odds near -4, -2, -1, 0, 1, 2, 4."""
    if per_unit == 1:
        return [-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0]
    half = [round(z / per_unit) for z in (1, 2, 4)]
    steps = sorted({float(h) for h in half if h > 0})
    return [*(-s for s in reversed(steps)), 0.0, *steps]


def _missing(found: TermWeights, features: Features, fill: Vector) -> list[str]:
    """What missing values count as, in the columns that are read."""
    used = sorted({j for t in found.terms for j in t.columns})
    numbers = [
        f"{quoted(c.label)} {_value(c.kind, fill[j])}{f' {c.unit}' if c.unit else ''}"
        for j, c in ((j, features.columns[j]) for j in used)
        if c.kind != "categorical"
    ]
    if len(numbers) > LISTED:
        return ["A missing value counts as the median of its column (the student's fill_)."]
    return [f"A missing value counts as the median: {', '.join(numbers)}."] if numbers else []


def _value(kind: str, x: float) -> str:
    return str(bool(x)).lower() if kind == "boolean" else number(float(x))
