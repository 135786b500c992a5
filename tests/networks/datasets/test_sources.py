from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.datasets.sources import Arrays, Items  # noqa: E402


def test_arrays_are_read_by_rows_of_a_part_in_their_order() -> None:
    x, y = np.arange(12.0).reshape(6, 2), torch.arange(6)
    source = Arrays(x, y, rows=torch.tensor([5, 3, 1]))
    inputs, labels = source.fetch(torch.tensor([2, 0]), 0, 0)
    assert len(source) == 3
    assert inputs.tolist() == [[2, 3], [10, 11]]
    assert inputs.dtype == torch.float32  # as networks have their weights
    assert labels.tolist() == [1, 5]
    assert source.all().tolist() == x[[5, 3, 1]].tolist()
    x[3] = -1  # what was read is a copy
    assert inputs.tolist() == [[2, 3], [10, 11]]


def test_several_inputs_keep_their_form() -> None:
    x = np.arange(4)
    rows = torch.tensor([3, 0])
    pair, none = Arrays((x, 10 * x)).fetch(rows, 0, 0)
    assert [v.tolist() for v in pair] == [[3, 0], [30, 0]]
    assert none is None
    named, _ = Arrays({"a": x, "b": torch.from_numpy(x)}).fetch(rows, 0, 0)
    assert {n: v.tolist() for n, v in named.items()} == {"a": [3, 0], "b": [3, 0]}
    assert len(Arrays({"a": x})) == len(Arrays((x, x))) == 4


class Draws:
    """Items that draw from all three generators."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, place: int) -> Any:
        drawn = [random.random(), np.random.rand(), float(torch.rand(()))]  # noqa: NPY002
        return torch.tensor([place, *drawn]), place % 2


def collated(items: Any) -> Any:
    return torch.stack([x for x, _ in items]), torch.tensor([y for _, y in items])


def test_what_an_item_draws_depends_on_seed_place_and_view_alone() -> None:
    source = Items(Draws(), collated)
    whole, labels = source.fetch(torch.arange(8), 3, 1)
    assert labels.tolist() == [0, 1] * 4
    assert len(set(whole[:, 1].tolist())) == 8
    turned, _ = source.fetch(torch.tensor([6, 2]), 3, 1)
    assert torch.equal(turned, whole[[6, 2]])
    part, _ = Items(Draws(), collated, rows=torch.tensor([6, 2])).fetch(torch.tensor([1]), 3, 1)
    assert torch.equal(part, whole[[2]])
    for seed, view in ((3, 0), (4, 1)):
        assert not (source.fetch(torch.arange(8), seed, view)[0][:, 1:] == whole[:, 1:]).any()


def test_generators_go_on_as_if_nothing_had_been_drawn() -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002
    Items(Draws(), collated).fetch(torch.arange(3), 0, 0)
    assert Items(Draws(), collated).draws(0, 0) == (True, False)
    assert random.getstate() == before[0]
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[2])


def test_who_draws_is_told_apart_and_labels_apart_are_taken() -> None:
    plain = [(torch.ones(1), 0)] * 3

    def noisy(items: Any) -> Any:
        inputs, labels = collated(items)
        return inputs + torch.rand(()), labels

    assert Items(plain, collated).draws(0, 0) == (False, False)
    assert Items(plain, noisy).draws(0, 0) == (False, True)
    apart = Items([torch.ones(1)] * 3, torch.stack, labels=torch.tensor([7, 8, 9]))
    assert apart.fetch(torch.tensor([2, 0]), 0, 0)[1].tolist() == [9, 7]
