from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr

from limbeck.audits.correlations import error_correlations
from limbeck.core.errors import InvalidInput


def errors(n: int, seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    common = rng.exponential(size=n)
    y = (rng.random(n) < 0.5).astype(float)
    return common * rng.choice([-1, 1], n), y, np.zeros(n), y + 0.3 * np.tanh(common) - 0.2


def test_values_are_those_of_scipy() -> None:
    s, y, s_fit, y_fit = errors(500, 0)
    a, b = s - s_fit, y - y_fit
    found = error_correlations(s, y, s_fit, y_fit)
    expected = [pearsonr(a, b)[0], spearmanr(a, b)[0], kendalltau(a, b)[0]]
    assert [c.name for c in found] == ["Pearson", "Spearman", "Kendall"]
    assert [c.value.value for c in found] == pytest.approx(expected)
    assert all(c.value.low < c.value.value < c.value.high for c in found)


@pytest.mark.parametrize(("runs", "least"), [(10, 7), pytest.param(40, 33, marks=pytest.mark.slow)])
def test_the_pearson_and_kendall_intervals_cover(runs: int, least: int) -> None:
    rng = np.random.default_rng(0)
    covered = np.zeros(3)
    for seed in range(runs):
        a, b = np.exp(rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 150).T / 2)
        found = error_correlations(a, b, np.zeros(150), np.zeros(150), seed=seed)
        truth = (np.exp(0.125) - 1) / (np.exp(0.25) - 1), 0.4826, 1 / 3
        covered += [c.value.low < t < c.value.high for c, t in zip(found, truth, strict=True)]
    assert (covered >= least).all(), covered


def test_an_error_that_never_varies_has_no_correlation() -> None:
    y = np.tile([0.0, 1.0], 20)
    for c in error_correlations(np.arange(40.0), y, np.arange(40.0), np.full(40, 0.3)):
        assert (c.value.value, c.value.low, c.value.high) == (0, -1, 1)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 10 rows"):
        error_correlations(*np.zeros((4, 5)))
