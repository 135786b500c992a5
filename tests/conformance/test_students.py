"""Every registered student, by every method that leads to it, from every kind of teacher.

A new student or method is tested here without a line: it is found in the registry. What it cannot
do it must refuse in a sentence.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import limbeck
from limbeck.core.errors import LimbeckError
from limbeck.selection.routes import students

ROUTES = [(into, method) for into, methods in students().items() for method in methods]
# a network's inside, or signals: these have suites of their own
APART = {("wavelet", "adaptive_wavelets"), ("oblique_tree", "relu_regions"),
         ("tree", "relu_regions")}  # fmt: skip
ROUTES = [route for route in ROUTES if route not in APART]
FIRST = list({into: (into, method) for into, method in reversed(ROUTES)}.values())
TASKS = ("binary", "multiclass", "regression")
N = 120


def table(seed: int, missing: bool = False) -> pd.DataFrame:
    """Two numbers, a yes or no and a category; some values missing where asked."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({
        "age [years]": rng.integers(18, 90, N).astype(float),
        "income": rng.lognormal(3, 0.5, N),
        "member": rng.random(N) < 0.4,
        "colour": pd.Categorical(rng.choice(["red", "green", "blue"], N)),
    })  # fmt: skip
    if missing:
        X.loc[rng.random(N) < 0.1, "income"] = np.nan
        X.loc[rng.random(N) < 0.1, "colour"] = None
    return X


def numbers(X: pd.DataFrame) -> np.ndarray:
    """Rows as the teachers take them: no gaps, a column per colour."""
    colours = [(X["colour"] == c).to_numpy(float) for c in ("red", "green")]
    return np.column_stack([
        X["age [years]"] / 30, X["income"].fillna(20) / 10, X["member"].astype(float), *colours
    ])  # fmt: skip


@cache
def teacher(task: str):
    Z = numbers(table(7))
    if task == "regression":
        return DecisionTreeRegressor(max_leaf_nodes=6, random_state=0).fit(Z, Z @ [1, 2, 1, 0, 3])
    total = Z @ [1.0, 1.0, 1.0, 0.5, 0.0]
    if task == "binary":
        return LogisticRegression().fit(Z, np.where(total > np.median(total), "yes", "no"))
    y = np.array(["low", "middle", "high"])[np.digitize(total, np.quantile(total, [0.3, 0.6]))]
    return DecisionTreeClassifier(max_leaf_nodes=8, random_state=0).fit(Z, y)


def check_sentence(error: LimbeckError) -> None:
    """What a refusal looks like: what was wrong, and what to do."""
    assert str(error).rstrip().endswith(".")


SMALL = {"queries": 60, "max_rules": 3, "max_numbers": 8, "max_leaves": 5, "thresholds": 12,
         "min_instances": 60, "max_conditions": 2, "bins": 3}  # fmt: skip


def quick(into: str, method: str) -> dict[str, int]:
    """Few questions and small students, where the method has such settings."""
    known = {field.name for field in fields(students()[into][method])}
    if method == "dense":
        known.remove("max_numbers")  # refused: all columns have a weight
    return {name: value for name, value in SMALL.items() if name in known}


def distilled(into: str, method: str, task: str, X: pd.DataFrame, labels: bool = False, **given):
    """A result; without labels it has no control."""
    y = teacher(task).predict(numbers(X)) if labels else None
    try:
        return limbeck.distill(
            teacher(task), X, y, into=into, method=method, preprocess=numbers, epsilon=0.3,
            progress=False, **quick(into, method), **given,
        )  # fmt: skip
    except LimbeckError as error:
        check_sentence(error)
        pytest.skip(f"refused: {error}")


def labelled(into: str, method: str) -> str:
    """The task whose example has labels: each task for a third of the methods."""
    return TASKS[ROUTES.index((into, method)) % 3]


@cache
def example(into: str, method: str, task: str):
    """With labels, and so with a control, for one task of each method."""
    return distilled(into, method, task, table(0), labels=task == labelled(into, method))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("into", "method"), ROUTES)
