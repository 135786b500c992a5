from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from limbeck.core.columns import Features
from limbeck.core.contract import Access, StatusCode, Task
from limbeck.core.errors import InvalidInput
from limbeck.methods.junta import FindJunta
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
        found = finding.trace["influences"][name]
        assert found["low"] <= 0.5 <= found["high"]
    assert finding.trace["influences"]["x0"]["low"] == 0
    json.dumps(finding.trace)


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


def test_a_constant_teacher_has_a_table():
    finding, _ = find(lambda X: np.zeros(len(X), dtype=int), signs(100, 4))
    assert finding.status.code is StatusCode.EXACT
    assert (finding.student.predict(signs(10, 4)) == 0).all()


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
    assert finding.queries == sum(asked) - len(X)
    assert finding.queries <= 5000


def test_queries_do_not_outvote_the_rows_of_a_cell():
    """Where two columns move together, redrawing one alone leaves the data."""

    def teacher(X):
        return ((X[:, 0] > 0) & (np.abs(X[:, 0] - X[:, 1]) < 1)).astype(int)

    x = np.random.default_rng(0).choice([-1.0, 1.0], size=400)
    X = np.column_stack([x, x, np.random.default_rng(1).choice([-1.0, 1.0], size=400)])
    rows = {}
    for weight in (0.05, 0.99):
        finding, _ = find(teacher, X, k=1, query_weight=weight)
        rows[weight] = finding.student.to_dict()["table"]["weight"]
    assert rows[0.05] != rows[0.99]
    with pytest.raises(InvalidInput, match=r"query_weight is 1\.5"):
        FindJunta(query_weight=1.5)


def test_too_few_queries_are_refused_or_said_to_decide_nothing():
    with pytest.raises(InvalidInput, match="max_queries is 30 for 20 variables"):
        find(parity, signs(), max_queries=30)
    finding, _ = find(lambda X: (X[:, 0] > 0).astype(int) & ~majority(X), signs(), max_queries=80)
    assert finding.status.code in (StatusCode.LIMIT, StatusCode.HYPOTHESIS_FAILED)


@pytest.mark.parametrize("stop", ["influences", "left-out variables", "cells"])
def test_an_interruption_gives_the_best_so_far(stop):
    def progress(stage, done, total):
        if stage == stop and done in (0, 15):
            if stage == "influences" and done == 0:
                return
            raise KeyboardInterrupt

    finding, _ = find(parity, signs(), progress=progress, k=3)
    assert finding.status.code is StatusCode.INTERRUPTED
    assert finding.trace["kept"] == ["x3", "x7", "x12"]
    np.testing.assert_array_equal(finding.student.predict(signs()), parity(signs()))


def test_gradients_order_the_candidates():
    class Smooth(CallableTeacher):
        def __init__(self):
            super().__init__(lambda X: np.tanh(X[:, 40]) + np.tanh(X[:, 3]), name="smooth")
            self.access |= Access.GRADIENTS

        def gradient(self, X, output):
            slope = np.zeros(X.shape)
            slope[:, [40, 3]] = 1 - np.tanh(X[:, [40, 3]]) ** 2
            return slope

    X = np.random.default_rng(0).normal(size=(400, 60))
    method = FindJunta(k=2, max_queries=2000)
    finding = method.distill(Smooth(), rows_of(X), np.random.default_rng(0), quiet)
    assert finding.trace["kept"] == ["x3", "x40"]
    assert len(finding.trace["untested"]) > 50
    assert finding.trace["left_out"]["influence"] == 0


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
    assert {f["pairs"] for f in finding.trace["influences"].values()} == {10}
    with pytest.raises(InvalidInput, match=r"Allow at least 40; \d+ are enough"):
        find(majority, signs(d=20), max_queries=39)
