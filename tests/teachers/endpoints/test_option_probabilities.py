from __future__ import annotations

import math

import numpy as np
import pytest

from limbeck import LimbeckError
from limbeck.teachers.endpoints.option_probabilities import option_probabilities


def test_an_option_beyond_the_tokens_that_are_shown_is_an_interval():
    top = [("A", math.log(0.9)), *[(f"t{i}", math.log(0.004)) for i in range(19)]]
    found = option_probabilities(top, "AB")
    assert found.low == pytest.approx((0.9, 0.0))
    assert found.high == pytest.approx((0.9 + 3 * 0.004, 4 * 0.004))
    middle, low, high = found.among_options()
    assert low[1] == 0
    assert 0 < middle[1] < high[1] == pytest.approx(0.016 / 0.916)


@pytest.mark.parametrize("seed", range(20))
def test_intervals_hold_the_probabilities_that_are_not_shown(seed):
    rng = np.random.default_rng(seed)
    tokens = ["A", "a", " A", " a", "B", "b", " B", " b", *[f"t{i}" for i in range(60)]]
    p = rng.dirichlet(np.full(len(tokens), 0.3)) + 1e-300
    order = np.argsort(-p)[:10]
    found = option_probabilities([(tokens[i], float(np.log(p[i]))) for i in order], "AB")
    true = [p[:4].sum(), p[4:8].sum()]
    _, low, high = found.among_options()
    for k in range(2):
        assert found.low[k] - 1e-12 <= true[k] <= found.high[k] + 1e-12
        assert low[k] - 1e-12 <= true[k] / sum(true) <= high[k] + 1e-12


@pytest.mark.parametrize("top", [[("A", 0.5)], [("A", math.nan)], [("A", -0.1), ("B", -0.1)], []])
def test_what_are_no_log_probabilities(top):
    with pytest.raises(LimbeckError):
        option_probabilities(top, "AB")


def test_blanks_are_read_as_vocabularies_write_them():
    top = [("\u0120b", math.log(0.5)), ("\u2581A", math.log(0.25)), ("A", math.log(0.125))]
    found = option_probabilities(top, "AB")
    assert found.low == pytest.approx((0.375, 0.5))
    assert found.first == 1
