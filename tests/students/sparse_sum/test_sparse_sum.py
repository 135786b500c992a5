from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import check_estimator

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.task import Task
from limbeck.students import load
from limbeck.students.sparse_sum.model import TermWeights
from limbeck.students.sparse_sum.sparse_sum import SparseSum
from limbeck.students.sparse_sum.terms import SumTerm, TermTest

RNG = np.random.default_rng(0)


def people(n: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({
        "age [years]": 3.0 * rng.integers(6, 30, n),
        "member": rng.random(n) < 0.5,
        "town": pd.Categorical(rng.choice(["York", "Bath", "Ely"], n)),
    })  # fmt: skip


def test_the_terms_of_a_planted_sum_are_found_and_said_in_their_units() -> None:
    X = people()
    y = 2.0 * (X["age [years]"] > 60) + 1.0 * (X["town"] == "Bath") + 0.5
    student = SparseSum(max_numbers=6).fit(X, y)
    assert student.score(X, y) > 0.999
    assert student.numbers == student.size == 4  # an intercept, a step of two, a level
    said = student.text()
    assert "if town is Bath        +1" in said
    assert "age" in said
    assert "years" in said
    shares = dict(zip(X.columns, student.feature_importances_, strict=True))
    assert shares["member"] == 0
    assert shares["age [years]"] > shares["town"] > 0


def test_a_sum_can_be_added_up_by_hand_from_its_text() -> None:
    """What is printed is what is computed, to the last digit."""
    X = people()
    y = np.where(X["age [years]"] / 30 + X["member"] + RNG.random(600) > 2.2, "ill", "well")
    student = SparseSum().fit(X, y)
    lines = student.text().split("\n\n")[0].splitlines()[1:]
    total = np.zeros(len(X))
    for line in lines:
        words, weight = line.rsplit(maxsplit=1)
        words = words.strip()
        if words == "always":
            value = 1.0
        elif words == "age in years":
            value = X["age [years]"].to_numpy()
        else:
            parts = words.removeprefix("if ").split(" and ")
            value = np.ones(len(X), dtype=bool)
            for part in parts:
                value = value & holds(part, X)
        total += float(weight) * value
    assert total == pytest.approx(student.add_up(X), abs=1e-9)
    assert (np.where(total > 0, "well", "ill") == student.predict(X)).all()
    assert student.predict_proba(X)[:, 1] == pytest.approx(1 / (1 + np.exp(-total)))


def holds(said: str, X: pd.DataFrame) -> np.ndarray:
    age = X["age [years]"].to_numpy()
    if said == "member is true":
        return X["member"].to_numpy()
    if said == "member is false":
        return ~X["member"].to_numpy()
    if said.startswith("town is not"):
        return (X["town"] != said.split()[-1]).to_numpy()
    if said.startswith("town is"):
        return (X["town"] == said.split()[-1]).to_numpy()
    words = said.removesuffix(" years").split()
    if words[1] == "<":
        return (float(words[0]) < age) & (age <= float(words[-1]))
    return age <= float(words[-1]) if words[1] == "<=" else age > float(words[-1])


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_a_file_gives_the_student_back(kind, tmp_path) -> None:
    X = people()
    X.loc[::9, "age [years]"] = np.nan
    score = X["age [years]"].fillna(50) / 40 + X["member"] + RNG.random(600)
    y = {
        "binary": np.where(score > 2, "b", "a"),
        "multiclass": np.digitize(score, [1.5, 2.2, 2.8]),
        "regression": score,
    }[kind]
    student = SparseSum(max_numbers=10, exactly=True).fit(X, y)
    again = load(student.save(tmp_path / "student.json"))
    assert again.fingerprint() == student.fingerprint()
    assert (again.predict(X) == student.predict(X)).all()
    assert again.text() == student.text()
    assert (again.feature_importances_ == student.feature_importances_).all()


def test_multiclass_has_a_sum_for_each_class_and_shares_terms() -> None:
    features = Features.of(np.zeros((2, 2)))
    step = SumTerm("all", tests=(TermTest(0, ">", 1.0),))
    found = TermWeights((step,), np.array([[1.0, -1.0, 0.0]]), np.array([0.5, 1.0, 0.0]))
    assert found.numbers == 5  # two weights, one threshold, two intercepts
    student = SparseSum.from_sum(found, np.zeros(2), features, Task(("a", "b", "c")))
    assert student.predict(np.array([[0.0, 0], [2, 0]])).tolist() == ["b", "a"]
    e = np.exp([1.5, 0.0, 0.0])
    assert student.predict_proba(np.array([[2.0, 0]]))[0] == pytest.approx(e / e.sum())
    assert "The sum of c is 0." in student.text()


def test_missing_everywhere_constant_targets_and_one_class_have_an_answer() -> None:
    X = people()
    X.loc[::2, "age [years]"] = np.nan
    X.loc[1::3, "town"] = None
    y = np.where(X["age [years]"].isna(), 3.0, 1.0)
    student = SparseSum(max_numbers=4).fit(X, y)
    assert "if age is missing" in student.text()
    assert student.score(X, y) > 0.99
    empty = np.full((40, 2), np.nan)
    assert (SparseSum().fit(empty, np.arange(40.0)).predict(empty) == 19.5).all()
    assert (SparseSum().fit(empty, np.ones(40)).predict(empty) == 1.0).all()
    assert (SparseSum().fit(X, np.full(600, "yes")).predict(X) == "yes").all()
    assert SparseSum().fit(X, np.full(600, "yes")).predict_proba(X).shape == (600, 1)


def test_more_terms_than_rows_and_weights_of_zero() -> None:
    X = RNG.standard_normal((8, 40))
    student = SparseSum(max_numbers=20).fit(X, X[:, 3] > 0)
    assert student.numbers <= 20
    X = RNG.standard_normal((300, 2))
    y = np.where(np.arange(300) < 200, X[:, 0] > 0, X[:, 1] > 0)
    weight = (np.arange(300) < 200).astype(float)
    weighed, alone = SparseSum().fit(X, y, weight), SparseSum().fit(X[:200], y[:200])
    assert weighed.score(X[:200], y[:200]) > 0.97
    assert np.array_equal(weighed.fill_, alone.fill_)


def test_a_setting_out_of_range_or_a_file_that_was_altered_is_refused() -> None:
    X = people()
    with pytest.raises(InvalidInput, match="max_numbers is 0"):
        SparseSum(max_numbers=0).fit(X, X["member"])
    student = SparseSum(max_numbers=4).fit(X, X["member"].astype(float))
    data = json.loads(json.dumps(student.to_dict()))
    for key, value in [("weights", [[1.0], [2.0]]), ("fill", [1.0]), ("intercept", [None])]:
        with pytest.raises(FileRefused):
            SparseSum.from_dict({**data, key: value})
    with pytest.raises(InvalidInput, match="shape"):
        SparseSum.from_sum(TermWeights((), np.zeros((0, 3)), np.zeros(3)), np.zeros(2),
                           Features.of(np.zeros((1, 2))), Task())  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_it_is_a_scikit_learn_estimator() -> None:
    results = check_estimator(SparseSum(max_numbers=8), on_fail=None, on_skip=None)
    failed = {r["check_name"] for r in results if r["status"] == "failed"}
    # folds are dealt by row, so that a doubled row is not a weight of two
    assert failed <= {"check_sample_weight_equivalence_on_dense_data"}


def test_a_plot_has_a_bar_for_each_term() -> None:
    mpl = pytest.importorskip("matplotlib")
    mpl.use("agg")
    from matplotlib import pyplot as plt

    X = people()
    student = SparseSum(max_numbers=8).fit(X, X["age [years]"] * 0.1 + X["member"])
    ax = student.plot()
    assert len(ax.patches) == len(student.sum_.terms)
    widths = sorted(p.get_width() for p in ax.patches)
    ages = X["age [years]"]
    column = [i for i, t in enumerate(student.sum_.terms) if t.kind == "column"]
    if column:
        span = np.quantile(ages, 0.95) - np.quantile(ages, 0.05)
        assert student.sum_.weights[column[0], 0] * span == pytest.approx(widths[-1])
    plt.close("all")
