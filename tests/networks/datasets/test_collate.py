"""Items become batches; sequences of different length are padded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from limbeck.core.errors import InvalidInput
from limbeck.networks.datasets.collate import Padding, split, tensor


def test_numbers_of_any_kind_are_tensors() -> None:
    assert tensor(3).dtype is torch.int64  # type: ignore[union-attr]
    assert tensor(0.5).dtype is torch.float32  # type: ignore[union-attr]
    assert tensor(np.zeros(2)).dtype is torch.float32  # type: ignore[union-attr]
    assert tensor(np.zeros(2, np.uint8)).dtype is torch.uint8  # type: ignore[union-attr]
    assert tensor(True).dtype is torch.bool  # type: ignore[union-attr]
    for none in ("word", None, [[1], [2, 3]], object()):
        assert tensor(none) is None


def test_sequences_are_padded_by_hand() -> None:
    items = [
        {"input_ids": [5, 6, 7], "token_type_ids": [1, 1, 1], "labels": [0, 1, -100], "idx": 4},
        {"input_ids": [8], "token_type_ids": [1], "labels": [2], "idx": 5},
    ]
    batch = Padding(pad=9)(items)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["token_type_ids"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [[0, 1, -100], [2, -100, -100]]
    assert batch["idx"].tolist() == [4, 5]


def test_a_mask_of_the_items_is_kept_and_padded() -> None:
    items = [
        {"input_ids": [5, 6, 7], "attention_mask": [1, 1, 0]},
        {"input_ids": [8], "attention_mask": [1]},
    ]
    assert Padding()(items)["attention_mask"].tolist() == [[1, 1, 0], [1, 0, 0]]


def test_one_length_for_every_batch() -> None:
    items: list[dict[str, Any]] = [
        {"input_ids": [1, 2], "label": 0, "extra": [0.5, 1.5, 2.5]},
        {"input_ids": [3, 4], "label": 1, "extra": [3.5, 4.5, 5.5]},
    ]
    batch = Padding(length=4)(items)
    assert batch["input_ids"].tolist() == [[1, 2, 0, 0], [3, 4, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 0, 0]] * 2
    assert batch["label"].tolist() == [0, 1]
    assert batch["extra"].shape == (2, 3)
    with pytest.raises(InvalidInput, match=r"2 places, and length is 1"):
        Padding(length=1)(items)


def test_columns_that_are_tensors_already() -> None:
    ids = torch.tensor([[1, 2], [3, 4]])
    batch = Padding().columns({"input_ids": ids, "text": ["a", "b"]})
    assert batch["input_ids"] is ids
    assert batch["attention_mask"].tolist() == [[1, 1], [1, 1]]
    assert "text" not in batch
    assert Padding(length=3).columns({"input_ids": ids})["input_ids"].shape == (2, 3)


def test_sequences_of_vectors() -> None:
    batch = Padding()([{"frames": torch.ones(2, 5)}, {"frames": torch.ones(3, 5)}])
    assert batch["frames"].shape == (2, 3, 5)
    assert batch["frames"][0, 2].tolist() == [0.0] * 5
    assert batch["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]


def test_tuples_and_single_tensors_are_stacked() -> None:
    inputs, labels = Padding()([(np.zeros(3), 1), (np.ones(3), 0)])
    assert inputs.shape == (2, 3)
    assert labels.tolist() == [1, 0]
    assert Padding()([torch.zeros(2), torch.ones(2)]).shape == (2, 2)


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([torch.zeros(2), torch.zeros(3)], r"\(2,\) and \(3,\)"),
        ([("word", 1), ("word", 0)], "str as entry 0"),
        ([{"text": "a"}], r"\['text'\]"),
        ([{"x": torch.zeros(2, 3)}, {"x": torch.zeros(2, 4)}], r"\(2, 4\)"),
        ([{"x": torch.zeros(2)}, {"x": torch.tensor(1.0)}], "'x'"),
    ],
)
def test_what_cannot_be_stacked_is_refused(items: list[Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        Padding()(items)


def test_inputs_and_labels() -> None:
    x, y, z = torch.zeros(2), torch.ones(2), torch.full((2,), 2.0)
    assert split(x, True) == (x, None)
    assert split((x, y), True) == (x, y)
    assert split([x, z, y], True) == ((x, z), y)
    assert split((x, z), False) == ((x, z), None)
    assert split((x,), True) == (x, None)
    assert split({"a": x, "label": y, "text": ["w"]}, True) == ({"a": x}, y)
    assert split({"a": x, "label": y}, False) == ({"a": x}, None)
    assert split({"a": x, "label": z, "labels": y}, True) == ({"a": x}, y)


def test_a_row_without_tokens_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"row of input_ids is empty. Drop rows"):
        Padding()([{"input_ids": [1, 2]}, {"input_ids": []}])


def test_items_of_different_entries_are_refused() -> None:
    x = torch.zeros(2)
    for items in ([(x, 1), (x,)], [(x, 1), x]):
        with pytest.raises(InvalidInput, match="One item has 2 entries and another has 1"):
            Padding()(items)
