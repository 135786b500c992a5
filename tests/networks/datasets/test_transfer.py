"""Inputs without labels joined to labelled samples, and labelled samples that are repeated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import Dataset  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task, TaskKind  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.datasets.transfer import joined, repeated, unlabelled_samples  # noqa: E402
from limbeck.networks.losses.labels import gold_labels  # noqa: E402

CLASSES = Task(kind=TaskKind.CLASSIFICATION, outputs=3, classes=(0, 1, 2))
NUMBERS = Task(kind=TaskKind.REGRESSION, outputs=1)
X = torch.arange(20, dtype=torch.float32).reshape(10, 2)
Y = torch.tensor([0, 1, 2, 0, 1, 2])


class Noisy(Dataset[Any]):
    def __init__(self, rows: Any, labels: Any = None, named: bool = False) -> None:
        self.rows, self.labels, self.named = rows, labels, named

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> Any:
        x = self.rows[row] + torch.rand(())
        if self.named:
            return {"x": x} | ({} if self.labels is None else {"y": int(self.labels[row])})
        return x if self.labels is None else (x, int(self.labels[row]))


def whole(samples: Samples) -> Any:
    return samples.fetch(range(len(samples)))


def test_arrays_are_joined_in_order_and_the_others_have_no_label() -> None:
    rows = Samples.of(X[:6], Y).aimed(CLASSES)
    both = joined(rows, unlabelled_samples(X[6:], rows), CLASSES)
    found = whole(both)
    assert torch.equal(found.inputs, X)
    assert found.labels.tolist() == [*Y.tolist(), *[-100] * 4]
    assert found.labelled.tolist() == [True] * 6 + [False] * 4
    part = both.subset([0, 7, 5])
    assert whole(part).labels.tolist() == [0, -100, 2]


@pytest.mark.parametrize("named", [False, True])
def test_items_are_joined_and_augmented_as_before(named: bool) -> None:
    rows = Samples.of(Noisy(X[:6], Y, named)).aimed(CLASSES)
    other = unlabelled_samples(Noisy(X[6:], None, named), rows)
    both = joined(rows, other, CLASSES)
    found = both.fetch([7, 1], seed=3, view=2)
    assert found.labels.tolist() == [-100, 1]
    inputs = found.inputs["x"] if named else found.inputs
    alone = rows.fetch([1], seed=3, view=2).inputs
    assert torch.equal(inputs[1], (alone["x"] if named else alone)[0])
    assert ((inputs[0] - X[7]) > 0).all()
    assert ((inputs[0] - X[7]) < 1).all()


def test_arrays_are_joined_to_items() -> None:
    rows = Samples.of(Noisy(X[:6], Y)).aimed(CLASSES)
    both = joined(rows, unlabelled_samples(X[6:], rows), CLASSES)
    assert torch.equal(both.fetch([8]).inputs[0], X[8])
    assert both.fetch([8, 0]).labels.tolist() == [-100, 0]
    rows = Samples.of(X[:6], Y).aimed(CLASSES)
    both = joined(rows, unlabelled_samples(Noisy(X[6:]), rows), CLASSES)
    assert torch.equal(both.fetch([5]).inputs[0], X[5])
    assert both.fetch([9, 5]).labels.tolist() == [-100, 2]


def test_labels_given_apart_are_filled_up() -> None:
    rows = Samples.of(Noisy(X[:6]), Y.numpy()).aimed(CLASSES)
    both = joined(rows, unlabelled_samples(Noisy(X[6:]), rows), CLASSES)
    assert both.fetch([9, 2]).labels.tolist() == [-100, 2]


def test_a_number_that_is_missing_counts_nothing_and_is_refused_where_it_was_given() -> None:
    rows = Samples.of(X[:6], Y.float()).aimed(NUMBERS)
    found = whole(joined(rows, unlabelled_samples(X[6:], rows), NUMBERS))
    assert found.labelled[:, 0].tolist() == [True] * 6 + [False] * 4
    said = torch.zeros(10, 1, requires_grad=True)
    loss = gold_labels(said, found.labels, NUMBERS.kind, labelled=found.labelled)
    assert loss.item() == pytest.approx(float((Y.float() ** 2).mean()))
    loss.backward()
    assert torch.isfinite(said.grad).all()
    assert (said.grad[6:] == 0).all()
    with pytest.raises(InvalidInput, match="missing or infinite"):
        Samples.of(X[:3], torch.tensor([1.0, float("nan"), 2.0])).aimed(NUMBERS)


def test_repeated_samples_come_evenly_and_are_drawn_anew() -> None:
    rows = Samples.of(X[:6], Y).aimed(CLASSES)
    found = whole(repeated(rows, 15))
    assert np.bincount(found.inputs[:, 0].numpy().astype(int) // 2).tolist() == [3] * 3 + [2] * 3
    assert found.labels[6:12].tolist() == Y.tolist()
    assert repeated(rows, 6) is rows
    drawn = repeated(Samples.of(Noisy(X[:6], Y)).aimed(CLASSES).subset([1, 4]), 5)
    found = whole(drawn)
    assert found.labels.tolist() == [1, 1, 1, 1, 1]
    offsets = found.inputs[:, 0] - torch.tensor([2.0, 8.0, 2.0, 8.0, 2.0])
    assert len(set(offsets.tolist())) == 5
    assert (offsets >= 0).all()
    assert (offsets < 1).all()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((X[:6], Y), "with labels"),
        (X[:, :1], "shape \\(1,\\)"),
        (X.to(torch.uint8), "uint8"),
        ({"a": X}, "'a'|floating"),
    ],
)
def test_what_does_not_fit_is_refused(data: Any, said: str) -> None:
    rows = Samples.of(X[:6], Y).aimed(CLASSES)
    if isinstance(data, dict):
        other = Samples.of({"b": X[:6]}, Y)
        with pytest.raises(InvalidInput):
            unlabelled_samples(data, other)
        return
    with pytest.raises(InvalidInput, match=said):
        unlabelled_samples(data, rows)


def test_tokens_with_labels_are_refused() -> None:
    task = Task(kind=TaskKind.TOKENS, outputs=3, classes=(0, 1, 2))
    rows = Samples.of(X[:4].long(), torch.zeros(4, 2, dtype=torch.int64)).aimed(task)
    with pytest.raises(InvalidInput, match="do not count"):
        joined(rows, unlabelled_samples(X[4:].long(), rows), task)
