from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.data.splits import split_folds
from limbeck.methods.linear import match_linear
from limbeck.students import load
from limbeck.students.linear.linear import Linear, l1_path
from limbeck.students.sparse_sum.sum_data import SumData

RNG = np.random.default_rng(0)
X = RNG.standard_normal((300, 4)) * [1, 10, 100, 1]


@pytest.mark.parametrize("classes", [2, 3])
def test_labels_are_fitted_as_scikit_learn_does(classes) -> None:
    z = X @ [1, 0.1, -0.01, 0] + 0.5 * RNG.standard_normal(300)
    y = np.digitize(z, [0.0, 1.0][: classes - 1])
    peer = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(X, y)
    ours = Linear().fit(X, y)
    assert (ours.predict(X) == peer.predict(X)).mean() > 0.99
    assert ours.predict_proba(X) == pytest.approx(peer.predict_proba(X), abs=0.01)
    assert ours.size == (5 if classes == 2 else 15)


def test_values_are_fitted_as_ridge_does_and_a_file_gives_the_student_back(tmp_path) -> None:
    y = X @ [3, -1, 0.02, 0] + 5
    peer = make_pipeline(StandardScaler(), Ridge()).fit(X, y)
    ours = Linear().fit(X, y)
    assert ours.predict(X) == pytest.approx(peer.predict(X), abs=0.02 * y.std())
    again = load(ours.save(tmp_path / "linear.json"))
    assert again.fingerprint() == ours.fingerprint()
    assert again.sum_.terms[0].column == 1  # what changes the sum most comes first


def test_a_category_is_no_number_and_gaps_have_a_weight() -> None:
    frame = pd.DataFrame({"c": ["a", "b", "c"] * 100, "x": X[:, 0]})
    y = (frame["c"] != "b").astype(int)
    assert Linear().fit(frame, y).score(frame, y) == 1
    frame.loc[::4, "x"] = np.nan
    y = frame["x"].isna().astype(int)
    student = Linear().fit(frame, y)
    assert student.score(frame, y) == 1
    assert "if x is missing" in student.text()


def test_one_answer() -> None:
    assert (Linear().fit(X, np.full(300, "yes")).predict(X) == "yes").all()


def test_probabilities_that_are_all_alike_leave_no_weight_but_the_constant() -> None:
    """Weights of 1e-16 stood for every column."""
    X = np.random.default_rng(0).normal(size=(50, 3))
    rows = Features.of(X).rows(X)
    found = match_linear(rows, np.tile([0.1, 0.9], (50, 1)), None, Task((0, 1)))
    assert found.numbers == 1
    np.testing.assert_allclose(found.predict_proba(rows)[:, 1], 0.9, atol=0.01)


def test_many_weights_are_fitted_too() -> None:
    """More than Newton's method takes: the same loss as with fewer."""
    wide = RNG.standard_normal((80, 270))  # 813 weights
    y = (wide[:, :3].sum(axis=1) > 0).astype(int) + (wide[:, 5] > 1)
    student = Linear().fit(wide, y)
    assert student.score(wide, y) > 0.97


def test_an_l1_path_finds_the_columns_that_matter() -> None:
    noise = RNG.standard_normal((500, 30))
    z = 2 * noise[:, 4] - 3 * noise[:, 9]
    p = 1 / (1 + np.exp(-z))
    data = SumData(Features.of(noise), noise, np.column_stack([1 - p, p]), np.ones(500),
                   split_folds(noise, RNG), np.ones(500, dtype=bool), True)  # fmt: skip
    found = l1_path(data, (1, 3, 8), np.random.default_rng(0), epsilon=0.05)
    assert [s.numbers for s in found.sums][:2] == [1, 3]
    kept = found.sums[1]
    weights = dict(zip([t.column for t in kept.terms], kept.weights[:, 0], strict=True))
    assert weights == pytest.approx({4: 2.0, 9: -3.0}, rel=0.15)  # refitted: not shrunk
    assert found.chosen == 1
