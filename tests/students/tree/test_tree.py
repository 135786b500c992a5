from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import check_estimator

from limbeck.core.contract import Student
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.task import Task
from limbeck.students import load
from limbeck.students.tree.nodes import Nodes
from limbeck.students.tree.tree import Tree

X4, Y4 = [[1.0], [2.0], [5.0], [6.0]], ["no", "no", "yes", "yes"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", ["classes", "value", None])
def test_sklearn_checks(forest: Any, task: Any) -> None:
    results = check_estimator(Tree(task=task), on_fail=None, on_skip=None)
    failed = {r["check_name"] for r in results if r["status"] == "failed"}
    assert failed <= set(forest.differs)
    assert len(results) > 35


def test_known_answer() -> None:
    tree = Tree(max_leaves=2).fit(X4, Y4)
    assert isinstance(tree, Student)
    assert tree.nodes_.threshold[0] == pytest.approx(3.5)
    assert tree.predict([[3.5], [3.6]]).tolist() == ["no", "yes"]
    assert tree.predict_proba([[0.0]]).tolist() == [[1.0, 0.0]]
    assert (tree.size, tree.depth) == (2, 1)
    assert tree.score(X4, Y4) == 1.0


def test_one_leaf() -> None:
    tree = Tree(max_leaves=1).fit(X4, Y4)
    assert (tree.size, tree.depth) == (1, 0)
    assert tree.predict(X4).tolist() == ["no"] * 4
    assert tree.rules() == ["ALWAYS no (0.5)  [100 %]"]


def test_weights_count_like_repeated_rows() -> None:
    tree = Tree(max_leaves=1).fit(X4, Y4, sample_weight=[1, 1, 3, 3])
    assert tree.predict_proba([[0.0]]).tolist() == [[0.25, 0.75]]
    assert tree.nodes_.weight.tolist() == [8.0]


def test_category_alone_and_missing_alone() -> None:
    frame = pd.DataFrame({"colour": ["red", "blue", "green", None] * 10})
    for level in ("red", None):
        wanted = (frame["colour"].isna() if level is None else frame["colour"] == level).to_numpy()
        tree = Tree(max_leaves=2).fit(frame, wanted)
        assert (tree.predict(frame) == wanted).all()
        assert "missing" in tree.text() if level is None else "colour is red?" in tree.text()


@settings(max_examples=35, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([1, 2, 3, 9, 40, 257, 300]),
    task=st.sampled_from(["text", "int", "bool", "float", "value"]),
)
def test_agrees_with_plain_traversal_and_returns_from_json(
    forest: Any, seed: int, size: int, task: str
) -> None:
    tree = forest.tree(seed, size, forest.tasks[task])
    rows = forest.rows(np.random.default_rng(seed), 200)
    leaves = [forest.leaf(tree.nodes_, row) for row in rows.values]
    assert tree.apply(rows).tolist() == leaves
    values = tree.nodes_.value[leaves]
    if tree.task_.classifies:
        assert (tree.predict_proba(rows) == values).all()
        answers = [tree.task_.classes[i] for i in values.argmax(axis=1)]
        assert tree.predict(rows).tolist() == answers
    else:
        assert (tree.predict(rows) == values[:, 0]).all()
    data = json.loads(json.dumps(tree.to_dict(), allow_nan=False))
    back = Tree.from_dict(data)
    assert back.fingerprint() == tree.fingerprint()
    assert (back.features_, back.task_) == (tree.features_, tree.task_)
    assert [type(c) for c in back.task_.classes] == [type(c) for c in tree.task_.classes]
    for name in Nodes.__annotations__:
        assert np.array_equal(getattr(back.nodes_, name), getattr(tree.nodes_, name))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    leaves=st.integers(2, 60),
    holes=st.booleans(),
    near=st.sampled_from(["far", "float32 neighbours", "halfway", "large"]),
    regress=st.booleans(),
)
def test_agrees_with_sklearn_on_training_rows(
    seed: int, leaves: int, holes: bool, near: str, regress: bool
) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(150, 4))
    if near == "float32 neighbours":  # values that differ only by the rounding of float32
        X = 1.0 + rng.integers(0, 6, X.shape) * 2.0**-23 + rng.normal(size=X.shape) * 2.0**-26
    if near == "halfway":
        X = 1000.0 + rng.integers(0, 30, X.shape) * 2.0**-15
    if near == "large":
        X = np.round(X * 1e12)
    if holes:
        X[rng.random(X.shape) < 0.2] = np.nan
    y = rng.normal(size=150) if regress else rng.integers(0, 3, 150)
    kind = DecisionTreeRegressor if regress else DecisionTreeClassifier
    peer = kind(max_leaf_nodes=leaves, random_state=0).fit(X, y)
    tree = Tree(leaves).fit(X, y)
    assert (tree.apply(X) == peer.apply(X)).all()
    assert (tree.predict(X) == peer.predict(X)).all()


