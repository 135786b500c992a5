"""The terms among which a sum is chosen: columns, steps, hinges, and rules from boosted trees.

Every step is a row of a matrix of zeros and ones, so that the best split of all nodes of a level
is one matrix product, for all outputs at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.students.sparse_sum.terms import FilledColumns, SumTerm, TermTest
from limbeck.students.tree.thresholds import midways, printed

__all__ = ["Candidates", "boosted_rules", "candidates"]

Vector = NDArray[np.float64]
Single = NDArray[np.float32]
CELLS = 20_000_000  # numbers in the matrix of all candidates, which bounds time and memory
THRESHOLDS = 32  # of a column, where there are few columns
OUTPUTS = 8  # trees fit so many outputs; of more, random sums
TREES, DEPTH, RATE = 24, 3, 0.3
_AT_ONCE = 16  # rows that are standardised together
VALUE_TREES = 60
"""For values more rules were measured to help, for classes not."""


@dataclass(frozen=True)
class Candidates:
    """Terms and their values.

    Parameters
    ----------
    terms : list of SumTerm
        m of them.
    matrix : ndarray of shape (m, n), float32
        The value of each on each row, with mean 0 and standard deviation 1 there.
    """

    terms: list[SumTerm]
    matrix: Single


def candidates(
    features: Features,
    columns: FilledColumns,
    targets: Vector,
    weight: Vector,
    *,
    hinges: bool = True,
    rules: bool = True,
    per: Vector | None = None,
    trees: int = TREES,
) -> Candidates:
    """All terms that a sum may use.

    Parameters
    ----------
    features : Features
        The d columns.
    columns : FilledColumns
        Of n rows.
    targets : ndarray of shape (n, k)
        What the sums should be, for the trees from which rules are read.
    weight : ndarray of shape (n,)
        How much each row counts.
    hinges, rules : bool
        Whether to offer them.
    per : ndarray of shape (d,), optional
        The step in which each number is counted; 1 by default.
    trees : int
        From how many boosted trees rules are read.
    """
    n, d = columns.values.shape
    each = max(3, min(THRESHOLDS, CELLS // (3 * d * n), 4000 // d))
    least = min(max(5.0, 0.005 * n), 0.1 * n) / n * weight.sum()
    few = _few_outputs(targets)
    tests = _tests(features, columns, weight, each, least)
    steps = np.empty((len(tests), n), dtype=np.float32)
    for i, test in enumerate(tests):
        steps[i] = test.holds(columns)
    terms = []
    for j, feature in enumerate(features.columns):
        if feature.kind == "numeric":
            unit = 1.0 if per is None else float(per[j])
            at = [t.value for t in tests if t.column == j and t.op == ">"]
            if at:
                terms.append(SumTerm("column", j, per=unit))
            if hinges:
                for t in at[:: 1 if each < 8 else 2]:
                    short = float(f"{t:.4g}")  # a hinge separates nothing: fewer digits will do
                    terms += [SumTerm(k, j, short, (), unit) for k in ("above", "below")]
    rows = [np.asarray(t.evaluate(columns), dtype=np.float64) for t in terms]
    terms += [SumTerm("all", tests=(t,)) for t in tests]
    found = boosted_rules(tests, steps, few, weight, least, trees) if rules else []
    where = {t: i for i, t in enumerate(tests)}
    matrix = np.empty((len(terms) + len(found), n), dtype=np.float32)
    for i, row in enumerate(rows):
        matrix[i] = _standard(row[None], weight)[0]
    matrix[len(rows) : len(terms)] = steps
    for i, rule in enumerate(found):
        out = matrix[len(terms) + i]
        out[:] = 1.0
        for test in rule:
            out *= steps[where[test]] if test in where else 1 - steps[where[test.opposite]]
    for first in range(len(rows), len(matrix), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        matrix[some] = _standard(matrix[some], weight)
    terms += [SumTerm("all", tests=rule) for rule in found]
    return Candidates(terms, matrix)


def _standard(rows: NDArray[np.floating], weight: Vector) -> NDArray[np.float64]:
    """Each row with mean 0 and standard deviation 1; zeros where it does not vary."""
    total = weight.sum()
    mean = (rows * weight).sum(axis=1, keepdims=True) / total
    away = rows - mean
    spread = np.sqrt((away**2 * weight).sum(axis=1, keepdims=True) / total)
    varies = spread > 1e-9 * np.maximum(np.abs(mean), 1e-300)
    return np.asarray(np.divide(away, spread, out=np.zeros_like(away), where=varies))


def _tests(
    features: Features,
    columns: FilledColumns,
    weight: Vector,
    each: int,
    least: float,
) -> list[TermTest]:
    """Conditions that part at least ``least`` of the weight."""
    tests: list[TermTest] = []
    for j, feature in enumerate(features.columns):
        raw = columns.values[:, j]
        lacking = np.isnan(raw)
        if least <= weight[lacking].sum() <= weight.sum() - least:
            tests.append(TermTest(j, "missing"))
        if feature.kind == "categorical":
            codes = raw[~lacking].astype(np.int64)
            mass = np.bincount(codes, weight[~lacking], len(feature.levels))
            often = np.argsort(-mass, kind="stable")[: max(each, 64)]
            enough = (mass >= least) & (mass <= weight.sum() - least)
            tests += [TermTest(j, "is", float(c)) for c in np.sort(often) if enough[c]]
        elif feature.kind == "boolean":
            if raw[~lacking].min(initial=1.0) < raw[~lacking].max(initial=0.0):
                tests.append(TermTest(j, "is", 1.0))
        else:
            there = ~lacking & (weight > 0)
            cuts = _cuts(raw[there], weight[there], each, least)
            tests += [TermTest(j, ">", t) for t in cuts]
    return tests


def _cuts(x: Vector, weight: Vector, each: int, least: float) -> list[float]:
    """At most ``each`` thresholds at even steps of weight, each a short decimal."""
    if not len(x):
        return []
    order = np.argsort(x, kind="stable")
    values, first = np.unique(x[order], return_index=True)
    if len(values) < 2:
        return []
    below = np.add.reduceat(weight[order], first).cumsum()[:-1]
    thresholds, between = midways(values)
    if len(thresholds) != len(below):  # float32 tells some neighbours from each other only
        below = below[np.searchsorted(values, between[:, 0])]
    total = weight.sum()
    fits = np.flatnonzero((below >= least) & (below <= total - least))
    if not len(fits) and len(thresholds) == 1:
        fits = np.array([0])
    if len(fits) > each:
        wanted = total * (np.arange(each) + 0.5) / each
        fits = np.unique(fits[np.searchsorted(below[fits], wanted).clip(0, len(fits) - 1)])
    kept = zip(thresholds[fits].tolist(), between[fits].tolist(), strict=True)
    return [printed(t, low, high) for t, (low, high) in kept]


def _few_outputs(targets: Vector) -> Vector:
    """The targets, or random sums of them where there are many."""
    if targets.shape[1] <= OUTPUTS:
        return targets
    return targets @ np.random.default_rng(0).standard_normal((targets.shape[1], OUTPUTS))


def boosted_rules(
    tests: list[TermTest],
    steps: Single,
    targets: Vector,
    weight: Vector,
    least: float,
    trees: int = TREES,
    depth: int = DEPTH,
) -> list[tuple[TermTest, ...]]:
    """The paths of two conditions or more in boosted trees on all outputs.

    Gradient boosting of regression trees (Friedman 2001), and rules read from all their nodes
    as in RuleFit (Friedman and Popescu 2008).

    Parameters
    ----------
    tests : list of TermTest
        The m splits that a tree may use.
    steps : ndarray of shape (m, n), float32
        1 where each holds, else 0.
    targets : ndarray of shape (n, k)
        What the trees predict.
    weight : ndarray of shape (n,)
        How much each row counts.
    least : float
        The least weight on each side of a split.
    trees, depth : int
        How many trees, and how deep.

    Returns
    -------
    list of tuple of TermTest
        Each once, sorted, with no more than one condition on each side of a column.
    """
    if len(tests) < 2:
        return []
    mean = np.average(targets, axis=0, weights=weight)
    rest = targets - mean
    found: dict[tuple[TermTest, ...], None] = {}
    for _ in range(trees):
        node = np.zeros(rest.shape[0], dtype=np.int64)
        paths: list[tuple[TermTest, ...]] = [()]
        for _ in range(depth):
            chosen = _best_splits(steps, rest, weight, node, len(paths), least)
            below: list[tuple[TermTest, ...]] = []
            goes = np.zeros(len(node), dtype=np.int64)
            for i, at in enumerate(chosen):
                inside = node == i
                if at < 0:
                    goes[inside] = len(below)
                    below.append(paths[i])
                    continue
                goes[inside] = len(below) + (steps[at][inside] > 0.5)
                below += [_joined(paths[i], tests[at].opposite), _joined(paths[i], tests[at])]
            node, paths = goes, below
            found.update(dict.fromkeys(p for p in paths if len(p) > 1))
        mass = np.bincount(node, weight, len(paths))
        for c in range(rest.shape[1]):
            mean = np.bincount(node, weight * rest[:, c], len(paths)) / np.maximum(mass, 1e-300)
            rest[:, c] -= RATE * mean[node]
    return list(found)


def _best_splits(
    steps: Single, rest: Vector, weight: Vector, node: NDArray[np.int64], nodes: int, least: float
) -> list[int]:
    """The step that explains most within each node; -1 where none parts it."""
    k = rest.shape[1]
    each = np.empty((len(rest), nodes, k + 1), dtype=np.float32)
    inside = (node[:, None] == np.arange(nodes)) * weight[:, None]
    each[:, :, :k] = inside[:, :, None] * rest[:, None, :]
    each[:, :, k] = inside
    flat = each.reshape(len(rest), -1)
    yes = (steps @ flat).reshape(len(steps), nodes, k + 1).astype(np.float64)
    total = flat.sum(axis=0, dtype=np.float64).reshape(1, nodes, k + 1)
    no = total - yes
    mass = np.maximum(yes[:, :, k], 1e-300), np.maximum(no[:, :, k], 1e-300)
    gain = (yes[:, :, :k] ** 2).sum(axis=2) / mass[0] + (no[:, :, :k] ** 2).sum(axis=2) / mass[1]
    gain -= (total[:, :, :k] ** 2).sum(axis=2) / np.maximum(total[:, :, k], 1e-300)
    gain[(yes[:, :, k] < least) | (no[:, :, k] < least)] = -1.0
    best = gain.argmax(axis=0)
    worth = gain[best, np.arange(nodes)] > 1e-9
    return [int(b) if w else -1 for b, w in zip(best, worth, strict=True)]


def _joined(path: tuple[TermTest, ...], test: TermTest) -> tuple[TermTest, ...]:
    """A path with one more condition; the later of two on one side of a column is the tighter."""
    same = test.op in ("<=", ">")
    kept = [t for t in path if not (same and t.column == test.column and t.op == test.op)]
    return tuple(sorted([*kept, test]))
