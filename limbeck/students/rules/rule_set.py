"""The rule set student: rules without an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.students.formula import Formula
from limbeck.students.rules.candidates import FOREST, CandidateClauses, CandidateTrees
from limbeck.students.rules.clause import Clause
from limbeck.students.rules.lines import RuleLine
from limbeck.students.rules.pieces import means, searched
from limbeck.students.rules.set_search import AnyOfSearch, SurestSearch
from limbeck.students.rules.student import RuleStudent
from limbeck.students.rules.sum_search import SumSearch, fitted_sum
from limbeck.students.targets import TaskLike
from limbeck.students.tree.text import number, outcome, value_digits

__all__ = ["RuleSet"]


@STUDENTS.register("rules")
class RuleSet(RuleStudent):
    """Rules without an order, whose meaning depends on the task.

    * Two classes: a disjunction (DNF). A row that satisfies any rule is of the class that the
      rules find, every other row of the other class.
    * More classes: each class has a set of rules. Where rules of several classes hold, the surest
      decides, which is the one with the smallest number; a rule is the surer, the larger the share
      of its class among all training rows that satisfy it. Where none holds, the last line does.
    * Values: the numbers of all rules that hold are added to a first number.

    Parameters
    ----------
    max_rules : int
        The most rules, of all classes together.
    max_conditions : int
        The most thresholds and levels in one rule.
    max_numbers : int, optional
        The most numbers that a reader must hold.
    positive : label, optional
        Of two classes the one that the rules find; by default the one with which they come closer.
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.
    random_state : int
        Draws the trees of the forest.

    Attributes
    ----------
    clauses_, value_, share_
        As in :class:`limbeck.students.rules.student.RuleStudent`, surest first; a rule speaks of
        all rows that satisfy it, the last line of those that satisfy none.
    features_, task_, classes_, n_features_in_, feature_names_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> X = [[1.0], [2.0], [5.0], [6.0], [9.0], [9.5]]
    >>> rules = RuleSet(positive="no").fit(X, ["no", "no", "yes", "yes", "no", "no"])
    >>> print(rules.text())
    IF x0 <= 3 THEN no (1)  [33 %]
    OR IF x0 > 7 THEN no (1)  [33 %]
    ELSE yes (1)  [33 %]
    """

    kind = "rules"

    def __init__(
        self,
        max_rules: int = 8,
        max_conditions: int = 3,
        max_numbers: int | None = None,
        positive: Any = None,
        task: TaskLike = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(max_rules, max_conditions, max_numbers, task, random_state)
        self.positive = positive

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,), for rows of shape (n, d).

        Raises
        ------
        InvalidInput
            If X has other columns than the training rows, or an infinite value.
        """
        check_is_fitted(self)
        if self.task_.classifies:
            return super().predict(X)
        found = []
        for block in self.features_.blocks(X):
            total = np.full(len(block), self.value_[-1, 0])
            for clause, value in zip(self.clauses_, self.value_[:, 0], strict=False):
                total += value * clause.holds(block)
            found.append(total)
        return np.concatenate(found) if found else np.zeros(0)

    def formula(self) -> Formula:
        """Which rule decides, and its value; for values the sum of all that hold."""
        from limbeck.students.rules.formula import added

        if not hasattr(self, "task_") or self.task_.classifies:
            return super().formula()
        return added(self.clauses_, self.value_, self.features_, self.task_)

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
        """Sets of growing size; see :meth:`RuleStudent.path`.

        Parameters
        ----------
        features, task, values, target, weight, rng, forest, costs
            As there.
        """
        data = (values, target, weight)
        trees = searched(features, *data, len(task.classes), self.max_conditions, rng)
        candidates = trees.first(forest, rng)
        if not task.classifies:
            lists = SumSearch(trees, candidates, self._limits(costs), rng).path()
            return [self._sum(_named(candidates, some), features, task, *data) for some in lists]
        if len(task.classes) == 2:
            return self._any_of(
                trees, candidates, features, task, *data, rng, forest >= FOREST, costs
            )
        found = (
            SurestSearch(trees, candidates, self._limits(costs), rng, forest >= FOREST).path().lists
        )
        return [self._surest(_named(candidates, some), features, task, *data) for some in found]

    def _any_of(
        self,
        trees: CandidateTrees,
        candidates: CandidateClauses,
        features: Features,
        task: Task,
        values: NDArray[np.float64],
        target: NDArray[Any],
        weight: NDArray[np.float64],
        rng: np.random.Generator,
        thorough: bool,
        costs: NDArray[np.float64] | None,
    ) -> list[Self]:
        """Disjunctions of growing size for either class; each is better than those before it."""
        data = (features, task, values, target, weight)
        found = [self._made((), *_covered([], *data[2:], 2), features, task)]
        least, paths = _wrong(found[0], values, target, weight), []
        for positive in self._positives(task):
            search = AnyOfSearch(trees, candidates, self._limits(costs), rng, thorough, positive)
            paths.append((positive, search.path().lists))
        for size in range(1, max(len(lists) for _, lists in paths)):
            for positive, lists in paths:
                if size >= len(lists):
                    continue
                made = self._disjunction(_named(candidates, lists[size]), positive, *data)
                wrong = np.inf if made is None else _wrong(made, values, target, weight)
                if made is not None and wrong < least - 1e-12:
                    least = wrong
                    found = [s for s in found if s.size < made.size] + [made]
        return found

    def _positives(self, task: Task) -> tuple[int, ...]:
        if self.positive is None:
            return 0, 1
        if self.positive not in task.classes:
            raise InvalidInput(
                f"positive is {self.positive!r}, and the classes are"
                f" {' and '.join(map(repr, task.classes))}.",
                did_you_mean(str(self.positive), map(str, task.classes)),
            )
        return (task.classes.index(self.positive),)

    def _disjunction(
        self,
        clauses: list[Clause],
        positive: int,
        features: Features,
        task: Task,
        values: NDArray[np.float64],
        target: NDArray[Any],
        weight: NDArray[np.float64],
    ) -> Self | None:
        """Rules that find a class; None where most rows that satisfy none are of it as well."""
        settled = [clause.settled(values) for clause in clauses]
        value, share = _covered(settled, values, target, weight, 2)
        settled = [c for c, v in zip(settled, value, strict=False) if v.argmax() == positive]
        order = np.argsort(
            -_covered(settled, values, target, weight, 2)[0][:-1, positive], kind="stable"
        )
        settled = [settled[i] for i in order]
        value, share = _covered(settled, values, target, weight, 2)
        if value[-1].argmax() == positive:
            return None
        return self._made(settled, value, share, features, task)

    def _surest(
        self,
        clauses: list[Clause],
        features: Features,
        task: Task,
        values: NDArray[np.float64],
        target: NDArray[Any],
        weight: NDArray[np.float64],
    ) -> Self:
        settled = [clause.settled(values) for clause in clauses]
        value, share = _covered(settled, values, target, weight, len(task.classes))
        order = np.argsort(-value[:-1].max(axis=1), kind="stable").tolist()
        settled, order = [settled[i] for i in order], [*order, len(settled)]
        return self._made(settled, value[order], share[order], features, task)

    def _sum(
        self,
        clauses: list[Clause],
        features: Features,
        task: Task,
        values: NDArray[np.float64],
        target: NDArray[Any],
        weight: NDArray[np.float64],
    ) -> Self:
        settled = [clause.settled(values) for clause in clauses]
        truth = np.column_stack([np.zeros((len(values), 0)), *(c.holds(values) for c in settled)])
        value = fitted_sum(truth, target, weight)[:, None]
        share = np.append(weight @ truth, weight.sum()) / weight.sum()
        return self._made(settled, value, share, features, task)

    def lines(self, *, digits: int | None = None, exact: bool = False) -> list[RuleLine]:
        """The rules as they are printed and drawn, from top to bottom.

        Parameters
        ----------
        digits, exact
            As in :meth:`text`.
        """
        check_is_fitted(self)
        words = [clause.as_printed(digits, exact).words() for clause in self.clauses_]
        if not self.task_.classifies:
            return self._added(words, digits, exact)
        return self._of_two(words) if len(self.task_.classes) == 2 else self._of_many(words)

    def _of_two(self, words: list[str]) -> list[RuleLine]:
        share, total = self.share_, len(words)
        out = []
        for i, said in enumerate([*words, ""]):
            head = ("ELSE" if i else "ALWAYS") if i == total else ("OR IF" if i else "IF")
            out.append(self._line(head, said, i, share))
        return out

    def _of_many(self, words: list[str]) -> list[RuleLine]:
        share, decides = self.share_, self.value_[:-1].argmax(axis=1)
        out = []
        for i in np.argsort(decides, kind="stable").tolist():
            out.append(self._line(f"{i + 1}. IF", words[i], i, share))
        out.append(self._line("ELSE" if words else "ALWAYS", "", len(words), share))
        if len(set(decides.tolist())) > 1:
            out.append(
                RuleLine("Of several rules that hold, the one with the smallest number decides.")
            )
        return out

    def _line(self, head: str, words: str, i: int, share: NDArray[np.float64]) -> RuleLine:
        known = float(share[i]) if share.any() else None
        said = outcome(self.value_[i], self.task_)
        return RuleLine(head, words, said, known, float(self.value_[i].argmax()))

    def _added(self, words: list[str], digits: int | None, exact: bool) -> list[RuleLine]:
        share, added = self.share_, self.value_[:, 0]
        kept, unit = value_digits(added, digits, exact), self.task_.unit
        out = [RuleLine("START AT", "", f"{number(float(added[-1]), kept)} {unit}".strip(),
                    None, 0.5, of_class=False)]  # fmt: skip
        widest = float(np.abs(added[:-1]).max(initial=0.0)) or 1.0
        for i, said in enumerate(words):
            verb = "ADD" if added[i] >= 0 else "SUBTRACT"
            amount = f"{verb} {number(abs(float(added[i])), kept)} {unit}".strip()
            known = float(share[i]) if share.any() else None
            place = 0.5 + 0.5 * float(added[i]) / widest
            out.append(RuleLine("IF", said, amount, known, place, of_class=False))
        return out


def _named(candidates: CandidateClauses, some: Sequence[int]) -> list[Clause]:
    return [candidates.clauses[i] for i in some]


def _covered(
    clauses: Sequence[Clause],
    values: NDArray[np.float64],
    target: NDArray[Any],
    weight: NDArray[np.float64],
    classes: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Class fractions and shares of the rows that satisfy each clause, and of those of none."""
    inside = [clause.holds(values) for clause in clauses]
    none = ~np.logical_or.reduce(inside) if inside else np.ones(len(values), dtype=np.bool_)
    return means([*inside, none], target, weight, classes)


def _wrong(
    student: RuleSet, values: NDArray[np.float64], target: NDArray[Any], weight: Any
) -> float:
    """The share of rows (n, d) that get another class."""
    find, value = student._pieces()
    return float(np.average(value.argmax(axis=1)[find(values)] != target, weights=weight))
