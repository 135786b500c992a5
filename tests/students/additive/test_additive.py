from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import check_estimator

from limbeck.core.columns import Features
from limbeck.core.contract import Student
from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra
from limbeck.core.task import Task
from limbeck.students import load
from limbeck.students.additive.additive import Additive
from limbeck.students.additive.bins import Bins
from limbeck.students.additive.boosting import Terms

pytest.importorskip("interpret")

# Checks of scikit-learn that an additive student fails besides those of all students, and why.
DIFFERS = {
    "check_sample_weight_equivalence_on_dense_data": "boosting counts rows as well as weights",
    "check_classifier_not_supporting_multiclass": "the message is limbeck's own",
}
CHECKS = pytest.mark.filterwarnings("ignore")


def rows(n: int = 600, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age [years]": rng.integers(18, 70, n).astype(float),
            "colour": rng.choice(["red", "green", "blue"], n),
            "old": rng.random(n) < 0.5,
        }
    )
    frame.loc[::17, "age [years]"] = np.nan
    truth = 0.05 * frame["age [years]"].fillna(10) + 1.0 * (frame["colour"] == "red")
    return frame, truth.to_numpy() + 0.5 * frame["old"].to_numpy()


@CHECKS
@pytest.mark.slow
@pytest.mark.parametrize("task", ["value", "classes"])
def test_sklearn_checks(forest: Any, task: Any) -> None:
    student = Additive(task=task, rounds=60)
    results = check_estimator(student, on_fail=None, on_skip=None)
    failed = {r["check_name"] for r in results if r["status"] == "failed"}
    assert failed <= {*forest.differs, *DIFFERS}
    assert len(results) > 35


def test_known_values() -> None:
    frame, y = rows()
    student = Additive(task="value", min_rows=5).fit(frame, y)
    assert isinstance(student, Student)
    assert np.corrcoef(student.predict(frame), y)[0, 1] > 0.99
    assert next(iter(student.importances())) == "age [years]"
    assert is_regressor(student)
    assert not hasattr(student, "predict_proba")
    assert student.score(frame, y) > 0.97
    assert student.size == sum(int((w > 0).sum()) for w in student.weight_)


def test_two_classes() -> None:
    frame, y = rows()
    labels = np.where(y > np.median(y), "high", "low")
    student = Additive().fit(frame, labels)
    p = student.predict_proba(frame)
    assert p.shape == (len(frame), 2)
    assert np.allclose(p.sum(axis=1), 1)
    assert roc_auc_score(labels == "low", p[:, 1]) > 0.97
    assert set(student.predict(frame)) == {"high", "low"}
    assert is_classifier(student)


def test_tables_are_centred_on_the_training_rows() -> None:
    frame, y = rows()
    student = Additive(task="value").fit(frame, y)
    for at, table in zip(student.terms_.columns, student.terms_.tables, strict=True):
        assert abs(np.average(table, weights=student.weight_[at[0]])) < 1e-9
    assert student.terms_.intercept == pytest.approx(y.mean(), abs=0.05)


def test_one_class_one_value_and_no_rows() -> None:
    frame, _ = rows(50)
    assert (Additive().fit(frame, ["a"] * 50).predict(frame) == "a").all()
    constant = Additive(task="value").fit(frame, np.full(50, 2.5))
    assert np.allclose(constant.predict(frame), 2.5)
    assert constant.predict(frame.iloc[:0]).shape == (0,)


def test_weights_count_like_repeated_rows() -> None:
    frame, y = rows(300)
    once = Additive(task="value").fit(frame, y, np.repeat([1.0, 2.0], 150))
    twice = Additive(task="value").fit(
        pd.concat([frame, frame.iloc[150:]]), np.concatenate([y, y[150:]])
    )
    assert np.abs(once.predict(frame) - twice.predict(frame)).max() < 0.3


def test_pairs_find_what_main_effects_cannot() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 3))
    y = np.sign(X[:, 0]) * np.sign(X[:, 1])
    alone = Additive(task="value").fit(X, y)
    paired = Additive(pairs=1, task="value").fit(X, y)
    assert alone.score(X, y) < 0.1
    assert paired.score(X, y) > 0.8
    assert (0, 1) in paired.terms_.columns
    assert "x0 and x1" in paired.text()
    again = Additive.from_dict(json.loads(json.dumps(paired.to_dict())))
    assert (again.predict(X) == paired.predict(X)).all()


def test_round_trip(tmp_path: Any) -> None:
    frame, y = rows()
    student = Additive(task=Task(unit="points")).fit(frame, y)
    again = load(student.save(tmp_path / "student.json"))
    assert again.fingerprint() == student.fingerprint()
    assert (again.predict(frame) == student.predict(frame)).all()
    assert again.task_.unit == "points"


def test_text_names_bins_and_levels() -> None:
    frame, y = rows()
    text = Additive(task="value").fit(frame, y).text()
    assert "colour:" in text
    assert "  red: +" in text
    assert "  missing: " in text
    assert "  yes: +" in text
    assert "up to" in text


def test_same_seed_same_student() -> None:
    frame, y = rows()
    students = [clone(Additive(task="value", random_state=3)).fit(frame, y) for _ in range(2)]
    assert students[0].fingerprint() == students[1].fingerprint()


