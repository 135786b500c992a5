from __future__ import annotations

import numpy as np
import pytest

from limbeck.students.sparse_sum.model import TermWeights, decimals_of, design_of, rounded
from limbeck.students.sparse_sum.terms import FilledColumns, SumTerm, TermTest

BOTH = SumTerm("all", tests=(TermTest(0, ">", 0.0), TermTest(1, ">", 0.0)))
TERMS = (*(SumTerm("column", j) for j in range(12)), BOTH)
VALUES = np.random.default_rng(0).standard_normal((50, 12))
COLUMNS = FilledColumns(VALUES, np.zeros(12))


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_the_sums_are_terms_times_weights(share) -> None:
    """Few weights are added one by one, many are multiplied at once: the same."""
    rng = np.random.default_rng(1)
    weights = rng.standard_normal((13, 4)) * (rng.random((13, 4)) <= share)
    level = rng.standard_normal(4)
    found = TermWeights(TERMS, weights, level)
    assert found.totals(COLUMNS) == pytest.approx(design_of(TERMS, COLUMNS) @ weights + level)


def test_numbers_count_weights_intercepts_and_what_used_terms_hold() -> None:
    weights = np.zeros((13, 3))
    weights[12, :2] = 1.0
    assert TermWeights(TERMS, weights, np.array([1.0, 1.0, 0.0])).numbers == 2 + 2 + 2
    assert TermWeights((), np.zeros((0, 1)), np.zeros(1)).numbers == 1
    assert TermWeights((), np.zeros((0, 3)), np.zeros(3)).numbers == 1
    assert TermWeights(TERMS, weights, np.zeros(3)).numbers == 2 + 2  # of several, none is needed
    assert TermWeights(TERMS, weights[:, :1], np.zeros(1)).numbers == 2 + 1 + 1


def test_rounding_keeps_significant_digits() -> None:
    assert rounded(np.array([123456.0, 0.00123456, -7.0]), 3).tolist() == [123000, 0.00123, -7]
    assert decimals_of(1.0, 3) == 2
    assert decimals_of(250.0, 3) == 0
    assert decimals_of(0.0, 3) == 3
