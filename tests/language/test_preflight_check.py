from __future__ import annotations

import numpy as np
import pytest

from limbeck.language.preflight_check import half_width


def test_the_interval_of_a_mean_is_that_of_students_t():
    values = np.array([1.0, 2.0, 3.0, 4.0])
    assert half_width(values) == pytest.approx(3.182446 * np.sqrt(5 / 3) / 2, rel=1e-6)
    assert half_width(np.array([5.0])) == np.inf
    assert half_width(np.full(3, 2.0)) == 0.0
