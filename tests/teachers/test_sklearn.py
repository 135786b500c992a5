from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from limbeck.core.answers import ScoreKind, answers
from limbeck.core.contract import Teacher
from limbeck.core.errors import AccessDenied, InvalidInput, TeacherFailed
from limbeck.core.task import Task
from limbeck.teachers.sklearn import SklearnTeacher

rng = np.random.default_rng(0)
X = rng.normal(size=(90, 3))
two = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")
three = np.digitize(X[:, 0], [-0.5, 0.5])


def test_probabilities_come_first():
    model = LogisticRegression().fit(X, three)
    teacher = SklearnTeacher(model)
    assert isinstance(teacher, Teacher)
    assert (teacher.name, teacher.task) == ("LogisticRegression", Task((0, 1, 2)))
    assert teacher.score_kind is ScoreKind.PROBABILITY
    np.testing.assert_array_equal(teacher.scores(X), model.predict_proba(X))


def test_a_binary_decision_value_becomes_two_columns():
    model = RidgeClassifier().fit(X, two)
    teacher = SklearnTeacher(model)
    assert teacher.score_kind is ScoreKind.LOGIT
    scores = teacher.scores(X)
    np.testing.assert_array_equal(scores[:, 0], 0)
    labels = np.array(teacher.task.classes)[answers(scores, teacher.task)]
    np.testing.assert_array_equal(labels, model.predict(X))


def test_several_decision_values_are_logits():
    teacher = SklearnTeacher(SVC().fit(X, three))
    assert teacher.score_kind is ScoreKind.LOGIT
    assert teacher.scores(X).shape == (90, 3)


def test_columns_that_stand_for_pairs_of_classes_are_not_taken():
    model = make_pipeline(SVC(decision_function_shape="ovo")).fit(X, three)
    teacher = SklearnTeacher(model)
    assert teacher.score_kind is ScoreKind.LABEL
    np.testing.assert_array_equal(answers(teacher.scores(X), teacher.task), model.predict(X))


def test_own_thresholds_are_honoured():
    model = FixedThresholdClassifier(LogisticRegression(), threshold=0.9).fit(X, two)
    teacher = SklearnTeacher(model)
    labels = np.array(teacher.task.classes)[answers(teacher.scores(X), teacher.task)]
    np.testing.assert_array_equal(labels, model.predict(X))


def test_the_method_may_be_chosen():
    model = DecisionTreeClassifier(max_depth=2).fit(X, two)
    assert SklearnTeacher(model, method="predict").score_kind is ScoreKind.LABEL
    with pytest.raises(InvalidInput, match="no decision_function"):
        SklearnTeacher(model, method="decision_function")


def test_regression_gives_one_column():
    model = LinearRegression().fit(X, X[:, 0])
    teacher = SklearnTeacher(model, unit="mm")
    assert (teacher.task, teacher.score_kind) == (Task(unit="mm"), ScoreKind.VALUE)
    np.testing.assert_array_equal(teacher.scores(X)[:, 0], model.predict(X))
    with pytest.raises(TeacherFailed, match=r"shape \(90, 2\)"):
        SklearnTeacher(LinearRegression().fit(X, X[:, :2])).scores(X)


def test_outlier_detectors_are_classifiers():
    model = IsolationForest(random_state=0, n_estimators=10).fit(X)
    teacher = SklearnTeacher(model)
    labels = np.array(teacher.task.classes)[answers(teacher.scores(X), teacher.task)]
    np.testing.assert_array_equal(labels, model.predict(X))


def test_pipelines_over_frames_keep_the_names():
    frame = pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "u", "v")})
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["b"]), remainder="passthrough"),
        LogisticRegression(),
    ).fit(frame, two)
    teacher = SklearnTeacher(model)
    assert teacher.name == "LogisticRegression"
    assert teacher.scores(frame).shape == (90, 2)
    with pytest.raises(TeacherFailed, match="raised ValueError on rows 0 to 89"):
        teacher.scores(X)


def test_what_cannot_teach_is_refused():
    with pytest.raises(InvalidInput, match="not fitted"):
        SklearnTeacher(LogisticRegression())
    with pytest.raises(InvalidInput, match="not fitted"):
        SklearnTeacher(make_pipeline(LogisticRegression()))
    with pytest.raises(InvalidInput, match="cannot predict"):
        SklearnTeacher(LogisticRegression)
    with pytest.raises(InvalidInput, match="neither classes nor numbers"):
        SklearnTeacher(KMeans(2, n_init=1).fit(X))
    with pytest.raises(InvalidInput, match="2 outputs"):
        SklearnTeacher(DecisionTreeClassifier().fit(X, np.column_stack([two, two])))


def test_estimators_of_others_need_only_predict():
    class Own:
        def fit(self, X, y):
            return self

        def predict(self, X):
            return np.full(len(X), np.nan)

    with pytest.raises(TeacherFailed, match="row 0"):
        SklearnTeacher(Own()).scores(X)


def test_activations_and_gradients_are_denied():
    teacher = SklearnTeacher(LinearRegression().fit(X, X[:, 0]))
    assert teacher.layers() == ()
    with pytest.raises(AccessDenied, match="activations"):
        teacher.activations(X, ["a"])
    with pytest.raises(AccessDenied, match="gradients"):
        teacher.gradient(X, 0)


def test_a_model_of_one_class_is_refused_as_such():
    X = np.zeros((20, 2))
    model = DecisionTreeClassifier().fit(X, ["a"] * 20)
    with pytest.raises(InvalidInput, match="knows one class only, 'a': it answers every row alike"):
        SklearnTeacher(model)
