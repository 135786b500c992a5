from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from limbeck.students.sparse_sum.growth import INTERCEPT, ROWS, SoftmaxGrowth, laid_out, thinned
from limbeck.students.sparse_sum.terms import FilledColumns, SumTerm, TermTest

RNG = np.random.default_rng(0)
X = np.abs(RNG.standard_normal((900, 8)))
TERMS = [
    *(SumTerm("column", j) for j in range(8)),
    *(SumTerm("all", tests=(TermTest(j, ">", 1.0),)) for j in range(8)),
]
ALL = np.ones(len(TERMS), dtype=bool)


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def growth_of(soft: np.ndarray) -> SoftmaxGrowth:
    return SoftmaxGrowth(TERMS, FilledColumns(X, np.zeros(8)), soft, np.ones(len(X)))


def test_a_sum_without_intercepts_is_found_weight_by_weight() -> None:
    soft = softmax(2.0 * X)  # a weight for each of eight classes
    made = growth_of(soft).grow([8], ALL)[0]
    assert sorted(made.chosen) == [(j, j) for j in range(8)]
    assert made.found.numbers == 8
    total = made.found.totals(FilledColumns(X, np.zeros(8)))
    assert (total.argmax(axis=1) == soft.argmax(axis=1)).mean() > 0.97


def test_an_intercept_is_bought_where_it_is_worth_a_number() -> None:
    z = np.zeros((len(X), 3))
    z[:, 0] = 4.0  # mostly the first class
    z[:, 1] = 5.0 * (X[:, 2] > 1.0)
    made = growth_of(softmax(z)).grow([4], ALL)[0]
    assert (INTERCEPT, 0) in made.chosen
    assert made.found.intercept[0] == pytest.approx(4, rel=0.2)


@pytest.mark.parametrize("errors", [False, True])
def test_no_sum_is_over_its_budget_and_each_begins_with_the_one_before(errors: bool) -> None:
    soft = softmax(3.0 * (X[:, :4] > 1.0) + 2.0 * X[:, 4:])
    found = growth_of(soft).grow([1, 3, 6, 12], ALL, errors)
    assert all(g.found.numbers <= most for g, most in zip(found, [1, 3, 6, 12], strict=True))
    assert all(b.chosen[: len(a.chosen)] == a.chosen for a, b in pairwise(found))
    columns = FilledColumns(X, np.zeros(8))
    right = [(g.found.totals(columns).argmax(1) == soft.argmax(1)).mean() for g in found]
    assert right[-1] > right[0] + 0.1


def test_what_is_not_allowed_is_not_chosen_and_a_shared_threshold_is_paid_once() -> None:
    step = X[:, 0] > 1.0
    soft = softmax(3.0 * np.column_stack([step, -1.0 * step, np.zeros(len(X))]))
    made = growth_of(soft).grow([3], np.arange(len(TERMS)) == 8)[0]
    assert sorted(made.chosen) == [(8, 0), (8, 1)]
    assert made.found.numbers == 3  # the threshold, and a weight for each of two classes
    order, used, intercepts = laid_out(made.chosen, 3)
    assert order == [8]
    assert used.tolist() == [[True, True, False]]
    assert not intercepts.any()


def test_growth_looks_at_no_more_than_so_many_rows() -> None:
    assert len(thinned(10)) == 10
    assert len(thinned(10 * ROWS)) == ROWS
