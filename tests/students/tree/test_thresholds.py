from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from limbeck.students.tree.thresholds import (
    decimal,
    distinct_in_float32,
    midway,
    midways,
    printed,
    printed_all,
)

numbers = st.floats(-3e38, 3e38, allow_nan=False)


@settings(max_examples=250)
@given(a=numbers, b=numbers, x=numbers)
@example(a=0.0, b=5e-324, x=0.0)
@example(a=-1.0, b=1.0, x=5e-324)
@example(a=0.1, b=0.2, x=0.15)
@example(a=0.3, b=0.4, x=0.35)
@example(a=16777216.0, b=16777218.0, x=16777217.0)
def test_a_row_and_its_float32_copy_go_the_same_way(a: float, b: float, x: float) -> None:
    low, high = min(a, b), max(a, b)
    if low == high:
        return
    t = float(midway(low, high))
    assert low <= t < high
    if not distinct_in_float32(low, high):
        return
    for row in (a, b, x, float(np.nextafter(t, -np.inf)), t, float(np.nextafter(t, np.inf))):
        copy = np.float32(row)
        assert (row <= t) == (float(copy) <= t)
        assert (row <= t) == (copy <= np.float32(t))  # as an ONNX model in float32 asks


@given(a=st.floats(-1e6, 1e6), gap=st.floats(1e-2, 1e3))
def test_thresholds_lie_midway(a: float, gap: float) -> None:
    t = float(midway(a, a + gap))
    step = np.spacing(np.float32(max(abs(a), abs(a + gap))))
    assert abs(t - (a + gap / 2)) <= step


def test_neighbours_that_float32_cannot_tell_apart_have_no_threshold() -> None:
    values = np.array([1.7e9, 1.7e9 + 1, 1.7e9 + 2, 1.7e9 + 500])
    thresholds, between = midways(values)
    assert len(thresholds) == 1
    assert between.tolist() == [[1.7e9 + 2, 1.7e9 + 500]]
    assert 1.7e9 < midway(1.7e9, 1.7e9 + 1) < 1.7e9 + 1  # where there must be one all the same


@pytest.mark.parametrize(
    ("low", "high", "digits", "said"),
    [
        (1013.2, 1013.3, None, "1013.25"),
        (1012.9, 1013.3, None, "1013"),
        (-73.99, -73.98, None, "-73.985"),
        (0.0, 1.0, None, "0.5"),
        (3.0, 4.0, None, "3"),
        (3.0, 4.0, 4, "3.5"),
        (2.0, 5.0, None, "3"),
        (-1.0, 1.0, None, "0"),
        (-3.0, 3.1, None, "0"),
        (999.9, 1000.2, None, "1000"),
        (1e-9, 2e-9, None, "1e-09"),
        (1.5e20, 2.5e20, None, "2e+20"),
    ],
)
def test_shortest_decimals(low: float, high: float, digits: int | None, said: str) -> None:
    assert decimal(printed(float(midway(low, high)), low, high, digits)) == said


@settings(max_examples=250)
@given(a=numbers, b=numbers, digits=st.sampled_from([None, 1, 4, 12]))
@example(a=0.0, b=-1.401298464324817e-45, digits=None)
def test_printed_thresholds_separate_what_was_seen(a: float, b: float, digits: int | None) -> None:
    low, high = min(a, b), max(a, b)
    t = float(midway(low, high)) if low < high else low
    said = float(decimal(printed(t, low, high, digits)))
    assert said == t if low == high else low <= said < high
    if distinct_in_float32(low, high):
        assert np.float32(low) <= said < np.float32(high)
    assert float(decimal(printed(t, low, high, exact=True))) == t


def test_more_digits_come_nearer_to_the_middle() -> None:
    found = [printed(0.123456789, 0.0, 0.2469135, digits) for digits in (1, 3, 6)]
    assert found == [0.1, 0.123, 0.123457]


def test_unknown_neighbours_print_exactly() -> None:
    t = np.array([0.1 + 0.2])
    assert printed_all(t, None) == [0.1 + 0.2]
    assert printed_all(t, np.array([[0.3, 0.4]])) == [0.35]
