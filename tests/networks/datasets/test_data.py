"""Same sample, same view, same input: in any order, with and without workers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.seeding import state

N = 23


class Augmented(Dataset[Any]):
    """Draws from all three global generators, a different number of times for each sample."""

    def __len__(self) -> int:
        return N

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        x = torch.full((3,), float(place))
        for _ in range(place % 3):
            random.random()
        noise = torch.randn(3) + float(np.random.randn()) + random.random()  # noqa: NPY002
        return x + noise, place % 2


class Own(Augmented):
    """Draws from a generator of its own."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(0)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        return torch.full((3,), place + self.generator.random()), place % 2


def by_place(samples: Samples, order: Any, size: int, **what: Any) -> Tensor:
    """Inputs (n, 3) in the order of places."""
    out = torch.full((len(samples), 3), torch.nan)
    for batch in samples.batches(order, size, **what):
        out[batch.index] = batch.inputs
    return out


@pytest.mark.parametrize("workers", [0, 2])
def test_an_augmentation_is_a_function_of_seed_sample_and_view(workers: int) -> None:
    samples = Samples.of(DataLoader(Augmented(), batch_size=4, num_workers=workers))
    here = Samples.of(Augmented())
    plain = by_place(here, range(N), 23, seed=5, view=2)
    assert by_place(samples, samples.order(0, 1), 4, seed=5, view=2).equal(plain)
    assert not by_place(here, range(N), 4, seed=5, view=3).equal(plain)
    assert not by_place(here, range(N), 4, seed=6, view=2).equal(plain)
    assert samples.fetch([3, 1], seed=5, view=2).inputs.equal(plain[[3, 1]])


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(N)), st.integers(1, N))
def test_in_any_order_and_batch_size(order: list[int], size: int) -> None:
    samples = Samples.of(Augmented())
    assert by_place(samples, order, size, view=1).equal(by_place(samples, range(N), 7, view=1))


@pytest.mark.parametrize("workers", [0, 1])
def test_the_global_generators_are_left_as_they_were(workers: int) -> None:
    samples = Samples.of(DataLoader(Augmented(), num_workers=workers))
    before = state()
    list(samples.batches(range(5), 2))
    assert samples.random
    samples.fingerprint()
    samples.order(0, 0)
    assert state() == before


def test_an_augmented_sample_is_independent_of_others() -> None:
    drawn = by_place(Samples.of(Augmented()), range(N), 4) - torch.arange(N)[:, None]
    assert len(drawn[:, 0].unique()) == N


def test_what_is_random_and_what_can_be_drawn_again() -> None:
    plain = Samples.of((torch.zeros(4, 2), torch.zeros(4)))
    items = Samples.of([(torch.zeros(2), 0)] * 4)
    augmented, own = Samples.of(Augmented()), Samples.of(Own())
    assert [s.random for s in (plain, items, augmented, own)] == [False, False, True, True]
    assert [s.repeatable for s in (plain, items, augmented, own)] == [True, True, True, False]


def test_an_augmentation_that_seldom_changes_anything_is_random() -> None:
    class Seldom(Augmented):
        def __getitem__(self, place: int) -> tuple[Tensor, int]:
            return torch.full((3,), float(torch.rand(()) < 1e-6)), 0

    assert Samples.of(Seldom()).random


def test_a_collation_that_draws_is_not_repeatable() -> None:
    def masked(items: list[Any]) -> Tensor:
        return torch.stack([x for x, _ in items]) * torch.rand(())

    items = [(torch.ones(2), 0)] * 4
    assert not Samples.of(DataLoader(items, collate_fn=masked)).repeatable  # type: ignore[arg-type]


def test_orders_are_permutations_of_epoch_and_seed() -> None:
    samples = Samples.of(torch.zeros(100, 1))
    first = samples.order(0, 0)
    assert first.sort().values.equal(torch.arange(100))
    assert samples.order(0, 0).equal(first)
    assert not samples.order(1, 0).equal(first)
    assert not samples.order(0, 1).equal(first)
    assert not samples.order(0, 1).equal(samples.order(1, 0))


def test_a_run_goes_on_inside_an_epoch() -> None:
    samples = Samples.of(Augmented())
    order = samples.order(3, 0)
    whole = [b.inputs for b in samples.batches(order, 4, view=3)]
    rest = [b.inputs for b in samples.batches(order[8:], 4, view=3)]
    assert all(a.equal(b) for a, b in zip(whole[2:], rest, strict=True))


