from __future__ import annotations

from dataclasses import replace

import numpy as np

from limbeck.core.columns import Features
from limbeck.students.sparse_sum.candidates import Candidates
from limbeck.students.sparse_sum.families import families_of, limits_of
from limbeck.students.sparse_sum.sum_data import SumData
from limbeck.students.sparse_sum.terms import SumTerm, TermTest

STEP, LEVEL, GONE = TermTest(0, "<=", 1.0), TermTest(1, "is", 1.0), TermTest(1, "missing")
TERMS = [
    SumTerm("column", 0), SumTerm("above", 1, 2.0), SumTerm("below", 1, 2.0),
    *(SumTerm("all", tests=t) for t in ((STEP,), (LEVEL,), (GONE,), (STEP, LEVEL))),
    SumTerm("all", tests=(TermTest(0, ">", 0.0), STEP)),
]  # fmt: skip
POOL = Candidates(TERMS, np.zeros((len(TERMS), 3), dtype=np.float32))
X = np.zeros((3, 2))
DATA = SumData(Features.of(X), X, np.zeros((3, 1)), np.ones(3), np.zeros(3, dtype=np.int64),
               np.ones(3, dtype=np.bool_), False)  # fmt: skip


def test_each_family_has_the_columns_and_its_own_kind() -> None:
    possible = np.ones(len(TERMS), dtype=np.bool_)
    found = families_of(POOL, possible)
    assert {name: np.flatnonzero(own).tolist() for name, own in found.items()} == {
        "columns": [0, 4, 5], "steps": [0, 3, 4, 5], "hinges": [0, 1, 2, 4, 5],
        "rules": [0, 4, 5, 6, 7], "all": [*range(8)],
    }  # fmt: skip
    possible[[0, 3]] = False
    assert np.flatnonzero(families_of(POOL, possible)["steps"]).tolist() == [4, 5]


def test_constraints_become_signs_and_what_each_term_reads() -> None:
    limits, possible = limits_of(POOL, replace(DATA, rises=np.array([1, 0])))
    assert possible.tolist() == [True] * 7 + [False]  # the last lies between two thresholds
    assert limits.signs.tolist() == [1, 0, 0, -1, 0, 0, -1, 0]
    limits, possible = limits_of(POOL, replace(DATA, costs=np.array([0.0, 0.1])))
    assert possible.all()
    assert limits.reads[:, 0].tolist() == [True, False, False, True, False, False, True, True]
    assert limits.reads[:, 1].tolist() == [False, True, True, False, True, True, True, False]
    limits, possible = limits_of(POOL, DATA)
    assert possible.all()
    assert (limits.signs, limits.reads) == (None, None)
