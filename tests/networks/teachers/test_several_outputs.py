from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.multioutput import MultiOutputClassifier  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402

from limbeck.core.answers import ScoreKind  # noqa: E402
from limbeck.networks.teachers.several_outputs import several_outputs  # noqa: E402

X = np.random.default_rng(0).normal(size=(30, 3))
ROWS = torch.from_numpy(X)


def test_several_labels_answer_with_the_probability_of_one() -> None:
    y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0.3, np.zeros(30)]).astype(int)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)  # the last label is never 1
    answer, reading = several_outputs(tree, ROWS)
    assert answer(X).tolist() == y.tolist()
    assert reading.kind is ScoreKind.LOGIT
    each = MultiOutputClassifier(LogisticRegression()).fit(X, y[:, :2])
    answer, _ = several_outputs(each, ROWS)
    wanted = [m.predict_proba(X)[:, 1] for m in each.estimators_]
    np.testing.assert_allclose(answer(X), np.column_stack(wanted))


def test_several_numbers_are_told_by_the_first_rows_in_whatever_they_come() -> None:
    model = LinearRegression().fit(X, X[:, :2])
    for given in (ROWS, {"features": ROWS}, ROWS.view(30, 1, 3)):
        answer, reading = several_outputs(model, given)
        np.testing.assert_allclose(answer(X), X[:, :2], atol=1e-9)
        assert reading.kind is ScoreKind.VALUE


def test_one_output_and_classes_that_are_no_labels_are_none() -> None:
    names = np.column_stack([np.where(X[:, 0] > 0, "a", "b"), np.where(X[:, 1] > 0, "c", "d")])
    for one in (
        LinearRegression().fit(X, X[:, 0]),
        LinearRegression(),  # not fitted
        LogisticRegression().fit(X, X[:, 0] > 0),
        DecisionTreeClassifier().fit(X, names),
    ):
        assert several_outputs(one, ROWS) is None
    assert several_outputs(LinearRegression().fit(X, X[:, :2]), (ROWS, ROWS)) is None
