"""The prototype of the tournament: trees and sums of terms, chosen by three folds on rows alone.

It is the recipe that the tournament is measured against, on the same teachers and rows: a greedy
tree on answers, one on probabilities, and sums of terms (columns; steps; both; columns and rules;
everything) by orthogonal least squares (Chen, Billings and Luo 1989) on clipped logits, by gain per
number, with weights refitted to the teacher's soft answers. There are no queries. Nothing of
limbeck's search is used; `refit` fits the weights of the terms that were chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from limbeck.core.columns import Rows
from limbeck.methods.answered_rows import AnsweredRows
from limbeck.students.sparse_sum.refit import refit
from limbeck.students.tree.greedy import expand

__all__ = ["Pick", "prototype"]

FOLDS, CLIP, CUTS, TREES, MOST_ROWS = 3, 3.0, 24, 20, 5000
FAMILIES = {
    "linear": ("column",), "steps": ("step",), "linear + steps": ("column", "step"),
    "linear + rules": ("column", "rule"), "all": ("column", "step", "hinge", "rule"),
}  # fmt: skip
Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Pick:
    """A student of the prototype: its name, its loss on rows left out, and what it says."""

    name: str
    loss: float
    predict: Callable[[Rows], np.ndarray]


@dataclass(frozen=True)
class _Term:
    kind: str
    numbers: int  # beside its weight
    tests: tuple[tuple[int, float, bool], ...]  # column, threshold, above

    def values(self, x: np.ndarray) -> np.ndarray:
        j, cut, above = self.tests[0]
        if self.kind == "column":
            return x[:, j]
        if self.kind == "hinge":
            return np.maximum(x[:, j] - cut if above else cut - x[:, j], 0.0)
        held = [(x[:, j] > cut) == above for j, cut, above in self.tests]
        return np.logical_and.reduce(held).astype(float)


def prototype(asked: AnsweredRows, sizes: list[int], seed: int) -> dict[int, list[Pick]]:
    """All its students by size, each with its cross-fitted loss; the first one is its pick.

    Parameters
    ----------
    asked : AnsweredRows
        Rows with the teacher's answers; queries are not looked at.
    sizes : list of int
        Numbers that a reader may hold.
    seed : int
        Deals rows to folds.
    """
    n = len(asked.rows)
    x = np.nan_to_num(expand(asked.rows.features, asked.rows.values)[0])
    told, soft, classifies = asked.answers[:n], asked.soft[:n], asked.teacher.task.classifies
    fold = np.random.default_rng([seed, 7]).permutation(n) % FOLDS
    losses: dict[tuple[str, int], list[float]] = {}
    for f in range(FOLDS):
        inside, out = fold != f, fold == f
        made = _students(x[inside], told[inside], soft[inside], classifies, sizes, seed)
        for key, predict in made.items():
            said = predict(x[out])
            wrong = said != told[out] if classifies else (said - told[out]) ** 2 / told.var()
            losses.setdefault(key, []).append(float(np.mean(wrong)))
    made = _students(x, told, soft, classifies, sizes, seed)
    found: dict[int, list[Pick]] = {size: [] for size in sizes}
    for (name, size), predict in made.items():
        loss = float(np.mean(losses[name, size]))
        found[size].append(Pick(name, loss, _said(predict, asked.teacher.task)))
    return {size: sorted(picks, key=lambda p: p.loss) for size, picks in found.items()}


def _said(predict: Predict, task) -> Callable[[Rows], np.ndarray]:
    def said(judged: Rows) -> np.ndarray:
        found = predict(np.nan_to_num(expand(judged.features, judged.values)[0]))
        return task.labels[found.astype(int)] if task.classifies else found

    return said


def _students(
    x: np.ndarray, told: np.ndarray, soft: np.ndarray, classifies: bool, sizes: list[int], seed: int
) -> dict[tuple[str, int], Predict]:
    """A student of each kind and size."""
    out: dict[tuple[str, int], Predict] = {}
    for size in sizes:
        leaves = max((size + 1) // 2, 2)
        tree = DecisionTreeClassifier if classifies else DecisionTreeRegressor
        out["tree", size] = tree(max_leaf_nodes=leaves, random_state=seed).fit(x, told).predict
        if classifies:
            made = DecisionTreeRegressor(max_leaf_nodes=leaves, random_state=seed).fit(x, soft)
            out["soft tree", size] = lambda rows, made=made: made.predict(rows).argmax(axis=1)
    targets = _targets(soft, classifies)
    some = np.random.default_rng(seed).permutation(len(x))[:MOST_ROWS]
    terms = _terms(x[some], targets[some], seed)
    matrix = np.array([t.values(x[some]) for t in terms])
    matrix -= matrix.mean(axis=1, keepdims=True)
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    matrix = matrix / np.maximum(length, 1e-12)
    price = np.array([t.numbers + 1 for t in terms])
    for name, kinds in FAMILIES.items():
        allowed = np.array([t.kind in kinds for t in terms]) & (length[:, 0] > 1e-9)
        paths = [_path(matrix, y - y.mean(), price, allowed, max(sizes)) for y in targets[some].T]
        for size in sizes:
            chosen = _merged(paths, price, size)
            out[name, size] = _fitted([terms[m] for m, _ in chosen], [c for _, c in chosen], x,
                                      soft, targets.shape[1], classifies)  # fmt: skip
    return out


def _targets(soft: np.ndarray, classifies: bool) -> np.ndarray:
    if not classifies:
        return (soft[:, :1] - soft.mean()) / soft.std()
    least = 1 / (1 + np.exp(CLIP))
    p = np.clip(soft[:, 1:] if soft.shape[1] == 2 else soft, least, 1 - least)
    return np.log(p / (1 - p))


def _terms(x: np.ndarray, targets: np.ndarray, seed: int) -> list[_Term]:
    """Columns, steps and hinges at quantiles, and the AND rules of shallow boosted trees."""
    found: list[_Term] = []
    for j in range(x.shape[1]):
        found.append(_Term("column", 0, ((j, 0.0, True),)))
        values = np.unique(x[:, j])
        if len(values) < 3:
            continue
        middle = (values[1:] + values[:-1]) / 2
        cuts = np.unique(np.quantile(x[:, j], np.linspace(0, 1, CUTS + 2)[1:-1]))
        for cut in middle if len(middle) <= CUTS else cuts:
            found.append(_Term("step", 1, ((j, float(cut), True),)))
            found += [_Term("hinge", 1, ((j, float(cut), above),)) for above in (True, False)]
    rules: dict[tuple[tuple[int, float, bool], ...], None] = {}
    for y in targets.T:
        model = GradientBoostingRegressor(
            n_estimators=max(TREES // targets.shape[1], 4), max_depth=3, learning_rate=0.3,
            min_samples_leaf=5, random_state=seed,
        ).fit(x, y)  # fmt: skip
        for tree in model.estimators_[:, 0]:
            rules.update(dict.fromkeys(_rules_of(tree.tree_)))
    return [*found, *(_Term("rule", len(rule), rule) for rule in rules)]


def _rules_of(tree) -> list[tuple[tuple[int, float, bool], ...]]:
    """The paths of two tests or more."""
    found, open_ = [], [(0, ())]
    while open_:
        node, path = open_.pop()
        if len(path) > 1:
            found.append(tuple(sorted(path)))
        if tree.children_left[node] >= 0:
            j, cut = int(tree.feature[node]), float(tree.threshold[node])
            open_.append((tree.children_left[node], (*path, (j, cut, False))))
            open_.append((tree.children_right[node], (*path, (j, cut, True))))
    return found


def _path(
    matrix: np.ndarray, y: np.ndarray, price: np.ndarray, allowed: np.ndarray, most: int
) -> list[tuple[int, float]]:
    """Terms in the order in which they are chosen, with their gain per number."""
    at = np.flatnonzero(allowed)
    rest, worth = matrix[at], price[at]
    norms, used, found = np.ones(len(at)), 1, []
    while True:
        gain = np.where(norms > 1e-3, (rest @ y) ** 2 / np.maximum(norms, 1e-3), 0.0)
        score = np.where(worth <= most - used, gain / worth, 0.0)
        m = int(score.argmax()) if len(score) else 0
        if not len(score) or score[m] <= 1e-6 * (y @ y):
            return found
        along = rest[m] / np.sqrt(norms[m])
        y = y - along * (along @ y)
        rest = rest - np.outer(rest @ along, along)
        norms = (rest**2).sum(axis=1)
        norms[m] = 0.0
        found.append((int(at[m]), float(score[m])))
        used += int(worth[m])


def _merged(paths: list[list[tuple[int, float]]], price: np.ndarray, size: int) -> list:
    """The classes' paths as one, by gain per number, while they fit; terms are shared."""
    place, chosen, held = [0] * len(paths), [], set()
    used = 1 if len(paths) == 1 else 0
    open_ = set(range(len(paths)))
    while open_:
        ready = [c for c in open_ if place[c] < len(paths[c])]
        if not ready:
            break
        c = max(ready, key=lambda c: paths[c][place[c]][1])
        m = paths[c][place[c]][0]
        cost = (1 if m in held else int(price[m])) + int(len(paths) > 1 and place[c] == 0)
        if used + cost > size:
            open_.discard(c)
            continue
        used += cost
        held.add(m)
        chosen.append((m, c))
        place[c] += 1
    return chosen


def _fitted(
    terms: list[_Term], outputs: list[int], x: np.ndarray, soft: np.ndarray, k: int,
    classifies: bool,
) -> Predict:  # fmt: skip
    order = list(dict.fromkeys(terms))
    used = np.zeros((len(order), k), dtype=bool)
    for term, c in zip(terms, outputs, strict=True):
        used[order.index(term), c] = True
    intercepts = used.any(axis=0) if k > 1 else np.ones(1, dtype=bool)
    if not intercepts.any():
        intercepts[soft.mean(axis=0).argmax()] = True

    def design(rows: np.ndarray) -> np.ndarray:
        return (
            np.stack([t.values(rows) for t in order], axis=1) if order else np.empty((len(rows), 0))
        )

    weights, level = refit(design(x), used, intercepts, soft, np.ones(len(x)), classifies)

    def predict(rows: np.ndarray) -> np.ndarray:
        total = design(rows) @ weights + level
        if not classifies:
            return total[:, 0]
        return total.argmax(axis=1) if k > 1 else (total[:, 0] > 0).astype(int)

    return predict
