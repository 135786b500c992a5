from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.core.errors import InvalidInput
from limbeck.data.cases import case_hashes, check_shared_cases, read_column, units_of
from limbeck.data.splits import split_units


def test_units_without_cases_are_rows_with_their_copies() -> None:
    units = units_of(np.array([0, 1, 0, 3, 1]))
    assert units.of.tolist() == [0, 1, 0, 2, 1]
    assert units.kept.tolist() == [0, 1, 3]
    assert (units.count, units.merged) == (3, 0)


def test_cases_are_numbered_as_they_occur() -> None:
    units = units_of(np.arange(5), np.array(["b", "a", "b", "c", "a"]))
    assert units.of.tolist() == [0, 1, 0, 2, 1]
    assert units.kept.tolist() == [0, 1, 2, 3, 4]


def test_cases_that_share_a_copied_row_are_one() -> None:
    # row 3 copies row 0: cases a and c are no longer independent
    units = units_of(np.array([0, 1, 2, 0]), np.array(["a", "a", "b", "c"]))
    assert units.of.tolist() == [0, 0, 1, 0]
    assert units.merged == 1
    assert units.kept.tolist() == [0, 1, 2]


@given(st.lists(st.integers(0, 8), min_size=2, max_size=40), st.floats(0.1, 0.9), st.integers(0, 9))
def test_a_split_keeps_units_whole(labels: list[int], share: float, seed: int) -> None:
    units = units_of(np.arange(len(labels)), np.array(labels))
    order = np.random.default_rng(seed).permutation(units.count)
    fit, test = split_units(units, order, share)
    assert sorted([*fit, *test]) == list(range(len(labels)))
    assert not set(units.of[fit]) & set(units.of[test])
    assert len(set(units.of[test])) == round(units.count * share)


def test_hashes_of_cases_do_not_depend_on_their_dtype() -> None:
    numbers = case_hashes(np.array([7, 8, 7]))
    assert numbers[0] == numbers[2] != numbers[1]
    assert (case_hashes(np.array([7.0, 8.0, 7.0])) == numbers).all()
    assert (case_hashes(np.array(["7", "8", "7"])) == numbers).all()
    assert (case_hashes(np.array(["7", 8, 7.0], dtype=object)) == numbers).all()
    assert case_hashes(np.array(["a"])).tolist() == [717410301749208832]  # written down once


def test_shared_cases_are_refused() -> None:
    check_shared_cases(None, np.array([1]))
    check_shared_cases(np.array([1, 2]), np.array([3]))
    with pytest.raises(InvalidInput, match="1 cases of the holdout rows are cases of X"):
        check_shared_cases(np.array([1, 2]), np.array(["2", "3"]))


def test_columns_are_read_by_name_or_given() -> None:
    frame = pd.DataFrame({"patient": [1, 1, 2], "x": [0.1, 0.2, 0.3]})
    assert read_column("patient", frame, "cases").tolist() == [1, 1, 2]  # type: ignore[union-attr]
    assert read_column([3, 4, 5], frame, "cases").tolist() == [3, 4, 5]  # type: ignore[union-attr]
    assert read_column(None, frame, "cases") is None
    with pytest.raises(InvalidInput, match="Did you mean 'patient'"):
        read_column("patients", frame, "cases")
    with pytest.raises(InvalidInput, match=r"cases has shape \(2,\)"):
        read_column([1, 2], frame, "cases")
    with pytest.raises(InvalidInput, match="case of 1 rows is missing"):
        read_column([1.0, np.nan, 2.0], frame, "cases")


def test_no_rows_are_no_cases() -> None:
    assert units_of(np.array([], dtype=np.int64), np.array([], dtype=object)).count == 0
    assert case_hashes(np.array([], dtype=object)).shape == (0,)
