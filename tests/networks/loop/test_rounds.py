"""One seed's trainings."""

from __future__ import annotations

import torch
from torch import nn

from limbeck.networks.loop.rounds import make


def test_a_maker_is_called_after_the_seed_and_disturbs_nothing() -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    a, b, c = (make(lambda: nn.Linear(2, 2), s) for s in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(a.weight, b.weight)
    assert not torch.equal(a.weight, c.weight)
