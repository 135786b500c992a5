"""Whole rules of a student, and which of them another student has, too.

A rule is all of its conditions and what follows from it: a clause of a rule list or set, a path of
a tree to a leaf, an AND term of a sum. Two rules are the same where they ask the same columns for
the same levels or sides, with thresholds that lie near each other, and say the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.sparse_sum.terms import conditions_of
from limbeck.students.tree.conditions import Condition

__all__ = ["WholeRule", "rules_of"]


@dataclass(frozen=True)
class WholeRule:
    """Conditions by column, and what is said where all of them hold.

    Parameters
    ----------
    conditions : mapping from int to Condition
        By the position of the column.
    says : str
        A class, ``more`` or ``less``, or nothing for the values of a tree.
    """

    conditions: Mapping[int, Condition]
    says: str

    def words(self) -> str:
        """It in a sentence."""
        then = f", then {self.says}" if self.says else ""
        parts = [text for c in self.conditions.values() if (text := _short(c).words())]
        return f"the rule if {' and '.join(parts)}{then}"

    def same_as(self, other: WholeRule, reach: Mapping[int, float]) -> bool:
        """Whether another rule says the same.

        Parameters
        ----------
        other : WholeRule
            Of a student of the same columns.
        reach : mapping from int to float
            How far apart thresholds of each column may lie.
        """
        if self.says != other.says or self.conditions.keys() != other.conditions.keys():
            return False
        return all(
            _alike(c, other.conditions[j], reach.get(j, 0.0)) for j, c in self.conditions.items()
        )


def rules_of(student: Any) -> list[WholeRule]:
    """The rules of a student that has any, each once; none of other students.

    Parameters
    ----------
    student : Student
        Fitted.
    """
    task = student.task_
    nodes = getattr(student, "nodes_", None)
    if nodes is not None and hasattr(nodes, "op") and not hasattr(student, "tests_"):
        found = _leaves(nodes, student.features_, task)
    else:
        clauses = getattr(student, "clauses_", ())
        found = [
            WholeRule(dict(zip(c.columns, c.conditions, strict=True)), _says(value, task))
            for c, value in zip(clauses, getattr(student, "value_", ()), strict=False)
        ]
        total = getattr(student, "sum_", None)
        for term, weights in zip(total.terms, total.weights, strict=True) if total else ():
            if len(term.tests) > 1:
                by = conditions_of(term.tests, student.features_)
                found.append(WholeRule(by, _speaks_for(weights, task)))
    return [rule for rule in found if rule.conditions]


def _leaves(nodes: Any, features: Features, task: Task) -> list[WholeRule]:
    found: list[WholeRule] = []
    open_: list[tuple[int, dict[int, Condition]]] = [(0, {})]
    while open_:
        i, path = open_.pop()
        j = int(nodes.feature[i])
        if j < 0:
            found.append(WholeRule(path, _says(nodes.value[i], task)))
            continue
        known = path.get(j, Condition(features.columns[j]))
        for child, left in ((nodes.right[i], False), (nodes.left[i], True)):
            open_.append((int(child), {**path, j: known.ask(nodes, i, left)}))
    return found


def _says(value: NDArray[np.float64], task: Task) -> str:
    """The class, where classes are predicted."""
    return str(task.classes[int(np.argmax(value))]) if task.classifies else ""


def _speaks_for(weights: NDArray[np.float64], task: Task) -> str:
    """What a term of a sum makes more or less likely."""
    c = int(np.abs(weights).argmax())
    sign = "more" if weights[c] > 0 else "less"
    if not task.classifies:
        return sign
    return f"{sign} {task.classes[1 if len(weights) == 1 else c]}"


def _alike(a: Condition, b: Condition, reach: float) -> bool:
    sides = ((a.low, b.low), (a.high, b.high))
    near = all(u == v or (math.isfinite(u) and abs(u - v) <= reach) for u, v in sides)
    return near and a.present == b.present and _levels(a) == _levels(b)


def _levels(c: Condition) -> frozenset[float]:
    """The levels that come through: "is not q" is "is p" where there are two."""
    every = frozenset(map(float, range(len(c.feature.levels))))
    return (every if c.codes is None else c.codes) - c.without


def _short(c: Condition) -> Condition:
    """With limits of four digits: others that lie near are the same."""
    return replace(c, low=float(f"{c.low:.4g}"), high=float(f"{c.high:.4g}"))
