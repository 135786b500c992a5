"""Readable students of other packages, by the numbers that a reader must hold.

All get the teacher's answers on the rows and on MUNGE queries. What takes weights gets 10,000
queries of half the weight; what takes none as many queries as there are rows. Categories are
one-hot, a missing value is 0.

* ``sklearn_tree``: 2 numbers a leaf, less 1.
* ``figs``, ``rulefit``, ``greedy_rule_list`` of imodels (the first two for two classes and values,
  the last for two classes): 2 numbers a leaf, less 1, of every tree; a weight and the conditions of
  a rule, the weight of a column, and the intercept; a condition and a value a rule, and the rest.
* ``optimal_tree`` of pystreed (classes and values): the least errors with at most 4, 8 and 16
  leaves, over 10 thresholds a column of the 12 columns that a forest of the answers reads most, 20
  seconds each at most. It takes no weights.
* ``interpret`` (two classes and values): explainable boosting on logits or values, no pairs, with
  one bag of 4, 5, 6, 8 and 16 bins; by its own settings on the rows alone in `largest_machines`. A
  curve takes two numbers a step.

    pip install imodels==3.0.4 pystreed==1.4.0 scikit-survival interpret-core==0.7.8
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from limbeck.core.answers import answers, probabilities
from limbeck.core.columns import Rows
from limbeck.methods.weights import weights
from limbeck.samplers.named import sampler_named
from limbeck.students.additive.stepwise import logits
from limbeck.students.tree.greedy import expand

__all__ = ["PEERS", "largest_machines", "peers"]

QUERIES, SIZES = 10_000, (4, 8, 16, 32, 64)
COLUMNS, THRESHOLDS, SECONDS = 12, 10, 20.0
Sized = tuple[int, Any]
"""Numbers to hold, and a fitted model."""


class Answered:
    """Rows and queries as numbers, with the teacher's answers."""

    def __init__(self, teacher: Any, rows: Rows, seed: int) -> None:
        rng = np.random.default_rng(seed)
        drawn = sampler_named("munge").draw(rows, QUERIES, rng)
        self.task, self.seed = teacher.task, seed
        both = Rows(rows.features, np.vstack([rows.values, drawn.values]))
        scores = np.concatenate([teacher.scores(r.native()) for r in (rows, drawn)])
        self.told = answers(scores, self.task)
        self.x = matrix(both)
        self.weight = weights(len(rows), len(drawn), 0.5)
        few = slice(0, 2 * len(rows))  # where no weights are taken
        self.few_x, self.few_told = self.x[few], self.told[few]
        self.goals = logits(probabilities(scores, self.task)) if self.task.classifies else scores


def matrix(rows: Rows) -> np.ndarray:
    """Numbers without gaps, categories one-hot."""
    return np.nan_to_num(expand(rows.features, rows.values)[0])


def sklearn_tree(data: Answered, most: int) -> list[Sized]:
    """CART, best first."""
    cls = DecisionTreeClassifier if data.task.classifies else DecisionTreeRegressor
    largest = (most + 1) // 2
    leaves = [n for n in (2, 4, 8, 16, 32) if n < largest] + [largest]
    trees = [cls(max_leaf_nodes=n, random_state=data.seed).fit(data.x, data.told, data.weight)
             for n in leaves]  # fmt: skip
    return [(2 * t.get_n_leaves() - 1, t) for t in trees]


def figs(data: Answered, most: int) -> list[Sized]:
    """Sums of trees, as imodels has them."""
    import imodels

    cls = imodels.FIGSClassifier if data.task.classifies else imodels.FIGSRegressor
    out: list[Sized] = []
    for rules in (1, 2, 3, 5, 7, 10, 15, 20, 26):
        model = cls(max_rules=rules, random_state=data.seed)
        model.fit(data.x, data.told, sample_weight=data.weight)
        out.append((sum(2 * leaves_of(t) - 1 for t in model.trees_), model))
    return out


def leaves_of(node: Any) -> int:
    return 1 if node.left is None else leaves_of(node.left) + leaves_of(node.right)