def test_rows_frames_and_arrays_are_one(forest: Any) -> None:
    rows = forest.rows(np.random.default_rng(1), 500)
    tree = forest.tree(3, 12, forest.tasks["text"])
    frame = rows.native()
    assert (tree.predict(rows) == tree.predict(frame)).all()
    shuffled = frame[frame.columns[::-1]]
    assert (tree.predict(rows) == tree.predict(shuffled)).all()
    assert tree.feature_names_in_.tolist() == list(frame.columns)


def test_rows_with_other_codes_are_read_by_level() -> None:
    frame = pd.DataFrame({"c": ["b", "c", "c", "b"] * 5})
    tree = Tree(2).fit(frame, frame["c"] == "c")
    other = pd.DataFrame({"c": ["a", "b", "c"]})
    from limbeck.core.columns import Features

    rows = Features.of(other).rows(other)
    assert tree.predict(rows)[1:].tolist() == [False, True]


def test_float32_blocks_and_more_rows_than_a_block() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40_000, 3)).astype(np.float32)
    tree = Tree(20).fit(X[:2000], X[:2000, 0] > X[:2000, 1])
    assert (tree.predict(X) == tree.predict(X.astype(np.float64))).all()


def test_no_rows_no_answers(forest: Any) -> None:
    tree = forest.tree(0, 5, forest.tasks["text"])
    rows = forest.rows(np.random.default_rng(0), 10)[:0]
    assert tree.predict(rows).shape == (0,)
    assert tree.predict_proba(rows).shape == (0, 3)


def test_is_an_estimator() -> None:
    tree = Tree(4, task=Task(("no", "yes")))
    assert is_classifier(tree)
    assert clone(tree).get_params() == tree.get_params()
    assert is_regressor(Tree(task="value"))
    assert not hasattr(Tree(task="value"), "predict_proba")
    assert cross_val_score(Tree(2), X4 * 5, Y4 * 5).min() == 1.0
    with pytest.raises(NotFittedError):
        tree.predict(X4)


def test_task_orders_classes_and_keeps_those_without_rows() -> None:
    task = Task(("maybe", "yes", "no"))
    tree = Tree(2, task=task).fit(X4, Y4)
    assert tree.task_ == task
    assert tree.predict_proba([[0.0], [9.0]]).tolist() == [[0, 0, 1], [0, 1, 0]]


def test_second_fit_forgets_the_first() -> None:
    tree = Tree(2).fit(pd.DataFrame({"a": [1.0, 2.0]}), ["x", "y"]).fit([[1.0], [2.0]], [0.5, 1.5])
    assert not hasattr(tree, "classes_")
    assert not hasattr(tree, "feature_names_in_")
    assert tree.predict([[1.0]]).tolist() == [0.5]


def test_arrays_stay_read_only_through_pickle() -> None:
    tree = pickle.loads(pickle.dumps(Tree(2).fit(X4, Y4)))
    with pytest.raises(ValueError, match="read-only"):
        tree.nodes_.threshold[0] = 1.0


