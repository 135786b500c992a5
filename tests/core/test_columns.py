from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.column import Feature
from limbeck.core.columns import Features, Rows
from limbeck.core.errors import InvalidInput

COLUMNS: dict[str, Any] = {
    "int": [1, 2, 3],
    "uint8": np.array([1, 2, 255], dtype=np.uint8),
    "float32": np.array([0.1, 0.2, np.nan], dtype=np.float32),
    "bool": [True, False, True],
    "text": ["b", "a", "b"],
    "text with a gap": ["b", None, "a"],
    "category": pd.Categorical(["b", "a", None], categories=["b", "a", "c"]),
    "category of numbers": pd.Categorical([3, 1, 3]),
    "category of floats": pd.Categorical([0.5, 1.5, None]),
    "ordered category": pd.Categorical(["lo", "hi", "lo"], ["lo", "hi"], ordered=True),
    "Int64": pd.array([1, None, 3], dtype="Int64"),
    "Float64": pd.array([1.5, None, 3], dtype="Float64"),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "bool with a gap": np.array([True, None, False], dtype=object),
}


@pytest.mark.parametrize("name", list(COLUMNS))
def test_rows_come_back_as_they_were(name: str) -> None:
    frame = pd.DataFrame({name: COLUMNS[name]})
    rows = Features.of(frame).rows(frame)
    wanted = frame
    if name == "text with a gap" and frame[name].dtype == object:  # pandas 2: NaN, as from a file
        wanted = frame.astype(object).where(frame.notna(), np.nan)
    pd.testing.assert_frame_equal(rows.native(), wanted)
    assert rows.values.dtype == np.float64


@settings(max_examples=50, deadline=None)
@given(
    numbers=st.lists(st.floats(allow_infinity=False, width=32) | st.none(), min_size=1),
    seed=st.integers(0, 100),
)
def test_random_frames_come_back(numbers: list[float | None], seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = len(numbers)
    frame = pd.DataFrame(
        {
            "x": np.array(numbers, dtype=np.float64),
            "c": rng.choice(["ü", "", "nan", "x y"], n),
            "b": rng.random(n) < 0.5,
            "i": rng.integers(-(2**53), 2**53, n),
        }
    )
    pd.testing.assert_frame_equal(Features.of(frame).rows(frame).native(), frame)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "float64", "bool"])
def test_arrays_come_back(dtype: str) -> None:
    X = np.array([[0, 1], [1, 1]]).astype(dtype)
    back = Features.of(X).rows(X).native()
    assert back.dtype == X.dtype
    assert (back == X).all()


def test_whole_numbers_with_a_gap_become_floats() -> None:
    features = Features.of(np.array([[1, 2]]))
    np.testing.assert_array_equal(features.decode(np.array([[1.2, np.nan]])), [[1.0, np.nan]])


def test_names_kinds_units_and_levels() -> None:
    frame = pd.DataFrame({"radius [mm]": [1.0], "mass": [2.0], "on": [True], "who": ["me"]})
    frame.attrs["units"] = {"mass": "kg"}
    features = Features.of(frame)
    assert features.columns == (
        Feature("radius [mm]", "numeric", "mm"),
        Feature("mass", "numeric", "kg"),
        Feature("on", "boolean"),
        Feature("who", "categorical", levels=("me",)),
    )
    assert [c.label for c in features.columns] == ["radius", "mass", "on", "who"]
    assert features.index("who") == 3
    with pytest.raises(InvalidInput, match="Did you mean 'mass'"):
        features.index("mas")


def test_arrays_get_names() -> None:
    assert Features.of([[1, 2]]).names == ("x0", "x1")
    assert Features.of([[1.0]], names=["a [s]"]).columns == (Feature("a [s]", unit="s"),)
    with pytest.raises(InvalidInput, match="1 names for 2"):
        Features.of([[1, 2]], names=["a"])
    with pytest.raises(InvalidInput, match="Two columns"):
        Features.of([[1, 2]], names=["a", "a"])


def test_frames_are_read_by_name_and_unseen_levels_are_missing() -> None:
    features = Features.of(pd.DataFrame({"a": [1.0], "c": ["u"]}))
    found = features.encode(pd.DataFrame({"z": [0], "c": ["v"], "a": [2.0]}))
    np.testing.assert_array_equal(found, [[2.0, np.nan]])
    plain = Features.of([[1.0, 2.0]])
    np.testing.assert_array_equal(plain.encode(pd.DataFrame({"p": [3], "q": [4]})), [[3.0, 4.0]])


def test_rows_are_rows_of_the_same_columns() -> None:
    frame = pd.DataFrame({"c": ["a", "b"]})
    rows = Features.of(frame).rows(frame)
    assert Features.of(rows) is rows.features
    assert rows.features.encode(rows) is rows.values
    assert len(rows[:1]) == 1
    other = pd.DataFrame({"c": ["b", "c"]})
    assert Features.of(other).encode(rows).tolist()[1] == [0.0]
    with pytest.raises(InvalidInput, match="not in the rows"):
        Features.of(pd.DataFrame({"d": ["b"]})).encode(rows)


