from __future__ import annotations

import json

import numpy as np
import pytest

from limbeck.core.errors import FileRefused
from limbeck.students.importance import MOST_COLUMNS, feature_importances
from limbeck.students.junta.junta import Junta
from limbeck.students.tree.tree import Tree

X = np.random.default_rng(0).normal(size=(4000, 3))


class Weighted:
    """A known sum of the columns, as values or as probabilities."""

    def __init__(self, weights):
        self.weights = np.array(weights)

    def predict(self, rows):
        return rows.values @ self.weights


def test_shares_follow_the_weights_of_a_sum():
    tree = Tree(2).fit(X, X[:, 0])
    shares = feature_importances(Weighted([2.0, 1.0, 0.0]), tree.features_, X)
    # exchanged standard normal values differ by sqrt(2) |z|: in the mean 2 / sqrt(pi) a unit weight
    assert shares == pytest.approx([2 / 3, 1 / 3, 0], abs=0.02)


def test_columns_that_are_not_used_cost_nothing_and_get_nothing():
    tree = Tree(4).fit(X, np.where(X[:, 1] > 0, "yes", "no"))
    assert tree.feature_importances_.tolist() == [0.0, 1.0, 0.0]
    junta = Junta(variables=[2]).fit(X, np.where(X[:, 2] > 0, "yes", "no"))
    assert junta.feature_importances_.tolist() == [0.0, 0.0, 1.0]


def test_a_constant_student_has_zeros():
    assert Tree(4).fit(X, np.full(len(X), "no")).feature_importances_.tolist() == [0, 0, 0]


def test_they_survive_the_file_and_count_in_the_fingerprint(tmp_path):
    tree = Tree(5).fit(X, X[:, 0] + X[:, 1])
    data = json.loads(tree.save(tmp_path / "tree.json").read_text())
    again = Tree.from_dict(data)
    assert again.feature_importances_.tolist() == tree.feature_importances_.tolist()
    assert again.fingerprint() == tree.fingerprint()
    changed = Tree.from_dict({**data, "importances": [1.0, 0.0, 0.0]})
    assert changed.fingerprint() != tree.fingerprint()
    for wrong in ([1.0], [2.0, 0.0, 0.0], [-0.1, 0.0, 1.1], ["a", "b", "c"]):
        with pytest.raises(FileRefused, match=r"importances|malformed"):
            Tree.from_dict({**data, "importances": wrong})


def test_what_was_not_measured_says_so():
    tree = Tree(5).fit(X, X[:, 0])
    bare = Tree.from_nodes(tree.nodes_, tree.features_, tree.task_)
    with pytest.raises(AttributeError, match="were not measured"):
        bare.feature_importances_  # noqa: B018
    assert bare.measured(X).feature_importances_.tolist() == tree.feature_importances_.tolist()


def test_a_student_of_very_many_columns_is_left_unmeasured():
    wide = Weighted(np.ones(MOST_COLUMNS + 1))
    tree = Tree(2).fit(X, X[:, 0])
    tree._used = lambda: range(MOST_COLUMNS + 1)
    tree._importances = None
    assert tree.measured(X)._importances is None
    assert len(wide.weights) > MOST_COLUMNS


def test_numbers_are_what_a_reader_must_hold():
    tree = Tree(5).fit(X, X[:, 0])
    assert (tree.size, tree.numbers) == (5, 9)
    junta = Junta(variables=[0, 1], bins=2).fit(X, np.where(X[:, 0] > 0, "yes", "no"))
    assert (junta.size, junta.numbers) == (4, 6)  # four cells, one edge for each variable
