from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from limbeck.core.columns import Features
from limbeck.core.contract import Student
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.task import Task
from limbeck.students import load
from limbeck.students.wavelet.wavelet import WaveletStudent

pywt = pytest.importorskip("pywt")

# Checks of scikit-learn that a wavelet student fails besides those of all students, and why.
DIFFERS = {
    "check_sample_weight_equivalence_on_dense_data": "the folds count rows as well as weights",
}


def signals(n: int = 300, length: int = 32, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, length)).cumsum(axis=1)


def coefficient(X: np.ndarray, wavelet: str, level: int, at: int) -> np.ndarray:
    """One detail coefficient by PyWavelets, counted from the coarsest level."""
    found = pywt.wavedec(X, wavelet, mode="periodization", level=2, axis=1)
    return np.asarray(found[level][:, at])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", ["value", "classes"])
def test_sklearn_checks(forest: Any, task: Any) -> None:
    student = WaveletStudent("haar", task=task)
    results = check_estimator(student, on_fail=None, on_skip=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert set(failed) <= {*forest.differs, *DIFFERS}, failed
    assert len(results) > 35


def test_one_coefficient_is_found_and_nothing_else() -> None:
    X = signals()
    y = coefficient(X, "db3", 1, 3)
    student = WaveletStudent("db3", levels=2, keep="place").fit(X, y)
    assert isinstance(student, Student)
    assert is_regressor(student)
    assert not hasattr(student, "predict_proba")
    np.testing.assert_allclose(student.predict(X), y, atol=1e-4 * np.abs(y).max())
    S = student.coefficients(X)
    band = student.bands[1]
    assert band.name == "detail 2"
    np.testing.assert_allclose(S[:, band.start + 3], y, atol=1e-12)
    assert next(iter(student.importances())) == "detail 2"


@pytest.mark.parametrize("keep", ["size", "value"])
def test_shifting_a_signal_does_not_change_what_is_kept_by_strength(keep: Any) -> None:
    """The periodic transform of J levels commutes with shifts by 2^J."""
    X = signals(200)
    student = WaveletStudent("db2", levels=2, keep=keep, largest=3).fit(X, np.abs(X).max(axis=1))
    np.testing.assert_allclose(student.predict(np.roll(X, 8, axis=1)), student.predict(X))
    place = WaveletStudent("db2", levels=2, keep="place", largest=3).fit(X, X[:, 0])
    assert np.abs(place.predict(np.roll(X, 8, axis=1)) - place.predict(X)).max() > 0.1


def test_the_largest_magnitude_needs_no_place() -> None:
    """A bump anywhere: how high it is cannot be told from fixed places, but from the largest."""
    rng = np.random.default_rng(0)
    height, at = rng.uniform(1, 5, 400), rng.integers(0, 16, 400) * 4
    X = 0.05 * rng.normal(size=(400, 64))
    for i in range(4):
        X[np.arange(400), at + i] += height * (1 if i < 2 else -1)
    student = WaveletStudent("haar", levels=3).fit(X, height)
    assert student.strongest_.keep in ("size", "value")
    assert student.score(X, height) > 0.97
    tried = {(t["keep"], t["largest"]): t["score"] for t in student.tried_}
    assert tried["place", 1] < 0.2 < 0.9 < tried["size", 1]


def test_using_every_coefficient_is_ridge_regression_on_the_signals() -> None:
    """An orthogonal transform changes no ridge regression without scaling."""
    X = signals(100, 16)
    y = X @ np.arange(16.0)
    student = WaveletStudent("db2", levels=2, keep="place", largest=16).fit(X, y)
    assert student.size == 16
    np.testing.assert_allclose(student.predict(X), y, rtol=1e-3, atol=1e-2 * y.std())
    np.testing.assert_allclose(student.reconstruct(X), X, atol=1e-12)


def test_reconstruct_keeps_what_is_used() -> None:
    X = signals()
    for keep in ("place", "size", "value"):
        student = WaveletStudent("sym4", levels=2, keep=keep, largest=2).fit(X, X[:, 3])
        S = student.coefficients(student.reconstruct(X))
        kept = np.abs(S) > 1e-9
        assert kept.sum(axis=1).max() <= student.size
        np.testing.assert_allclose(S[kept], student.coefficients(X)[kept], atol=1e-9)
    # the largest magnitudes of each band are those that are left
    student = WaveletStudent("sym4", levels=2, keep="size", largest=2).fit(X, X[:, 3])
    S, T = student.coefficients(X), student.coefficients(student.reconstruct(X))
    for band in student.bands:
        own = np.sort(np.abs(S[:, band.start : band.stop]), axis=1)[:, -2:]
        left = np.sort(np.abs(T[:, band.start : band.stop]), axis=1)[:, -2:]
        np.testing.assert_allclose(left, own, atol=1e-9)


@pytest.mark.parametrize("shape", [(2, 24), (1, 12, 16), (3, 9, 11)])
@pytest.mark.parametrize("boundary", ["periodic", "symmetric", "zero"])
def test_channels_and_images(shape: tuple[int, ...], boundary: Any) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120, *shape))
    y = X[:, 0].reshape(120, -1)[:, 5] - 2 * X[:, -1].reshape(120, -1)[:, 7]
    student = WaveletStudent("db2", levels=2, boundary=boundary, largest=2).fit(X, y)
    flat = X.reshape(120, -1)
    np.testing.assert_array_equal(student.predict(flat), student.predict(X))
    assert student.reconstruct(X).shape == X.shape
    assert student.coefficients(X).shape == (120, student.bands[-1].stop)
    assert student.size == 2 * shape[0] * len(student.bands)
    with pytest.raises(InvalidInput, match="was learned from"):
        student.predict(X[..., :-1])


