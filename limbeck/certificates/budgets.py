"""How many rows theory asks for: to distil a teacher, and to learn the same student instead."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from limbeck.certificates.binomial import check_share
from limbeck.errors import InvalidInput, did_you_mean

__all__ = ["Budget", "BudgetRow", "budget", "log2_juntas", "log2_rule_lists", "log2_trees"]

_INTO = ("tree", "junta", "rules", "linear")
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
    if into not in _INTO:
        raise InvalidInput(f"There is no class of students {into!r}.", did_you_mean(into, _INTO))
    _positive(features=features, depth=depth, leaves=leaves, k=k, frontier=frontier)
    _positive(thresholds=thresholds)
    if classes < 2 or (into == "linear" and classes > 2):
        raise InvalidInput(f"classes is {classes}.", "Give 2, or more for all but linear.")
    words, log2_size, growth, vc = _class(into, features, depth, leaves, k, thresholds, classes)

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


def log2_trees(
    tests: float, *, depth: int | None = None, leaves: int | None = None, classes: int = 2
) -> float:
    """Binary logarithm of a count that bounds the number of decision trees.

    Full trees of depth r have 2^r - 1 inner nodes and 2^r leaves:
    ``tests^(2^r - 1) * classes^(2^r)``. Trees with s leaves have one of Catalan(s - 1) shapes:
    ``Catalan(s - 1) * tests^(s - 1) * classes^s``. Smaller trees are among them, with tests
    that decide nothing. Counting: Quinlan and Rivest (1989) code trees in the same way.

    Parameters
    ----------
    tests : float
        Different tests at a node: features, or features times thresholds.
    depth, leaves : int, optional
        Limits, at least one of them; with both the smaller count holds.
    classes : int
        Labels of a leaf.
    """
    counts = []
    if depth is not None:
        counts.append((2.0**depth - 1) * math.log2(tests) + 2.0**depth * math.log2(classes))
    if leaves is not None:
        s = leaves
        catalan = math.lgamma(2 * s - 1) - math.lgamma(s) - math.lgamma(s + 1)
        shapes = catalan / math.log(2)
        counts.append(shapes + (s - 1) * math.log2(tests) + s * math.log2(classes))
    return min(counts)


def log2_juntas(features: int, k: int, classes: int = 2) -> float:
    """Binary logarithm of the number of tables over k of d booleans: C(d, k) classes^(2^k)."""
    return math.log2(math.comb(features, k)) + 2.0**k * math.log2(classes)


def log2_rule_lists(tests: int, rules: int, literals: int, classes: int = 2) -> float:
    """Binary logarithm of a count that bounds the rule lists; Rivest (1987).

    Each of s rules has one of ``sum_i C(tests, i) 2^i`` conditions of up to w literals and a
    class; a default class follows.
    """
    most = min(literals, tests)
    conditions = sum(math.comb(tests, i) * 2**i for i in range(most + 1))
    return rules * (math.log2(conditions) + math.log2(classes)) + math.log2(classes)


Growth = Callable[[int], float]
"""Binary logarithm of the growth function: labelings of m rows that the class can give."""


def _class(
    into: str,
    d: int,
    depth: int | None,
    leaves: int | None,
    k: int | None,
    thresholds: int | None,
    classes: int,
) -> tuple[str, float | None, Growth, int | None]:
    """Words, log2 of the size, growth function and VC dimension of a class of students."""
    if into == "linear":
        vc = d + 1  # halfspaces; Blumer et al. 1989, section 1

        def halfspaces(m: int) -> float:
            return float(m) if m <= vc else vc * math.log2(math.e * m / vc)  # Sauer 1972

        return f"linear thresholds of {d} features", None, halfspaces, vc
    if into == "junta":
        if k is None or k > d:
            raise InvalidInput(f"A junta of k={k} of {d} variables.", "Give k from 1 to features.")
        size = log2_juntas(d, k, classes)
        return f"juntas of {k} of {d} booleans", size, lambda _: size, None
    if into == "rules":
        if depth is None or leaves is None or thresholds is None:
            raise InvalidInput(
                "A rule list needs leaves (rules), depth (literals in a rule) and thresholds.",
                "Give for example leaves=5, depth=3.",
            )
        size = log2_rule_lists(d * thresholds, leaves, depth, classes)
        return f"lists of {leaves} rules with {depth} literals", size, lambda _: size, None
    if depth is None and leaves is None:
        raise InvalidInput("A tree has neither depth nor leaves.", "Give depth=4, or leaves=16.")
    limits = [f"depth {depth}"] * (depth is not None) + [f"{leaves} leaves"] * (leaves is not None)
    words = f"trees of {' and '.join(limits)} over {d} features"
    if thresholds is None:
        # m rows tell at most m thresholds of a feature apart, the one that decides nothing included
        return (
            f"{words} with real thresholds",
            None,
            lambda m: min(m, log2_trees(d * m, depth=depth, leaves=leaves, classes=classes)),
            None,
        )
    size = log2_trees(d * thresholds, depth=depth, leaves=leaves, classes=classes)
    return words, size, lambda _: size, None


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
