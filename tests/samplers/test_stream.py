from __future__ import annotations

from itertools import islice

import numpy as np
import pandas as pd
import pytest

from limbeck import as_teacher, certify
from limbeck.core.errors import AccessDenied
from limbeck.samplers.marginals import Marginals
from limbeck.samplers.stream import fresh_answers
from limbeck.students.tree.tree import Tree

X = pd.DataFrame({"a": np.linspace(0.0, 1.0, 400), "b": np.tile([0.0, 1.0], 200)})


def says(rows: pd.DataFrame) -> np.ndarray:
    yes = (rows["a"] > 0.5).to_numpy(dtype=float)
    return np.stack([1 - yes, yes], axis=1)


TEACHER = as_teacher(says, classes=["no", "yes"])


def test_batches_carry_the_teachers_own_labels_in_the_users_form() -> None:
    for rows, answers in islice(fresh_answers(TEACHER, X, batch=37), 3):
        assert list(rows.columns) == ["a", "b"]
        assert len(rows) == len(answers) == 37
        assert (answers == np.where(rows["a"] > 0.5, "yes", "no")).all()


def test_the_seed_decides_and_the_sampler_is_used() -> None:
    first, same = (next(fresh_answers(TEACHER, X, Marginals(), seed=3))[0] for _ in range(2))
    other = next(fresh_answers(TEACHER, X, Marginals(), seed=4))[0]
    pd.testing.assert_frame_equal(first, same)
    assert not first.equals(other)
    assert set(first["a"]) <= set(X["a"])  # marginals draw observed values only


def test_a_certificate_that_asks_no_more_than_it_needs() -> None:
    student = Tree(max_leaves=2).fit(X, np.where(X["a"] > 0.5, "yes", "no"))
    asked = certify(student, until=0.05, draws=fresh_answers(TEACHER, X, Marginals(), batch=10))
    assert asked.reached
    assert asked.epsilon <= 0.05
    assert 59 <= asked.n <= 80  # 59 rows is the least that any bound could do with


def test_stored_scores_cannot_be_asked() -> None:
    stored = as_teacher((X, np.where(X["a"] > 0.5, "yes", "no")))
    with pytest.raises(AccessDenied, match="stored rows only"):
        next(fresh_answers(stored, X))
