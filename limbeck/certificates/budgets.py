"""How many rows theory asks for: to distil a teacher, and to learn the same student instead."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from limbeck.certificates.binomial import check_share
from limbeck.certificates.class_sizes import CLASSES, Growth, size_up
from limbeck.errors import InvalidInput, did_you_mean

__all__ = ["Budget", "BudgetRow", "budget"]

_MOST = 2**62


@dataclass(frozen=True)
class BudgetRow:
    """A task, the rows that suffice for it, and why."""

    task: str
    n: int
    formula: str
    source: str


@dataclass(frozen=True)
class Budget:
    """Rows that suffice, for a class of students.

    Parameters
    ----------
    into : str
        The class in words.
    epsilon, delta : float
        Error allowed, and the probability that it is exceeded.
    log2_size : float or None
        Binary logarithm of the number of functions in the class; None where it is infinite.
    vc : int or None
        VC dimension, where it is known.
    rows : tuple of BudgetRow
        Distilling first, then learning.
    """

    into: str
    epsilon: float
    delta: float
    log2_size: float | None
    vc: int | None
    rows: tuple[BudgetRow, ...]

    def text(self) -> str:
        """The budget as a table of plain text."""
        widths = (max(len(r.task) for r in self.rows), max(len(f"{r.n:,}") for r in self.rows))
        lines = [self._title()]
        lines += [
            f"  {r.task:<{widths[0]}}  {r.n:>{widths[1]},} rows   {r.formula}   ({r.source})"
            for r in self.rows
        ]
        return "\n".join(lines)

    __str__ = text

    def __rich__(self) -> Any:
        from rich.table import Table  # only where a terminal draws it

        table = Table(title=self._title(), title_justify="left")
        table.add_column("task")
        table.add_column("rows", justify="right")
        table.add_column("formula")
        table.add_column("source")
        for r in self.rows:
            table.add_row(r.task, f"{r.n:,}", r.formula, r.source)
        return table

    def _title(self) -> str:
        size = "" if self.log2_size is None else f", at most 2^{self.log2_size:.1f} functions"
        vc = "" if self.vc is None else f", VC dimension {self.vc}"
        return f"Into {self.into}{size}{vc}; epsilon {self.epsilon:g}, delta {self.delta:g}"


def budget(
    into: str,
    epsilon: float,
    delta: float,
    *,
    features: int,
    depth: int | None = None,
    leaves: int | None = None,
    k: int | None = None,
    thresholds: int | None = 1,
    classes: int = 2,
    frontier: int | None = None,
) -> Budget:
    """Rows that suffice for distilling into a class of students, and for learning them.

    Perfect distillation presumes that the student found from the teacher equals it; its rows
    only check that, so the class costs nothing. The other rows hold for any member of the
    class that does best on the rows.

    Parameters
    ----------
    into : str
        ``tree``, ``junta``, ``rules`` or ``linear``.
    epsilon, delta : float
        Disagreement allowed, and the probability that it is exceeded; in (0, 1).
    features : int
        Number of columns d.
    depth : int, optional
        Tree: the most tests on a path. Rules: the most literals in a rule.
    leaves : int, optional
        Tree: the most leaves. Rules: the most rules before the default.
    k : int, optional
        Junta: the variables that it reads.
    thresholds : int or None
        Tests a feature: 1 for booleans, the number of cut points for binned numbers, None for
        any threshold on real numbers (trees only).
    classes : int
        Number of classes.
    frontier : int, optional
        Functions on the Pareto frontier for the teacher at hand; see `frontier`. Agnostic
        distillation pays for these instead of the class.

    Returns
    -------
    Budget
        Four numbers of rows with their formulas.

    Raises
    ------
    InvalidInput
        If the class is unknown, a size is lacking or below 1, or epsilon or delta is outside
        (0, 1).
    """
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    if into not in CLASSES:
        raise InvalidInput(f"There is no class of students {into!r}.", did_you_mean(into, CLASSES))
    _positive(features=features, depth=depth, leaves=leaves, k=k, frontier=frontier)
    _positive(thresholds=thresholds)
    if classes < 2 or (into == "linear" and classes > 2):
        raise InvalidInput(f"classes is {classes}.", "Give 2, or more for all but linear.")
    words, log2_size, growth, vc = size_up(into, features, depth, leaves, k, thresholds, classes)

    perfect = BudgetRow(
        "distil, perfect",
        math.ceil(math.log(1 / delta) / epsilon),
        "ln(1/delta) / epsilon",
        "Boix-Adsera 2024",
    )
    if log2_size is not None:
        realizable = _finite_realizable(log2_size, epsilon, delta)
        agnostic = _finite_agnostic(log2_size, epsilon, delta)
    else:
        realizable = _growth_realizable(growth, epsilon, delta)
        agnostic = _growth_agnostic(growth, epsilon, delta)
    at_most = (
        agnostic if frontier is None else _finite_agnostic(math.log2(frontier), epsilon, delta)
    )
    which = "the frontier is at most G" if frontier is None else f"|frontier| = {frontier:,}"
    distil = BudgetRow(
        "distil, agnostic",
        min(at_most.n, agnostic.n),
        at_most.formula.replace("|G|", "|frontier|").replace("S(", "S_frontier("),
        f"Boix-Adsera 2024: {which}",
    )
    return Budget(words, epsilon, delta, log2_size, vc, (perfect, distil, realizable, agnostic))


def _finite_realizable(log2_size: float, epsilon: float, delta: float) -> BudgetRow:
    n = math.ceil((log2_size * math.log(2) + math.log(1 / delta)) / epsilon)
    return BudgetRow(
        "learn, realizable", n, "ln(|G|/delta) / epsilon", "Blumer et al. 1987, theorem 1"
    )


def _finite_agnostic(log2_size: float, epsilon: float, delta: float) -> BudgetRow:
    n = math.ceil(2 * (log2_size * math.log(2) + math.log(2 / delta)) / epsilon**2)
    return BudgetRow(
        "learn, agnostic",
        n,
        "2 ln(2 |G|/delta) / epsilon^2",
        "Shalev-Shwartz and Ben-David 2014, corollary 4.6",
    )


def _growth_realizable(growth: Growth, epsilon: float, delta: float) -> BudgetRow:
    def suffices(m: int) -> bool:
        return 1 + growth(2 * m) - epsilon * m / 2 <= math.log2(delta)

    n = _smallest(suffices, math.ceil(8 / epsilon))
    formula = "2 S(2n) 2^(-epsilon n / 2) <= delta"
    return BudgetRow("learn, realizable", n, formula, "Blumer et al. 1989, appendix A2")


def _growth_agnostic(growth: Growth, epsilon: float, delta: float) -> BudgetRow:
    def suffices(m: int) -> bool:
        # within epsilon / 2 on every member at once, so that the best on the rows is within epsilon
        tail = math.log(4) + growth(2 * m) * math.log(2) - epsilon**2 * m / 32
        return tail <= math.log(delta)

    n = _smallest(suffices, math.ceil(8 / epsilon**2))
    formula = "4 S(2n) exp(-epsilon^2 n / 32) <= delta"
    return BudgetRow("learn, agnostic", n, formula, "Vapnik and Chervonenkis 1971, theorem 2")


def _smallest(suffices: Callable[[int], bool], start: int) -> int:
    low = high = max(start, 1)
    while not suffices(high):
        low, high = high, 2 * high
        if high > _MOST:
            raise InvalidInput(
                "More than 2^62 rows would be needed.", "Ask for a smaller class or larger epsilon."
            )
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return low


def _positive(**sizes: int | None) -> None:
    for name, value in sizes.items():
        if value is not None and value < 1:
            raise InvalidInput(f"{name} is {value}.", "Give 1 or more.")
