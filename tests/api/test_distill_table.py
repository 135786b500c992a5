from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from limbeck.api.distill_table import TableSteps, Taught
from limbeck.api.prepare.table import Known, Request
from limbeck.core.columns import Features
from limbeck.core.contract import MethodResult
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.core.status import Status, StatusCode
from limbeck.evaluation.holdout import Apart
from limbeck.methods.linear import MatchLinear
from limbeck.students.tree.tree import Tree

X = np.random.default_rng(0).normal(size=(200, 2))
Y = (X[:, 0] > 0).astype(int)
TEACHER = LogisticRegression().fit(X, Y)


def understood(teacher: Any = TEACHER, **given: Any) -> tuple[TableSteps, Apart, Known]:
    asked = {"y": Y, "method": MatchLinear(), "into": "linear", "epsilon": 0.1, "delta": 0.1}
    steps = TableSteps(Request(teacher, X, seed=0, **{**asked, **given}))
    data = steps.read()
    sides = steps.split(data)
    return steps, sides, steps.understand(data, sides)


def test_labels_and_weights_are_those_of_the_rows_of_their_side() -> None:
    weight = 1 + X[:, 0] ** 2
    _, sides, known = understood(sample_weight=weight)
    np.testing.assert_allclose(
        known.weighing["sample_weight"], 1 + sides.fit_rows.values[:, 0] ** 2
    )
    np.testing.assert_array_equal(known.fit_y, sides.fit_rows.values[:, 0] > 0)
    np.testing.assert_array_equal(known.test_y, sides.test_rows.values[:, 0] > 0)
    _, _, alone = understood(y=None)
    assert (alone.fit_y, alone.test_y, dict(alone.weighing)) == (None, None, {})


def test_classes_are_no_groups_of_a_teacher_of_numbers() -> None:
    numbers = LinearRegression().fit(X, X[:, 1])
    with pytest.raises(InvalidInput, match="groups='class' was given for a teacher that predicts"):
        understood(numbers, y=X[:, 1], groups="class")
    understood(groups="class")


def test_the_certificate_counts_where_student_and_teacher_differ_by_class() -> None:
    steps, sides, known = understood(groups="class")
    student = Tree(max_leaves=2).fit(Features.of(X).rows(X), Y)
    told = TEACHER.predict(sides.test.X)
    found = Taught(MethodResult(student, Status(StatusCode.COMPLETE, "Done.")), told)
    certificate = steps.certify(known, found, quiet)
    apart = np.asarray(student.predict(sides.test_rows)) != told
    assert (certificate.n, certificate.mean_loss) == (len(told), apart.mean())
    assert {g.group: g.n for g in certificate.groups} == {
        "0": (told == 0).sum(), "1": (told == 1).sum(),
    }  # fmt: skip
