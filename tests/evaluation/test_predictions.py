from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap
from sklearn.metrics import accuracy_score, r2_score

from limbeck.certificates.bounded import betting_interval
from limbeck.core.task import Task
from limbeck.evaluation.comparison import ModelPredictions
from limbeck.evaluation.predictions import compare_predictions, score

CLASSES, NUMBER = Task((0, 1, 2)), Task(unit="kg")


def contenders(teacher, student, control=None, baseline=None):
    given = {"teacher": teacher, "student": student, "control": control, "baseline": baseline}
    return [ModelPredictions(r, f"{r} model", "3", p) for r, p in given.items() if p is not None]


def drawn(seed, n=300):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    noisy = lambda share: np.where(rng.random(n) < share, rng.integers(0, 3, n), truth)  # noqa: E731
    return truth, noisy(0.1), noisy(0.3), noisy(0.6)


def test_shares_and_exact_intervals():
    y, teacher, student, control = drawn(0)
    found = compare_predictions(contenders(teacher, student, control), teacher, y, CLASSES, 0.05)
    assert [e.role for e in found.entries] == ["teacher", "student", "control"]
    for entry, said in zip(found.entries, (teacher, student, control), strict=True):
        for measured, truth in ((entry.agreement, teacher), (entry.accuracy, y)):
            assert measured.value == accuracy_score(truth, said)
            peer = binomtest(int((said == truth).sum()), len(y)).proportion_ci(0.95, "exact")
            assert (measured.low, measured.high) == pytest.approx((peer.low, peer.high))
    assert found.entries[0].agreement.value == 1.0
    assert found.level == 0.95


def test_differences_are_student_less_control():
    y, teacher, student, control = drawn(1)
    found = compare_predictions(contenders(teacher, student, control), teacher, y, CLASSES, 0.05)
    agreement, accuracy = found.differences
    expected = accuracy_score(teacher, student) - accuracy_score(teacher, control)
    assert agreement.value == pytest.approx(expected)
    expected = accuracy_score(y, student) - accuracy_score(y, control)
    assert accuracy.value == pytest.approx(expected)
    for d in found.differences:
        assert d.low <= d.value <= d.high
        assert d.verdict == "helped"
    assert found.verdict == "helped"
    turned = compare_predictions(contenders(teacher, control, student), teacher, y, CLASSES, 0.05)
    assert turned.verdict == "hurt"
    for a, b in zip(found.differences, turned.differences, strict=True):
        assert (b.value, b.low, b.high) == pytest.approx((-a.value, -a.high, -a.low))


def test_a_student_equal_to_the_control_is_no_evidence():
    y, teacher, student, _ = drawn(2)
    found = compare_predictions(contenders(teacher, student, student), teacher, y, CLASSES, 0.05)
    assert found.verdict == "no evidence"
    for d in found.differences:
        assert d.value == 0
        assert d.low < 0 < d.high
    assert found.sentence.startswith("No evidence that distilling helped agreement")


def test_without_labels_there_is_no_control():
    y, teacher, student, _ = drawn(3)
    found = compare_predictions(
        contenders(teacher, student, baseline=y), teacher, None, CLASSES, 0.05
    )
    assert found.verdict == "no control"
    assert found.differences == ()
    assert "without labels" in found.sentence
    assert all(e.accuracy is None for e in found.entries)


def test_regression_is_measured_by_r_squared():
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    teacher = y + 0.1 * rng.normal(size=400)
    student, control = (teacher + s * rng.normal(size=400) for s in (0.2, 0.8))
    found = compare_predictions(contenders(teacher, student, control), teacher, y, NUMBER, 0.05)
    for entry, said in zip(found.entries, (teacher, student, control), strict=True):
        assert entry.agreement.value == pytest.approx(r2_score(teacher, said))
        assert entry.accuracy.value == pytest.approx(r2_score(y, said))
        assert entry.accuracy.low <= entry.accuracy.value <= entry.accuracy.high
    gain = found.differences[1]
    assert gain.what == "R² on the labels"
    assert gain.value == pytest.approx(r2_score(y, student) - r2_score(y, control))
    assert found.verdict == "helped"


@pytest.mark.parametrize("task", [CLASSES, NUMBER])
def test_score(task):
    truth = np.array([0, 1, 2, 1])
    assert score(truth, truth, task) == 1.0
    said = np.array([0, 1, 1, 1])
    assert score(said, truth, task) == pytest.approx(0.75 if task.classifies else 0.5)


