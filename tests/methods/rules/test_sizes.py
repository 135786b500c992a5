from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.status import StatusCode
from limbeck.core.task import Task
from limbeck.methods.rules.sizes import SizedStudents, left_out, losses_of, spread
from limbeck.students.tree.tree import Tree

TASK = Task(("a", "b"))
X = np.arange(40.0).reshape(-1, 1)
Y = (X[:, 0] > 20).astype(int)
ROWS = Features.of(X).rows(X)


def trees() -> list[Tree]:
    return [Tree(max_leaves=n, task=TASK).fit(X, TASK.labels[Y]) for n in (1, 2)]


def test_rows_are_judged_by_what_never_saw_them():
    fold = np.arange(40) % 5
    grown = []

    def grow(at, own):
        grown.append((at, own))
        assert not np.isin(np.flatnonzero(fold == at), own).any()
        return trees()

    found = left_out(ROWS, Y, np.ones(40), TASK, fold, 4, grow)
    assert [at for at, _ in grown] == list(range(5))
    assert found.shape == (4, 40)
    assert found[0].sum() == 19
    assert not found[1:].any()  # the last stands for larger ones
    assert left_out(ROWS[:9], Y[:9], np.ones(9), TASK, fold[:9], 4, grow) is None


def test_values_are_judged_by_their_variance():
    y = X[:, 0]
    tree = Tree(max_leaves=1).fit(X, y)
    assert losses_of(tree, ROWS, y, Task()).mean() / spread(
        y, np.ones(40), Task()
    ) == pytest.approx(1)
    assert spread(y, np.ones(40), TASK) == 1.0


def test_the_smallest_that_is_close_enough_is_chosen():
    students, weight = trees(), np.ones(40)
    losses = np.zeros((2, 40))
    losses[0, :19] = 1
    sized = SizedStudents(students, np.array([19 / 40, 0.0]), None, losses, weight, True)
    assert sized.choose(0.05) == 1
    assert sized.choose(0.99) == 0
    assert sized.expected(0) == pytest.approx(19 / 40)
    assert sized.status(1, 0.05, "max_leaves").code is StatusCode.EXACT
    poor = sized.status(0, 0.05, "max_leaves")
    assert poor.code is StatusCode.COMPLETE
    assert "1 leaf differs from the teacher on 47.5% of the rows" in str(poor)
    assert "More agree better" in str(poor)
    few = SizedStudents(students, np.array([19 / 40, 0.0]), None, None, weight, True)
    assert few.choose(0.05) == 1
