from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.audits.reading import read_column


def read(values: list[Any], missing: tuple[Any, ...] = ()) -> Any:
    return read_column(pd.Series(values), "x", missing)


@pytest.mark.parametrize(
    ("values", "numbers", "note"),
    [
        (["45%", "3.5%", "7 %"], [45, 3.5, 7], "45% is 45"),
        (["$45,000", "$1,200.50", "-$3"], [45000, 1200.5, -3], "$ left out"),
        (["45,000", "1,234,567", "12"], [45000, 1234567, 12], "commas between thousands"),
        (["3,5", "12,25", "7"], [3.5, 12.25, 7], "decimal commas"),
        (["1.234,5", "12.000,25", "7,1"], [1234.5, 12000.25, 7.1], "decimal commas"),
        (["1 234", "12 000", "7"], [1234, 12000, 7], ""),
        (["0,123", "0,456", "0,789"], [0.123, 0.456, 0.789], "decimal commas"),
        (["1,234", "5,678", "900"], [1234, 5678, 900], "commas between thousands"),
        (["(12)", "3", "\u22124"], [-12, 3, -4], ""),
        (["1", "2.5", "1e3"], [1, 2.5, 1000], ""),
        (["1", "?", "n/a", "", None, "2"], [1, np.nan, np.nan, np.nan, np.nan, 2], "'?', 'n/a'"),
        ([1, "2", 3.5], [1, 2, 3.5], ""),
        (["1.234.567", "2.000.000", "5"], [1234567, 2000000, 5], ""),
    ],
)
def test_text_that_holds_numbers_is_read(
    values: list[Any], numbers: list[float], note: str
) -> None:
    found = read(values)
    assert found.reading.kind == "number"
    np.testing.assert_array_equal(found.values.to_numpy(float, na_value=np.nan), numbers)
    assert note in found.reading.note
    assert found.reading.missing == np.isnan(numbers).sum()
    assert not found.refused


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["1,234", "5,678", "9,012"], "'1,234' may mean 1234 or 1.234"),
        (["45%", "3", "7%"], "only some of its values are percentages"),
        (["$4", "€5"], "several currencies"),
        (["2020-01-31", "2020-02-01"], "dates as text (such as '2020-01-31')"),
        (["31.12.2020", "1.1.2021"], "dates as text"),
        (["Jan 5, 2013", "12 Feb 2014"], "dates as text"),
        (["12:30", "7:15"], "dates as text"),
        ([datetime.date(2020, 1, 1)] * 2, "holds dates"),
        ([[1], [2]], "neither numbers nor text"),
        ([1.0, np.inf], "infinite"),
        ([1j, 2j], "complex"),
        (list(pd.date_range("2020-01-01", periods=2)), "holds dates"),
    ],
)
def test_what_can_mean_two_things_is_refused_by_its_reason(values: list[Any], why: str) -> None:
    found = read(values)
    assert why in found.refused
    assert found.remedy


@pytest.mark.parametrize(
    ("values", "kind", "note"),
    [
        (["a", "b", None], "categories", ""),
        (["02139", "10001"], "categories", "leading zeros"),
        ([*map(str, range(20)), "12+"], "categories", "'12+'"),
        (["True", "false", None], "yes or no", ""),
        ([True, False, None], "yes or no", ""),
        ([True, False], "yes or no", ""),
        (["?", "b", "b"], "categories", ""),
    ],
)
def test_what_is_no_number_stays(values: list[Any], kind: str, note: str) -> None:
    found = read(values)
    assert (found.reading.kind, found.refused) == (kind, "")
    assert note in found.reading.note
    assert found.values.isna().tolist() == pd.isna(np.array(values, dtype=object)).tolist()


def test_ordered_categories_keep_their_order() -> None:
    column = pd.Series(pd.Categorical(["low", "high"], ["low", "high"], ordered=True))
    assert read_column(column, "x").reading.kind == "ordered categories"


def test_a_value_far_beyond_all_others_is_doubted_and_kept() -> None:
    ages = [*range(18, 60), 999, 999]
    found = read(ages)
    assert "999 stands in 2 rows of x" in found.doubt
    assert "between 18 and 59" in found.doubt
    assert found.values.tolist() == ages
    assert read([*range(18, 60), -9, -9]).doubt.startswith("-9 stands in 2 rows")
    assert not read([*range(18, 999), 999, 999]).doubt
    assert not read([*range(-30, 60), -9, -9]).doubt
    gone = read(ages, (999,))
    assert gone.reading.missing == 2
    assert not gone.doubt
    assert read(["a", "unknown"], ("unknown",)).reading.missing == 1
