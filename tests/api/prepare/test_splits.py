"""Splits of the samples of networks by copies and by cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from limbeck.api.prepare.leakage import fresh_rows
from limbeck.api.prepare.splits import two_sides
from limbeck.core.errors import InvalidInput
from limbeck.networks.training.settings import Training


def samples(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, generator=g), torch.randint(0, 2, (n,), generator=g)


def test_without_copies_and_cases_the_split_is_that_of_a_permutation() -> None:
    x, y = samples(60, 0)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(5))
    rows, aside, _ = two_sides((x, y), None, None, 0.3, 5, Training())
    torch.testing.assert_close(aside.fetch(range(18)).inputs, x[order[:18].sort().values])
    torch.testing.assert_close(rows.fetch(range(42)).inputs, x[order[18:].sort().values])


def test_cases_stay_whole() -> None:
    x, y = samples(200, 0)
    case = np.arange(200) // 4
    for data, cases in (((x, y), case), ({"x": x, "label": y, "patient": case}, "patient")):
        labels = None
        rows, aside, _ = two_sides(data, labels, None, 0.3, 0, Training(), cases=cases)
        assert (len(rows), len(aside)) == (140, 60)
        assert aside.cases is not None
        assert rows.cases is not None
        assert len(np.unique(aside.cases)) == 15
        assert not set(aside.cases) & set(rows.cases)
        _, seen, kept, _ = fresh_rows(rows, aside, False, Training())
        assert seen is not None
        assert seen.shape == (140, 2)
        np.testing.assert_array_equal(kept.cases, aside.cases)  # type: ignore[arg-type]
        inputs = aside.fetch([0]).inputs
        assert not isinstance(inputs, dict) or set(inputs) == {"x"}
    rows, aside, _ = two_sides((x, y), None, samples(40, 1), 0.3, 0, Training(), cases=case[:40])
    assert rows.cases is None
    assert aside.cases is not None
    first = {"x": x[:100], "label": y[:100], "patient": case[:100]}
    second = {"x": samples(40, 1)[0], "label": y[:40], "patient": case[90:130]}
    with pytest.raises(InvalidInput, match="3 cases of the holdout rows are cases of training"):
        two_sides(first, None, second, 0.3, 0, Training(), cases="patient")
    with pytest.raises(InvalidInput, match="no column of that name"):
        two_sides((x, y), None, None, 0.3, 0, Training(), cases="patient")
    with pytest.raises(InvalidInput, match="9 of 30 cases would be set aside"):
        two_sides((x, y), None, None, 0.3, 0, Training(), cases=np.arange(200) % 30)
