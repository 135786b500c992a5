"""Networks that were never trained are told from trained ones whose classes are out of order."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.preprocessing import StandardScaler
from torch import nn

from limbeck.api.prepare.class_order import check_class_order
from limbeck.api.prepare.scrambled import looks_trained
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.data.class_order import better_order, beyond_chance
from limbeck.networks.datasets.data import Samples

DATA = {"digits": load_digits, "cancer": load_breast_cancer, "wine": load_wine, "iris": load_iris}


@cache
def rows(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    X, y = DATA[name](return_X_y=True)
    return torch.tensor(StandardScaler().fit_transform(X), dtype=torch.float32), torch.tensor(y)


def network(d: int, k: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    if seed % 3 == 0:
        return nn.Linear(d, k)
    width = 16 if seed % 3 == 1 else 128
    return nn.Sequential(nn.Linear(d, width), nn.ReLU(), nn.Linear(width, k))


def trained(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> nn.Module:
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()
    return module


def answers(module: nn.Module, x: torch.Tensor) -> NDArray[np.int64]:
    with torch.no_grad():
        return module(x).argmax(1).numpy()


def test_untrained_networks_are_not_stopped() -> None:
    """At most 1% of 100; by the order of their answers alone about a third would be."""
    stopped = suspect = 0
    for seed in range(100):
        x, y = rows(list(DATA)[seed % 4])
        k = int(y.max()) + 1
        module = network(x.shape[1], k, seed)
        suspect += better_order(y.numpy(), answers(module, x), k) is not None
        samples, task = Samples.of((x, y)), Task.of("classification", k)
        try:
            notes = check_class_order(samples.aimed(task), module, task, None, 256)
        except InvalidInput:
            stopped += 1
        else:
            assert all("seems not to be trained" in note for note in notes)
    assert suspect > 20
    assert stopped <= 1


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", DATA)
def test_trained_networks_in_another_order_are_stopped(name: str, seed: int) -> None:
    x, y = rows(name)
    k = int(y.max()) + 1
    module = trained(network(x.shape[1], k, seed), x, (y + 1) % k)
    before = {n: p.clone() for n, p in module.state_dict().items()}
    samples, task = Samples.of((x, y)), Task.of("classification", k)
    with pytest.raises(InvalidInput, match="significantly less than by chance"):
        check_class_order(samples.aimed(task), module, task, None, 256)
    assert all(torch.equal(p, before[n]) for n, p in module.state_dict().items())


def test_what_has_no_weights_or_cannot_be_copied_is_taken_for_trained() -> None:
    class Fixed(nn.Module):
        def __deepcopy__(self, memo: Any) -> Any:
            raise RuntimeError("no copies")

    def none(module: nn.Module) -> Any:
        raise AssertionError("not asked")

    assert looks_trained(nn.ReLU(), none, 2)
    assert looks_trained(Fixed(), none, 2)


def test_answers_beyond_chance_are_those_of_the_best_order() -> None:
    y = np.arange(300) % 3
    assert beyond_chance(y, y, 3) == pytest.approx(200)
    assert beyond_chance(y, (y + 1) % 3, 3) == pytest.approx(200)
    assert beyond_chance(y, np.zeros(300, dtype=np.int64), 3) == pytest.approx(0)
    half = np.where(np.arange(300) < 150, y, (y + np.arange(300)) % 3)
    assert 0 < beyond_chance(y, half, 3) < 200
    assert beyond_chance(y[:0], y[:0], 3) == 0


def test_large_tensors_are_shuffled_by_lines() -> None:
    from limbeck.api.prepare.scrambled import _shuffled

    table = torch.arange(2**21, dtype=torch.float32).view(2**10, 2**11)
    found = _shuffled(table, torch.Generator().manual_seed(0))
    assert not torch.equal(found, table)
    assert torch.equal(found.flatten().sort().values, table.flatten())
    small = _shuffled(table[:4, :4], torch.Generator().manual_seed(0))
    assert torch.equal(small.flatten().sort().values, table[:4, :4].flatten().sort().values)
