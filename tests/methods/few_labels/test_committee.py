from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import AccessDenied
from limbeck.core.task import Task
from limbeck.methods.few_labels.committee import Committee, CommitteeTeacher, _directions

FRAME = pd.DataFrame({"x": [0.0, 2.0, np.nan, 4.0], "c": pd.Categorical(["a", "b", "a", None])})
ROWS = Features.of(FRAME).rows(FRAME)


class Halves:
    """A forest that says 0.25 of all rows but those that it is told to know."""

    rows, seed = ROWS, 0

    def soft(self, values: Any) -> np.ndarray:
        return np.tile([0.75, 0.25], (len(values), 1))


def test_what_the_teacher_answered_stands_and_the_forest_answers_the_rest() -> None:
    teacher: Any = SimpleNamespace(task=Task(("no", "yes")), name="the oracle")
    soft = np.array([[0.1, 0.9], [0.0, 1.0]])
    committee: Any = Halves()
    found = CommitteeTeacher(teacher, ROWS.features, committee, ROWS.values[[2, 0]], soft)
    assert found.scores(FRAME).tolist() == [[0.0, 1.0], [0.75, 0.25], [0.1, 0.9], [0.75, 0.25]]
    assert found.name == "the oracle and a forest of its answers"
    with pytest.raises(AccessDenied, match="has no activations"):
        found.activations(FRAME, ["layer"])


def test_directions_of_rows() -> None:
    """Columns in units of their spread, missing in the middle; levels apart; length 1."""
    plain = np.array([[-1.22474487, 1, 0], [0, 0, 1], [0, 1, 0], [1.22474487, 0, 0]])
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    np.testing.assert_allclose(_directions(ROWS).toarray(), plain, atol=1e-8)


def test_probabilities_of_trees_are_made_to_add_up() -> None:
    committee = Committee(ROWS, 0)
    committee.forest = SimpleNamespace(predict=lambda values: np.array([[0.2, 0.6], [-0.1, 0.4]]))
    np.testing.assert_allclose(committee.soft(ROWS.values[:2]), [[0.25, 0.75], [0, 1]])
    committee.forest = SimpleNamespace(predict=lambda values: np.array([-3.0, 4.0]))
    assert committee.soft(ROWS.values[:2]).tolist() == [[-3.0], [4.0]]
