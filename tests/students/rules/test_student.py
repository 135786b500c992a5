from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.students.rule_list.rule_list import RuleList
from limbeck.students.rules.rule_set import RuleSet
from limbeck.students.rules.student import RuleStudent

X = np.random.default_rng(0).normal(size=(120, 2))
Y = np.where(X[:, 0] > 0.5, "ill", "well")


@pytest.fixture(scope="module", params=[RuleList, RuleSet])
def student(request: pytest.FixtureRequest) -> Any:
    return request.param(max_rules=2, max_conditions=1).fit(X, Y)


def test_a_file_holds_all_that_answers_and_prints(student: Any) -> None:
    kept = student.to_dict()
    assert len(kept["rules"]) == student.size + 1
    again = type(student).from_dict(kept)
    np.testing.assert_array_equal(again.predict_proba(X), student.predict_proba(X))
    assert (again.text(), again.numbers) == (student.text(), student.numbers)
    assert again.fingerprint() == student.fingerprint()
    with pytest.raises(ValueError, match="read-only"):
        again.value_[0] = 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rules: rules[-1].update({"if": rules[0]["if"]}), "the last rule has conditions"),
        (lambda rules: rules[0].update(share=1.5), "a share is not between 0 and 1"),
        (lambda rules: rules[0].update(value=[float("nan"), 1.0]), "a value is not finite"),
        (lambda rules: [rule.update(value=[1.0]) for rule in rules], "the values have shape"),
        (lambda rules: rules.clear(), "the values have shape"),
        (lambda rules: rules[0].pop("share"), "lacks 'share'"),
    ],
)
def test_an_altered_file_is_refused(student: Any, change: Any, told: str) -> None:
    kept = copy.deepcopy(student.to_dict())
    change(kept["rules"])
    with pytest.raises(FileRefused, match=told):
        type(student).from_dict(kept)


def test_a_rule_list_is_no_rule_set(student: RuleStudent) -> None:
    other = RuleSet if isinstance(student, RuleList) else RuleList
    with pytest.raises(FileRefused, match=f"of kind '{student.kind}', not '{other.kind}'"):
        other.from_dict(student.to_dict())


def test_numbers_count_thresholds_and_values(student: Any) -> None:
    # one rule of one threshold, its value, and the value for all other rows
    assert (student.size, student.numbers) == (1, 3)
    assert "1 rule." in student.caption()
    fewer = type(student)(max_rules=2, max_numbers=2).fit(X, Y)
    assert fewer.numbers <= 2


@pytest.mark.parametrize("name", ["max_rules", "max_conditions", "max_numbers"])
def test_limits_are_whole_numbers_of_at_least_one(student: Any, name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        type(student)(**{name: 0}).fit(X, Y)


def test_rows_without_weight_teach_nothing(student: Any) -> None:
    kind, weight = type(student), np.where(X[:, 1] > 0, 1.0, 0.0)
    wrong = np.where(weight > 0, Y, "ill")
    found = kind(max_rules=2, max_conditions=1).fit(X, wrong, weight)
    alone = kind(max_rules=2, max_conditions=1).fit(X[weight > 0], Y[weight > 0])
    assert found.fingerprint() == alone.fingerprint()