def test_tensors_are_read_as_arrays() -> None:
    class Tensor:
        def detach(self) -> Tensor:
            return self

        cpu = detach

        def numpy(self) -> np.ndarray:
            return np.array([[1.0]])

    assert Features.of(Tensor()).encode(Tensor()).tolist() == [[1.0]]


def test_encode_copies_and_blocks_do_not() -> None:
    X = np.arange(10.0).reshape(5, 2)
    features = Features.of(X)
    assert not np.shares_memory(features.encode(X), X)
    assert all(np.shares_memory(b, X) for b in features.blocks(X))


@pytest.mark.parametrize("kind", ["float64", "float32", "int32", "rows", "frame"])
def test_blocks_are_the_rows_in_pieces(kind: str) -> None:
    X = np.arange(14.0).reshape(7, 2)
    features = Features.of(X)
    given: Any = {"rows": Rows(features, X), "frame": pd.DataFrame(X, columns=["a", "b"])}
    given = given[kind] if kind in given else X.astype(kind)
    blocks = list(features.blocks(given, size=3))
    assert [len(b) for b in blocks] == [3, 3, 1]
    assert all(b.dtype == np.float64 for b in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks), X)


@pytest.mark.parametrize("other", [0.0, np.nan, -np.inf, 1e308])
def test_infinite_numbers_are_found_beside_others(other: float) -> None:
    X = np.array([[1e308, other], [1e308, 0.0]])
    features = Features.of(X)
    if np.isinf(other):
        with pytest.raises(InvalidInput, match="'x1' holds an infinite"):
            features.encode(X)
        with pytest.raises(InvalidInput, match="'x1' holds an infinite"):
            list(features.blocks(X))
    else:
        np.testing.assert_array_equal(features.encode(X), X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([1, 2], "Reshape"),
        (np.zeros((0, 2)), "0 sample"),
        (np.zeros((2, 0)), "0 feature"),
        (np.zeros((2, 2), dtype=complex), "complex"),
        (np.array([["a", 1]], dtype=object), "not numbers"),
        ([["a", "b"]], "dtype"),
        (pd.DataFrame({"a": []}), "0 sample"),
        (pd.DataFrame({"a": [1j]}), "complex"),
        (pd.DataFrame({"a": pd.to_datetime(["2020-01-01"])}), "days since"),
        (pd.DataFrame({"a": [[1]]}), "dtype object"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "Two columns"),
        (pd.DataFrame([[1, 2]], columns=["a", 1]), "must be text, or all whole numbers"),
    ],
)
def test_refuses_tables(X: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Features.of(X)


def test_refuses_sparse() -> None:
    from scipy.sparse import csr_array

    with pytest.raises(InvalidInput, match="toarray"):
        Features.of(csr_array(np.eye(2)))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 3)), "3 columns, and 2"),
        (pd.DataFrame({"a": [1.0]}), "'b' is not in the rows"),
        (pd.DataFrame({"a": ["x"], "b": [1]}), "is now"),
        (pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]), "Two columns"),
    ],
)
def test_refuses_other_columns(X: Any, message: str) -> None:
    features = Features.of(pd.DataFrame({"a": [1.0], "b": [2.0]}))
    with pytest.raises(InvalidInput, match=message):
        features.encode(X)


def test_columns_named_by_whole_numbers() -> None:
    """As pandas names those of an array; teachers get the same numbers back."""
    array = np.random.default_rng(0).normal(size=(6, 3))
    X = pd.DataFrame(array)
    features = Features.of(X)
    assert features.names == ("x0", "x1", "x2")
    values = features.encode(X[[2, 0, 1]])
    np.testing.assert_array_equal(values, array)
    np.testing.assert_array_equal(features.encode(array), array)
    pd.testing.assert_frame_equal(features.decode(values), X, check_column_type=False)
    pd.testing.assert_frame_equal(features.in_order(X[[2, 0, 1]]), X, check_column_type=False)
    years = pd.DataFrame({np.int64(1990): [1.0, 2.0], 1991: ["a", "b"]})
    assert Features.of(years).names == ("x1990", "x1991")
    assert list(Features.of(years).decode(Features.of(years).encode(years)).columns) == [1990, 1991]
    with pytest.raises(InvalidInput, match="'x2' is not in the rows"):
        features.encode(pd.DataFrame(array[:, :2]))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8"])
def test_one_type_is_decoded_as_a_column_at_a_time(
    dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = pd.DataFrame({"a": [0, 1, 2], "b": [5, 4, 3]}).astype(dtype)
    features = Features.of(X)
    asked = np.array([[0.4, 1.6], [2.0, 250.0]])
    at_once = features.decode(asked)
    monkeypatch.setattr("limbeck.core.columns._alike", lambda *_: None)
    pd.testing.assert_frame_equal(at_once, features.decode(asked))
    at_once.iloc[0, 0] = 9  # a model may write into what it is given
    assert asked[0, 0] == 0.4
