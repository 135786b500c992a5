from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

import limbeck
from limbeck import LimbeckError

X, Y = load_digits(return_X_y=True)
X, Y = X[:500], Y[:500]


@pytest.fixture(scope="module")
def found():
    teacher = KNeighborsClassifier().fit(X / 16, Y)
    return limbeck.select(teacher, X / 16, Y, n=20, seeds=2, pool=200)


def test_every_way_stands_beside_random_rows(found, tmp_path):
    ways = [line.way for line in found.lines]
    assert ways == ["random", "k_means", "herding", "k_center", "gradients", "inducing_points",
                    "random, hard labels"]  # fmt: skip
    assert [line.asked for line in found.lines] == [20, 20, 20, 20, 200, 200, 20]
    assert found.lines[0].gain is None
    for line in found.lines[1:]:
        assert line.gain.low <= line.gain.value <= line.gain.high
        control = found.lines[0].agreement.value
        assert line.gain.value == pytest.approx(line.agreement.value - control)
    for way in ways[:-1]:
        assert len(set(found.chosen(way).tolist())) == 20
        assert np.bincount(Y[found.chosen(way)]).tolist() == [2] * 10  # as many of each class
    assert found.weights["gradients"].sum() == 200
    assert found.points.shape == (20, 64)
    again = limbeck.load(found.save(tmp_path / "run"))
    assert str(again) == str(found)
    np.testing.assert_array_equal(again.points, found.points)
    assert again.chosen("k_means").tolist() == found.chosen("k_means").tolist()


def test_inducing_points_teach_more_than_random_rows(found):
    line = found.lines[5]
    assert line.gain.value > 0.05
    assert line.agreement.value > 0.75


def test_where_nothing_is_better_random_rows_are_taken():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 30))
    noise = {row.tobytes(): i % 2 for i, row in enumerate(rows)}  # a teacher of no rule at all

    def teacher(some):
        return np.eye(2)[[noise[np.ascontiguousarray(r).tobytes()] for r in some]]

    found = limbeck.select(
        teacher, rows, n=10, ways=["k_means", "k_center"], seeds=3, classes=[0, 1]
    )
    assert found.best == "random"
    assert "No evidence that any way of choosing rows teaches more" in str(found)
    assert found.chosen().tolist() == found.rows["random"].tolist()


def test_texts_are_chosen_by_tf_idf_where_no_encoder_is_given():
    rng = np.random.default_rng(0)
    words = np.array(["good", "fine", "bad", "dull", "film", "play", "tale", "act"])
    texts = [" ".join(rng.choice(words, 6)) for _ in range(200)]

    def teacher(some):
        score = [sum(w in ("good", "fine") for w in t.split()) > 1 for t in some]
        return np.eye(2)[np.array(score, dtype=int)]

    found = limbeck.select(teacher, texts, n=20, seeds=2, ways="k_means", classes=[0, 1])
    assert "principal components of tf-idf" in str(found)
    assert found.settings["student"] == "linear"
    with pytest.raises(LimbeckError, match="are no texts"):
        limbeck.select(teacher, texts, n=20, ways=["inducing_points"], classes=[0, 1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n": 1}, "n is 1"),
        ({"ways": ["k_mean"]}, "Did you mean 'k_means'"),
        ({"student": "kernels"}, "Did you mean 'kernel'"),
        ({"n": 600}, "are left"),
        ({"encoder": lambda rows: np.full((len(rows), 2), np.nan)}, "missing values"),
    ],
)
def test_what_cannot_be_used(change, said):
    teacher = KNeighborsClassifier().fit(X / 16, Y)
    with pytest.raises(LimbeckError, match=said):
        limbeck.select(teacher, X / 16, Y, **{"n": 20, "pool": 5000, **change})


def test_a_table_with_a_column_of_texts_asks_for_the_texts():
    frame = pd.DataFrame({"text": [f"row number {i}" for i in range(40)]})
    with pytest.raises(LimbeckError, match="different texts in 40 rows"):
        limbeck.select(lambda X: np.zeros(len(X), dtype=int), frame, n=4, classes=[0, 1])
