from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from limbeck.audits.calibration import calibrate, fit_curve


def draw(
    n: int, truth: object, seed: int = 0, deciles: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    s = rng.integers(1, 11, n).astype(float) if deciles else rng.normal(size=n)
    return s, (rng.random(n) < expit(truth(s))).astype(float)  # type: ignore[operator]


def test_a_line_is_found() -> None:
    s, o = draw(5000, lambda s: 0.3 * s - 2, deciles=True)
    found, curve = calibrate(s, o, np.ones(5000), 0.95, np.random.default_rng(0))
    assert found.method == "linear"
    assert curve.slope == pytest.approx(0.3, abs=0.05)
    assert found.score.tolist() == list(range(1, 11))
    assert ((found.low <= found.rate) & (found.rate <= found.high)).all()
    assert found.count.sum() == 5000
    assert found.p_monotone > 0.05
    assert "0.284 log-odds a unit" in found.sentence
    assert "higher scores go with more outcomes" in found.sentence


def test_a_bend_gets_a_monotone_curve() -> None:
    s, o = draw(8000, lambda s: 3 * np.tanh(2 * s))
    found, curve = calibrate(s, o, np.ones(8000), 0.95, np.random.default_rng(0))
    assert found.method == "monotone"
    assert found.p_linear < 0.001
    z = curve(np.linspace(-3, 3, 200))
    assert (np.diff(z) >= 0).all()
    assert np.isfinite(curve(np.array([-100.0, 100.0]))).all()
    assert np.corrcoef(curve(s), 3 * np.tanh(2 * s))[0, 1] > 0.97


def test_the_curve_goes_on_beyond_the_outer_bins() -> None:
    n, at = 200_000, np.array([-3.5, -3.0, 3.0, 3.5])
    s, o = draw(n, lambda s: 0.8 * s + 0.3 * np.maximum(s, 0))
    found, curve = calibrate(s, o, np.ones(n), 0.95, np.random.default_rng(0))
    assert found.method == "monotone"
    assert curve(at) == pytest.approx(0.8 * at + 0.3 * np.maximum(at, 0), abs=0.25)
    assert len(found.score) == 46  # more bins for more rows


def test_a_flat_end_stays_flat() -> None:
    s, o = draw(20_000, lambda s: np.clip(3 * s, -2, 1))
    _, curve = calibrate(s, o, np.ones(20_000), 0.95, np.random.default_rng(0))
    assert curve(np.array([5.0])) == pytest.approx(1.0, abs=0.5)


def test_a_rate_that_falls_is_found() -> None:
    s, o = draw(5000, lambda s: 0.4 * s - 2 - 3 * (s == 6), deciles=True)
    found, _ = calibrate(s, o, np.ones(5000), 0.95, np.random.default_rng(0))
    assert found.p_monotone < 0.01
    assert "falls somewhere" in found.sentence


def test_a_score_that_runs_against_the_outcome() -> None:
    s, o = draw(5000, lambda s: 3 - 0.5 * s - 0.05 * s**2, deciles=True)
    found, curve = calibrate(s, o, np.ones(5000), 0.95, np.random.default_rng(0))
    assert "against the outcome" in found.sentence
    assert (np.diff(curve(np.arange(1.0, 11.0))) <= 1e-12).all()


@pytest.mark.parametrize("runs", [16, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("deciles", [True, False])
def test_false_alarms_are_as_rare_as_they_should_be(deciles: bool, runs: int) -> None:
    line, order = [], []
    for seed in range(runs):
        s, o = draw(1000, lambda s: 0.3 * s - 1, seed, deciles)
        found, _ = calibrate(s, o, np.ones(1000), 0.95, np.random.default_rng(seed))
        line.append(found.p_linear < 0.05)
        order.append(found.p_monotone < 0.05)
    most = 0.13 if runs > 16 else 3 / 16  # 4 or more of 16 at 5%: 1% of such tests
    assert np.mean(line) <= most
    assert np.mean(order) <= most


def test_probabilities_are_taken_on_the_logit_scale() -> None:
    rng = np.random.default_rng(0)
    p = expit(rng.normal(size=4000) * 1.5)
    o = (rng.random(4000) < p).astype(float)
    found, curve = calibrate(p, o, np.ones(4000), 0.95, rng)
    assert curve.logged
    assert found.method == "linear"
    assert curve.slope == pytest.approx(1, abs=0.15)
    assert "own log-odds" in found.sentence


def test_without_outcome_there_is_no_calibration() -> None:
    s = np.arange(100.0)
    found, curve = calibrate(s, None, np.ones(100), 0.95, np.random.default_rng(0))
    assert found.method == "none"
    assert np.isnan(found.p_linear)
    assert (curve(s) == s).all()


def test_weights_count_like_repeated_rows() -> None:
    s, o = draw(500, lambda s: s - 0.2 * s**2)
    w = np.random.default_rng(1).integers(1, 4, 500)
    once = fit_curve(s, o, w.astype(float), "linear")
    twice = fit_curve(np.repeat(s, w), np.repeat(o, w), np.ones(w.sum()), "linear")
    assert once.slope == pytest.approx(twice.slope)
