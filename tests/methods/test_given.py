from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.methods.given import Given
from limbeck.students.tree.tree import Tree

RNG = np.random.default_rng(0)
X = np.arange(6.0)[:, None]
STUDENT = Tree(2).fit(X, np.repeat(["no", "yes"], 3))
SEEN = np.arange(3, dtype=np.uint64)


def distilled(X: np.ndarray, classes: tuple[str, ...]) -> Any:
    teacher: Any = SimpleNamespace(task=Task(classes))
    return Given(STUDENT, SEEN).distill(teacher, Features.of(X).rows(X), RNG, quiet)


def test_the_student_is_taken_as_it_is() -> None:
    found = distilled(X, ("no", "yes"))
    assert found.student is STUDENT
    assert found.status.message == "The tree is taken as it is."
    assert repr(Given(STUDENT, SEEN)) == f"Given(tree, {STUDENT.fingerprint()})"


def test_a_student_of_other_columns_or_classes_is_refused() -> None:
    with pytest.raises(InvalidInput, match="reads the columns x0, and X has x0, x1"):
        distilled(np.zeros((6, 2)), ("no", "yes"))
    with pytest.raises(InvalidInput, match="predicts other classes"):
        distilled(X, ("no", "maybe"))


def test_what_cannot_be_certified_or_learned_is_refused() -> None:
    with pytest.raises(InvalidInput, match="which rows its student was made from"):
        Given(STUDENT, SEEN[:0])
    with pytest.raises(InvalidInput, match="leads nowhere by itself"):
        Given(STUDENT, SEEN).learn(Features.of(X).rows(X), np.zeros(6), Task(), RNG)
