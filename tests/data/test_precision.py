"""Columns that float32 cannot tell apart are told."""

from __future__ import annotations

import numpy as np
import pandas as pd

from limbeck.core.columns import Features
from limbeck.data.precision import float32_note


def note(**columns: object) -> str:
    frame = pd.DataFrame(columns)
    return float32_note(Features.of(frame).rows(frame))


def test_seconds_since_1970_are_told() -> None:
    seconds = 1.7e9 + np.arange(256.0)  # float32 keeps steps of 128 here
    said = note(time=seconds, age=np.arange(256.0))
    assert said.startswith("'time' (256 different values, 3 in float32): a column that float32")
    assert "age" not in said
    assert note(age=np.arange(256.0)) == ""


def test_half_of_the_values_lost_are_enough() -> None:
    start = 2.0**24  # from here on float32 holds every other whole number
    assert "(4 different values, 2 in float32)" in note(x=start + np.array([0.0, 1.0, 4.0, 4.5]))
    assert note(x=start + np.array([0.0, 1.0, 4.0, 8.0])) == ""


def test_only_numbers_that_are_there_count() -> None:
    assert note(x=np.full(5, np.nan), y=np.arange(5.0)) == ""
    assert note(word=["a", "b", "a", "b"], flag=[True, False, True, False]) == ""


def test_three_columns_are_named_and_more_counted() -> None:
    seconds = 1.7e9 + np.arange(100.0)
    said = note(**{f"t{j}": seconds for j in range(5)})
    assert "'t2'" in said
    assert "'t3'" not in said
    assert "and 2 more: columns that float32 cannot" in said