def test_r_squared_of_constant_answers():
    assert score(np.full(5, 2.0), np.full(5, 2.0), NUMBER) == 1.0
    assert score(np.full(5, 2.1), np.full(5, 2.0), NUMBER) == 0.0


@pytest.mark.parametrize(("better", "worse"), [(0.1, 0.1), (0.15, 0.05), (0.02, 0.0)])
def test_the_paired_interval_covers_the_true_difference(better, worse):
    """Of 95% intervals at most 5% may miss; 3 standard errors are allowed for."""
    rng, n, runs, delta = np.random.default_rng(0), 120, 400, 0.05
    truth, missed = np.zeros(n, dtype=int), 0
    for _ in range(runs):
        u = rng.random(n)
        student = np.where(u < worse, 1, 0)  # wrong where the control is right
        control = np.where((u >= worse) & (u < worse + better), 1, 0)
        both = rng.random(n) < 0.2  # and both wrong elsewhere
        student, control = np.where(both, 2, student), np.where(both, 2, control)
        found = compare_predictions(
            contenders(truth, student, control), truth, None, CLASSES, delta
        )
        d = found.differences[0]
        missed += not d.low <= 0.8 * (better - worse) <= d.high
    assert missed / runs <= delta + 3 * np.sqrt(delta * (1 - delta) / runs)


def r_squared(p, t, axis):
    apart = t - t.mean(axis=axis, keepdims=True)
    return 1 - ((t - p) ** 2).sum(axis=axis) / (apart**2).sum(axis=axis)


@pytest.mark.parametrize("delta", [0.05, 0.4])
def test_bootstrap_intervals_by_scipy(delta):
    rng = np.random.default_rng(3)
    y = rng.normal(size=200)
    teacher = student = y + 0.5 * rng.normal(size=200)
    found = (
        compare_predictions(contenders(teacher, student), teacher, y, NUMBER, delta)
        .entries[1]
        .accuracy
    )
    peer = bootstrap(
        (student, y), r_squared, paired=True, vectorized=True,
        n_resamples=2000, confidence_level=1 - delta, method="percentile", rng=1,
    ).confidence_interval  # fmt: skip
    assert (found.low, found.high) == pytest.approx((peer.low, peer.high), abs=0.01)


@pytest.mark.parametrize("runs", [20, pytest.param(60, marks=pytest.mark.slow)])
def test_the_bootstrap_interval_of_r_squared_covers_about_as_it_says(runs):
    rng, missed = np.random.default_rng(1), 0
    for _ in range(runs):
        y = rng.normal(size=150)
        student, control = (y + s * rng.normal(size=150) for s in (0.5, 0.6))
        found = compare_predictions(contenders(y, student, control), y, None, NUMBER, 0.1)
        d = found.differences[0]
        missed += not d.low <= 0.36 - 0.25 <= d.high
    assert missed / runs <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / runs)


def test_a_baseline_that_is_closer_is_named() -> None:
    """It agrees on all of 400 rows, the student on 300: no chance finding."""
    truth = np.zeros(400, dtype=np.int64)
    student, other = truth.copy(), truth.copy()
    student[:100], other[:101] = 1, 1
    found = compare_predictions(
        [
            ModelPredictions("teacher", "net", "", truth),
            ModelPredictions("student", "tree", "", student),
            ModelPredictions("baseline", "linear model", "", truth),
            ModelPredictions("baseline", "greedy tree", "", other),
        ],
        truth,
        None,
        Task((0, 1)),
        0.05,
    )
    assert [r.what for r in found.rivals] == ["linear model"]
    assert found.rivals[0].value == -0.25
    assert "linear model is closer to the teacher" in found.sentence
    assert found.sentence.startswith("No control")


def test_of_several_baselines_of_one_kind_the_closest_is_shown():
    teacher = np.array([0, 1] * 40)
    half, most = teacher.copy(), teacher.copy()
    half[:40] ^= 1
    most[:4] ^= 1
    contenders = [
        ModelPredictions("teacher", "t", "", teacher),
        ModelPredictions("student", "s", "", half),
        ModelPredictions("baseline", "linear", "", half),
        ModelPredictions("baseline", "tree a", "", half),
        ModelPredictions("baseline", "tree b", "", most),
    ]
    all_of_them = compare_predictions(contenders, teacher, None, Task((0, 1)), 0.05)
    shown = all_of_them.with_best_of(["tree a", "tree b"])
    assert [e.model for e in shown.entries] == ["t", "s", "linear", "tree b"]
    assert [r.what for r in shown.rivals] == ["tree b"]
    assert shown.rivals == all_of_them.rivals  # its interval still shares the level with all
    assert all_of_them.with_best_of(["tree a"]) is all_of_them


