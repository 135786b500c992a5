from __future__ import annotations

import numpy as np

from limbeck.students.sparse_sum.signs import fitting_signs, signs_of
from limbeck.students.sparse_sum.terms import SumTerm, TermTest

RISES = np.array([1, -1, 0])  # only up with column 0, only down with column 1


def rule(*tests: TermTest) -> SumTerm:
    return SumTerm("all", tests=tests)


def test_signs_by_hand() -> None:
    terms = {
        SumTerm("column", 0): 1, SumTerm("column", 1): -1, SumTerm("column", 2): 0,
        SumTerm("above", 0, 3.0): 1, SumTerm("below", 0, 3.0): -1, SumTerm("below", 1, 3.0): 1,
        rule(TermTest(0, ">", 1.0)): 1, rule(TermTest(0, "<=", 1.0)): -1,
        rule(TermTest(1, ">", 1.0), TermTest(2, "<=", 0.0)): -1,
        rule(TermTest(0, ">", 1.0), TermTest(1, "<=", 0.0)): 1,
        rule(TermTest(0, "is", 1.0)): 1, rule(TermTest(0, "is", 0.0)): -1,
        rule(TermTest(0, "is not", 1.0)): -1, rule(TermTest(0, "is not", 0.0)): 1,
        rule(TermTest(0, "missing")): 0, rule(TermTest(0, "present")): 0,
    }  # fmt: skip
    assert signs_of(list(terms), RISES).tolist() == list(terms.values())


def test_no_weight_fits_a_rule_between_two_thresholds() -> None:
    between = rule(TermTest(0, ">", 1.0), TermTest(0, "<=", 2.0))
    against = rule(TermTest(0, ">", 1.0), TermTest(1, ">", 1.0))
    assert np.isnan(signs_of([between, against], RISES)).all()


def test_which_weights_fit() -> None:
    weights = np.array([[0.0, 1.0, -1.0]] * 4)
    assert fitting_signs(weights, np.array([1.0, -1.0, 0.0, np.nan])).tolist() == [
        [True, True, False], [True, False, True], [True, True, True], [True, False, False],
    ]  # fmt: skip
    assert fitting_signs(weights, None).all()
