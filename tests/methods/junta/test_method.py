from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from limbeck.certificates.binomial import smallest_n
from limbeck.core.columns import Features
from limbeck.core.contract import Access
from limbeck.core.errors import InvalidInput
from limbeck.core.status import StatusCode
from limbeck.core.task import Task
from limbeck.methods.junta.method import FindJunta
from limbeck.teachers import CallableTeacher


def quiet(stage, done, total):
    pass


def rows_of(X):
    return Features.of(X).rows(X)


def signs(n=800, d=20, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(n, d))


def find(function, X, classes=(0, 1), progress=quiet, seed=1, **settings):
    teacher = CallableTeacher(function, classes=classes)
    rows = rows_of(X)
    finding = FindJunta(**settings).distill(teacher, rows, np.random.default_rng(seed), progress)
    return finding, teacher


def parity(X):
    return (X[:, 3] * X[:, 7] * X[:, 12] > 0).astype(int)


def majority(X):
    return (X.sum(axis=1) > 0).astype(int)


def test_a_parity_is_found_exactly():
    finding, _ = find(parity, signs(), k=3)
    assert finding.status.code is StatusCode.EXACT
    assert finding.trace["kept"] == ["x3", "x7", "x12"]
    assert finding.trace["agreement"] == 1.0
    fresh = signs(seed=9)
    np.testing.assert_array_equal(finding.student.predict(fresh), parity(fresh))
    for name in ("x3", "x7", "x12"):
        assert finding.trace["influences"][name]["influence"] == pytest.approx(0.5, abs=0.05)
    assert finding.trace["left_out"]["high"] <= 0.05
    json.dumps(finding.trace)


def test_it_asks_few_questions_and_counts_them():
    """x17 xor (x400 and x801) of 1,000: 2 m (k + 1) + (k + 1) (ceil(log2 d) + 2) + 8 cells."""
    X = np.random.default_rng(3).choice([0.0, 1.0], size=(1500, 1000))
    asked = []

    def function(X):
        asked.append(len(X))
        return ((X[:, 17] > 0) ^ ((X[:, 400] > 0) & (X[:, 801] > 0))).astype(int)

    finding, _ = find(function, X, k=3)
    assert finding.status.code is StatusCode.EXACT
    assert finding.trace["kept"] == ["x17", "x400", "x801"]
    m = smallest_n(0.05, 0.05 * 0.85 / 4)
    assert sum(asked) == finding.trace["questions"] <= 2 * m * 4 + 4 * 12 + 8
    assert sum(asked) < 400
    assert f"{sum(asked)} questions were asked" in finding.status.message
    fresh = np.random.default_rng(4).choice([0.0, 1.0], size=(2000, 1000))
    np.testing.assert_array_equal(finding.student.predict(fresh), function(fresh))


def test_noisy_answers_are_asked_for_again():
    noise = np.random.default_rng(8)

    def noisy(X):
        return np.where(noise.random(len(X)) < 0.1, 1 - parity(X), parity(X))

    finding, _ = find(noisy, signs(), k=3)
    assert finding.trace["kept"] == ["x3", "x7", "x12"]
    assert finding.trace["noise"]["rate"] >= 0.1
    assert finding.trace["noise"]["repeats"] > 10
    assert "two answers to one row" in finding.status.message
    fresh = signs(seed=9)
    np.testing.assert_array_equal(finding.student.predict(fresh), parity(fresh))


def test_answers_by_chance_are_refused():
    noise = np.random.default_rng(8)
    with pytest.raises(InvalidInput, match=r"two answers to \d+ of 400 rows"):
        find(lambda X: noise.integers(0, 2, len(X)), signs())


@pytest.mark.parametrize("seed", range(8))
def test_any_table_over_few_columns_is_found(seed):
    """Random functions of 1 to 4 booleans and categories, some of which do not matter."""
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 5))
    X = rng.integers(0, 3, size=(1500, 30)).astype(float)
    columns = rng.choice(30, size=k, replace=False)
    table = rng.integers(0, 2, size=(3,) * k)

    def function(X):
        return table[tuple(X[:, columns].astype(int).T)]

    finding, _ = find(function, X, k=4, seed=seed, epsilon=0.02)
    fresh = rng.integers(0, 3, size=(4000, 30)).astype(float)
    assert {int(name[1:]) for name in finding.trace["kept"]} <= {*columns, 0}
    wrong = np.mean(finding.student.predict(fresh) != function(fresh))
    assert wrong <= finding.trace["left_out"]["high"] <= 0.02


