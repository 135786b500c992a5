from __future__ import annotations

import numpy as np
import pytest

from limbeck.students.additive.boosting import Terms, _centred, boost

CODES = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 30)


def test_terms_add_up() -> None:
    terms = Terms(1.0, ((0,), (0, 1)), (np.array([2.0, 3.0]), np.array([[0.0, 5.0], [7.0, 0.0]])))
    assert terms.add_up(CODES[:4]).tolist() == [3.0, 8.0, 11.0, 4.0]
    several = Terms(np.array([1.0, 2.0]), ((1,),), (np.array([[0.0, 1.0], [2.0, 3.0]]),))
    assert several.add_up(CODES[:2]).tolist() == [[1.0, 3.0], [3.0, 5.0]]


def test_rows_that_all_say_the_same_need_no_boosting() -> None:
    weight = np.ones(120)
    terms = boost(CODES, (2, 2), (False, False), np.ones(120), weight, classifies=True)
    assert terms.intercept == pytest.approx(np.log(120.5 / 0.5))  # half a row of the other class
    assert not any(t.any() for t in terms.tables)
    weight[::2] = 0.0  # rows of weight 0 are left out
    target = np.where(weight > 0, 3.0, 9.0)
    terms = boost(CODES, (2, 2), (False, False), target, weight, classifies=False)
    assert (terms.intercept, terms.columns) == (3.0, ((0,), (1,)))


def test_tables_are_centred_by_the_weight_of_rows() -> None:
    weight = np.array([1.0, 1.0, 1.0, 5.0])
    table = np.array([0.0, 4.0])
    terms = _centred(1.0, ((1,),), [table], CODES[:4], weight)
    assert (terms.intercept, terms.tables[0].tolist()) == (4.0, [-3.0, 1.0])


def test_an_additive_function_is_found() -> None:
    pytest.importorskip("interpret")
    target = 10.0 + 2.0 * CODES[:, 0] - 4.0 * CODES[:, 1]
    terms = boost(CODES, (3, 2), (False, True), target, np.ones(120), classifies=False, rounds=150)
    assert terms.add_up(CODES) == pytest.approx(target, abs=0.05)
    assert terms.intercept == pytest.approx(9.0)
    assert terms.tables[0] == pytest.approx([-1, 1, 0], abs=0.05)  # no row is in the last bin
    assert terms.tables[1] == pytest.approx([2, -2], abs=0.05)
