"""Marks tell inputs apart, and do not mind padding or rounding."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
import torch
from torch import Tensor

from limbeck.networks.cache.input_checksums import TOLERANCE, marks


def _differ(a: Any, b: Any) -> Tensor:
    (one, norm), (two, _) = marks(a), marks(b)
    return (one - two).abs() > TOLERANCE * norm


def _pictures(n: int = 50) -> Tensor:
    return torch.randn(n, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_the_same_input_has_one_mark() -> None:
    x = _pictures()
    assert not _differ(x, x.clone()).any()
    assert not _differ(x, x[torch.arange(50)]).any()
    assert not _differ(x[7:9], x[7:9].contiguous()).any()
    assert marks(x)[0].dtype is torch.float32


def test_rounding_does_not_matter() -> None:
    x = _pictures()
    assert not _differ(x, x * (1 + 1e-6)).any()


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.flip(3),
        lambda x: x.roll(1, 2),
        lambda x: x.roll(1, 0),
        lambda x: x / 255,
        lambda x: x + 0.1,
        lambda x: x[:, [2, 1, 0]],
    ],
)
def test_another_input_has_another_mark(change: Any) -> None:
    x = _pictures()
    assert _differ(x, change(x)).float().mean() > 0.98


def test_tokens_that_differ_by_one() -> None:
    ids = torch.randint(1, 30_000, (200, 12), generator=torch.Generator().manual_seed(0))
    other = ids.clone()
    other[:, 5] += 1
    assert _differ({"input_ids": ids}, {"input_ids": other}).float().mean() > 0.98
    assert _differ(ids, other).float().mean() > 0.98
    assert _differ(ids, ids.roll(1, 1)).float().mean() > 0.98


def test_padding_does_not_matter() -> None:
    ids = torch.tensor([[5, 6, 7], [8, 9, 3]])
    short = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    long = {k: torch.nn.functional.pad(v, (0, 400)) for k, v in short.items()}
    long["input_ids"][:, 3:] = 99  # any token fills up
    assert not _differ(short, long).any()
    assert not _differ({"input_ids": ids}, short).any()
    left = {k: v.roll(400, 1) for k, v in long.items()}
    assert not _differ(short, left).any()
    assert _differ(left, {**left, "input_ids": left["input_ids"] + 1}).all()
    frames = torch.randn(2, 3, 4)
    one = {"frames": frames, "attention_mask": torch.ones(2, 3)}
    two = {
        k: torch.nn.functional.pad(v, (0, 0, 0, 5) if v.ndim == 3 else (0, 5))
        for k, v in one.items()
    }
    assert not _differ(one, two).any()


def test_every_tensor_of_an_input_counts() -> None:
    x, y = torch.randn(9, 4), torch.randn(9, 5)
    assert _differ((x, y), (x, y + 1)).all()
    assert _differ((x, y), (x + 1, y)).all()
    assert _differ({"a": x, "b": y}, {"a": x, "b": y + 1}).all()
    assert not _differ({"a": x, "b": y}, {"b": y, "a": x}).any()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bool, torch.int64, torch.float16])
def test_any_dtype(dtype: torch.dtype) -> None:
    x = torch.randint(0, 2, (64, 40), generator=torch.Generator().manual_seed(1)).to(dtype)
    assert not _differ(x, x.clone()).any()
    assert _differ(x, x.roll(1, 1)).float().mean() > 0.95


def test_missing_numbers_and_rows_of_zeros() -> None:
    x = torch.zeros(2, 3)
    x[1, 1] = torch.nan
    assert not _differ(x, x.clone()).any()
    assert _differ(torch.ones(1, 3), torch.zeros(1, 3)).all()
