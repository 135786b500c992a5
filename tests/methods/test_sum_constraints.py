"""Sums that only rise with a column, and sums that pay for the columns that they read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.selection.routes import method_for
from limbeck.teachers import as_teacher

RNG = np.random.default_rng(0)
N = 160
X = pd.DataFrame({
    "up": RNG.normal(size=N), "down": RNG.normal(size=N), "flag": RNG.random(N) < 0.5,
    "other": RNG.normal(size=N), "town": pd.Categorical(RNG.choice(["a", "b", "c"], N)),
})  # fmt: skip
WAYS = {"up": 1, "down": -1, "flag": 1}


def score(rows: pd.DataFrame) -> np.ndarray:
    """Rises and falls with each column in turn, so that no constraint is met by itself."""
    u, d = rows["up"].to_numpy(float), rows["down"].to_numpy(float)
    bend = np.where(np.abs(u) < 1, 2 * u, 3 - u) + np.where(d > 0.5, 2 * d, -d)
    return bend - 1.5 * rows["flag"].to_numpy(float) + rows["other"].to_numpy(float)


def probability(rows: pd.DataFrame) -> np.ndarray:
    p = 1 / (1 + np.exp(-score(rows)))
    return np.column_stack([1 - p, p])


def made(into, method, values, **given):
    teacher = as_teacher(score, regression=True) if values else as_teacher(
        probability, classes=["no", "yes"], score_kind="probability")  # fmt: skip
    known = {"queries": 0, **given}
    return method_for(into, known, method).distill(
        teacher, Features.of(X).rows(X), np.random.default_rng(0), quiet
    )


def wrong_ways(student, values) -> float:
    """By how much the answer moves the wrong way, at most, while one column is swept."""
    worst = 0.0
    for way, rows in SWEPT:
        said = student.predict(rows) if values else student.predict_proba(rows)[:, 1]
        worst = max(worst, float((-way * np.diff(said.reshape(-1, 60), axis=0)).max()))
    return worst


def swept(name):
    """60 rows at each of the values of one column, one value after the other."""
    steps = [False, True] if name == "flag" else np.linspace(-3, 3, 13)
    return Features.of(X).rows(pd.concat([X.iloc[:60].assign(**{name: at}) for at in steps]))


SWEPT = [(way, swept(name)) for name, way in WAYS.items()]


ROUTES = [("sparse_sum", "sparse_sum"), ("scorecard", "scorecard"), ("linear", "dense"),
          ("linear", "l1_path")]  # fmt: skip


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize(("into", "method"), ROUTES)
def test_a_sum_goes_the_ways_that_are_asked_for(into, method, values) -> None:
    sizes = {} if method == "dense" else {"numbers": 12}
    free = made(into, method, values, **sizes).student
    assert wrong_ways(free, values) > 0.01
    found = made(into, method, values, monotone=WAYS, **sizes)
    for student in (found.student, *found.frontier):
        assert wrong_ways(student, values) <= 1e-12
        assert not (student.sum_.weights == 0).all(axis=1).any()


def test_a_bounded_fit_has_no_better_neighbour() -> None:
    from limbeck.students.sparse_sum.refit import refit

    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 3)) @ np.array([[1.0, 0.9, 0.2], [0, 1, 0.5], [0, 0, 1]])
    z = x @ [1.0, -2.0, 0.5] - 0.3
    p = 1 / (1 + np.exp(-z))
    signs, one = np.array([1.0, 1.0, -1.0]), np.ones(200)
    used = np.ones((3, 1), dtype=bool)
    for classifies, soft in ((True, np.column_stack([1 - p, p])), (False, z[:, None])):
        w, b = refit(x, used, used[0], soft, one, classifies, 1e-6, signs)
        assert (w[:, 0] * signs >= 0).all()

        def loss(weights, level, classifies=classifies):
            total = x @ weights + level
            if classifies:
                return float(np.logaddexp(0, total).sum() - p @ total)
            return float(((total - z) ** 2).sum())

        least = loss(w[:, 0], b[0])
        for i in range(3):
            for step in (-0.01, 0.01):
                moved = w[:, 0].copy()
                moved[i] += step
                if moved[i] * signs[i] >= 0:
                    assert loss(moved, b[0]) >= least - 1e-5
        assert loss(w[:, 0], b[0] + 0.01) >= least - 1e-5


def test_a_dear_column_is_read_only_where_it_explains_more() -> None:
    for values in (False, True):
        free = made("sparse_sum", "sparse_sum", values, numbers=8).student
        assert "up" in free.text()
        dear = made("sparse_sum", "sparse_sum", values, numbers=8, feature_costs={"up": 0.9})
        assert "up" not in dear.student.text()
        cheap = made("scorecard", "scorecard", values, numbers=8, feature_costs={"up": 1e-6})
        assert "up" in cheap.student.text()
    with pytest.raises(InvalidInput, match="no column that explains more than it costs"):
        made("sparse_sum", "sparse_sum", False, feature_costs=dict.fromkeys(X, 2.0))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"monotone": {"town": 1}}, "categories have no order"),
        ({"monotone": {"upp": 1}}, "no column 'upp'"),
        ({"monotone": {"up": 2}}, "Give 1 for rising"),
        ({"monotone": "up"}, "Give a dict"),
        ({"feature_costs": {"upp": 1.0}}, "no column 'upp'"),
        ({"feature_costs": {"up": -1}}, "Give 0 or more"),
    ],
)
def test_a_constraint_that_cannot_be_kept_is_refused(given, said) -> None:
    with pytest.raises(InvalidInput, match=said):
        made("sparse_sum", "sparse_sum", False, **given)


def test_many_classes_have_no_direction_and_a_dense_line_no_price() -> None:
    y = np.array(["a", "b", "c"])[np.arange(N) % 3]
    with pytest.raises(InvalidInput, match="3 classes, which have no order"):
        limbeck.distill(
            lambda rows: y[: len(rows)], X, into="sparse_sum", monotone={"up": 1}, queries=0,
            classes=["a", "b", "c"], progress=False,
        )  # fmt: skip
    with pytest.raises(InvalidInput, match=r"takes no feature_costs.*sparse_sum"):
        method_for("linear", {"feature_costs": {"up": 0.1}}, "dense")