@pytest.mark.parametrize("runs", [30, pytest.param(100, marks=pytest.mark.slow)])
def test_the_bound_for_variables_left_out_holds(runs):
    """The search ends too early, with a share delta of runs at most: x1 matters in 4% of rows."""
    delta, epsilon, X = 0.3, 0.035, signs(4000, 12)

    def rare(X):  # x1 to x5 all 1, and then x6: influence of the set 3.1% ... of one row in 32
        return ((X[:, 1:6] > 0).all(axis=1) & (X[:, 6] > 0) | (X[:, 0] > 0)).astype(int)

    at, other = np.random.default_rng(0).integers(len(X), size=(2, 200_000))
    mixed = X[other].copy()
    mixed[:, 0] = X[at, 0]
    influence = np.mean(rare(X[at]) != rare(mixed))
    assert 0.01 < influence < epsilon
    below = influence * 0.9
    early = 0
    for seed in range(runs):
        finding, _ = find(rare, X, k=8, seed=seed, epsilon=below, delta=delta)
        early += finding.trace["left_out"]["high"] <= below and finding.trace["kept"] == ["x0"]
    assert early <= 0.3 * runs + 3 * math.sqrt(runs * 0.3 * 0.7)


def test_fewer_than_k_variables_are_kept_where_fewer_matter():
    finding, _ = find(lambda X: (X[:, 5] > 0).astype(int), signs(), k=4)
    assert finding.trace["kept"] == ["x5"]
    assert finding.status.code is StatusCode.EXACT


def test_a_teacher_that_is_no_junta_is_named_so():
    finding, _ = find(majority, signs(d=15), k=3)
    assert finding.status.code is StatusCode.HYPOTHESIS_FAILED
    assert "no 3-junta" in finding.status.message
    assert "into='tree'" in finding.status.remedy
    assert finding.trace["left_out"]["low"] > 0.05
    assert len(finding.trace["kept"]) == 3


def test_a_table_never_has_too_many_cells():
    finding, _ = find(majority, signs(d=25), k=25, max_queries=40_000)
    assert finding.status.code is StatusCode.HYPOTHESIS_FAILED
    assert finding.status.remedy == "Distil into a tree with into='tree'."
    assert 3 < len(finding.trace["kept"]) < 25


def test_a_constant_teacher_has_a_table_of_no_column():
    finding, _ = find(lambda X: np.zeros(len(X), dtype=int), signs(100, 4))
    assert finding.status.code is StatusCode.EXACT
    assert finding.student.variables_ == ()
    assert finding.status.message.startswith("Redrawing all variables changes 0.0% of")
    assert (finding.student.predict(signs(10, 4)) == 0).all()
    again = type(finding.student).from_dict(finding.student.to_dict())
    assert again.text() == finding.student.text() == "outcome  share\n0 (1)    100 %"


def test_a_table_of_all_variables_leaves_nothing_out():
    finding, _ = find(parity_of_two, signs(200, 2), k=2)
    assert finding.status.code is StatusCode.EXACT
    assert finding.trace["left_out"]["high"] == 0


def parity_of_two(X):
    return (X[:, 0] * X[:, 1] > 0).astype(int)


def test_frames_and_names_of_classes_are_kept():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "colour": pd.Categorical(rng.choice(["red", "green", "blue"], 500)),
            "size": rng.normal(size=500),
            "new": rng.random(500) < 0.5,
        }
    )

    def function(frame):
        return np.where((frame["colour"] == "red") & frame["new"], "buy", "leave")

    finding, _ = find(function, frame, classes=("buy", "leave"), k=2)
    assert finding.status.code is StatusCode.EXACT
    assert finding.trace["kept"] == ["colour", "new"]
    np.testing.assert_array_equal(finding.student.predict(frame), function(frame))
    assert finding.student.task_ == Task(("buy", "leave"))


