"""Every kind of data that users have, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    SequentialSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)

from limbeck.core.errors import InvalidInput
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.sources import Arrays, Columns, Items

X = np.arange(24, dtype=np.float32).reshape(6, 4)
Y = np.array([0, 1, 2, 0, 1, 2])


class Doubled(TensorDataset):
    """A subclass that does more than its base."""

    def __getitem__(self, place: int) -> Any:  # type: ignore[override]
        x, y = super().__getitem__(place)
        return 2 * x, y


class Pairs(Dataset[Any]):
    """Items (x, y)."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        return torch.from_numpy(X[place]), int(Y[place])


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[int]:
        yield 1


GIVEN: dict[str, Any] = {
    "pair of numpy arrays": ((X, Y), None),
    "pair of tensors": ((torch.from_numpy(X), torch.from_numpy(Y)), None),
    "labels apart": (X, Y),
    "list of lists": (X.tolist(), Y.tolist()),
    "frame": (pd.DataFrame(X), pd.Series(Y)),
    "tensor data set": (TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), None),
    "items": (Pairs(), None),
    "list of items": ([(x, y) for x, y in zip(X, Y, strict=True)], None),
    "loader": (DataLoader(Pairs(), batch_size=2, shuffle=True), None),
    "loader of tensors": (DataLoader(TensorDataset(*map(torch.from_numpy, (X, Y)))), None),
    "part": (
        Subset(TensorDataset(*map(torch.from_numpy, (X[[5, 4, 3, 2, 1, 0]], Y[::-1].copy()))),
               [5, 4, 3, 2, 1, 0]),
        None,
    ),
    "part of items": (Subset(Pairs(), range(6)), None),  # type: ignore[arg-type]
    "labels apart from items": (TensorDataset(torch.from_numpy(X)), torch.from_numpy(Y)),
}  # fmt: skip


@pytest.mark.parametrize("kind", GIVEN)
def test_the_same_samples_whatever_they_come_in(kind: str) -> None:
    data, labels = GIVEN[kind]
    batch = Samples.of(data, labels).fetch([4, 0])
    assert isinstance(batch.inputs, Tensor)
    assert batch.inputs.dtype is torch.float32
    assert batch.inputs.tolist() == X[[4, 0]].tolist()
    assert batch.labels is not None
    assert batch.labels.tolist() == [1, 0]
    assert batch.index.tolist() == [4, 0]


def test_named_arrays_and_named_items() -> None:
    named = {"a": X, "b": torch.from_numpy(X) + 1, "label": Y}
    items = [{"a": x, "b": x + 1, "label": y} for x, y in zip(X, Y, strict=True)]
    for data in (named, items):
        batch = Samples.of(data).fetch([1, 2])
        assert {k: v.tolist() for k, v in batch.inputs.items()} == {
            "a": X[1:3].tolist(),
            "b": (X[1:3] + 1).tolist(),
        }
        assert batch.labels is not None
        assert batch.labels.tolist() == [1, 2]


def test_ragged_lists_of_a_tokenizer() -> None:
    samples = Samples.of({"input_ids": [[1, 2, 3], [4]], "label": [0, 1]}, pad=7)
    batch = samples.fetch([1, 0])
    assert batch.inputs["input_ids"].tolist() == [[4, 7, 7], [1, 2, 3]]
    assert batch.mask is not None
    assert batch.mask.tolist() == [[1, 0, 0], [1, 1, 1]]
    assert batch.labels is not None
    assert batch.labels.tolist() == [1, 0]


def test_what_a_loader_says_is_taken_over() -> None:
    def doubled(items: list[Any]) -> tuple[Tensor, Tensor]:
        return 2 * torch.stack([x for x, _ in items]), torch.tensor([y for _, y in items])

    loader = DataLoader(Pairs(), batch_size=4, collate_fn=doubled)
    samples = Samples.of(loader)
    assert samples.batch_size == 4
    assert [len(b) for b in samples.batches(range(6))] == [4, 2]
    assert samples.fetch([2]).inputs.tolist() == (2 * X[[2]]).tolist()
    assert Samples.of(loader, batch_size=3).batch_size == 3


def test_a_subclass_of_a_tensor_data_set_keeps_its_own_items() -> None:
    data = Doubled(torch.from_numpy(X), torch.from_numpy(Y))
    for given in (data, Subset(data, list(range(6)))):
        assert Samples.of(given).fetch([2]).inputs.tolist() == (2 * X[[2]]).tolist()


def test_arrays_are_not_copied() -> None:
    source = Samples.of((X, Y)).source
    assert isinstance(source, Arrays)
    assert source.inputs is X


