from __future__ import annotations

import re

import numpy as np
import pytest

from limbeck.reports.heat import heat, pooled


def test_pooling_keeps_means_and_short_rows():
    row = np.arange(12.0)
    np.testing.assert_array_equal(pooled(row, 12), row)
    np.testing.assert_array_equal(pooled(row, 4), [1, 4, 7, 10])
    assert pooled(np.arange(1000.0), 128).shape == (128,)
    assert pooled(np.ones((3, 1000)), 7).shape == (3, 7)
    assert pooled(np.arange(1001.0), 7).mean() == pytest.approx(500, abs=1)


def test_strength_is_shade_and_nothing_is_left_white():
    drawn = heat(["a", "<b>"], [np.array([0, 4.0]), np.array([1.0, 0])], "sample")
    shades = re.findall(r'class="heat" fill-opacity="([\d.]+)"', drawn)
    assert shades == ["1", "0.5"]  # roots of 4 / 4 and 1 / 4
    assert "a, 1 to 2: 4.0000" in drawn
    assert "<b>" not in drawn
    assert ">2</text>" in drawn  # the length, at the end of the axis


def test_all_zero_is_drawn_empty():
    drawn = heat(["a"], [np.zeros(5)], "sample")
    assert "heat" not in drawn
    assert "lane" in drawn
