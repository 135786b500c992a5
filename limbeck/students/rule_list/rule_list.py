"""The rule list student: IF ... THEN ... ELSE IF ... ELSE ..."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.students.rule_list.order import by_support
from limbeck.students.rules.candidates import FOREST
from limbeck.students.rules.clause import Clause
from limbeck.students.rules.lines import RuleLine
from limbeck.students.rules.pieces import decided, means, searched
from limbeck.students.rules.search import ListSearch
from limbeck.students.rules.student import RuleStudent
from limbeck.students.tree.text import outcome, value_digits

__all__ = ["RuleList"]


@STUDENTS.register("rule_list")
class RuleList(RuleStudent):
    """Rules in order, of which the first that holds decides (a decision list, Rivest 1987).

    ``fit`` takes the nodes of many small trees for candidates, puts the one that lowers the
    impurity (or squared error) most for its numbers into the best place of the list, and exchanges
    earlier ones as long as that helps; see :mod:`limbeck.students.rules.search`. Neighbours
    without a common row then stand with that of more rows first; see
    :mod:`limbeck.students.rule_list.order`.

    Parameters
    ----------
    max_rules : int
        The most rules, without the last line for all other rows.
    max_conditions : int
        The most thresholds and levels in one rule.
    max_numbers : int, optional
        The most numbers that a reader must hold.
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.
    random_state : int
        Draws the trees of the forest.

    Attributes
    ----------
    clauses_, value_, share_
        As in :class:`limbeck.students.rules.student.RuleStudent`; a rule speaks of the rows that
        no earlier rule decided.
    features_, task_, classes_, n_features_in_, feature_names_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> X = [[1.0], [2.0], [5.0], [6.0], [9.0], [9.5]]
    >>> rules = RuleList().fit(X, ["no", "no", "yes", "yes", "no", "no"])
    >>> print(rules.text())
    IF 3 < x0 <= 7 THEN yes (1)  [33 %]
    ELSE no (1)  [67 %]
    """

    kind = "rule_list"

    def path(
        self,
        features: Features,
        task: Task,
        values: NDArray[np.float64],
        target: NDArray[Any],
        weight: NDArray[np.float64],
        rng: np.random.Generator,
        forest: int = FOREST,
        costs: NDArray[np.float64] | None = None,
    ) -> list[Self]:
        """Lists of growing size; see :meth:`RuleStudent.path`.

        Parameters
        ----------
        features, task, values, target, weight, rng, forest, costs
            As there.
        """
        k = len(task.classes)
        trees = searched(features, values, target, weight, k, self.max_conditions, rng)
        search = ListSearch(
            trees, trees.first(forest, rng), self._limits(costs), rng, forest >= FOREST
        )
        lists = search.path().lists
        clauses = search.candidates.clauses
        return [
            self._of([clauses[i] for i in found], features, task, values, target, weight)
            for found in lists
        ]

    def lines(self, *, digits: int | None = None, exact: bool = False) -> list[RuleLine]:
        """The rules as they are printed and drawn, from top to bottom.

        Parameters
        ----------
        digits, exact
            As in :meth:`text`.
        """
        check_is_fitted(self)
        kept = value_digits(self.value_[:, 0], digits, exact)
        share, places = self.share_, _places(self.value_, self.task_)
        out = []
        for i, clause in enumerate((*self.clauses_, Clause.of({}))):
            last = i == len(self.clauses_)
            head = ("ELSE" if i else "ALWAYS") if last else ("ELSE IF" if i else "IF")
            said = outcome(self.value_[i], self.task_, kept)
            words = clause.as_printed(digits, exact).words()
            known = float(share[i]) if share.any() else None
            out.append(RuleLine(head, words, said, known, places[i], self.task_.classifies))
        return out

    def _of(
        self,
        clauses: list[Clause],
        features: Features,
        task: Task,
        values: NDArray[np.float64],
        target: NDArray[Any],
        weight: NDArray[np.float64],
    ) -> Self:
        """A list of these clauses, its limits and values from these rows."""
        ordered = by_support(clauses, values, weight)
        settled, left = [], values
        for clause in ordered:
            settled.append(clause.settled(left))
            left = left[~clause.holds(left)]
        inside = decided(settled, values)
        value, share = means(inside, target, weight, len(task.classes))
        return self._made(settled, value, share, features, task)


def _places(value: NDArray[np.float64], task: Task) -> list[float]:
    """Where each value lies in the palette; see :class:`limbeck.students.rules.lines.RuleLine`."""
    if task.classifies:
        return [float(v.argmax()) for v in value]
    low, spread = float(value.min()), float(np.ptp(value)) or 1.0
    return [(float(v[0]) - low) / spread for v in value]
