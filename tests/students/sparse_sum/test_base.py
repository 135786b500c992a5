from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.sparse_sum.model import TermWeights
from limbeck.students.sparse_sum.sparse_sum import SparseSum
from limbeck.students.sparse_sum.terms import SumTerm


def test_rows_come_in_blocks_and_none_are_no_answers() -> None:
    X = np.random.default_rng(0).standard_normal((50_000, 2))
    found = TermWeights((SumTerm("column", 1),), np.array([[2.0]]), np.array([1.0]))
    student = SparseSum.from_sum(found, np.zeros(2), Features.of(X), Task())
    assert student.predict(X) == pytest.approx(2 * X[:, 1] + 1)
    X[::3, 1] = np.nan
    assert student.predict(X)[::3] == pytest.approx(1.0)  # the fill is 0
    assert not hasattr(student, "predict_proba")
    assert student._used() == {1}
    assert "<table>" in student._repr_html_()
    assert "<pre>" in SparseSum()._repr_html_()