def test_classes_and_probabilities() -> None:
    X = signals(400)
    jump = coefficient(X, "haar", 2, 4)
    labels = np.where(jump > 0.5, "up", np.where(jump < -0.5, "down", "flat"))
    student = WaveletStudent("haar", levels=2).fit(X, labels)
    p = student.predict_proba(X)
    assert is_classifier(student)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (student.classes_[p.argmax(axis=1)] == student.predict(X)).all()
    assert student.score(X, labels) > 0.95
    two = WaveletStudent("haar", levels=2).fit(X, labels == "up")
    assert two.score(X, labels == "up") > 0.97
    assert (two.predict(X) == (two.predict_proba(X)[:, 1] > 0.5)).all()


def test_soft_answers_tell_more_than_hard_ones() -> None:
    """The probabilities of a known logistic model come back from few rows."""
    X = signals(150)
    z = 1.5 * coefficient(X, "db2", 1, 2)
    p = 1 / (1 + np.exp(-z))
    task = Task(("no", "yes"))
    soft = WaveletStudent("db2", levels=2, keep="place", task=task)
    soft.fit(X, np.column_stack([1 - p, p]))
    fresh = signals(500, seed=1)
    truth = 1 / (1 + np.exp(-1.5 * coefficient(fresh, "db2", 1, 2)))
    assert np.abs(soft.predict_proba(fresh)[:, 1] - truth).mean() < 0.05
    with pytest.raises(InvalidInput, match="probabilities"):
        soft.fit(X, np.column_stack([1 - p, p])[:-1])


def test_a_class_that_no_answer_names_is_never_predicted() -> None:
    X = signals(60)
    task = Task(("a", "b", "c"))
    student = WaveletStudent("haar", task=task).fit(X, np.where(X[:, 0] > 0, "a", "c"))
    assert set(student.predict(X)) == {"a", "c"}
    assert student.predict_proba(X)[:, 1].max() < 1e-6
    only = WaveletStudent("haar", task=task).fit(X, ["b"] * 60)
    assert (only.predict(X) == "b").all()


def test_additive_readout() -> None:
    pytest.importorskip("interpret")
    X = signals(500)
    y = np.abs(coefficient(X, "haar", 1, 0))
    linear = WaveletStudent("haar", levels=2, keep="place").fit(X, y)
    additive = WaveletStudent("haar", levels=2, keep="place", model="additive").fit(X, y)
    assert linear.score(X, y) < 0.4
    assert additive.score(X, y) > 0.7
    again = WaveletStudent.from_dict(json.loads(json.dumps(additive.to_dict())))
    assert (again.predict(X) == additive.predict(X)).all()
    assert again.fingerprint() == additive.fingerprint()
    assert "detail 2" in additive.text()
    two = WaveletStudent("haar", levels=2, model="additive").fit(X, y > np.median(y))
    assert two.predict_proba(X).shape == (500, 2)


@pytest.mark.parametrize("target", ["value", "two", "three"])
@pytest.mark.parametrize("keep", ["place", "size"])
def test_round_trip(target: str, keep: Any, tmp_path: Any) -> None:
    X = signals(80, 16)
    y = X[:, 3]
    goal = {"value": y, "two": y > 0, "three": np.digitize(y, [-1, 1])}[target]
    student = WaveletStudent("coif1", boundary="symmetric", keep=keep).fit(X, goal)
    again = load(student.save(tmp_path / "student.json"))
    assert (again.predict(X) == student.predict(X)).all()
    assert again.fingerprint() == student.fingerprint()
    assert again.to_dict() == student.to_dict()
    np.testing.assert_array_equal(again.reconstruct(X), student.reconstruct(X))
    assert again.text() == student.text()
    refit = clone(again).fit(X, goal)
    np.testing.assert_allclose(refit.readout_.weights, student.readout_.weights, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("low", [1.0, 2.0, 3.0]),
        ("levels", 9),
        ("boundary", "open"),
        ("shape", [31]),
        ("keep", "all"),
        ("largest", 0),
        ("spread", [1.0]),
        ("readout", {"weights": [[1.0]], "intercept": [0.0], "spread": [1.0]}),
        ("readout", {}),
    ],
)
def test_altered_files_are_refused(name: str, value: Any) -> None:
    X = signals(60)
    data = WaveletStudent("haar").fit(X, X[:, 0]).to_dict()
    with pytest.raises(FileRefused, match="file"):
        WaveletStudent.from_dict({**data, name: value})


