from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.forests import fitted_forest, most_asked, trees_of_teacher
from limbeck.students.tree.tree import Tree
from limbeck.teachers import as_teacher


def made(n=200):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    return X, (X[:, 0] + 0.3 * X[:, 1] > 0).astype(int)


def test_the_trees_of_a_forest_are_read_as_they_are():
    X, y = made()
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    features = Features.of(X)
    trees = trees_of_teacher(as_teacher(forest), features)
    for nodes, member in zip(trees, forest.estimators_, strict=True):
        ours = Tree.from_nodes(nodes, features, Task((0, 1)))
        assert (ours.predict(X) == member.predict(X).astype(int)).all()
    boosted = GradientBoostingClassifier(n_estimators=4, random_state=0).fit(X, y)
    assert len(trees_of_teacher(as_teacher(boosted), features)) == 4


def test_other_teachers_have_none():
    X, y = made()
    features = Features.of(X)
    assert trees_of_teacher(as_teacher(LogisticRegression().fit(X, y)), features) is None
    scaled = make_pipeline(StandardScaler(), RandomForestClassifier(3)).fit(X, y)
    assert trees_of_teacher(as_teacher(scaled), features) is None
    assert (
        trees_of_teacher(as_teacher(RandomForestClassifier(3).fit(X, y)), Features.of(X[:, :2]))
        is None
    )
    frame = pd.DataFrame({"colour": pd.Categorical(["a", "b"])})
    one = RandomForestClassifier(3).fit(X[:, :1], y)
    assert trees_of_teacher(as_teacher(one), Features.of(frame)) is None


def test_questions_of_most_data_come_first_and_near_ones_are_one():
    X, y = made(2000)
    features, rng = Features.of(X), np.random.default_rng(0)
    trees = fitted_forest(features, X, y, np.ones(2000), Task((0, 1)), rng)
    assert len(trees) == 30
    found = most_asked(trees, features, X, 20)
    assert len(found) == len(set(found)) == 20
    assert sum(t.feature == 0 for t in found) > sum(t.feature == 2 for t in found)
    ranks = [(t.feature, np.searchsorted(np.quantile(X[:, t.feature], np.linspace(0, 1, 51)[1:-1]),
                                         t.threshold)) for t in found]  # fmt: skip
    assert len(set(ranks)) == 20
