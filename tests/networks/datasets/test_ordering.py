"""Batches of samples of similar length."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
import torch

from limbeck.core.errors import InvalidInput
from limbeck.networks.datasets.data import Samples


def _items(n: int) -> list[dict[str, object]]:
    lengths = torch.randint(2, 40, (n,), generator=torch.Generator().manual_seed(0)).tolist()
    return [{"input_ids": [7] * k, "label": k % 2} for k in lengths]


def test_every_sample_once_and_little_padding() -> None:
    items = _items(403)
    plain, grouped = (Samples.of(items, batch_size=16, by_length=b) for b in (False, True))
    order = grouped.order(0, seed=3)
    assert order.sort().values.equal(torch.arange(403))
    padded, needed = {}, sum(len(one["input_ids"]) for one in items)  # type: ignore[arg-type]
    for name, samples in (("plain", plain), ("grouped", grouped)):
        batches = samples.batches(samples.order(0, seed=3))
        padded[name] = sum(batch.inputs["input_ids"].numel() for batch in batches)
    assert padded["grouped"] < 1.1 * needed < 1.5 * needed < padded["plain"]


def test_a_function_of_epoch_and_seed_that_regroups() -> None:
    samples = Samples.of(_items(200), batch_size=8, by_length=True)
    assert samples.order(1, 5).equal(samples.order(1, 5))
    first, second = ({frozenset(b) for b in samples.order(e, 5)[:192].view(-1, 8).tolist()}
                     for e in (0, 1))  # fmt: skip
    assert len(first & second) < 3


def test_the_rest_is_drawn_anew_and_not_always_the_longest() -> None:
    samples = Samples.of(_items(203), batch_size=8, by_length=True)
    lasts = {frozenset(samples.order(epoch, 0)[200:].tolist()) for epoch in range(5)}
    assert len(lasts) == 5


def test_without_tokens_it_is_refused() -> None:
    samples = Samples.of(torch.zeros(20, 3), batch_size=4, by_length=True)
    with pytest.raises(InvalidInput, match="no input_ids"):
        samples.order(0, 0)
