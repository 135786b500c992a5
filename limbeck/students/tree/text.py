"""Trees in words: questions, outcomes, an indented text, and rules."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.tree.conditions import Condition
from limbeck.students.tree.nodes import LE, MISSING, Nodes
from limbeck.students.tree.thresholds import decimal, printed

__all__ = [
    "as_printed",
    "fraction",
    "number",
    "outcome",
    "percent",
    "question",
    "rules",
    "shares",
    "shows_missing",
    "signed",
    "text",
    "value_digits",
]


def number(x: float, digits: int | None = 4) -> str:
    """A number without an exponent from 0.001 to a million.

    Parameters
    ----------
    x : float
        The number.
    digits : int or None
        How many significant digits; None for as many as give the number back.
    """
    if digits is None:
        return decimal(x)
    if x == 0 or not math.isfinite(x):
        return "0" if x == 0 else str(x)
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(x))))
    if 1e-3 <= abs(x) < 1e6:
        plain = f"{x:.{decimals}f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return f"{x:.{digits}g}"


def signed(x: float, digits: int | None = 4) -> str:
    """A number with its sign, such as ``+0.5``; see :func:`number`.

    Parameters
    ----------
    x : float
        The number.
    digits : int or None
        Significant digits; None prints all.
    """
    return number(x, digits) if x < 0 else f"+{number(x, digits)}"


def percent(share: float) -> str:
    """A share as a percentage; a small one is not rounded to nothing."""
    if 0 < share < 0.01:
        return "<1 %"
    return ">99 %" if 0.99 < share < 1 else f"{100 * float(share):.0f} %"


def fraction(p: float, digits: int = 3) -> str:
    """A fraction with so many digits; one that is not 0 or 1 is not rounded to them.

    Parameters
    ----------
    p : float
        A fraction in [0, 1].
    digits : int
        Digits after the point.
    """
    if 0 < p < 1 and round(p, digits) in (0, 1):
        edge = 10.0**-digits
        return f"<{number(edge)}" if p < 0.5 else f">{number(1 - edge)}"
    return number(round(p, digits))


def as_printed(nodes: Nodes, digits: int | None = None, exact: bool = False) -> Nodes:
    """The tree that is printed: its thresholds are the shortest decimals that fit what was seen.

    Every row on which the tree was found reaches the same leaf in both. Where it is not known
    what was seen, thresholds stay as they are.

    Parameters
    ----------
    nodes : Nodes
        The tree that predicts.
    digits : int, optional
        At least so many significant digits in a threshold.
    exact : bool
        Whether to keep the thresholds.
    """
    seen = nodes.seen
    if seen is None or exact:
        return nodes
    threshold = nodes.threshold.copy()
    for i in np.flatnonzero(~nodes.is_leaf & (nodes.op == LE)):
        low, high = float(seen.below[i]), float(seen.above[i])
        threshold[i] = printed(float(threshold[i]), low, high, digits)
    return replace(nodes, threshold=threshold, seen=None)


def shows_missing(nodes: Nodes, features: Features, missing: bool | None) -> set[int]:
    """The columns of which it is said where missing values go.

    Parameters
    ----------
    nodes, features
        The tree and its columns.
    missing : bool, optional
        All columns or none. By default those that had missing values in the rows on which the
        tree was found; where these are not known, those about whose missing values it asks.
    """
    if missing is not None:
        return set(range(len(features))) if missing else set()
    asks = nodes.missing_left if nodes.seen is None else nodes.seen.missing
    asks = asks | (nodes.op == MISSING)
    return {int(f) for f in nodes.feature[asks & ~nodes.is_leaf]}


def question(nodes: Nodes, i: int, features: Features) -> str:
    """What node ``i`` asks; a row for which it is true goes left.

    Parameters
    ----------
    nodes : Nodes
        The tree.
    i : int
        The node.
    features : Features
        The columns.
    """
    return Condition(features.columns[nodes.feature[i]]).ask(nodes, i, True).words()


def value_digits(
    value: NDArray[np.float64], digits: int | None = None, exact: bool = False
) -> int | None:
    """How many significant digits of predicted numbers are printed; None for all of them.

    Four, or as many more as leave three digits of the difference between the least and the
    largest.

    Parameters
    ----------
    value : ndarray of shape (n,)
        All numbers that the student predicts.
    digits : int, optional
        At least so many.
    exact : bool
        Whether all are printed.
    """
    if exact:
        return None
    spread, largest = float(np.ptp(value / 2)) * 2, float(np.abs(value).max())
    if not 0 < spread < math.inf:
        return max(4, digits or 0)
    lost = math.floor(math.log10(largest)) - math.floor(math.log10(spread))
    return min(max(4, digits or 0, lost + 3), 17)


def outcome(value: NDArray[np.float64], task: Task, digits: int | None = 4) -> str:
    """What a value of shape (k,) predicts: class and share, or number and unit.

    Parameters
    ----------
    value : ndarray of shape (k,)
        Class shares, or a number.
    task : Task
        The classes, or the unit.
    digits : int or None
        Significant digits of a number; None for all.
    """
    if not task.classifies:
        return f"{number(float(value[0]), digits)} {task.unit}".strip()
    best = int(value.argmax())
    return f"{task.classes[best]} ({fraction(float(value[best]))})"


def shares(nodes: Nodes) -> NDArray[np.float64]:
    """The share of the training rows that reaches each node, shape (m,); 0 if unknown."""
    total = nodes.weight[0]
    return nodes.weight / total if total > 0 else np.zeros(len(nodes))


def to_show(
    nodes: Nodes, features: Features, missing: bool | None, digits: int | None, exact: bool
) -> tuple[Nodes, set[int], int | None]:
    """The nodes as printed, the columns whose missing values are noted, and digits of values.

    Parameters
    ----------
    nodes, features
        The tree and its columns.
    missing : bool or None
        See :func:`shows_missing`; with ``exact`` they are noted by default.
    digits, exact
        See :func:`as_printed`.
    """
    missing = True if exact and missing is None else missing
    shown = shows_missing(nodes, features, missing)
    kept = value_digits(nodes.value[nodes.is_leaf, 0], digits, exact)
    return as_printed(nodes, digits, exact), shown, kept


def text(
    nodes: Nodes,
    features: Features,
    task: Task,
    missing: bool | None = None,
    digits: int | None = None,
    exact: bool = False,
) -> str:
    """The tree as indented lines, one per node, with the share of the rows in brackets.

    Parameters
    ----------
    nodes, features, task
        The tree, its columns, and what it predicts.
    missing : bool, optional
        Whether to say where missing values go; see :func:`shows_missing`.
    digits, exact
        See :func:`as_printed`.
    """
    nodes, shown, kept = to_show(nodes, features, missing, digits, exact)
    share = shares(nodes)
    lines: list[str] = []
    stack = [(0, "", "", "")]
    while stack:
        i, branch, answer, indent = stack.pop()
        known = f"  [{percent(share[i])}]" if share[0] else ""
        if nodes.feature[i] < 0:
            lines.append(f"{branch}{answer}{outcome(nodes.value[i], task, kept)}{known}")
            continue
        way = "yes" if nodes.missing_left[i] else "no"
        noted = nodes.feature[i] in shown and nodes.op[i] != MISSING
        note = f" (missing: {way})" if noted else ""
        lines.append(f"{branch}{answer}{question(nodes, i, features)}?{note}{known}")
        stack.append((int(nodes.right[i]), indent + "└─ ", "no:  ", indent + "   "))
        stack.append((int(nodes.left[i]), indent + "├─ ", "yes: ", indent + "│  "))
    return "\n".join(lines)


def rules(
    nodes: Nodes,
    features: Features,
    task: Task,
    missing: bool | None = None,
    digits: int | None = None,
    exact: bool = False,
) -> list[str]:
    """One sentence per leaf, from left to right; questions about one column become one range.

    Parameters
    ----------
    nodes, features, task
        The tree, its columns, and what it predicts.
    missing : bool, optional
        Whether to say where missing values go; see :func:`shows_missing`.
    digits, exact
        See :func:`as_printed`.
    """
    nodes, shown, kept = to_show(nodes, features, missing, digits, exact)
    out: list[str] = []
    stack: list[tuple[int, dict[int, Condition]]] = [(0, {})]
    while stack:
        i, path = stack.pop()
        if nodes.feature[i] < 0:
            parts = [p for f, c in path.items() if (p := c.words(f in shown))]
            condition = f"IF {' and '.join(parts)} THEN " if parts else "ALWAYS "
            share = f"  [{percent(shares(nodes)[i])}]" if nodes.weight[0] > 0 else ""
            out.append(condition + outcome(nodes.value[i], task, kept) + share)
            continue
        f = int(nodes.feature[i])
        known = path.get(f, Condition(features.columns[f]))
        for child, left in ((nodes.right[i], False), (nodes.left[i], True)):
            stack.append((int(child), {**path, f: known.ask(nodes, i, left)}))
    return out
