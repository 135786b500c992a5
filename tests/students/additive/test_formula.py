from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.additive.bins import Bins
from limbeck.students.additive.boosting import Terms
from limbeck.students.additive.formula import formula

FEATURES = Features((Feature("x"), Feature("c", "categorical", levels=("u", "v", "w"))))
BINS = Bins((np.array([0.0, 1.0]), np.zeros(0)), (np.zeros(0, np.int64), np.array([0, 1, 1])))
ROWS = np.array([[x, c] for x in (-1, 0, 0.5, 1, 2, np.nan) for c in (0, 1, 2, np.nan)])


@pytest.mark.parametrize(("classes", "k"), [((), 0), (("n", "y"), 0), (("a", "b", "c"), 3)])
def test_a_formula_adds_up_what_the_tables_do(classes: tuple[str, ...], k: int) -> None:
    rng = np.random.default_rng(0)
    more = (k,) if k else ()
    tables = [rng.normal(size=(*shape, *more)) for shape in ((4,), (3,), (4, 3))]
    terms = Terms(rng.normal(size=k) if k else 0.7, ((0,), (1,), (0, 1)), tuple(tables))
    total = terms.add_up(BINS.codes(ROWS))
    made = formula(terms, BINS, FEATURES, Task(classes)).outputs(ROWS)
    expected = softmax(total, axis=1) if k else expit(total) if classes else total
    np.testing.assert_allclose(made if k else made[:, -1], expected, atol=1e-12)


def test_a_table_of_zeros_is_not_written() -> None:
    terms = Terms(2.0, ((0,), (1,)), (np.zeros(4), np.array([1.0, 0.0, 0.0])))
    (score,) = formula(terms, BINS, FEATURES, Task()).scores
    assert len(score.parts) == 2