def test_unfitted_and_representation() -> None:
    with pytest.raises(NotFittedError):
        Additive().predict([[1.0]])
    assert "Additive" in Additive()._repr_html_()
    frame, y = rows(100)
    assert "intercept" not in Additive(task="value").fit(frame, y)._repr_html_()


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"pairs": -1}, "pairs is -1"), ({"bins": 1}, "bins is 1"), ({"rounds": True}, "rounds")],
)
def test_bad_settings(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        Additive(**settings).fit([[1.0], [2.0]], ["a", "b"])


def test_boosting_refuses_three_classes_and_constraints() -> None:
    with pytest.raises(InvalidInput, match="3 classes"):
        Additive(solver="boosting").fit([[1.0], [2.0], [3.0]], ["a", "b", "c"])
    with pytest.raises(InvalidInput, match="max_terms was given"):
        Additive(solver="boosting", max_terms=2).fit([[1.0], [2.0]], ["a", "b"])
    with pytest.raises(InvalidInput, match="solver 'boost'"):
        Additive(solver="boost").fit([[1.0], [2.0]], ["a", "b"])  # type: ignore[arg-type]


def test_steps_learn_three_classes_with_weights() -> None:
    frame, y = rows()
    labels = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    student = Additive(min_rows=5).fit(frame, labels)
    assert student.score(frame, labels) > 0.9
    p = student.predict_proba(frame)
    assert p.shape == (len(frame), 3)
    assert np.allclose(p.sum(axis=1), 1)
    assert (p.argmax(axis=1) == student.predict(frame)).all()
    again = Additive.from_dict(json.loads(json.dumps(student.to_dict())))
    assert (again.predict_proba(frame) == p).all()
    assert "scores of 0, 1, 2" in student.text()
    only = Additive().fit(frame, labels, (labels != 1).astype(float))
    assert set(only.predict(frame)) == {0, 2}


def test_steps_keep_to_numbers_terms_directions_and_columns() -> None:
    frame, y = rows()
    small = Additive(solver="steps", max_numbers=9, task="value").fit(frame, y)
    assert small.numbers <= 9
    assert small.score(frame, y) > 0.8
    one = Additive(solver="steps", max_terms=1, task="value").fit(frame, y)
    assert "not used: " in one.text()
    assert (one.feature_importances_ > 0).sum() == 1
    up = Additive(solver="steps", monotone={"age [years]": -1}, task="value").fit(frame, y)
    table = up.terms_.tables[0][: len(up.bins_.edges[0]) + 1]
    assert (np.diff(table) <= 1e-12).all()
    without = Additive(solver="steps", forbidden=["colour"], task="value").fit(frame, y)
    assert without.feature_importances_[1] == 0
    with pytest.raises(InvalidInput, match="ridge is 0"):
        Additive(solver="steps", ridge=0).fit(frame, y)


def test_steps_need_no_other_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "interpret.glassbox", None)
    frame, y = rows(200)
    assert Additive(solver="steps", task="value").fit(frame, y).score(frame, y) > 0.97


def test_from_terms_refuses_what_does_not_fit() -> None:
    features = Features.of(np.zeros((2, 1)))
    bins = Bins((np.array([0.5]),), (np.empty(0, np.int64),))
    weight = (np.array([1.0, 1.0, 0.0]),)
    good = Terms(0.0, ((0,),), (np.array([-1.0, 1.0, 0.0]),))
    student = Additive.from_terms(good, bins, weight, features, Task())
    assert student.predict([[0.0], [1.0]]).tolist() == [-1.0, 1.0]
    for bad in (
        Terms(0.0, (), ()),
        Terms(0.0, ((0,),), (np.zeros(2),)),
        Terms(0.0, ((0,),), (np.array([np.nan, 0.0, 0.0]),)),
        Terms(np.nan, ((0,),), (np.zeros(3),)),
        Terms(0.0, ((0,), (0, 3)), (np.zeros(3), np.zeros((3, 3)))),
    ):
        with pytest.raises(InvalidInput):
            Additive.from_terms(bad, bins, weight, features, Task())


@pytest.mark.parametrize(
    "harm",
    [
        lambda d: d.pop("terms"),
        lambda d: d["terms"][0]["table"].pop(),
        lambda d: d["bins"][0].update(edges=[2.0, 1.0]),
        lambda d: d.update(intercept="much"),
        lambda d: d.update(weight=[]),
        lambda d: d["task"].update(classes=["a", "b", "c"]),
        lambda d: d["terms"][0].update(columns=[0.0]),
    ],
)
def test_altered_files_are_refused(harm: Any) -> None:
    frame, y = rows(100)
    data = json.loads(json.dumps(Additive(task="value").fit(frame, y).to_dict()))
    harm(data)
    with pytest.raises(FileRefused):
        Additive.from_dict(data)


def test_without_interpret_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "interpret.glassbox", None)
    with pytest.raises(MissingExtra, match=r"limbeck\[audit\]"):
        Additive(min_rows=1).fit([[1.0], [2.0]], ["a", "b"])
