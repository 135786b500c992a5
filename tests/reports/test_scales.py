from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.reports.scales import Scale, finite


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_a_linear_scale_holds_its_values_and_few_even_ticks(values: list[float]) -> None:
    scale = Scale.linear(values, 10, 110)
    slack = 1e-6 * (scale.high - scale.low)  # less than a pixel
    assert scale.low <= min(values) + slack
    assert scale.high >= max(values) - slack
    assert 2 <= len(scale.ticks) <= 8
    gaps = [b - a for a, b in zip(scale.ticks, scale.ticks[1:], strict=False)]
    assert max(gaps) == pytest.approx(min(gaps), rel=1e-3)
    pixels = [scale.at(v) for v in sorted(values)]
    assert pixels == sorted(pixels)
    assert min(pixels) >= 10
    assert max(pixels) <= 110


def test_many_leaves_are_laid_out_by_doubling() -> None:
    scale = Scale.sizes([1, 64], 0, 60)
    assert scale.ticks == (1, 2, 4, 8, 16, 32, 64)
    assert [scale.at(t) for t in scale.ticks] == pytest.approx([0, 10, 20, 30, 40, 50, 60])
    assert Scale.sizes([1, 8], 0, 70).at(2) == pytest.approx(10)


@pytest.mark.parametrize(
    ("epochs", "ticks"),
    [([1, 2], (1, 2)), ([1, 3], (1, 2, 3)), ([1, 20], (1, 5, 10, 15, 20)),
     ([1, 90], (1, 20, 40, 60, 80)), ([3], (3, 4))],
)  # fmt: skip
def test_epochs_are_even_and_whole(epochs: list[float], ticks: tuple[float, ...]) -> None:
    scale = Scale.epochs(epochs, 0, 100)
    assert scale.ticks == ticks
    assert not scale.doubling
    assert scale.at((scale.low + scale.high) / 2) == pytest.approx(50)


def test_what_is_no_number_is_left_out() -> None:
    assert finite([1, None, math.nan, math.inf, 2]) == [1.0, 2.0]


@pytest.mark.parametrize(
    "values", [(0.12, 0.14), (0.0, 1.0), (0.5, 0.50003), (2.0, 5.0), (0.2, 0.6), (-3e-4, 8e-4)]
)
def test_labels_tell_ticks_apart_and_are_the_ticks(values: tuple[float, float]) -> None:
    scale = Scale.linear(values, 0, 100)
    labels = [scale.label(t) for t in scale.ticks]
    assert len(set(labels)) == len(labels)
    read = [float(text.replace("−", "-")) for text in labels]
    assert read == pytest.approx(list(scale.ticks), abs=1e-9)
