from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.sparse_sum.formula import formula
from limbeck.students.sparse_sum.model import TermWeights
from limbeck.students.sparse_sum.terms import FilledColumns, SumTerm, TermTest

FEATURES = Features(
    (Feature("x"), Feature("b", "boolean"), Feature("c", "categorical", levels=("u", "v")))
)
FILL = np.array([0.5, 1.0, np.nan])
OPS = [(0, "<=", 0.5), (0, ">", 0.0), (0, "missing", 0.0), (0, "present", 0.0), (1, "is", 1.0),
       (1, "is", 0.0), (1, "is not", 1.0), (1, "is not", 0.0), (2, "is", 1.0),
       (2, "is not", 1.0), (2, "missing", 0.0)]  # fmt: skip
TERMS = (
    SumTerm("column", 0, per=10.0), SumTerm("column", 1), SumTerm("above", 0, 0.25, per=2.0),
    SumTerm("below", 0, 0.75), SumTerm("all", tests=tuple(TermTest(*t) for t in OPS[2:4])),
    *(SumTerm("all", tests=(TermTest(*t),)) for t in OPS),
    SumTerm("all", tests=(TermTest(*OPS[0]), TermTest(*OPS[7]))),
)  # fmt: skip
ROWS = np.array([[x, b, c] for x in (-1, 0.5, 0.6, 3, np.nan) for b in (0, 1, np.nan)
                 for c in (0, 1, np.nan)])  # fmt: skip


@pytest.mark.parametrize(("classes", "k"), [((), 1), (("n", "y"), 1), (("a", "b", "c"), 3)])
def test_a_formula_adds_up_what_the_terms_do(classes: tuple[str, ...], k: int) -> None:
    rng = np.random.default_rng(0)
    found = TermWeights(TERMS, rng.normal(size=(len(TERMS), k)), rng.normal(size=k))
    made = formula(found, FILL, 0.5, FEATURES, Task(classes))
    total = 0.5 * found.totals(FilledColumns(ROWS, FILL))
    if not classes:
        np.testing.assert_allclose(made.outputs(ROWS), total, atol=1e-12)
        return
    odds = np.column_stack([np.zeros(len(ROWS)), total]) if k == 1 else total
    share = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(made.outputs(ROWS), share, atol=1e-12)
    assert (made.positions(ROWS) == share.argmax(axis=1)).all()
