from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from limbeck.core.columns import Features, Rows
from limbeck.core.contract import MethodResult
from limbeck.core.errors import InvalidInput
from limbeck.core.status import Status, StatusCode
from limbeck.methods.answered_rows import AllSizes, answer_rows
from limbeck.methods.base import BaseMethod
from limbeck.selection.race import Route, Run, Stopped, budgets_up_to, folds_of, run_route
from limbeck.students.tree.tree import Tree
from limbeck.teachers import CallableTeacher

X = np.random.default_rng(0).normal(size=(90, 2))
ROWS = Rows(Features.of(X), X)
TEACHER = CallableTeacher(lambda X: np.where(X[:, 0] * X[:, 1] > 0, "yes", "no"),
                          classes=["no", "yes"])  # fmt: skip
VALUES = CallableTeacher(lambda X: X[:, 0] * 3)
FOLD = folds_of(np.arange(90), np.random.default_rng(1))


@dataclass(frozen=True)
class GreedyTrees(BaseMethod):
    """Greedy trees of 2, 4 and 8 leaves on the teacher's answers."""

    into: ClassVar[str] = "tree"
    name: ClassVar[str] = "greedy"
    sizes: tuple[int, ...] = (2, 4, 8)
    max_leaves: int = 8

    def distill(self, teacher, rows, rng, progress):
        progress("growing", 0, 1)
        scores = teacher.scores(rows.native())
        y = teacher.task.labels[scores.argmax(axis=1)] if teacher.task.classifies else scores[:, 0]
        trees = tuple(Tree(k, task=teacher.task).fit(rows, y) for k in self.sizes)
        return MethodResult(trees[-1], Status(StatusCode.COMPLETE, "Done."), 5, trees)

    def learn(self, rows, y, task, rng):
        return Tree(self.max_leaves, task=task).fit(rows, y)


def parts(teacher):
    every = [ROWS, *(ROWS[np.flatnonzero(part != FOLD)] for part in range(3))]
    return [answer_rows(teacher, rows, "none", 0, np.random.default_rng(0)) for rows in every]


def run(method=None, teacher=TEACHER, budgets=(4, 8, 16), seconds=60.0, **given):
    route = Route("tree", "greedy", method or GreedyTrees())
    return run_route(route, parts(teacher), FOLD, budgets, 0, seconds, **given)


def test_each_row_is_judged_by_a_student_that_did_not_see_it():
    found = run()
    assert isinstance(found, Run)
    assert [s.size for s in found.students.values()] == [2, 4, 7]  # 3, 7 and 13 numbers
    y = TEACHER.task.labels[TEACHER.scores(X).argmax(axis=1)]
    for budget, leaves in ((4, 2), (8, 4), (16, 8)):
        expected = np.empty(90)
        for part in range(3):
            tree = Tree(leaves, task=TEACHER.task).fit(X[part != FOLD], y[part != FOLD])
            expected[part == FOLD] = tree.predict(X[part == FOLD]) != y[part == FOLD]
        assert np.array_equal(found.losses[budget], expected)
    assert found.queries == 20
    assert [len(refits) for refits in found.refits.values()] == [3, 3, 3]


def test_queries_count_as_200_rows_beside_few():
    every, *without = parts(TEACHER)
    near = Rows(ROWS.features, np.repeat(X[::-1], 2, axis=0))  # two for each row
    beside = replace(every, near=near, near_scores=TEACHER.scores(near.values))
    route = Route("tree", "greedy", GreedyTrees())
    found = run_route(route, [beside, *without], FOLD, (8,), 0, 60.0)
    y = TEACHER.task.labels[TEACHER.scores(X).argmax(axis=1)]
    own, theirs = np.empty(90), np.empty(90)
    for part in range(3):
        tree = Tree(4, task=TEACHER.task).fit(X[part != FOLD], y[part != FOLD])
        wrong = tree.predict(X) != y
        own[part == FOLD], theirs[part == FOLD] = wrong[part == FOLD], wrong[::-1][part == FOLD]
    assert found.losses[8] == pytest.approx((90 * own + 200 * theirs) / 290)


@dataclass(frozen=True)
class WorseOfAllRows(GreedyTrees):
    """Two leaves of all rows, eight where some are left out."""

    def distill(self, teacher, rows, rng, progress):
        sizes = (2,) if len(rows) == len(X) else (8,)
        return GreedyTrees(sizes).distill(teacher, rows, rng, progress)


