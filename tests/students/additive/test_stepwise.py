from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.additive.additive import Additive
from limbeck.students.additive.constraints import Constraints
from limbeck.students.additive.stepwise import CLIP, StepProblem, logits


def table(n: int = 800) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({
        "a": rng.normal(size=n), "b": rng.choice(list("rstu"), n), "c": rng.random(n) < 0.4,
        "d": rng.integers(0, 4, n).astype(float),
    })  # fmt: skip
    X.loc[::13, "a"] = np.nan
    X.loc[::17, "b"] = None
    y = 2.0 * (X["a"] > 0.3) + (X["b"] == "s") - X["c"] + X["a"].isna() + (X["c"] & (X["d"] > 1))
    return X, y.to_numpy(dtype=float)


def problem(X, y, **given) -> StepProblem:
    features = Features.of(X)
    return StepProblem.of(features, features.encode(X), y[:, None], np.ones(len(y)),
                          Constraints(**given))  # fmt: skip


def test_logits_are_clipped_and_softmax_gives_the_probabilities_back() -> None:
    two = logits(np.array([[0.5, 0.5], [0.0, 1.0], [0.7, 0.3]]))
    assert two[:, 0] == pytest.approx([0, CLIP, np.log(0.3 / 0.7)])
    p = np.array([[0.6, 0.3, 0.1]])
    z = np.exp(logits(p))
    assert z / z.sum() == pytest.approx(p)
    assert logits(np.ones((2, 1))).tolist() == [[0.0], [0.0]]
    assert logits(np.array([[1.0, 0.0, 0.0]])).min() == pytest.approx(-CLIP - np.log(1.5))


@pytest.mark.parametrize("pairs", [0, 1])
@pytest.mark.parametrize("numbers", [None, 12.0])
def test_tables_say_what_the_terms_say(pairs, numbers) -> None:
    X, y = table()
    made = problem(X, y, pairs=pairs)
    fit = made.fit(made.moments(), 0.001, numbers)
    student = Additive.from_terms(*made.terms(fit), made.features, Task())
    assert np.allclose(student.predict(X), made.add_up(fit, made.cells)[:, 0])
    if numbers is not None:
        assert student.numbers <= numbers
    else:
        assert student.score(X, y) > (0.999 if pairs else 0.94)
    for at, t in zip(student.terms_.columns, student.terms_.tables, strict=True):
        if len(at) == 1:
            assert abs(np.average(t, weights=student.weight_[at[0]])) < 1e-9


def test_the_sum_is_found_with_as_many_numbers_as_it_has() -> None:
    X, y = table()
    X, y = X.drop(columns="d"), y - (X["c"] & (X["d"] > 1)).to_numpy()
    made = problem(X, y)
    fit = made.fit(made.moments(), 1e-6, 7.0)  # an intercept, a step, a level, missing, a flag
    student = Additive.from_terms(*made.terms(fit), made.features, Task())
    assert student.numbers <= 7
    assert student.score(X, y) > 0.98


def test_wide_tables_are_screened() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(250, 150))
    y = np.sign(X[:, 100]) + np.sign(X[:, 7])
    made = problem(X, y)
    student = Additive.from_terms(*made.terms(made.fit(made.moments(), 0.01, 8.0)),
                                  made.features, Task())  # fmt: skip
    assert student.score(X, y) > 0.75
    assert len(made.steps.prices) < 150 * 20


def test_forbidden_columns_are_in_no_term_and_no_pair() -> None:
    X, y = table()
    made = problem(X, y, pairs=3, forbidden=("c",))
    student = Additive.from_terms(*made.terms(made.fit(made.moments(), 0.01)),
                                  made.features, Task())  # fmt: skip
    flipped = X.assign(c=~X["c"])
    assert (student.predict(flipped) == student.predict(X)).all()
    assert all(2 not in g.columns for g in made.steps.groups[4:])


def test_constant_targets_and_constant_columns() -> None:
    X = pd.DataFrame({"a": np.ones(30), "b": np.full(30, np.nan)})
    made = problem(X, np.full(30, 2.5))
    student = Additive.from_terms(*made.terms(made.fit(made.moments(), 0.01)),
                                  made.features, Task())  # fmt: skip
    assert np.allclose(student.predict(X), 2.5)
    assert student.numbers == 1
