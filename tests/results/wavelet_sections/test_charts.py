from __future__ import annotations

import re

import numpy as np
import pytest

from limbeck.reports.scales import Scale
from limbeck.results.wavelet_sections.charts import functions_chart, path_chart, stems_chart, tick
from limbeck.results.wavelet_sections.facts import PathFacts


def test_every_tap_has_a_stem_from_zero_to_its_weight():
    drawn = stems_chart("Low-pass", np.array([1.0, 0.0]), np.array([0.5, -0.5, 0.5, 0.5]))
    assert drawn.count("stem after") == 4
    assert drawn.count("stem before") == 2
    assert "after, tap 1: −0.5000" in drawn
    ends = re.findall(r'y1="([\d.]+)" x2="[\d.]+" y2="([\d.]+)" class="stem after"', drawn)
    below = [float(b) > float(a) for a, b in ends]  # pixels grow downwards
    assert below == [False, True, False, False]


def test_functions_share_one_scale():
    x = np.linspace(0, 3, 7)
    drawn = functions_chart("Wavelet", (x, np.sin(x)), (x, 2 * np.sin(x)))
    assert 'class="before"' in drawn
    assert 'class="after"' in drawn
    assert 'class="before"' not in functions_chart("Wavelet", None, (x, np.sin(x)))


def test_the_chosen_point_is_ringed_where_it_stands():
    points = [PathFacts(0, 0, 0.8, 0.10), PathFacts(0.5, 1e-3, 0.4, 0.20)]
    drawn = path_chart(points, 1, "R²")
    dots = re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="4"', drawn)
    (ring,) = re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="8"', drawn)
    assert ring == dots[1]
    assert float(dots[1][0]) < float(dots[0][0])  # fewer kept: to the left
    assert float(dots[1][1]) < float(dots[0][1])  # better: above
    assert "weight of TRIM 0.5, of sparsity 0.001" in drawn
    assert 'r="8"' not in path_chart(points, None, "R²")


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0, 0.02], ["0.000", "0.005", "0.010", "0.015", "0.020"]),
        ([-2, 2], ["−2", "−1", "0", "1", "2"]),
        ([0, 9000], ["0", "2,000", "4,000", "6,000", "8,000", "10,000"]),
        ([0, 4e-7], ["0.0e+00", "1.0e−07", "2.0e−07", "3.0e−07", "4.0e−07"]),
        ([0, 4e8], ["0.0e+00", "1.0e+08", "2.0e+08", "3.0e+08", "4.0e+08"]),
    ],
)
def test_ticks_differ_from_one_another(values, texts):
    scale = Scale.linear(values, 0, 100)
    if values == [0, 4e-7]:
        scale = Scale(0, 4e-7, 0, 100, tuple(i * 1e-7 for i in range(5)))
    assert [tick(scale, t) for t in scale.ticks] == texts
