from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.task import Task
from limbeck.students.m_of_n.m_of_n_tree import MOfNTree
from limbeck.students.rule_list.rule_list import RuleList
from limbeck.students.rules.formula import first
from limbeck.students.rules.rule_set import RuleSet
from tests.students.rule_list.test_rule_list import table, target
from tests.students.rules.test_clause import FEATURES, clauses, rows


@settings(max_examples=35, deadline=None)
@given(clauses(), st.integers(0, 2**32 - 1))
def test_a_clause_says_the_same_as_a_formula(clause, seed):
    if not clause.columns:
        return
    values = rows(np.random.default_rng(seed), 40)
    made = first([clause], np.eye(2), FEATURES, Task(("holds", "fails")))
    assert np.array_equal(made.positions(values) == 0, clause.holds(values))


@pytest.mark.parametrize("task", ["two", "three", "value"])
@pytest.mark.parametrize("kind", [RuleList, RuleSet, MOfNTree])
def test_a_student_says_the_same_as_its_formula(kind, task):
    X, fresh = table(0), table(1)
    student = kind(6).fit(X, target(X, task, np.random.default_rng(0)))
    values, made = student.features_.encode(fresh), student.formula()
    if task == "value":
        assert made.outputs(values)[:, 0] == pytest.approx(student.predict(fresh))
    else:
        assert made.outputs(values) == pytest.approx(student.predict_proba(fresh))