def test_same_seed_same_student_and_rows_of_any_kind() -> None:
    X = signals(80, 16)
    frame = pd.DataFrame(X, columns=[f"t{i} [s]" for i in range(16)])
    student = WaveletStudent("db2").fit(frame, X[:, 2])
    assert student.feature_names_in_[1] == "t1 [s]"
    rows = Features.of(frame).rows(frame)
    again = WaveletStudent("db2").fit(rows, X[:, 2])
    assert again.fingerprint() == student.fingerprint()
    assert student.predict(frame.iloc[:0]).shape == (0,)
    assert student.predict(frame.iloc[:1]).shape == (1,)


def test_comparing_fits_nothing() -> None:
    X = signals(100)
    student = WaveletStudent("haar", levels=2)
    scores = student.compare(X, X[:, 0] > 0)
    assert not hasattr(student, "tried_")
    assert scores == student.fit(X, X[:, 0] > 0).tried_
    assert {t["keep"] for t in scores} == {"size", "value", "place"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"levels": 6}, "at most 5"),
        ({"low": "db99"}, "'db99' is not among the orthogonal wavelets"),
        ({"low": "bior2.2"}, "'bior2.2' is not among the orthogonal wavelets"),
        ({"low": [1.0, 2.0, 3.0]}, "even number"),
        ({"boundary": "mirror"}, "boundary is 'mirror'"),
        ({"shape": (5, 5)}, "32 columns"),
        ({"keep": "most"}, "keep='most'"),
        ({"largest": 0}, "largest is 0"),
        ({"model": "tree"}, "no model 'tree'"),
    ],
)
def test_settings_are_refused_with_a_remedy(settings: Any, words: str) -> None:
    X = signals(30)
    with pytest.raises(InvalidInput, match=words):
        WaveletStudent(**settings).fit(X, X[:, 0])


def test_gaps_are_refused_and_silent_channels_are_not() -> None:
    X = signals(60)
    X[7, 10:14] = np.nan
    with pytest.raises(InvalidInput, match=r"Signal 7 .* position 10"):
        WaveletStudent("haar").fit(X, np.arange(60.0))
    student = WaveletStudent("haar").fit(np.nan_to_num(X), np.arange(60.0))
    with pytest.raises(InvalidInput, match="Signal 7"):
        student.predict(X)
    silent = np.zeros((60, 2, 32))
    silent[:, 0] = signals(60)
    found = WaveletStudent("haar").fit(silent, silent[:, 0, 3])
    assert np.isfinite(found.predict(silent)).all()
    assert found.importances()["detail 1"] > 0
    nothing = WaveletStudent("haar").fit(np.zeros((20, 8)), np.arange(20.0))
    np.testing.assert_allclose(nothing.predict(np.zeros((3, 8))), 9.5)


def test_unfitted() -> None:
    for ask in ("predict", "reconstruct", "coefficients"):
        with pytest.raises(NotFittedError):
            getattr(WaveletStudent(), ask)(signals(3))
    with pytest.raises(NotFittedError):
        WaveletStudent().text()


def test_in_words() -> None:
    X = signals(200)
    student = WaveletStudent("db2", levels=2, keep="place", largest=1).fit(X, X[:, 0])
    lines = student.text().splitlines()
    assert lines[0] == "Wavelets with 4 taps, 2 levels, periodic boundary"
    assert "3 coefficients" in lines[1]
    assert [line.partition(":")[0] for line in lines[3:]] == [b.name for b in student.bands]
    assert student._repr_html_().startswith("<pre>Wavelets")


def test_many_rows_are_thinned_for_a_logistic_readout() -> None:
    X = signals(30_000, 8)
    z = X[:, 1]
    p = 1 / (1 + np.exp(-z))
    task = Task((0, 1))
    student = WaveletStudent("haar", levels=1, keep="place", largest=4, task=task)
    student.fit(X, np.column_stack([1 - p, p]))
    assert np.abs(student.predict_proba(X)[:, 1] - p).max() < 0.05
