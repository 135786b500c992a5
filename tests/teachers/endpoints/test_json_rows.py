from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.teachers.endpoints.json_rows import (
    column_names,
    json_value,
    rows_as_lists,
    rows_as_mappings,
    whole_as_int,
)


def test_tables_of_all_kinds_are_rows():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert rows_as_mappings(frame) == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    assert rows_as_mappings(np.array([[1.5, np.nan]])) == [{"x0": 1.5, "x1": None}]
    assert rows_as_mappings(["u", "v"]) == [{"text": "u"}, {"text": "v"}]
    assert rows_as_lists(np.arange(8).reshape(1, 2, 2, 2)) == [[[[0, 1], [2, 3]], [[4, 5], [6, 7]]]]
    assert column_names(frame[["b", "a"]]) == ["b", "a"]
    with pytest.raises(InvalidInput, match="One value was given as rows"):
        rows_as_lists(3.0)


def test_numbers_beside_texts_stay_numbers():
    rows = [[1, "a"], [2.5, "b"]]
    assert rows_as_lists(rows) == rows
    assert json.dumps(rows_as_lists(rows)) == '[[1, "a"], [2.5, "b"]]'


@pytest.mark.parametrize("unit", ["D", "s", "us", "ns"])
def test_dates_are_written_as_dates_in_every_unit(unit):
    frame = pd.DataFrame({"t": [pd.Timestamp("2026-01-02")]})
    found = json_value(np.datetime64("2026-01-02", unit))
    assert str(found).startswith("2026-01-02")
    if unit != "D":
        assert rows_as_lists(frame) == [[found]]
    assert json_value(np.datetime64("NaT", unit)) is None


@pytest.mark.parametrize(
    ("value", "found"),
    [(np.float32(0.5), 0.5), (np.bool_(True), True), (np.inf, None), (pd.NA, None), (pd.NaT, None),
     ((1, [2.0]), [1, [2.0]]), (np.str_("a"), "a")],
)  # fmt: skip
def test_values_are_those_of_json(value, found):
    made = json_value(value)
    assert made == found
    assert type(made) is type(found)


def test_what_json_cannot_hold_is_refused():
    for value in (1j, {1}, b"a", {"a": 1}):
        with pytest.raises(InvalidInput, match=f"A row holds a {type(value).__name__}"):
            json_value(value)


def test_whole_numbers_are_one_question_whatever_their_type():
    assert json.dumps(whole_as_int([3.0, [2.0, 2.5], "3.0", None])) == '[3, [2, 2.5], "3.0", null]'
