"""A student of a student: what each step sees, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.contract import Access
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.core.status import StatusCode
from limbeck.methods.composed import Composed
from limbeck.methods.greedy import Greedy
from limbeck.methods.junta.method import FindJunta
from limbeck.methods.linear import MatchLinear
from limbeck.teachers import StoredScores

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))
Y = (X[:, 0] + 0.5 * X[:, 1] > 0).astype(int)
ROWS = Features.of(X).rows(X)


def test_the_second_step_learns_from_the_first_and_may_ask_it_at_will():
    stored = StoredScores(X, Y)
    method = Composed((Greedy(max_leaves=4, queries=0), FindJunta(k=3)))
    assert method.needs == Access.SCORES
    found = method.distill(stored, ROWS, np.random.default_rng(0), quiet)
    tree, junta = found.steps
    assert found.student is junta
    assert found.queries == 0  # the teacher was asked about its rows alone
    assert found.trace["steps"][1]["queries"] > 0  # and the tree about others
    assert (junta.predict(X) == tree.predict(X)).mean() > (tree.predict(X) == Y).mean()
    assert "Junta (its teacher is the tree):" in found.status.message
    again = method.distill(stored, ROWS, np.random.default_rng(0), quiet)
    assert again.student.fingerprint() == junta.fingerprint()


def test_the_worst_status_counts():
    method = Composed((Greedy(max_leaves=2, queries=0), MatchLinear(queries=0)))
    found = method.distill(StoredScores(X, Y), ROWS, np.random.default_rng(0), quiet)
    assert found.status.code is not StatusCode.EXACT


def test_the_control_and_a_way_without_steps_stand_beside_it():
    stored = StoredScores(X, Y)
    method = Composed((Greedy(max_leaves=4, queries=0), MatchLinear(queries=0)))
    chance = np.random.default_rng(0)
    found = method.distill(stored, ROWS, chance, quiet)
    control = method.learn(ROWS, Y, stored.task, chance)
    assert (control.predict(X) == Y).mean() > 0.9
    beside = method.baselines(stored, ROWS, Y, found, chance)
    assert (beside["without steps"].predict(X) == Y).mean() > 0.95
    lacking = Composed((Greedy(max_leaves=4, queries=0), FindJunta(k=3)))
    assert "without steps" not in lacking.baselines(stored, ROWS, Y, found, chance)


def test_weights_that_a_step_does_not_know_are_refused():
    class Plain(MatchLinear):
        def distill(self, teacher, rows, rng, progress):
            raise AssertionError

    method = Composed((Greedy(queries=0), Plain(queries=0)))
    with pytest.raises(InvalidInput, match="counts all rows alike"):
        method.distill(StoredScores(X, Y), ROWS, rng, quiet, sample_weight=np.ones(300))
    with pytest.raises(InvalidInput, match="two at least"):
        Composed((Greedy(),))
