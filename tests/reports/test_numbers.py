from __future__ import annotations

import math

import pytest

from limbeck.reports.numbers import NONE, count, decimal, duration, percent


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (decimal(-0.0004), "0.000"),
        (decimal(-1.5, 1), "−1.5"),
        (percent(0.12345), "12.3%"),
        (count(1234567), "1,234,567"),
        (duration(0.25), "250 ms"),
        (duration(61), "61.0 s"),
        (duration(180), "3.0 min"),
    ],
)
def test_numbers_as_people_read_them(written: str, wanted: str) -> None:
    assert written == wanted


@pytest.mark.parametrize("write", [decimal, percent, count, duration])
@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_no_number_is_a_dash(write, value) -> None:
    assert write(value) == NONE
