from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris, load_wine

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.students.rules.rule_set import RuleSet
from tests.students.rule_list.test_rule_list import table, target
from tests.students.tree.test_conditions import Rule


def executed(text: str, features: Features, values: np.ndarray) -> list[str]:
    """What the printed lines say of encoded rows, read by their words alone."""
    lines = [s for s in text.splitlines() if not s.startswith("Of several")]
    *rules, last = lines
    read = []
    for at, said in enumerate(rules):
        number = re.match(r"(\d+)\. ", said)
        read.append((int(number[1]) if number else at, Rule(said[said.index("IF") :], features)))
    read.sort(key=lambda pair: pair[0])
    rest = last.removeprefix("ELSE ").removeprefix("ALWAYS ").split("  [")[0]
    return [next((r.outcome for _, r in read if r.holds(row)), rest) for row in values]


def summed(text: str, features: Features, values: np.ndarray) -> np.ndarray:
    first, *rules = text.splitlines()
    out = np.full(len(values), float(first.removeprefix("START AT ")))
    for said in rules:
        rule = Rule(said, features)
        verb, amount = rule.outcome.split(" ")
        sign = {"ADD": 1, "SUBTRACT": -1}[verb]
        out += [sign * float(amount) * rule.holds(row) for row in values]
    return out


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["two", "three", "value"]))
def test_printed_rules_executed_are_the_predictions(seed, task):
    rng = np.random.default_rng(seed)
    X = table(seed % 1000)
    student = RuleSet(max_rules=5, random_state=seed % 7).fit(X, target(X, task, rng))
    features = student.features_
    for rows in (X, table(seed % 1000 + 1)):
        values, exact = features.encode(rows), rows is not X
        predicted, text = student.predict(rows), student.text(exact=exact)
        if task == "value":
            slack = 1e-9 if exact else 0.02
            assert summed(text, features, values) == pytest.approx(predicted, rel=slack, abs=slack)
        else:
            said = executed(text, features, values)
            assert [s.rsplit(" (", 1)[0] for s in said] == predicted.tolist()


def test_a_disjunction_finds_the_class_that_is_asked_for():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = np.where((X[:, 0] > 1) | (X[:, 1] > 1.2), "ill", "well")
    student = RuleSet(positive="ill").fit(X, y)
    assert student.size == 2
    assert student.score(X, y) > 0.99
    assert student.text().count("THEN ill") == 2
    assert RuleSet().fit(X, y).text() == student.text()  # the shorter of both
    other = RuleSet(positive="well").fit(X, y)
    assert "ELSE ill" in other.text()
    with pytest.raises(InvalidInput, match="classes are 'ill' and 'well'"):
        RuleSet(positive="sick").fit(X, y)


def test_the_order_of_a_disjunction_does_not_matter():
    X, y = load_wine(return_X_y=True)
    student = RuleSet(max_rules=5).fit(X, y == 1)
    before = student.predict(X)
    assert student.size > 1
    student.clauses_ = student.clauses_[::-1]
    student.value_ = np.vstack([student.value_[-2::-1], student.value_[-1:]])
    assert np.array_equal(student.predict(X), before)


def test_every_class_has_its_set():
    X, y = load_iris(return_X_y=True)
    student = RuleSet(max_rules=5).fit(X, np.array(["a", "b", "c"])[y])
    assert student.score(X, np.array(["a", "b", "c"])[y]) > 0.94
    sure = student.value_[:-1].max(axis=1)
    assert (np.diff(sure) <= 1e-12).all()
    assert "smallest number decides" in student.text()
    shares = [clause.holds(X).mean() for clause in student.clauses_]
    assert student.share_[:-1] == pytest.approx(shares)


def test_values_are_added():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4))
    y = 10 + 5.0 * (X[:, 0] > 0) + 2.0 * (X[:, 1] > 0.5)
    student = RuleSet(max_rules=4).fit(X, y)
    assert 2 <= student.size <= 3
    assert np.abs(student.predict(X) - y).mean() < 0.02
    assert student.numbers == 1 + sum(c.numbers + 1 for c in student.clauses_)


def test_the_same_seed_gives_the_same_set():
    X, y = load_wine(return_X_y=True)
    assert RuleSet().fit(X, y).fingerprint() == RuleSet().fit(X, y).fingerprint()
