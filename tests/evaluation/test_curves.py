from __future__ import annotations

import numpy as np
import pytest

from limbeck.evaluation.curves import Place, continued, log_errors, row_variance

PLACES = [Place(0, 0), Place(-2, 0), Place(-3, 0)]


def scores(
    rows: float, rng: np.random.Generator, seeds: int = 2, slope: float = 0.27
) -> np.ndarray:
    """Right and wrong answers of seeds that differ by a tenth; the error is a power of the rows."""
    error = 0.1 * np.exp(-slope * rows + rng.normal(0, 0.1, (seeds, 1)))
    return (np.linspace(0, 1, 2000)[None] >= error).astype(float)


def test_a_power_law_is_continued():
    exact = [np.full((2, 500), 1 - 0.1 * np.exp(-0.27 * p.rows)) for p in PLACES]
    for target in (Place(1, 0), Place(2, 0)):
        told = continued(PLACES, exact, target)
        assert told.value == pytest.approx(1 - 0.1 * np.exp(-0.27 * target.rows), abs=1e-3)
        assert told.low < told.value < told.high


@pytest.mark.parametrize("slope", [0.1, 0.27, 0.5])
def test_intervals_hold_later_runs(slope):
    rng, held = np.random.default_rng(0), []
    for _ in range(40):
        told = continued(PLACES, [scores(p.rows, rng, slope=slope) for p in PLACES], Place(1, 0))
        later = scores(1.0, rng, seeds=1, slope=slope).mean()
        held.append(told.low <= later <= told.high)
    assert np.mean(held) >= 0.85


def test_further_is_less_sure_and_no_score_is_above_one():
    rng = np.random.default_rng(1)
    seen = [scores(p.rows, rng) for p in PLACES]
    near, far = continued(PLACES, seen, Place(1, 0)), continued(PLACES, seen, Place(4, 0))
    assert (1 - far.low) / (1 - far.high) > (1 - near.low) / (1 - near.high)
    assert far.low >= 0.0
    assert far.high <= 1.0


def test_no_error_among_few_rows_is_no_infinite_logarithm():
    assert log_errors(np.ones((2, 50))) == pytest.approx(np.log([0.01, 0.01]))
    assert row_variance(np.ones(50)) == pytest.approx(1 / 52 / 50)