def test_a_student_prints_saves_and_verifies(into, method, task, tmp_path):
    result = example(into, method, task)
    student, X = result.student, table(1)
    assert student.text().strip()
    assert into in str(result) or student.text().splitlines()[0] in str(result)
    folder = result.save(tmp_path / "run")
    loaded = limbeck.students.load(folder / "student.json")
    assert loaded.fingerprint() == student.fingerprint()
    assert np.array_equal(loaded.predict(X), student.predict(X))
    rows = result.holdout
    checked = limbeck.verify(folder / "certificate.json", loaded, rows.rows, rows.answers)
    assert checked.ok, checked
    assert result.certificate.n > 0


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("into", "method"), ROUTES)
def test_a_student_is_an_estimator_with_sizes_and_importances(into, method, task):
    student, X = example(into, method, task).student, table(1)
    shares = student.feature_importances_
    assert shares.shape == (4,)
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(1) or not shares.any()
    assert student.numbers >= 1
    assert student.size >= 1
    if task == "regression":
        assert student.predict(X).dtype.kind == "f"
        assert not hasattr(student, "predict_proba")
    else:
        assert set(student.predict(X)) <= set(student.classes_)
        if hasattr(student, "predict_proba"):
            p = student.predict_proba(X)
            assert p.shape == (N, len(student.classes_))
            assert np.allclose(p.sum(axis=1), 1)
            assert (student.classes_[p.argmax(axis=1)] == student.predict(X)).mean() > 0.99
    fresh = clone(student)
    assert not hasattr(fresh, "task_")
    if (into, method) in FIRST:  # fit knows nothing of the method
        fresh.set_params(**{name: 8 for name in ("max_numbers",) if name in fresh.get_params()})
        y = student.predict(table(0))
        again = fresh.fit(table(0), y, sample_weight=np.ones(N))
        assert again.score(table(0), y) > 0.5


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("into", "method"), ROUTES)
def test_a_formula_answers_as_the_student_does_or_is_refused(into, method, task):
    student, X = example(into, method, task).student, table(1, missing=True)
    values = student.features_.encode(X)
    try:
        formula = student.formula()
    except LimbeckError as error:
        check_sentence(error)
        return
    found = formula.outputs(values)
    if task == "regression":
        assert np.allclose(found[:, 0], student.predict(X), rtol=1e-9)
    else:
        assert (student.classes_[formula.positions(values)] == student.predict(X)).mean() > 0.99
        if hasattr(student, "predict_proba"):
            assert np.allclose(found, student.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize(("into", "method"), ROUTES)
def test_the_same_seed_gives_the_same_student_whatever_the_labels(into, method):
    task = labelled(into, method)
    result = example(into, method, task)
    again = distilled(into, method, task, table(0))
    assert again.student.fingerprint() == result.student.fingerprint()


@pytest.mark.parametrize(
    ("into", "method", "task"),
    [
        # each route with one task, and each task with a third of the routes; all are slow
        pytest.param(*route, task, marks=() if TASKS[i % 3] == task else pytest.mark.slow)
        for i, route in enumerate(ROUTES)
        for task in TASKS
    ],
)
def test_missing_values_weights_and_new_categories_have_an_answer(into, method, task):
    X = table(2, missing=True)
    weight = np.where(X["age [years]"] > 60, 5.0, 1.0)
    by_class = None if task == "regression" else "balanced"
    student = distilled(into, method, task, X, sample_weight=weight, class_weight=by_class).student
    assert student.size >= 1
    fresh = table(3, missing=True)
    fresh["colour"] = fresh["colour"].cat.add_categories("mauve")
    fresh.loc[:5, "colour"] = "mauve"
    found = student.predict(fresh)
    assert len(found) == N
    if task == "regression":
        assert np.isfinite(found).all()


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed")
@pytest.mark.parametrize(
    ("into", "method", "task"),
    [
        # a drawing knows nothing of the method: one of each student; all are slow
        pytest.param(*route, task, marks=() if route in FIRST else pytest.mark.slow)
        for route in ROUTES
        for task in TASKS
    ],
)
def test_a_student_is_drawn(into, method, task):
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    with plt.rc_context({"figure.dpi": 20}):  # fewer pixels, the same artists
        axes = np.atleast_1d(example(into, method, task).student.plot()).ravel()
        axes[0].figure.canvas.draw()
    plt.close("all")


@pytest.mark.parametrize(("into", "method"), ROUTES)
def test_a_constant_teacher_gives_a_constant_student(into, method):
    X = table(4)
    try:
        result = limbeck.distill(
            lambda X: np.full(len(X), "no"), X, into=into, method=method, classes=["no", "yes"],
            epsilon=0.3, progress=False, **quick(into, method),
        )  # fmt: skip
    except LimbeckError as error:
        check_sentence(error)
        return
    assert set(result.student.predict(X)) == {"no"}
    assert result.certificate.mean_loss == 0


@pytest.mark.parametrize(("into", "method"), ROUTES)
def test_a_method_can_be_limited_to_any_size(into, method):
    try:
        made = students()[into][method].from_settings({}, epsilon=0.1)
    except LimbeckError as error:  # a setting without a default, such as an encoder's folder
        check_sentence(error)
        return
    for numbers in (1, 2, 3, 8, 64):
        assert made.limited(numbers).into == into