def test_values_differ_beyond_the_tolerance():
    X = np.random.default_rng(0).normal(size=(600, 6))
    finding, _ = find(lambda X: np.sign(X[:, 2]) + 1e-6 * X[:, 4], X, classes=None, k=2)
    assert finding.trace["kept"] == ["x2"]
    assert finding.trace["left_out"]["influence"] == 0
    assert not finding.student.task_.classifies


def test_a_table_too_coarse_says_so():
    X = np.random.default_rng(0).uniform(-1, 1, size=(600, 4))
    finding, _ = find(lambda X: (np.sin(30 * X[:, 1]) > 0).astype(int), X, k=1, bins=4)
    assert finding.trace["kept"] == ["x1"]
    assert finding.status.code is StatusCode.COMPLETE
    assert "bins" in finding.status.remedy


def test_queries_are_counted_and_bounded():
    asked = []

    def function(X):
        asked.append(len(X))
        return parity(X)

    X = signs(300)
    finding, _ = find(function, X, k=3, max_queries=5000)
    assert finding.trace["questions"] == sum(asked)
    assert 0 < finding.queries < sum(asked) <= 5000


def test_queries_do_not_outvote_the_rows_of_a_cell():
    """Where two columns move together, redrawing one alone leaves the data."""

    def teacher(X):
        return ((X[:, 0] > 0) & (np.abs(X[:, 0] - X[:, 1]) < 1)).astype(int)

    x = np.random.default_rng(0).choice([-1.0, 1.0], size=400)
    X = np.column_stack([x, x, np.random.default_rng(1).choice([-1.0, 1.0], size=400)])
    rows = {}
    for weight in (0.001, 0.99):
        finding, _ = find(teacher, X, k=1, query_weight=weight)
        rows[weight] = finding.student.to_dict()["table"]["weight"]
    assert rows[0.001] != rows[0.99]
    with pytest.raises(InvalidInput, match=r"query_weight is 1\.5"):
        FindJunta(query_weight=1.5)


@pytest.mark.parametrize("most", [4, 30, 150])
def test_too_few_queries_are_said_to_decide_nothing(most):
    finding, _ = find(lambda X: (X[:, 0] > 0).astype(int), signs(), max_queries=most)
    assert finding.queries <= most
    assert finding.status.code is (StatusCode.EXACT if most == 150 else StatusCode.LIMIT)
    if most < 150:
        assert f"max_queries above {most}" in finding.status.remedy


def test_more_than_k_variables_are_proven_before_questions_end():
    finding, _ = find(majority, signs(d=9), k=2, max_queries=60)
    assert finding.status.code is StatusCode.HYPOTHESIS_FAILED
    assert "no 2-junta" in finding.status.message
    assert len(finding.trace["proven"]) == 3
    for name in finding.trace["proven"]:
        assert name in finding.status.message
    assert finding.queries <= 60


@pytest.mark.parametrize("stop", ["variables", "cells"])
def test_an_interruption_gives_the_best_so_far(stop):
    def progress(stage, done, total):
        if stage == stop == "cells" or (stage == stop and done == 3):
            raise KeyboardInterrupt

    finding, _ = find(parity, signs(), progress=progress, k=3)
    assert finding.status.code is StatusCode.INTERRUPTED
    assert finding.trace["kept"] == ["x3", "x7", "x12"]
    np.testing.assert_array_equal(finding.student.predict(signs()), parity(signs()))


@pytest.mark.parametrize("done", [0, 5])
def test_an_interruption_while_variables_are_ranked_keeps_some(done):
    def progress(stage, at, total):
        if stage == "influences" and at == done:
            raise KeyboardInterrupt

    finding, _ = find(majority, signs(d=9), progress=progress, k=2)
    assert finding.status.code is StatusCode.INTERRUPTED
    assert 1 <= len(finding.trace["kept"]) <= 2


