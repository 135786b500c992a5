"""The area under the ROC curve that audits resample, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from limbeck.audits.fidelity import auc


@pytest.mark.parametrize("levels", [5, 40, 100_000])
def test_weighted_area_with_ties_is_that_of_scikit_learn(levels: int) -> None:
    rng = np.random.default_rng(levels)
    score = rng.integers(0, levels, 700) / levels
    outcome = (rng.random(700) < 0.2 + 0.5 * score).astype(float)
    of = auc(score, outcome)
    for weight in (np.ones(700), rng.uniform(0.1, 3, 700), rng.poisson(1.0, 700).astype(float)):
        expected = roc_auc_score(outcome, score, sample_weight=weight)
        assert of(weight) == pytest.approx(expected, abs=1e-12)


def test_without_one_of_the_outcomes_there_is_no_area() -> None:
    outcome = np.array([1.0, 1.0, 0.0])
    assert np.isnan(auc(np.array([1.0, 2.0, 3.0]), outcome)(np.array([1.0, 1.0, 0.0])))