@pytest.mark.parametrize("teacher", [TEACHER, VALUES])
def test_losses_are_no_less_than_those_of_the_student_of_all_rows_on_them(teacher):
    found = run(WorseOfAllRows(), teacher, budgets=(16,))
    left_out = run(GreedyTrees((8,)), teacher, budgets=(16,)).losses[16]
    told = teacher.scores(X).argmax(axis=1) if teacher is TEACHER else teacher.scores(X)[:, 0]
    said = found.students[16].predict(ROWS)
    own = said != teacher.task.labels[told] if teacher is TEACHER else (said - told) ** 2
    own = own.mean() / (1 if teacher is TEACHER else told.var())
    assert own > left_out.mean() + 0.05
    assert found.losses[16].mean() == pytest.approx(own)
    assert np.ptp(found.losses[16] - left_out) == pytest.approx(0, abs=1e-12)


def test_losses_of_values_are_shares_of_their_variance():
    found = run(teacher=VALUES)
    y = X[:, 0] * 3
    tree = Tree(8).fit(X[FOLD != 1], y[FOLD != 1])
    expected = (tree.predict(X[FOLD == 1]) - y[FOLD == 1]) ** 2 / y.var()
    assert found.losses[16][FOLD == 1] == pytest.approx(expected)


def test_students_beyond_all_budgets_are_told():
    found = run(GreedyTrees(sizes=(8,)), budgets=(4, 8))
    assert isinstance(found, Stopped)
    assert found.reason == "needs 13 numbers at least, and 8 are allowed"


def test_a_way_that_refuses_is_stopped_with_its_sentence():
    class Refuses(GreedyTrees):
        def distill(self, teacher, rows, rng, progress):
            raise InvalidInput("The teacher is too large.", "Give a smaller one.")

    assert run(Refuses()).reason == "The teacher is too large. Give a smaller one."


def test_a_way_that_fails_is_stopped_with_its_error():
    class Fails(GreedyTrees):
        def distill(self, teacher, rows, rng, progress):
            raise ZeroDivisionError("nothing is left")

    found = run(Fails())
    assert isinstance(found, Stopped)
    assert found.reason == "failed: ZeroDivisionError: nothing is left"


def test_the_variant_that_is_better_on_rows_left_out_is_taken_by_budget():
    class TwoKinds(GreedyTrees):
        def all_sizes(self, asked, rng, progress):
            y = asked.teacher.task.labels[asked.answers]
            trees = [Tree(k, task=asked.teacher.task).fit(asked.rows, y) for k in (2, 8)]
            flipped = [Tree(k, task=asked.teacher.task).fit(asked.rows, y[::-1]) for k in (2, 8)]
            return AllSizes({"noise": flipped, "answers": trees})

    plain, found = run(GreedyTrees(sizes=(2, 8))), run(TwoKinds())
    assert np.array_equal(plain.losses[16], found.losses[16])
    assert found.students[16].fingerprint() == plain.students[16].fingerprint()


@pytest.mark.parametrize("name", ["all, rows alone", "rows alone"])
def test_whether_queries_helped_is_judged_on_rows_alone(name):
    """What learnt from queries that say the contrary is best on such queries, and not taken."""

    class Misled(GreedyTrees):
        def all_sizes(self, asked, rng, progress):
            y = asked.teacher.task.labels[asked.answers]
            contrary = np.where(y == "yes", "no", "yes")
            task = asked.teacher.task
            return AllSizes({
                "all": [Tree(8, task=task).fit(asked.rows, contrary)],
                name: [Tree(8, task=task).fit(asked.rows, y)],
            })  # fmt: skip

    every, *without = parts(TEACHER)
    near = replace(every, near=ROWS, near_scores=TEACHER.scores(X)[:, ::-1])
    found = run_route(Route("tree", "greedy", Misled()), [near, *without], FOLD, (16,), 0, 60.0)
    assert found.variants == {16: name}
    assert found.losses[16].mean() > 0.5  # beside others it is judged on the queries, too


def test_time_that_is_over_stops_the_method_itself():
    ticks = iter(range(100))
    found = run(seconds=3.0, clock=lambda: next(ticks))
    assert isinstance(found, Stopped)
    assert found.reason == "not done in 3 s"
    ticks = iter(range(100))
    assert run(seconds=0.4, clock=lambda: next(ticks)).reason == "not done in 0.4 s"


def test_an_interrupt_from_outside_is_passed_on():
    class Interrupted(GreedyTrees):
        def distill(self, teacher, rows, rng, progress):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Interrupted())


def test_rows_of_a_unit_share_their_fold_and_folds_are_even():
    units = np.repeat(np.arange(60), 3)
    fold = folds_of(units, np.random.default_rng(0))
    assert all(len(set(fold[units == u])) == 1 for u in range(60))
    assert np.bincount(fold).tolist() == [60, 60, 60]


@pytest.mark.parametrize(
    ("most", "budgets"), [(64, (4, 8, 16, 32, 64)), (12, (4, 8, 12)), (2, (2,)), (4, (4,))]
)
def test_budgets_double_up_to_the_most(most, budgets):
    assert budgets_up_to(most) == budgets