def test_gradients_order_the_candidates():
    class Smooth(CallableTeacher):
        def __init__(self):
            super().__init__(self.function, name="smooth")
            self.access |= Access.GRADIENTS

        def function(self, X):
            return np.tanh(X[:, 40]) + np.tanh(X[:, 3]) + 0.2 * np.tanh(X[:, 50])

        def gradient(self, X, output):
            slope = np.zeros(X.shape)
            slope[:, [40, 3, 50]] = (1 - np.tanh(X[:, [40, 3, 50]]) ** 2) * [1, 1, 0.2]
            return slope

    X = np.random.default_rng(0).normal(size=(400, 60))
    method = FindJunta(k=2, max_queries=2000)
    finding = method.distill(Smooth(), rows_of(X), np.random.default_rng(0), quiet)
    assert finding.trace["kept"] == ["x3", "x40"]
    assert len(finding.trace["untested"]) > 50
    assert finding.trace["left_out"]["influence"] > 0


def test_the_same_seed_finds_the_same():
    one, two = (find(majority, signs(d=9), k=2)[0] for _ in range(2))
    assert one.trace == two.trace
    assert one.student.fingerprint() == two.student.fingerprint()


def test_the_control_learns_from_labels():
    X = signs(1000, 6)
    y = (X[:, 1] * X[:, 4] > 0).astype(int)
    task = Task(("no", "yes"))
    student = FindJunta(k=2).learn(rows_of(X), y, task, np.random.default_rng(0))
    assert student.task_ == task
    assert set(student.predict(X)) <= {"no", "yes"}


@pytest.mark.parametrize(
    "bad",
    [{"k": 0}, {"epsilon": 0}, {"delta": 1}, {"max_queries": 3}, {"bins": 1}, {"tolerance": -1}],
)
def test_bad_settings_are_refused(bad):
    with pytest.raises(InvalidInput):
        FindJunta(**bad)


def test_it_needs_queries_only():
    assert FindJunta().needs == Access.QUERIES
    assert FindJunta().name == "junta"


@pytest.mark.parametrize(("epsilon", "delta"), [(0.1, 0.05), (0.2, 0.01)])
def test_influences_hold_together_and_come_from_enough_pairs(epsilon, delta):
    """d influences and that of the rest share delta; pairs are those of the docstring."""
    d = 20
    finding, _ = find(majority, signs(d=d), k=2, epsilon=epsilon, delta=delta)
    delta *= 0.1  # the rest is spent on the search before
    pairs = math.ceil(2 / epsilon * math.log(2 * d / delta))
    level = delta / (d + 1)
    assert len(finding.trace["influences"]) == d
    for found in finding.trace["influences"].values():
        changed = round(found["influence"] * pairs)
        assert found["pairs"] == pairs
        peer = binomtest(changed, pairs).proportion_ci(1 - level, "exact")
        assert (found["low"], found["high"]) == pytest.approx((peer.low, peer.high))
    rest = finding.trace["left_out"]
    assert rest["pairs"] == 10 * pairs
    peer = binomtest(round(rest["influence"] * rest["pairs"]), rest["pairs"])
    ends = peer.proportion_ci(1 - level, "exact")
    assert (rest["low"], rest["high"]) == pytest.approx((ends.low, ends.high))


def test_pairs_are_shared_out_where_queries_are_few():
    finding, _ = find(majority, signs(d=20), k=2, max_queries=400)
    (pairs,) = {f["pairs"] for f in finding.trace["influences"].values()}
    assert 5 <= pairs <= 10
    assert finding.queries <= 400


def test_a_forbidden_column_is_in_no_table_and_what_it_does_is_said():
    finding, _ = find(parity, signs(), k=3, forbidden=["x7"])
    assert "x7" not in finding.trace["kept"]
    assert finding.status.code is StatusCode.HYPOTHESIS_FAILED
    assert finding.trace["left_out"]["low"] > 0.3  # redrawing x7 changes every second answer
    assert "that are not forbidden" in finding.status.message
    assert "Forbid fewer columns" in finding.status.remedy
    idle, _ = find(parity, signs(), k=3, forbidden=["x1"])
    assert idle.trace["kept"] == ["x3", "x7", "x12"]
    assert idle.status.code is not StatusCode.HYPOTHESIS_FAILED
    assert idle.trace["agreement"] == 1.0


def test_all_columns_forbidden_is_refused_before_any_question():
    def never(X):
        raise AssertionError("it was asked")

    with pytest.raises(InvalidInput, match="all 20 columns"):
        find(never, signs(), forbidden=[f"x{j}" for j in range(20)])
