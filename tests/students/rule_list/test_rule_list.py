from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.utils.estimator_checks import parametrize_with_checks

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.students.rule_list.rule_list import RuleList
from limbeck.students.rules.rule_set import RuleSet
from limbeck.students.tree.tree import Tree
from tests.students.conftest import DIFFERS
from tests.students.tree.test_conditions import Rule


def table(seed: int, n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({
        "age [years]": rng.integers(18, 90, n).astype(float),
        "income > 3": rng.lognormal(1, 0.5, n),
        "member": rng.random(n) < 0.4,
        "colour": pd.Categorical(rng.choice(["red", "green or blue", "not grey"], n)),
    })  # fmt: skip
    X.loc[rng.random(n) < 0.15, "income > 3"] = np.nan
    X.loc[rng.random(n) < 0.15, "colour"] = None
    return X


def target(X: pd.DataFrame, task: str, rng: np.random.Generator) -> np.ndarray:
    score = X["age [years]"] / 30 + X["income > 3"].fillna(4) + (X["colour"] == "red") * 2
    score = (score + rng.normal(size=len(X)) * 0.3).to_numpy()
    if task == "value":
        return score
    return np.array(["no", "yes", "maybe"])[np.digitize(score, [5.0] if task == "two" else [4, 6])]


def executed(text: str, features: Features, values: np.ndarray) -> list[str]:
    """What the printed lines say of encoded rows, read by their words alone."""
    lines = [line.removeprefix("ELSE ") for line in text.splitlines()]
    rules = [Rule(said if said.startswith("IF") else f"ALWAYS {said.removeprefix('ALWAYS ')}",
                  features) for said in lines]  # fmt: skip
    return [next(r.outcome for r in rules if r.holds(row)) for row in values]


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["two", "three", "value"]))
def test_printed_rules_executed_are_the_predictions(seed, task):
    rng = np.random.default_rng(seed)
    X = table(seed % 1000)
    student = RuleList(max_rules=5, random_state=seed % 7).fit(X, target(X, task, rng))
    features = student.features_
    for rows, exact in ((X, False), (table(seed % 1000 + 1), True)):
        said = executed(student.text(exact=exact), features, features.encode(rows))
        predicted = student.predict(rows)
        if task == "value":
            digits = 1e-12 if exact else 1e-2
            assert np.array(said, dtype=float) == pytest.approx(predicted, rel=digits)
        else:
            assert [s.rsplit(" (", 1)[0] for s in said] == predicted.tolist()


@pytest.mark.parametrize("task", ["two", "three", "value"])
def test_a_list_comes_back_from_its_file(task, tmp_path):
    X = table(0)
    student = RuleList(6).fit(X, target(X, task, np.random.default_rng(0)))
    data = json.loads(student.save(tmp_path / "rules.json").read_text())
    again = RuleList.from_dict(data)
    assert again.fingerprint() == student.fingerprint()
    assert np.array_equal(again.predict(table(1)), student.predict(table(1)))
    assert again.text() == student.text()


def test_iris_and_breast_cancer_in_few_rules():
    X, y = load_iris(return_X_y=True)
    assert RuleList(max_rules=4).fit(X, y).score(X, y) > 0.97
    X, y = load_breast_cancer(return_X_y=True)
    student = RuleList(max_rules=6).fit(X[::2], y[::2])
    tree = Tree(max_leaves=(student.numbers + 1) // 2).fit(X[::2], y[::2])
    assert student.score(X[1::2], y[1::2]) >= tree.score(X[1::2], y[1::2]) - 0.02


def test_sizes_are_those_that_are_printed():
    X, y = load_iris(return_X_y=True)
    student = RuleList(max_rules=3).fit(X, y)
    text = student.text()
    assert student.size == len(text.splitlines()) - 1 <= 3
    # A threshold for each sign, two for an interval; a value for each line.
    signs = text.count("<") + text.count(" > ") - text.count("<1 %")
    assert student.numbers == signs + len(text.splitlines())
    assert student.share_.sum() == pytest.approx(1)


def test_weights_are_repetitions():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = (X[:, 0] > 0.2).astype(int)
    weight = rng.integers(0, 3, 60)
    some = RuleList(max_rules=1).fit(X, y, sample_weight=weight)
    again = RuleList(max_rules=1).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert some.text() == again.text()


@pytest.mark.parametrize("kind", [RuleList, RuleSet])
def test_bad_input(kind):
    X = np.arange(40.0).reshape(20, 2)
    one = kind().fit(X, ["yes"] * 20)
    assert one.text() == "ALWAYS yes (1)  [100 %]"
    assert one.size == 0
    assert one.numbers == 1
    flat = kind().fit(X, np.full(20, 2.5))
    assert flat.predict(X[:2]).tolist() == [2.5, 2.5]
    empty = kind().fit(np.full((20, 2), np.nan), np.arange(20) % 2)
    assert empty.predict(X[:1]).shape == (1,)
    few = kind(max_rules=50).fit(X[:4], [0, 1, 0, 1])
    assert few.size <= 4
    for settings_ in ({"max_rules": 0}, {"max_conditions": 1.5}):
        with pytest.raises(InvalidInput, match="whole number"):
            kind(**settings_).fit(X, np.arange(20) % 2)


@pytest.mark.parametrize("kind", [RuleList, RuleSet])
def test_many_levels(kind):
    rng = np.random.default_rng(0)
    names = np.array([f"shop {i}" for i in range(500)])[rng.integers(0, 500, 1000)]
    X = pd.DataFrame({"shop": pd.Categorical(names), "size": rng.normal(size=1000)})
    y = ((X["size"] > 0) | X["shop"].isin(["shop 3"])).to_numpy()
    student = kind(max_rules=4).fit(X, y)
    assert student.score(X, y) > 0.98


def test_an_altered_file_is_refused():
    X, y = load_iris(return_X_y=True)
    data = RuleList(max_rules=2).fit(X, y).to_dict()
    for change in (
        lambda d: d["rules"].pop(),
        lambda d: d["rules"][0].update(value=[1.0]),
        lambda d: d["rules"][0].update(share=2.0),
        lambda d: d.pop("rules"),
    ):
        altered = json.loads(json.dumps(data))
        change(altered)
        with pytest.raises(FileRefused):
            RuleList.from_dict(altered)
    with pytest.raises(FileRefused, match="of kind 'rule_list'"):
        RuleSet.from_dict(data)


@parametrize_with_checks(
    [RuleList(max_rules=2, task="classes"), RuleList(max_rules=2, task="value"),
     RuleSet(max_rules=2, task="classes"), RuleSet(max_rules=2, task="value")],
    expected_failed_checks=lambda _: DIFFERS,
)  # fmt: skip
@pytest.mark.slow
def test_scikit_learn_checks(estimator, check):
    check(estimator)