def rulefit(data: Answered, most: int) -> list[Sized]:
    """Rules and columns under an L1 penalty, as imodels has them."""
    import imodels

    cls = imodels.RuleFitClassifier if data.task.classifies else imodels.RuleFitRegressor
    out: list[Sized] = []
    for size in SIZES:
        model = cls(max_rules=max(size // 3, 2), random_state=data.seed)
        model.fit(data.few_x, data.few_told)
        out.append((rulefit_numbers(model), model))
    return out


def rulefit_numbers(model: Any) -> int:
    rules = list(model.rules_)
    columns = np.asarray(model.coef)[: len(model.coef) - len(rules)]
    weights_of_rules = np.asarray(model.coef)[len(columns) :]
    kept = [r for r, c in zip(rules, weights_of_rules, strict=True) if c]
    return 1 + int((columns != 0).sum()) + sum(str(r).count(" and ") + 2 for r in kept)


def greedy_rule_list(data: Answered, most: int) -> list[Sized]:
    """A list of one condition a rule, of imodels."""
    from imodels import GreedyRuleListClassifier

    out: list[Sized] = []
    for rules in (1, 2, 3, 5, 7, 10, 15, 20, 31) if data.task.classifies else ():
        model = GreedyRuleListClassifier(max_depth=rules)
        model.fit(data.few_x, data.few_told)
        out.append((2 * (len(model.rules_) - 1) + 1, model))
    return out


def optimal_tree(data: Answered, most: int) -> list[Sized]:
    """Of pystreed."""
    from pystreed import STreeDClassifier, STreeDRegressor

    classifies = data.task.classifies
    binary = Thresholds(data)
    out: list[Sized] = []
    for depth, leaves in ((2, 4), (3, 8), (4, 16)):
        settings = {"max_depth": depth, "max_num_nodes": leaves - 1, "time_limit": SECONDS}
        if classifies:
            tree = STreeDClassifier(**settings)
        else:  # without a cost of 0 it ends the process
            tree = STreeDRegressor(**settings, cost_complexity=0.0)
        tree.fit(binary(data.few_x), data.few_told)
        out.append((2 * int(tree.get_n_leaves()) - 1, Chained(binary, tree)))
    return out


class Thresholds:
    """Whether a value is above quantiles of its column, of the columns that a forest reads."""

    def __init__(self, data: Answered) -> None:
        cls = ExtraTreesClassifier if data.task.classifies else ExtraTreesRegressor
        forest = cls(100, random_state=data.seed).fit(data.few_x, data.few_told)
        self.columns = np.sort(np.argsort(-forest.feature_importances_)[:COLUMNS])
        at = np.arange(1, THRESHOLDS + 1) / (THRESHOLDS + 1)
        self.cuts = [np.unique(np.quantile(data.few_x[:, c], at)) for c in self.columns]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        parts = [x[:, [c]] > cuts for c, cuts in zip(self.columns, self.cuts, strict=True)]
        return np.hstack(parts).astype(np.int64)


class Chained:
    """A model on rows that are made binary first."""

    def __init__(self, binary: Thresholds, model: Any) -> None:
        self.binary, self.model = binary, model

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict(self.binary(x)))


def interpret(data: Answered, most: int) -> list[Sized]:
    """Explainable boosting of few bins."""
    coarse = {"outer_bags": 1, "validation_size": 0, "early_stopping_rounds": 0, "max_rounds": 500}
    sets = [machines_of(data.x, data.goals, data, {**coarse, "max_bins": n}, data.weight)
            for n in (4, 5, 6, 8, 16)]  # fmt: skip
    return [(sum(steps_of(m) for m in made.machines), made) for made in sets]


def largest_machines(teacher: Any, rows: Rows, seed: int) -> tuple[int, Any]:
    """Explainable boosting by its own settings, on the rows alone: its numbers, what it says."""
    data, n = Answered(teacher, rows, seed), len(rows)
    made = machines_of(data.x[:n], data.goals[:n], data, {})
    return sum(steps_of(m) for m in made.machines), said_by(made, teacher)


def machines_of(
    x: np.ndarray, goals: np.ndarray, data: Answered, settings: dict[str, Any], *weight: np.ndarray
) -> Machines:
    """One for each logit, or for values."""
    from interpret.glassbox import ExplainableBoostingRegressor

    made = [
        ExplainableBoostingRegressor(interactions=0, n_jobs=1, random_state=data.seed, **settings)
        .fit(x, goal, *weight) for goal in np.ascontiguousarray(goals.reshape(len(x), -1).T)
    ]  # fmt: skip
    return Machines(made, data.task.classifies)


def steps_of(machine: Any) -> int:
    steps = [np.abs(np.diff(np.asarray(t)[1:-1])) > 1e-12 for t in machine.term_scores_]
    return 1 + 2 * sum(int(s.sum()) for s in steps)


class Machines:
    """A sum for each class, of which the largest is said; or one for values."""

    def __init__(self, machines: list[Any], classifies: bool) -> None:
        self.machines, self.classifies = machines, classifies

    def predict(self, x: np.ndarray) -> np.ndarray:
        sums = np.stack([m.predict(x) for m in self.machines], axis=1)
        if not self.classifies:
            return sums[:, 0]
        return sums.argmax(axis=1) if sums.shape[1] > 1 else (sums[:, 0] > 0).astype(int)


KINDS: dict[str, Callable[[Answered, int], list[Sized]]] = {
    "sklearn_tree": sklearn_tree, "figs": figs, "rulefit": rulefit,
    "greedy_rule_list": greedy_rule_list, "optimal_tree": optimal_tree, "interpret": interpret,
}  # fmt: skip
PEERS = tuple(KINDS)
_TWO_CLASSES = ("figs", "rulefit", "greedy_rule_list", "interpret")


def peers(name: str, teacher: Any, rows: Rows, most: int, seed: int) -> list[tuple[int, Any]]:
    """Students of growing size with their numbers; none where the package has no such student."""
    if len(teacher.task.classes) > 2 and name in _TWO_CLASSES:
        raise ValueError(f"{name} is of two classes, or of values.")
    made = KINDS[name](Answered(teacher, rows, seed), most)
    return sorted(((held, said_by(m, teacher)) for held, m in made), key=lambda pair: pair[0])


def said_by(model: Any, teacher: Any) -> Callable[[Rows], np.ndarray]:
    """Its predictions in the teacher's own labels."""

    def predict(judged: Rows) -> np.ndarray:
        found = np.asarray(model.predict(matrix(judged)))
        return teacher.task.labels[found.astype(int)] if teacher.task.classifies else found

    return predict
