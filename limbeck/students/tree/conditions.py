"""Conditions in words: the values of one column that a path through a tree lets through."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from limbeck.core.column import Feature
from limbeck.core.printable import visible
from limbeck.students.tree.nodes import EQ, LE, MISSING, Nodes
from limbeck.students.tree.thresholds import decimal

__all__ = ["Condition", "quoted"]

# Words and signs by which a condition is read; a name or level that holds one is put in quotes.
_READ = re.compile(
    r"(^|\W)(and|or|nor|not|neither|none|of|is|missing|impossible|if|then|true|false)(\W|$)"
    r"|[<>=,'\"()?]|^\s|\s$|^$",
    re.IGNORECASE,
)


def quoted(name: str) -> str:
    """A name or level as it stands in a sentence: in quotes where it could be read as one."""
    return repr(name) if _READ.search(name) or visible(name) != name else name


@dataclass(frozen=True)
class Condition:
    """The values of one column that a path lets through: an interval, levels, missing or not.

    Parameters
    ----------
    feature : Feature
        The column.
    low, high : float
        A number comes through if low < x <= high.
    codes : frozenset of float, optional
        The only levels that come through; None for all.
    without : frozenset of float
        Levels that do not.
    present, missing : bool
        Whether any value that is not missing comes through, and whether missing values do.
    """

    feature: Feature
    low: float = -math.inf
    high: float = math.inf
    codes: frozenset[float] | None = None
    without: frozenset[float] = field(default_factory=frozenset)
    present: bool = True
    missing: bool = True

    def ask(self, nodes: Nodes, i: int, left: bool) -> Condition:
        """The condition after node ``i`` was answered by going left or right.

        Parameters
        ----------
        nodes : Nodes
            The tree.
        i : int
            The node.
        left : bool
            Whether the row goes left.
        """
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
        missing = self.missing and goes_with
        return Condition(self.feature, low, high, codes, without, present, missing)

    @property
    def always(self) -> bool:
        """Whether everything comes through, missing values included: there is nothing to say."""
        if not (self.present and self.missing):
            return False
        if self.feature.kind == "categorical":
            return self.codes is None and not self.without and bool(self.feature.levels)
        return self.low == -math.inf and self.high == math.inf

    def words(self, missing: bool = False) -> str:
        """The condition; empty where everything comes through.

        Parameters
        ----------
        missing : bool
            Whether to say that missing values come through as well.
        """
        name = quoted(self.feature.label)
        said = self._present(name) if self.present else f"{name} is impossible"
        if said.endswith("is impossible"):
            return f"{name} is missing" if self.missing else said
        if not said:
            return "" if self.missing else f"{name} is not missing"
        return f"({said} or is missing)" if missing and self.missing else said

    def _present(self, name: str) -> str:
        if self.low >= self.high:
            return f"{name} is impossible"
        if self.feature.kind == "boolean" and math.isinf(self.low) != math.isinf(self.high):
            return f"{name} is {'true' if math.isinf(self.high) else 'false'}"
        if self.feature.kind == "categorical":
            return self._levels(name)
        unit = f" {self.feature.unit}" if self.feature.unit else ""
        if math.isinf(self.low):
            return "" if math.isinf(self.high) else f"{name} <= {decimal(self.high)}{unit}"
        if math.isinf(self.high):
            return f"{name} > {decimal(self.low)}{unit}"
        return f"{decimal(self.low)} < {name} <= {decimal(self.high)}{unit}"

    def _levels(self, name: str) -> str:
        """What is told in the fewest levels: those that come through, or those that do not."""
        levels = self.feature.levels
        every = frozenset(map(float, range(len(levels))))
        left = (every if self.codes is None else self.codes) - self.without
        if not left:
            return f"{name} is impossible"
        if self.codes is not None or len(left) < len(self.without):
            return f"{name} is {_listed([levels[int(c)] for c in sorted(left)], 'or')}"
        out = [levels[int(c)] for c in sorted(self.without)]
        if len(out) < 2:
            return f"{name} is not {quoted(out[0])}" if out else ""
        if len(out) == 2:
            return f"{name} is neither {_listed(out, 'nor')}"
        return f"{name} is none of {_listed(out, 'or')}"


def _listed(names: Sequence[str], last: str) -> str:
    *most, end = map(quoted, names)
    return f"{', '.join(most)} {last} {end}" if most else end
