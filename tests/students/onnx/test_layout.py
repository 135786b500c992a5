"""Inputs as rows of a table, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.students.onnx.layout import Block, Layout


@given(st.lists(st.lists(st.integers(1, 4), max_size=3), min_size=1, max_size=3), st.data())
def test_inputs_come_back_as_they_were(shapes: list[list[int]], data: st.DataObject) -> None:
    rng = np.random.default_rng(0)
    dtypes = data.draw(st.lists(st.sampled_from(["float32", "int64"]), min_size=len(shapes)))
    inputs = [
        (10 * rng.normal(size=(5, *s))).astype(t) for s, t in zip(shapes, dtypes, strict=False)
    ]
    layout = Layout.of([f"x{i}" for i in range(len(inputs))], inputs)
    rows = layout.rows(inputs)
    assert rows.shape == (5, len(layout.features))
    for before, after in zip(inputs, layout.inputs(rows), strict=True):
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before)
    assert Layout.from_list(layout.to_list()) == layout


def test_shorter_inputs_end_in_zeros_and_longer_ones_are_refused() -> None:
    layout = Layout.of(["tokens"], [np.ones((2, 4), np.int64)])
    assert layout.rows([np.ones((1, 2), np.int64)]).tolist() == [[1, 1, 0, 0]]
    with pytest.raises(InvalidInput, match=r"tokens has shape \(5,\), and \(4,\)"):
        layout.rows([np.ones((1, 5), np.int64)])


def test_padding_does_not_tell_inputs_apart() -> None:
    """Equal tokens with equal masks are equal rows, however they are padded."""
    ids = [[7, 8, 0, 0], [0, 0, 7, 8], [1, 1, 7, 8], [7, 9, 0, 0]]
    mask = [[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0]]
    inputs = [np.array(ids), np.array(mask), np.array(mask)[..., None] * np.array(ids)[..., None]]
    layout = Layout.of(["input_ids", "attention_mask", "vectors"], inputs)
    rows = layout.rows(inputs)
    bare = layout.bare(rows)
    assert bare[0].tolist() == bare[1].tolist() == bare[2].tolist() == rows[0].tolist()
    assert bare[3].tolist() == rows[3].tolist()
    answered = Layout((*layout.blocks, Block("answers", (2,), "int64")))
    wider = np.concatenate([rows, [[1, 2]] * 4], axis=1)
    np.testing.assert_array_equal(answered.bare(wider, told=True), bare)
    np.testing.assert_array_equal(answered.bare(wider)[:, -2:], [[1, 2]] * 4)
    plain = Layout.of(["x", "y"], [np.ones((2, 3), np.float32), np.ones((2, 2), np.int64)])
    x = np.arange(10.0).reshape(2, 5)
    np.testing.assert_array_equal(plain.bare(x), x)


def test_what_no_network_reads_does_not_tell_inputs_apart() -> None:
    layout = Layout((Block("x", (2,), "float32"), Block("idx", (), "int64", read=False)))
    rows = np.array([[1.0, 2.0, 7.0], [1.0, 2.0, 8.0]])
    assert layout.bare(rows).tolist() == [[1, 2], [1, 2]]
    assert Layout.from_list(layout.to_list()) == layout


def test_columns_are_named_by_place() -> None:
    layout = Layout.of(["a", "b"], [np.zeros((1, 2, 2)), np.zeros(1)])
    assert layout.features.names == ("a[0,0]", "a[0,1]", "a[1,0]", "a[1,1]", "b")


@pytest.mark.parametrize("data", [None, 3, [["a"]], [["a", [1], "no dtype"]], [["a", "x", "f4"]]])
def test_a_malformed_layout_is_refused(data: object) -> None:
    with pytest.raises(FileRefused, match="no layout"):
        Layout.from_list(data)
