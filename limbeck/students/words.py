"""Trees in words: questions, outcomes, an indented text, and rules."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from limbeck.contract import Task
from limbeck.features import Feature, Features
from limbeck.students.nodes import EQ, LE, MISSING, Nodes

__all__ = ["fraction", "number", "outcome", "percent", "question", "rules", "shares", "text"]


def number(x: float) -> str:
    """A number with four significant digits, and no exponent from 0.001 to a million."""
    if x == 0 or not math.isfinite(x):
        return "0" if x == 0 else str(x)
    digits = max(0, 3 - math.floor(math.log10(abs(x))))
    if 1e-3 <= abs(x) < 1e6:
        plain = f"{x:.{digits}f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return f"{x:.4g}"


def percent(share: float) -> str:
    """A share as a percentage; a small one is not rounded to nothing."""
    if 0 < share < 0.01:
        return "<1 %"
    return ">99 %" if 0.99 < share < 1 else f"{100 * float(share):.0f} %"


def fraction(p: float, digits: int = 3) -> str:
    """A fraction with so many digits; one that is not 0 or 1 is not rounded to them."""
    if 0 < p < 1 and round(p, digits) in (0, 1):
        edge = 10.0**-digits
        return f"<{number(edge)}" if p < 0.5 else f">{number(1 - edge)}"
    return number(round(p, digits))


def question(nodes: Nodes, i: int, features: Features) -> str:
    """What node ``i`` asks; a row for which it is true goes left."""
    c = features.columns[nodes.feature[i]]
    return _Range(c).ask(nodes, i, True).words()


def outcome(value: NDArray[np.float64], task: Task) -> str:
    """What a value of shape (k,) predicts: class and share, or number and unit."""
    if not task.classifies:
        return f"{number(float(value[0]))} {task.unit}".strip()
    best = int(value.argmax())
    return f"{task.classes[best]} ({fraction(float(value[best]))})"


def shares(nodes: Nodes) -> NDArray[np.float64]:
    """The share of the training rows that reaches each node, shape (m,); 0 if unknown."""
    total = nodes.weight[0]
    return nodes.weight / total if total > 0 else np.zeros(len(nodes))


def text(nodes: Nodes, features: Features, task: Task, missing: bool = False) -> str:
    """The tree as indented lines, one a node, with the share of the rows in brackets."""
    share = shares(nodes)
    lines: list[str] = []
    stack = [(0, "", "", "")]
    while stack:
        i, branch, answer, indent = stack.pop()
        known = f"  [{percent(share[i])}]" if share[0] else ""
        if nodes.feature[i] < 0:
            lines.append(f"{branch}{answer}{outcome(nodes.value[i], task)}{known}")
            continue
        way = "yes" if nodes.missing_left[i] else "no"
        note = f" (missing: {way})" if missing and nodes.op[i] != MISSING else ""
        lines.append(f"{branch}{answer}{question(nodes, i, features)}?{note}{known}")
        stack.append((int(nodes.right[i]), indent + "└─ ", "no:  ", indent + "   "))
        stack.append((int(nodes.left[i]), indent + "├─ ", "yes: ", indent + "│  "))
    return "\n".join(lines)


def rules(nodes: Nodes, features: Features, task: Task, missing: bool = False) -> list[str]:
    """One sentence a leaf, from left to right; questions about one column become one range.

    Parameters
    ----------
    nodes, features, task
        The tree, its columns, and what it predicts.
    missing : bool
        Whether to say where missing values go as well.
    """
    out: list[str] = []
    stack: list[tuple[int, dict[int, _Range]]] = [(0, {})]
    while stack:
        i, path = stack.pop()
        if nodes.feature[i] < 0:
            parts = [p for r in path.values() if (p := r.words(missing))]
            condition = f"IF {' and '.join(parts)} THEN " if parts else "ALWAYS "
            share = f"  [{percent(shares(nodes)[i])}]" if nodes.weight[0] > 0 else ""
            out.append(condition + outcome(nodes.value[i], task) + share)
            continue
        f = int(nodes.feature[i])
        known = path.get(f, _Range(features.columns[f]))
        for child, left in ((nodes.right[i], False), (nodes.left[i], True)):
            stack.append((int(child), {**path, f: known.ask(nodes, i, left)}))
    return out


@dataclass(frozen=True)
class _Range:
    """The values of one column that a path lets through: an interval, levels, missing or not."""

    feature: Feature
    low: float = -math.inf
    high: float = math.inf
    codes: frozenset[float] | None = None
    without: frozenset[float] = field(default_factory=frozenset)
    present: bool = True  # whether any value that is not missing comes through
    missing: bool = True  # whether missing values come through

    def ask(self, nodes: Nodes, i: int, left: bool) -> _Range:
        """The range after node ``i`` was answered by going left or right."""
        t = float(nodes.threshold[i])
        low, high, codes, without = self.low, self.high, self.codes, self.without
        present = self.present
        if nodes.op[i] == MISSING:
            goes_with, present = left, present and not left
        else:
            goes_with = bool(nodes.missing_left[i]) == left
        if nodes.op[i] == LE:
            low, high = (low, min(high, t)) if left else (max(low, t), high)
        elif nodes.op[i] == EQ and left:
            codes = frozenset({t}) if codes is None else codes & {t}
        elif nodes.op[i] == EQ:
            without = without | {t}
        return _Range(self.feature, low, high, codes, without, present, self.missing and goes_with)

    def words(self, missing: bool = False) -> str:
        """The range as a condition; empty where everything comes through."""
        name = self.feature.label
        if not self.present:
            return f"{name} is missing" if self.missing else f"{name} is impossible"
        condition = self._present(name)
        if not condition:
            return "" if self.missing else f"{name} is not missing"
        return f"({condition} or is missing)" if missing and self.missing else condition

    def _present(self, name: str) -> str:
        if self.low >= self.high:
            return f"{name} is impossible"
        if self.feature.kind == "boolean" and math.isinf(self.low) != math.isinf(self.high):
            return f"{name} is {'true' if math.isinf(self.high) else 'false'}"
        if self.feature.kind == "categorical":
            return self._levels(name)
        unit = f" {self.feature.unit}" if self.feature.unit else ""
        if math.isinf(self.low):
            return "" if math.isinf(self.high) else f"{name} <= {number(self.high)}{unit}"
        if math.isinf(self.high):
            return f"{name} > {number(self.low)}{unit}"
        return f"{number(self.low)} < {name} <= {number(self.high)}{unit}"

    def _levels(self, name: str) -> str:
        levels = self.feature.levels
        if self.codes is not None:
            left = sorted(self.codes - self.without)
            return (
                f"{name} is {' or '.join(levels[int(c)] for c in left)}"
                if left
                else (f"{name} is impossible")
            )
        out = [levels[int(c)] for c in sorted(self.without)]
        return f"{name} is not {' or '.join(out)}" if out else ""