def test_a_subset_keeps_what_is_drawn() -> None:
    labels = np.arange(N)
    for samples in (
        Samples.of(Augmented()),
        Samples.of(Augmented()).subset(range(N)),
        Samples.of([torch.rand(3) for _ in range(N)], labels=labels),
        Samples.of((torch.rand(N, 3), labels)),
    ):
        part = samples.subset([7, 2, 9]).subset([2, 0])
        a, b = part.fetch([0, 1], seed=1, view=1), samples.fetch([9, 7], seed=1, view=1)
        assert len(part) == 2
        assert a.inputs.equal(b.inputs)
        assert a.labels is not None
        assert b.labels is not None
        assert a.labels.equal(b.labels)
        assert part.fingerprint() != samples.fingerprint()


def test_a_subset_of_columns() -> None:
    datasets = pytest.importorskip("datasets")
    hub = datasets.Dataset.from_dict({"x": [[1.0], [2.0], [3.0]], "label": [0, 1, 2]})
    part = Samples.of(hub).subset([2, 0])
    assert part.fetch([0, 1]).inputs["x"].tolist() == [[3.0], [1.0]]


class Scaled(Dataset[Any]):
    def __init__(self, factor: float = 1.0, changed: int | None = None) -> None:
        self.factor, self.changed = factor, changed

    def __len__(self) -> int:
        return 600

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        return torch.full((2,), place * self.factor + (place == self.changed)), place % 2


def test_the_fingerprint_is_of_what_is_delivered() -> None:
    first = Samples.of(Scaled())
    assert first.hashed == 256
    assert first.fingerprint() == Samples.of(Scaled()).fingerprint()
    assert first.fingerprint() != Samples.of(Scaled(1 / 255)).fingerprint()
    for seen in (0, 599):  # the first and the last are always hashed
        assert first.fingerprint() != Samples.of(Scaled(changed=seen)).fingerprint()
    assert first.fingerprint() != Samples.of([Scaled()[i] for i in range(599)]).fingerprint()


def test_the_fingerprint_of_arrays_sees_each_of_them() -> None:
    x, y = torch.zeros(3000, 2), torch.zeros(3000)
    first = Samples.of((x, y))
    assert first.hashed == 3000
    told, inputs = first.fingerprint(), first.fingerprint(labels=False)
    y[17] = 1
    assert Samples.of((x, y)).fingerprint() != told
    assert Samples.of((x, y)).fingerprint(labels=False) == inputs
    x[1234, 1] = 1e-6
    assert Samples.of((x, y)).fingerprint(labels=False) != inputs
    assert Samples.of((x.double(), y)).fingerprint() != Samples.of((x, y)).fingerprint()


def test_labels_are_shaped_for_a_goal() -> None:
    x = torch.zeros(3, 2)
    aimed = Samples.of((x, [0.5, 1.5, 2.5])).aimed(Task.of("regression", 1))
    labels = aimed.fetch([2, 0]).labels
    assert labels is not None
    assert labels.tolist() == [[2.5], [0.5]]
    assert aimed.aimed(Task.of("regression", 1)).fetch([0]).labels.shape == (1, 1)  # type: ignore[union-attr]
    with pytest.raises(InvalidInput, match="label 3"):
        Samples.of((x, [0, 1, 3])).aimed(Task.of("classification", 3))
    with pytest.raises(InvalidInput, match="label -2"):
        Samples.of([(torch.zeros(2), -2)] * 3).aimed(Task.of("classification", 3))
    assert not Samples.of(x).aimed(Task.of("classification", 2)).has_labels


def test_a_batch_knows_its_mask_and_moves() -> None:
    batch = Samples.of({"input_ids": [[1], [2, 3]], "label": [0, 1]}).fetch([0, 1])
    assert batch.mask is not None
    assert batch.mask.tolist() == [[1, 0], [1, 1]]
    assert len(batch) == 2
    moved = batch.to("meta")
    assert moved.device == torch.device("meta")
    assert moved.labels is not None
    assert moved.labels.device == torch.device("meta")
    assert moved.index.device == torch.device("cpu")
    assert batch.to("cpu") is batch
    apart = Samples.of(torch.zeros(2, 1, device="meta"), np.zeros(2)).fetch([0])
    assert apart.to("meta").labels.device == torch.device("meta")  # type: ignore[union-attr]
    assert Samples.of(torch.zeros(2, 1)).fetch([0]).mask is None


@pytest.mark.parametrize("size", [0, -3])
def test_a_batch_size_is_positive(size: int) -> None:
    with pytest.raises(InvalidInput, match=str(size)):
        Samples.of(torch.zeros(2, 1), batch_size=size)


def test_an_error_of_the_data_set_comes_through() -> None:
    class Broken(Augmented):
        def __getitem__(self, place: int) -> tuple[Tensor, int]:
            raise KeyError("file 7 is damaged")

    before = state()
    with pytest.raises(KeyError, match="file 7"):
        Samples.of(Broken()).fetch([0])
    assert state() == before
