from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from sklearn.metrics import confusion_matrix, roc_auc_score

from limbeck.audits.group_metrics import auc, group_metrics


def people(seed: int = 0, n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b"], n)
    score = rng.integers(1, 11, n).astype(float) + (group == "a")
    outcome = (rng.random(n) < score / 13).astype(float)
    return score, outcome, group


def test_rates_are_those_of_the_confusion_matrix() -> None:
    score, outcome, group = people()
    for g in group_metrics(score, outcome, group, threshold=6.0):
        here = group == g.name
        tn, fp, fn, tp = confusion_matrix(outcome[here] == 1, score[here] >= 6).ravel()
        assert g.rows == here.sum()
        assert g.selection_rate.value == pytest.approx((tp + fp) / here.sum())
        assert g.false_positive_rate.value == pytest.approx(fp / (fp + tn))
        assert g.false_negative_rate.value == pytest.approx(fn / (fn + tp))
        assert g.positive_predictive_value.value == pytest.approx(tp / (tp + fp))
        assert g.negative_predictive_value.value == pytest.approx(tn / (tn + fn))
        assert g.auc.value == pytest.approx(roc_auc_score(outcome[here], score[here]))
        exact = binomtest(int(fp), int(fp + tn)).proportion_ci(0.975)  # two groups share 5%
        assert g.false_positive_rate.low == pytest.approx(exact.low)
        assert g.false_positive_rate.high == pytest.approx(exact.high)


def test_the_impact_ratio_is_against_the_highest_rate() -> None:
    score, _, group = people()
    a, b = group_metrics(score, None, group, threshold=8.0, favourable="high")
    assert a.impact_ratio is None  # the reference
    rates = [(score[group == g] >= 8).mean() for g in "ab"]
    assert b.impact_ratio.value == pytest.approx(rates[1] / rates[0])
    assert b.impact_ratio.low < rates[1] / rates[0] < b.impact_ratio.high
    assert a.auc is None
    assert a.calibration is None
    a, b = group_metrics(score, None, group, threshold=8.0, favourable="low")
    assert b.impact_ratio is None
    assert a.impact_ratio.value == pytest.approx((1 - rates[0]) / (1 - rates[1]))
    a, b = group_metrics(score, None, group, threshold=8.0)
    assert a.impact_ratio is b.impact_ratio is None  # nobody says which decision is favourable


def test_the_impact_ratio_covers_the_truth_also_where_hardly_anyone_is_selected() -> None:
    rng = np.random.default_rng(1)
    group = np.repeat(["a", "b"], [80, 60])
    covered = runs = 0
    for _ in range(300):
        score = np.concatenate([rng.random(80) < 0.10, rng.random(60) < 0.05]).astype(float)
        found = group_metrics(score, None, group, threshold=1.0, favourable="high")
        one = [g for g in found if g.impact_ratio is not None]
        if not one:
            continue  # nobody is selected
        runs += 1
        truth = 0.5 if one[0].name == "b" else 2.0
        covered += one[0].impact_ratio.low <= truth <= one[0].impact_ratio.high
    assert runs > 250
    assert covered >= binom.ppf(0.001, runs, 0.95)


@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0])
def test_auc_intervals_cover(shift: float) -> None:
    from scipy.stats import norm

    rng = np.random.default_rng(2)
    truth = norm.cdf(shift / np.sqrt(2))
    covered = 0
    for _ in range(400):
        outcome = np.repeat([0.0, 1.0], [60, 30])
        score = rng.normal(size=90) + shift * outcome
        found = auc(score, outcome, np.ones(90), 0.95)
        covered += found.low <= truth <= found.high
    assert covered >= binom.ppf(0.001, 400, 0.95)


def test_auc_of_one_has_an_interval() -> None:
    found = auc(np.arange(40.0), np.repeat([0.0, 1.0], 20), np.ones(40), 0.95)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.8 < found.low < 0.95


def test_weights_of_people_equal_rows_written_out() -> None:
    score, outcome, group = people(3)
    times = np.random.default_rng(0).integers(1, 4, len(score))
    one = group_metrics(score, outcome, group, threshold=6.0, weight=times.astype(float))
    other = group_metrics(*(np.repeat(v, times) for v in (score, outcome, group)), threshold=6.0)
    for a, b in zip(one, other, strict=True):
        assert a.auc.value == pytest.approx(b.auc.value)
        assert a.auc.low == pytest.approx(b.auc.low)
        assert a.selection_rate.low == pytest.approx(b.selection_rate.low)
        assert a.calibration.rate == pytest.approx(b.calibration.rate)


def test_small_groups_and_empty_cells_have_no_numbers() -> None:
    score, outcome, group = people(5)
    group = group.astype(object)
    group[:20] = "tiny"
    found = {
        g.name: g
        for g in group_metrics(score, outcome * 0, group, threshold=99.0, favourable="high")
    }
    assert found["tiny"].rows == 20
    assert found["tiny"].selection_rate is None
    assert found["a"].positive_predictive_value is None  # nobody is selected
    assert found["a"].false_negative_rate is None  # nobody has the outcome
    assert found["a"].auc is None
    assert found["a"].impact_ratio is None
    assert found["a"].false_positive_rate.value == 0.0


def test_calibration_bins_are_shared_and_hold_all_rows() -> None:
    rng = np.random.default_rng(6)
    score, group = rng.normal(size=900), rng.choice(["a", "b"], 900)
    outcome = (rng.random(900) < 1 / (1 + np.exp(-score))).astype(float)
    a, b = group_metrics(score, outcome, group)
    for g in (a, b):
        assert len(g.calibration.score) == 5
        assert g.calibration.count.sum() == g.rows
        assert list(g.calibration.score) == sorted(g.calibration.score)
    assert a.selection_rate is None
