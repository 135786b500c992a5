from __future__ import annotations

import time

import numpy as np
import pandas as pd

from limbeck.core.columns import Features, Rows
from limbeck.methods.answered_rows import answer_rows
from limbeck.selection.front import Entrant
from limbeck.selection.race import Route
from limbeck.selection.routes import students
from limbeck.selection.stability import refitted, statements
from limbeck.selection.whole_rules import rules_of
from limbeck.students import RuleList, SparseSum, Tree
from limbeck.students.sparse_sum.model import TermWeights
from limbeck.students.sparse_sum.terms import SumTerm, TermTest
from limbeck.teachers import CallableTeacher

rng = np.random.default_rng(0)
X = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400),
                  "c": rng.choice(["p", "q"], 400)})  # fmt: skip
Y = np.where((X["a"] > 0) & (X["c"] == "p"), "yes", "no")
ROWS = Rows(Features.of(X), Features.of(X).encode(X))


def words(student: object) -> list[str]:
    return [rule.words() for rule in rules_of(student)]


def test_rules_of_trees_lists_and_sums():
    tree = Tree(4).fit(X.drop(columns="b"), Y)
    said = words(tree)
    assert sum(text.endswith("then yes") for text in said) == 1
    assert all(text.startswith("the rule if ") for text in said)
    found = words(RuleList(max_rules=1).fit(X, Y))
    assert len(found) == 1
    features = ROWS.features
    term = SumTerm("all", tests=(TermTest(0, ">", 0.0), TermTest(2, "is", 0.0)))
    step = SumTerm("all", tests=(TermTest(1, ">", 0.0),))
    added = TermWeights((term, step), np.array([[-2.0], [1.0]]), np.zeros(1))
    made = SparseSum.from_sum(added, np.zeros(3), features, tree.task_)
    assert words(made) == ["the rule if a > 0 and c is p, then less yes"]


def test_the_same_rule_has_near_thresholds_and_the_same_end():
    one = Tree(2).fit(pd.DataFrame({"a": [0.0, 1.0]}), ["no", "yes"])
    near = Tree(2).fit(pd.DataFrame({"a": [0.0, 1.1]}), ["no", "yes"])
    turned = Tree(2).fit(pd.DataFrame({"a": [0.0, 1.0]}), ["yes", "no"])
    rules, theirs = rules_of(one), rules_of(near)
    assert [any(r.same_as(t, {0: 0.06}) for t in theirs) for r in rules] == [True, True]
    assert not any(r.same_as(t, {0: 0.04}) for r in rules for t in theirs)
    assert not any(r.same_as(t, {0: 1.0}) for r in rules for t in rules_of(turned))


def test_a_rule_of_the_teacher_returns_and_one_of_chance_does_not():
    teacher = CallableTeacher(
        lambda X: np.where((X["a"] > 0) & (X["c"] == "p"), "yes", "no"), classes=["no", "yes"]
    )
    every = answer_rows(teacher, ROWS, "none", 0, rng)
    method = students()["tree"]["greedy"].from_settings({}).limited(5)
    tree = Tree(3, task=teacher.task).fit(ROWS, Y)
    made = Entrant(Route("tree", "greedy", method), tree, np.zeros(1), (), "answers")
    again = refitted(made, every, 0, time.time() + 60, refits=8)
    said = {s.text: s for s in statements(tree, again, [tree], ROWS)}
    whole = next(s for text, s in said.items() if text.endswith("then yes"))
    assert whole.text == "the rule if c is not q and a > 0.01514, then yes"
    assert whole.refits.value == 1
    assert whole.near == 1
    odd = Tree(2, task=teacher.task).fit(ROWS, np.where(X["b"] > 1.0, "yes", "no"))
    said = {s.text: s for s in statements(odd, again, [], ROWS)}
    assert all(s.refits.value == 0 for text, s in said.items() if text.startswith("the rule"))
