from __future__ import annotations

import json
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import limbeck
from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.task import Task
from limbeck.students.oblique_tree.tree import ObliqueTree


@cache
def made(k=2, seed=0):
    rng = np.random.default_rng(seed)
    layers = [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in ((3, 4), (4, 3), (3, k))]
    features = Features(tuple(Feature(n) for n in ("age", "income", "debt")))
    task = Task(("no", "yes", "maybe")[:k]) if k > 1 else Task()
    return layers, ObliqueTree.from_layers(layers, features, task, np.array([1.0, 2.0, 3.0]))


def forward(layers, X):
    for W, b in layers[:-1]:
        X = np.maximum(X @ W.T + b, 0)
    return X @ layers[-1][0].T + layers[-1][1]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_tree_is_the_network(k):
    layers, tree = made(k)
    X = np.random.default_rng(1).normal(size=(5000, 3)) * 4
    np.testing.assert_allclose(tree.outputs(X), forward(layers, X), atol=1e-12)
    said = tree.predict(X)
    if k == 1:
        np.testing.assert_allclose(said, forward(layers, X)[:, 0], atol=1e-12)
        assert not hasattr(tree, "predict_proba")
    else:
        assert (said == tree.classes_[forward(layers, X).argmax(axis=1)]).all()
        np.testing.assert_allclose(tree.predict_proba(X).sum(axis=1), 1)
    assert len(np.unique(tree.apply(X))) <= tree.size


def test_a_missing_value_counts_as_the_mean():
    layers, tree = made()
    np.testing.assert_allclose(
        tree.outputs([[np.nan, 0.5, np.nan]]), forward(layers, np.array([[1.0, 0.5, 3.0]]))
    )
    assert "age 1, income 2, debt 3" in tree.text()


def test_files_hold_all_of_it(tmp_path):
    _, tree = made(3)
    loaded = limbeck.students.load(tree.save(tmp_path / "student.json"))
    X = np.random.default_rng(1).normal(size=(200, 3))
    np.testing.assert_array_equal(loaded.outputs(X), tree.outputs(X))
    assert loaded.fingerprint() == tree.fingerprint()
    assert loaded.text() == tree.text()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["nodes"]["left"].__setitem__(0, 0),
        lambda d: d["nodes"]["unit"].__setitem__(0, 99),
        lambda d: d["nodes"]["layer"].__setitem__(0, 7),
        lambda d: d["layers"].pop(),
        lambda d: d["fill"].pop(),
        lambda d: d["on"].pop(),
    ],
)
def test_altered_files_are_refused(spoil):
    data = json.loads(json.dumps(made()[1].to_dict()))
    spoil(data)
    with pytest.raises(FileRefused):
        ObliqueTree.from_dict(data)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "value"])
def test_fit_trains_a_network_and_is_an_estimator(kind):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(300, 2)) * [1, 100], columns=["a", "b"])
    score = np.abs(X["a"]).to_numpy()
    y = {
        "binary": np.where(score > 0.7, "far", "near"),
        "multiclass": np.digitize(score, [0.4, 1.0]).astype(str),
        "value": score,
    }[kind]
    tree = clone(ObliqueTree(hidden=(4,))).fit(X, y)
    assert tree.score(X, y) > 0.85
    assert tree.size <= 11
    assert tree.feature_importances_[0] > 0.9
    assert tree.numbers > 0
    weighed = ObliqueTree(hidden=(4,)).fit(X, y, sample_weight=1.0 + (score > 1))
    assert weighed.score(X, y) > 0.8
    assert tree.text().count("\n") < 70


def test_categories_are_refused():
    X = pd.DataFrame({"colour": pd.Categorical(["red", "blue"] * 5)})
    with pytest.raises(InvalidInput, match="colour"):
        ObliqueTree().fit(X, [0, 1] * 5)


def test_a_drawing_has_a_line_for_each_class():
    lines = re.findall(r"<text [^>]*>([^<]*)</text>", made(3)[1].svg())
    for name in ("no", "yes", "maybe"):
        assert any(line.startswith(f"{name}:") for line in lines)