def test_data_without_labels() -> None:
    for data in (X, TensorDataset(torch.from_numpy(X)), [torch.zeros(2)] * 3):
        samples = Samples.of(data)
        assert not samples.has_labels
        assert samples.fetch([0]).labels is None
    two = Samples.of([(torch.zeros(2), torch.ones(3))] * 2, labels=False)
    assert not two.has_labels
    assert [x.shape for x in two.fetch([0]).inputs] == [(1, 2), (1, 3)]
    assert not Samples.of({"x": X, "label": Y}, labels=False).has_labels


@pytest.mark.parametrize(
    ("data", "labels", "told"),
    [
        (Stream(), None, "stream"),
        (iter([1, 2]), None, "stream"),
        (DataLoader(Stream()), None, "stream"),
        (
            DataLoader(Pairs(), sampler=WeightedRandomSampler([1.0] * 6, 6)),
            None,
            "WeightedRandomSampler",
        ),
        (DataLoader(Pairs(), batch_sampler=[[0, 1], [4, 5]]), None, "draws by a list"),
        (DataLoader(Pairs(), batch_size=None), None, "batch_size=None"),
        ((X, Y[:5]), None, "5 and 6 rows"),
        (Pairs(), Y[:5], "6 samples and 5 labels"),
        ({"a": X, "b": X[:3]}, None, "3 and 6 rows"),
        ([[1, 2], [3]], None, "differ in length"),
        (np.array(["a", "b"]), None, "<U1"),
        (pd.DataFrame({"a": ["x", "y"]}), None, "object|str"),
        (3, None, "int"),
        (X[:0], None, "no samples"),
        ([], None, "no samples"),
    ],
)
def test_what_cannot_be_used_is_refused(data: Any, labels: Any, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        Samples.of(data, labels)


def test_labels_beside_samples_are_refused() -> None:
    samples = Samples.of(X)
    assert Samples.of(samples) is samples
    with pytest.raises(InvalidInput, match="beside"):
        Samples.of(samples, Y)


def test_a_hugging_face_data_set() -> None:
    datasets = pytest.importorskip("datasets")
    hub = datasets.Dataset.from_dict(
        {
            "sentence": ["a", "b", "c"],
            "input_ids": [[1, 2, 3], [4], [5, 6]],
            "label": [0, 1, 0],
            "score": [0.5, 1.5, 2.5],
        }
    )
    samples = Samples.of(hub, pad=9)
    assert isinstance(samples.source, Columns)
    assert samples.notes == ("Columns left out, since they hold no numbers: sentence.",)
    batch = samples.fetch([2, 1])
    assert set(batch.inputs) == {"input_ids", "attention_mask", "score"}
    assert batch.inputs["input_ids"].tolist() == [[5, 6], [4, 9]]
    assert batch.inputs["score"].tolist() == [2.5, 1.5]
    assert batch.labels is not None
    assert batch.labels.tolist() == [0, 1]
    assert Samples.of(hub, labels=[3, 4, 5]).fetch([1]).labels.tolist() == [4]  # type: ignore[union-attr]
    assert Samples.of(DataLoader(hub, batch_size=2)).fetch([0]).inputs["input_ids"].shape == (1, 3)

    def shifted(rows: dict[str, Any]) -> dict[str, Any]:
        return {"x": [torch.rand(2) + y for y in rows["label"]], "label": rows["label"]}

    augmented = Samples.of(hub.with_transform(shifted))
    assert isinstance(augmented.source, Items)
    assert augmented.random
    assert augmented.fetch([1]).inputs["x"].shape == (1, 2)


def test_hugging_face_data_that_cannot_be_used() -> None:
    datasets = pytest.importorskip("datasets")
    words = datasets.Dataset.from_dict({"sentence": ["a", "b"], "label": [0, 1]})
    with pytest.raises(InvalidInput, match="No column of the data set holds numbers"):
        Samples.of(words)
    with pytest.raises(InvalidInput, match=r"parts \['test', 'train'\]"):
        Samples.of(datasets.DatasetDict({"train": words, "test": words}))
    with pytest.raises(InvalidInput, match="stream"):
        Samples.of(words.to_iterable_dataset())


def test_a_batch_sampler_of_one_s_own_keeps_its_batch_size() -> None:
    data = TensorDataset(torch.arange(10.0)[:, None])
    batches = BatchSampler(SequentialSampler(data), 4, drop_last=False)
    assert Samples.of(DataLoader(data, batch_sampler=batches)).batch_size == 4
