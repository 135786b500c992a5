from __future__ import annotations

import numpy as np

from limbeck.core.measured import signed
from limbeck.evaluation.comparison import Difference


def test_what_counts_is_never_written_as_zero():
    rng = np.random.default_rng(0)
    for scale in 10 ** rng.uniform(-7, -1, 2000):
        low, value, high = np.sort(scale * rng.normal(1, 0.7, 3))
        found = Difference("labels", value, low, high)
        if found.verdict in ("helped", "hurt"):
            assert all(float(text) != 0 for text in found.numbers)
            assert len({len(text) for text in found.numbers}) == 1


def test_three_decimals_are_enough_where_zero_lies_inside():
    assert signed(0.001, -0.0001, 0.003) == ("+0.001", "-0.000", "+0.003")
    assert signed(0.0, 0.0, 0.0) == ("+0.000", "+0.000", "+0.000")
    assert signed(0.0001, -0.0001, 0.0003) == ("+0.0001", "-0.0001", "+0.0003")
    assert signed(-0.0003, -0.0005, -0.00002) == ("-0.00030", "-0.00050", "-0.00002")


def test_rounding_of_single_precision_is_no_gain():
    assert Difference("labels", 3e-8, 1e-8, 5e-8).verdict == "no evidence"
    assert Difference("labels", -3e-8, -5e-8, -1e-8).verdict == "no evidence"


def test_a_slight_gain_is_called_slight():
    assert Difference("labels", 0.0004, 0.0002, 0.0006).slight == ", by less than 0.001"
    assert Difference("labels", 0.04, 0.02, 0.06).slight == ""
    assert Difference("labels", 0.0001, -0.1, 0.1).slight == ""
