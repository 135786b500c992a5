from __future__ import annotations

import numpy as np
import pytest

from limbeck.students.junta.mutual_information import choose, information


def test_known_information() -> None:
    y = np.array([0, 1] * 500)
    ones = np.ones(1000)
    assert information(y, y, ones, 2) == pytest.approx(np.log(2) - 1 / 2000)
    assert information(np.zeros(1000, int), y, ones, 2) == 0.0
    # Variance falls from 5/4 to 1/4: half the log of 5.
    v = np.array([0.0, 1.0, 2.0, 3.0] * 250)
    half = (v > 1.5).astype(int)
    assert information(half, v, ones, 0) == pytest.approx(0.5 * np.log(5) - 1 / 2000)
    assert information(half, np.ones(1000), ones, 0) <= 0


def test_noise_brings_nothing_on_average() -> None:
    rng = np.random.default_rng(0)
    found = [
        information(rng.integers(0, 8, 500), rng.integers(0, 3, 500), np.ones(500), 3)
        for _ in range(200)
    ]
    assert abs(np.mean(found)) < 1e-3


def test_chooses_the_variables_that_matter_and_stops() -> None:
    rng = np.random.default_rng(0)
    codes = [rng.integers(0, 3, 3000) for _ in range(10)]
    y = ((codes[7] > 0) & (codes[2] > 1)).astype(int)
    assert set(choose(codes, y, np.ones(3000), 2, 5, 1000)) == {2, 7}
    assert len(choose(codes, y, np.ones(3000), 2, 1, 1000)) == 1
    assert len(choose(codes, y, np.ones(3000), 2, 5, 3)) == 1
    assert choose(codes, y, np.ones(3000), 2, 0, 1000) == ()
