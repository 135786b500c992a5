from __future__ import annotations

import itertools
import json
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.utils.estimator_checks import parametrize_with_checks

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.students.m_of_n.m_of_n_tree import MOfNTree
from tests.students.conftest import DIFFERS
from tests.students.rule_list.test_rule_list import table, target
from tests.students.tree.test_conditions import Rule


class Read:
    """A printed tree, read by its words alone."""

    def __init__(self, text: str, features: Features) -> None:
        self.lines = [re.match(r"((?:│  |   )*)(?:[├└]─ )?(?:yes: |no:  )?(.*)", s).groups()
                      for s in text.splitlines()]  # fmt: skip
        self.features, self.at = features, 0
        self.root = self._node()

    def _node(self):
        said = self.lines[self.at][1].rsplit("  [", 1)[0]
        self.at += 1
        if not said.endswith("?"):
            return said
        said = said[:-1]
        many = re.match(r"(all|any|at least (\d+)) of \((.*)\)$", said)
        parts = many[3].split("; ") if many else [said]
        rules = [Rule(f"IF {part} THEN x", self.features) for part in parts]
        m = 1 if not many or many[1] == "any" else int(many[2] or len(rules))
        yes = self._node()
        return m, rules, yes, self._node()

    def says(self, row: np.ndarray) -> str:
        node = self.root
        while not isinstance(node, str):
            m, rules, yes, no = node
            node = yes if sum(r.holds(row) for r in rules) >= m else no
        return node


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["two", "three", "value"]))
def test_the_printed_tree_executed_is_the_prediction(seed, task):
    rng = np.random.default_rng(seed)
    X = table(seed % 1000)
    tree = MOfNTree(max_leaves=5).fit(X, target(X, task, rng))
    features = tree.features_
    for rows, exact in ((X, False), (table(seed % 1000 + 1), True)):
        read, predicted = Read(tree.text(exact=exact), features), tree.predict(rows)
        said = [read.says(row) for row in features.encode(rows)]
        if task == "value":
            slack = 1e-12 if exact else 1e-2
            assert np.array(said, dtype=float) == pytest.approx(predicted, rel=slack)
        else:
            assert [s.rsplit(" (", 1)[0] for s in said] == predicted.tolist()


def test_monk_3_is_a_tree_of_three_leaves():
    """Without its noise (Thrun and others 1991): a5 is 3 and a4 is 1, or a5 not 4 and a2 not 3."""
    X = np.array(list(itertools.product(*(range(1, k + 1) for k in (3, 3, 2, 3, 4, 2)))))
    frame = pd.DataFrame({f"a{i + 1}": pd.Categorical(X[:, i].astype(str)) for i in range(6)})
    y = ((X[:, 4] == 3) & (X[:, 3] == 1)) | ((X[:, 4] != 4) & (X[:, 1] != 3))
    tree = MOfNTree(max_leaves=6).fit(frame, y)
    assert tree.score(frame, y) == 1.0
    assert tree.size == 3
    assert tree.text().startswith("any of (a2 is 3; a5 is 4)?")


@pytest.mark.parametrize("task", ["two", "three", "value"])
def test_a_tree_comes_back_from_its_file_and_is_drawn(task):
    X = table(0)
    tree = MOfNTree().fit(X, target(X, task, np.random.default_rng(0)))
    again = MOfNTree.from_dict(json.loads(json.dumps(tree.to_dict())))
    assert again.fingerprint() == tree.fingerprint()
    assert np.array_equal(again.predict(table(1)), tree.predict(table(1)))
    assert again.text() == tree.text()
    said = " ".join(ElementTree.fromstring(tree.svg()).itertext())
    assert " of (" in said
    assert np.array_equal(tree.apply(X), tree._find(tree.features_.encode(X)))


def test_it_is_plotted():
    plt = pytest.importorskip("matplotlib.pyplot")
    X, y = load_iris(return_X_y=True)
    ax = MOfNTree(max_leaves=3).fit(X, y).plot()
    assert any("x" in t.get_text() for t in ax.texts)
    plt.close("all")


def test_sizes():
    X, y = load_iris(return_X_y=True)
    tree = MOfNTree(max_leaves=4, max_conditions=1).fit(X, y)
    assert tree.numbers == 2 * tree.size - 1
    assert tree.score(X, y) > 0.95
    assert MOfNTree(max_leaves=1).fit(X, y).text().endswith("[100 %]")


def test_bad_input():
    X = np.arange(40.0).reshape(20, 2)
    assert MOfNTree().fit(X, ["yes"] * 20).size == 1
    assert MOfNTree().fit(np.full((20, 2), np.nan), np.arange(20) % 2).size == 1
    assert MOfNTree(max_leaves=99).fit(X[:4], [0, 1, 0, 1]).size <= 4
    with pytest.raises(InvalidInput, match="whole number"):
        MOfNTree(max_leaves=0).fit(X, np.arange(20) % 2)
    tree = MOfNTree(max_leaves=3).fit(*load_iris(return_X_y=True))
    for change in (lambda d: d["tests"].pop(), lambda d: d["tests"][0].update(m=9),
                   lambda d: d["nodes"]["left"].pop()):  # fmt: skip
        data = json.loads(json.dumps(tree.to_dict()))
        change(data)
        with pytest.raises(FileRefused):
            MOfNTree.from_dict(data)


@pytest.mark.slow
@parametrize_with_checks(
    [MOfNTree(max_leaves=3, task="classes"), MOfNTree(max_leaves=3, task="value")],
    expected_failed_checks=lambda _: DIFFERS,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
