from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest

from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra
from limbeck.core.task import Task
from limbeck.students.tree.nodes import EQ, Nodes
from limbeck.students.tree.tree import Tree

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def run(model: Any, values: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    answers: list[np.ndarray] = session.run(None, {"rows": values})
    return answers


def check(tree: Tree, rows: Any) -> None:
    model = tree.to_onnx()
    onnx.checker.check_model(model, full_check=True)
    answers = run(model, rows.values)
    assert (answers[0] == tree.predict(rows)).all()
    if tree.task_.classifies:
        assert (answers[1] == tree.predict_proba(rows)).all()


@pytest.mark.parametrize("task", ["text", "int", "bool", "float", "value"])
@pytest.mark.parametrize("size", [1, 2, 40, 300])
def test_same_answers_on_100_000_rows(forest: Any, task: str, size: int) -> None:
    rows = forest.rows(np.random.default_rng(size), 100_000)
    check(forest.tree(size, size, forest.tasks[task]), rows)


def test_chain_of_categories(forest: Any) -> None:
    """onnxruntime joins neighbouring equalities on one column: that must not change answers."""
    m = 61
    ids = np.arange(m)
    inner = (ids % 2 == 0) & (ids < m - 1)
    nodes = Nodes(
        np.where(inner, 4, -1), np.where(inner, EQ, 0), np.where(inner, ids // 2, 0),
        inner & (ids == 20), np.where(inner, ids + 1, -1), np.where(inner, ids + 2, -1),
        np.where(ids % 4 < 2, 1.0, 2.0).reshape(-1, 1), np.ones(m),
    )  # fmt: skip
    rows = forest.rows(np.random.default_rng(0), 20_000)
    check(Tree.from_nodes(nodes, forest.features, Task()), rows)


def test_metadata_tells_the_levels(forest: Any, tmp_path: Any) -> None:
    tree = forest.tree(0, 5, forest.tasks["value"])
    tree.to_onnx(tmp_path / "tree.onnx")
    model = onnx.load(tmp_path / "tree.onnx")
    told = {p.key: p.value for p in model.metadata_props}
    assert json.loads(told["limbeck.features"])[2]["levels"] == ["red", "green", "blue"]
    assert told["limbeck.unit"] == "kg"
    with pytest.raises(FileRefused, match="cannot be written"):
        tree.to_onnx(tmp_path / "nowhere" / "tree.onnx")


def test_mixed_labels_become_text() -> None:
    tree = Tree(2, task=Task(("none", 1))).fit([[1.0], [2.0]], np.array(["none", 1], dtype=object))
    assert tree.predict([[1.0], [2.0]]).tolist() == ["none", 1]
    assert run(tree.to_onnx(), np.array([[1.0], [2.0]]))[0].tolist() == ["none", "1"]


def test_without_onnx(forest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"limbeck\[onnx\]"):
        forest.tree(0, 5, forest.tasks["value"]).to_onnx()


@pytest.mark.parametrize("middle", [0.0, 300.0, 1013.25, -73.98])
def test_float32_rows_and_models_give_the_same_answers(middle: float) -> None:
    rng = np.random.default_rng(0)
    X = np.round(middle + 0.1 * rng.normal(size=(3000, 2)), 3)
    X[::50, 1] = np.nan
    y = np.where(np.nan_to_num(X - middle).sum(axis=1) > 0.03, "yes", "no")
    tree = Tree(30).fit(X[:200], y[:200])
    middles = np.column_stack([np.linspace(X[:, 0].min(), X[:, 0].max(), 4000), np.zeros(4000)])
    for rows in (X, middles):
        narrow = rows.astype(np.float32)
        answers = tree.predict(rows)
        assert (tree.predict(narrow) == answers).all()
        assert (run(tree.to_onnx(), narrow.astype(np.float64))[0] == answers).all()
        assert (run(tree.to_onnx(dtype="float32"), narrow)[0] == answers).all()


def test_other_dtypes_are_refused(forest: Any) -> None:
    with pytest.raises(InvalidInput, match="dtype is 'int8'"):
        forest.tree(0, 3, forest.tasks["int"]).to_onnx(dtype="int8")