def test_with_cases_shares_are_means_over_cases():
    truth = np.zeros(12, dtype=int)
    cases = np.repeat(["a", "b", "c"], [2, 4, 6])
    student = np.array([0, 1, *[0] * 4, *[1] * 6])  # right on half of a, all of b, none of c
    control = np.array([0, 0, *[0] * 4, *[1] * 6])
    contenders = [
        ModelPredictions("teacher", "t", "", truth),
        ModelPredictions("student", "tree", "", student),
        ModelPredictions("control", "tree", "", control),
    ]
    found = compare_predictions(contenders, truth, None, Task((0, 1)), 0.05, cases)
    share = found.entries[1].agreement
    assert share.value == pytest.approx(0.5)
    assert (share.low, share.high) == pytest.approx(
        betting_interval(np.array([0.5, 1.0, 0.0]), 0.05)
    )
    gain = found.differences[0]
    assert gain.value == pytest.approx(-1 / 6)
    assert gain.low < -1 / 6 < gain.high


def test_intervals_over_cases_are_those_of_as_many_draws():
    """Ten equal rows a case tell no more than one."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=40)
    said = truth + rng.normal(size=40)
    one = compare_predictions(
        [ModelPredictions("student", "s", "", said)], truth, None, Task(), 0.05
    )
    ten = [np.repeat(v, 10) for v in (said, truth, np.arange(40))]
    many = compare_predictions(
        [ModelPredictions("student", "s", "", ten[0])], ten[1], None, Task(), 0.05, ten[2]
    )
    a, b = one.entries[0].agreement, many.entries[0].agreement
    assert a.value == pytest.approx(b.value)
    assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.2)


def test_cases_of_any_size_are_drawn_whole():
    """As often as it was drawn a case stands there with all of its rows, one draw at a time."""
    rng = np.random.default_rng(1)
    case = np.r_[np.arange(30), np.repeat(np.arange(30), rng.integers(0, 8, 30))]
    truth = rng.normal(size=len(case))
    said = truth + rng.normal(size=len(case))
    given = [ModelPredictions("student", "s", "", said)]
    found = compare_predictions(given, truth, None, Task(), 0.1, case).entries[0].agreement
    rng, values = np.random.default_rng(0), []
    for _ in range(1000):
        rows = np.concatenate([np.flatnonzero(case == c) for c in rng.integers(0, 30, 30)])
        values.append(r2_score(truth[rows], said[rows]))
    assert (found.low, found.high) == pytest.approx(np.quantile(values, [0.05, 0.95]))


@pytest.mark.parametrize("task", [CLASSES, NUMBER])
def test_several_rivals_share_delta(task):
    """Each of three baselines is compared at a third of delta, so that all hold together."""
    teacher, close, student, _ = drawn(3)
    if not task.classifies:
        teacher, close, student = (a.astype(float) for a in (teacher, close, student))
    given = [
        ModelPredictions("teacher", "t", "", teacher),
        ModelPredictions("student", "s", "", student),
    ]
    one = ModelPredictions("baseline", "close", "", close)
    several = [*given, *(ModelPredictions("baseline", n, "", close) for n in "abc")]
    found = compare_predictions(several, teacher, None, task, 0.06)
    assert [r.what for r in found.rivals] == ["a", "b", "c"]
    alone = compare_predictions([*given, one], teacher, None, task, 0.02).rivals[0]
    wider = compare_predictions([*given, one], teacher, None, task, 0.06).rivals[0]
    for rival in found.rivals:
        assert (rival.low, rival.high) == (alone.low, alone.high)
        assert rival.low < wider.low


def test_classes_speak_of_all_models_but_the_teacher():
    y, teacher, student, control = drawn(3)
    found = compare_predictions(contenders(teacher, student, control, y), teacher, y, CLASSES, 0.05)
    assert [list(c.models) for c in found.classes] == [["student", "control", "baseline model"]] * 3


@pytest.mark.parametrize("spread", [1e-3, 1.0, 1e3])
def test_r2_does_not_depend_on_the_unit(spread):
    truth = spread * np.array([0.0, 0.1, 0.2])
    predicted = truth + spread * np.array([0.05, 0.0, 0.0])
    assert score(predicted, truth, NUMBER) == pytest.approx(r2_score(truth, predicted))
    assert score(truth * 0, truth * 0, NUMBER) == 1.0
    assert score(truth, truth * 0, NUMBER) == 0.0
