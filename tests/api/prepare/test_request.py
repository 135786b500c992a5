"""What was asked for of a network's distillation, and the two sides of its rows."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from limbeck.api.prepare.request import NetworkRequest, read, split
from limbeck.core.errors import InvalidInput

X, Y = torch.randn(60, 3, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 2


def test_reading_takes_the_batch_size_and_the_names_of_classes() -> None:
    loader = DataLoader(TensorDataset(X, Y), batch_size=12, shuffle=True)
    found = read(NetworkRequest(nn.Linear(3, 2), loader, None, nn.Linear(3, 2)))
    assert found.settings.batch_size == 12
    assert found.notes == ["Batches have 12 rows, as the DataLoader's."]
    assert (found.outside, found.classes) == (False, None)
    names = [["no", "yes"][y] for y in Y]
    named = read(NetworkRequest(nn.Linear(3, 2), X, names, nn.Linear(3, 2)))
    assert named.classes == ("no", "yes")
    assert named.coded.y.tolist() == Y.tolist()


def test_the_sides_share_no_row_and_follow_the_seed() -> None:
    def sides(seed: int) -> tuple[set[float], set[float]]:
        request = NetworkRequest(nn.Linear(3, 2), X, Y, nn.Linear(3, 2), seed=seed)
        found = split(request, read(request))
        rows, test = (s.fetch(range(len(s))).inputs[:, 0] for s in (found.rows, found.test))
        return set(rows.tolist()), set(test.tolist())

    train, test = sides(0)
    assert (len(train), len(test)) == (42, 18)
    assert not train & test
    assert train | test == set(X[:, 0].tolist())
    assert sides(0) == (train, test)
    assert sides(1) != (train, test)


def test_an_unknown_setting_is_refused_while_reading() -> None:
    request = NetworkRequest(None, X, Y, nn.Linear(3, 2), training={"epoch": 2})
    with pytest.raises(InvalidInput, match="Did you mean 'epochs'"):
        read(request)