def test_save_and_load(tmp_path: Any) -> None:
    tree = Tree(2).fit(X4, Y4)
    path = tree.save(tmp_path / "tree.json")
    assert load(path).fingerprint() == tree.fingerprint()
    assert [p.name for p in tmp_path.iterdir()] == ["tree.json"]


def test_notebook_shows_drawing_and_size() -> None:
    assert "not" not in Tree()._repr_html_()
    page = Tree(2).fit(X4, Y4)._repr_html_()
    assert "<svg" in page
    assert "2 leaves, depth 1" in page


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_leaves": 0}, "max_leaves is 0"),
        ({"max_leaves": 2.5}, "max_leaves is 2.5"),
        ({"min_rows": True}, "min_rows is True"),
        ({"criterion": "ginni"}, "Did you mean 'gini'"),
        ({"task": "class"}, "Did you mean 'classes'"),
        ({"task": Task(("no", "maybe"))}, "'yes' in y is not one of"),
    ],
)
def test_refuses_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Tree(**settings).fit(X4, Y4)


def test_refuses_numbers_too_large_for_float32() -> None:
    with pytest.raises(InvalidInput, match="float32"):
        Tree().fit([[1e39], [1.0]], Y4[:2])


def test_refuses_nodes_that_are_no_tree(forest: Any) -> None:
    tree = forest.tree(0, 5, forest.tasks["text"])
    with pytest.raises(InvalidInput, match="shape"):
        Tree.from_nodes(tree.nodes_, forest.features, Task(("a", "b")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda n: n["left"].__setitem__(0, 99), "child"),
        (lambda n: n["left"].__setitem__(0, 0), "child"),
        (lambda n: n["left"].__setitem__(0, n["right"][0]), "exactly one parent"),
        (lambda n: n["feature"].__setitem__(0, 9), "column 9 of 1"),
        (lambda n: n["op"].__setitem__(0, 3), "kind 3"),
        (lambda n: n["op"].__setitem__(0, 1), "no level"),
        (lambda n: n["op"].__setitem__(0, 1000), "no uint8"),
        (lambda n: n["threshold"].__setitem__(0, "x"), "threshold"),
        (lambda n: n["threshold"].__setitem__(0, float("nan")), "threshold"),
        (lambda n: n["threshold"].__setitem__(0, float("inf")), "not finite"),
        (lambda n: n["left"].__setitem__(0, 1.5), "left"),
        (lambda n: n["weight"].append(1.0), "'weight' has shape"),
        (lambda n: n["value"].pop(), "shape"),
        (lambda n: n["value"].__setitem__(0, [1]), "malformed"),
        (lambda n: n.pop("left"), "lacks 'left'"),
        (lambda n: [v.clear() for k, v in n.items() if k != "seen"], "0 nodes"),
    ],
)
def test_refuses_altered_files(change: Any, message: str) -> None:
    data = Tree(2).fit(X4, Y4).to_dict()
    change(data["nodes"])
    with pytest.raises(FileRefused, match=message):
        Tree.from_dict(data)


def test_refuses_a_cycle_beside_the_tree() -> None:
    data = Tree(2).fit(X4, Y4).to_dict()  # the root a leaf, and node 1 its own parent
    data["nodes"] |= {"feature": [-1, 0, -1], "left": [-1, 1, -1], "right": [-1, 2, -1]}
    with pytest.raises(FileRefused, match="cannot be reached"):
        Tree.from_dict(data)


def test_columns_named_by_whole_numbers_come_back_from_a_file(tmp_path: Any) -> None:
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 2)))
    tree = Tree(4).fit(X, np.where(X[1] > 0, "a", "b"))
    assert "x1 <=" in tree.rules()[0]
    assert not hasattr(tree, "feature_names_in_")
    again = load(tree.save(tmp_path / "tree.json"))
    assert again.features_ == tree.features_
    assert again.fingerprint() == tree.fingerprint()
    assert (again.predict(X) == tree.predict(X)).all()
