from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import check_estimator

from limbeck.core.columns import Features
from limbeck.core.contract import Student
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.task import Task
from limbeck.students import load
from limbeck.students.junta.junta import Junta

BITS = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)] * 5, dtype=bool)
PARITY = BITS[:, 0] ^ BITS[:, 2]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", ["classes", "value", None])
def test_sklearn_checks(forest: Any, task: Any) -> None:
    results = check_estimator(Junta(task=task), on_fail=None, on_skip=None)
    failed = {r["check_name"] for r in results if r["status"] == "failed"}
    # Weights count by effective rows when variables are chosen.
    assert failed <= {*forest.differs, "check_sample_weight_equivalence_on_dense_data"}


def test_parity_is_exact_where_the_variables_are_given() -> None:
    junta = Junta(variables=["x0", 2]).fit(BITS, PARITY)
    assert isinstance(junta, Student)
    assert (junta.predict(BITS) == PARITY).all()
    assert (junta.size, junta.variables_) == (4, ("x0", "x2"))
    assert junta.rules() == [
        "IF x0 is false and x2 is false THEN False (1)  [25 %]",
        "IF x0 is false and x2 is true THEN True (1)  [25 %]",
        "IF x0 is true and x2 is false THEN True (1)  [25 %]",
        "IF x0 is true and x2 is true THEN False (1)  [25 %]",
    ]


def test_finds_its_variables_among_others() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(4000, 12)), columns=[f"v{j}" for j in range(12)])
    frame["colour"] = rng.choice(["red", "blue"], 4000)
    frame["many"] = rng.choice([f"level {i}" for i in range(100)], 4000)
    y = np.where(frame["colour"] == "red", 3.0, 1.0) * (frame["v5"] > 0)
    junta = Junta(k=2).fit(frame, y)
    assert set(junta.variables_) == {"colour", "v5"}
    assert junta.score(frame, y) > 0.99


def test_missing_is_a_level_and_unseen_cells_take_the_nearest() -> None:
    X = np.array([[0, 0], [0, 1], [1, 1], [np.nan, 1]])
    junta = Junta(variables=[0, 1]).fit(X, [10.0, 20.0, 30.0, 40.0], sample_weight=[1, 5, 1, 1])
    assert junta.predict([[np.nan, 1]]).tolist() == [40.0]
    assert junta.predict([[1, 0]]).tolist() == [10.0]  # one step from 10 and 30: the first
    assert junta.predict([[0, np.nan]]).tolist() == [20.0]  # heavier than 10
    assert junta.size == 4


def test_no_variables_give_the_mean() -> None:
    junta = Junta(variables=[], task="value").fit([[1.0], [2.0]], [1.0, 3.0], sample_weight=[3, 1])
    assert junta.predict([[5.0]]).tolist() == [1.5]
    assert junta.rules() == ["ALWAYS 1.5  [100 %]"]


def test_from_table() -> None:
    features, task = Features.of([[0.0, 0.0]], ["a", "b"]), Task(("no", "yes"))
    value = [[1, 0], [0, 1], [9, 9]]
    junta = Junta.from_table(["b"], [[0.5]], value, features, task, weight=[1, 2, 0])
    assert junta.predict([[9, 0.5], [9, 0.6], [9, np.nan]]).tolist() == ["no", "yes", "yes"]
    for bad in (
        {"edges": []}, {"edges": [[1.0, 0.5]]}, {"value": value[:2]}, {"weight": [0, 0, 0]},
        {"variables": ["c"]}, {"variables": [2]}, {"variables": ["b", 1], "edges": [[], []]},
        {"weight": [1, -1, 1]}, {"value": [[np.nan, 0]] * 3},
    ):  # fmt: skip
        given = {"variables": ["b"], "edges": [[0.5]], "value": value} | bad
        with pytest.raises(InvalidInput):
            Junta.from_table(**given, features=features, task=task)


@pytest.mark.parametrize("regress", [False, True])
def test_json_is_exact(tmp_path: Any, regress: bool) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x [mm]": rng.normal(size=300), "c": rng.choice(["u", "v"], 300)})
    frame.loc[::9, "x [mm]"] = np.nan
    y = rng.normal(size=300) if regress else rng.choice(["p", "q", "r"], 300)
    junta = Junta(variables=["x [mm]", "c"]).fit(frame, y)
    back = load(junta.save(tmp_path / "junta.json"))
    assert back.fingerprint() == junta.fingerprint()
    assert (back.predict(frame) == junta.predict(frame)).all()
    assert back.text() == junta.text()
    assert pickle.loads(pickle.dumps(junta)).fingerprint() == junta.fingerprint()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t["variables"].__setitem__(0, 9), "among"),
        (lambda t: t["variables"].__setitem__(0, 0.5), "whole numbers"),
        (lambda t: t["edges"].pop(), "one list of edges"),
        (lambda t: t["edges"].__setitem__(0, ["a"]), "malformed"),
        (lambda t: t["levels"].__setitem__(0, 7), "levels"),
        (lambda t: t["levels"].__setitem__(0, -3), "levels"),
        (lambda t: t["value"].pop(), "shape"),
        (lambda t: t["weight"].__setitem__(0, float("nan")), "not finite"),
        (lambda t: t.pop("weight"), "lacks 'weight'"),
    ],
)
def test_refuses_altered_files(change: Any, message: str) -> None:
    data = json.loads(json.dumps(Junta(variables=[0, 2]).fit(BITS, PARITY).to_dict()))
    change(data["table"])
    with pytest.raises(FileRefused, match=message):
        Junta.from_dict(data)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k": -1}, "k is -1"),
        ({"bins": 1}, "bins is 1"),
        ({"variables": ["x9"]}, "no column 'x9'"),
        ({"variables": [3]}, "no column 3"),
        ({"variables": [0, "x0"]}, "twice"),
    ],
)
def test_refuses_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Junta(**settings).fit(BITS, PARITY)


def test_refuses_a_table_that_is_too_large() -> None:
    X = np.random.default_rng(0).normal(size=(100, 7))
    with pytest.raises(InvalidInput, match="cells"):
        Junta(variables=range(7)).fit(X, X[:, 0])


def test_notebook_shows_a_table() -> None:
    frame = pd.DataFrame({"<b>": [1.0, 2.0]})
    assert "Junta" in Junta()._repr_html_()
    page = Junta().fit(frame, ["x", "y"])._repr_html_()
    assert "<th>&lt;b&gt;</th>" in page
    assert "<td>&lt;= 1</td>" in page
