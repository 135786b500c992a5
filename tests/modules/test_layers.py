"""Layers of a module while it runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.layers import finishing_order, leaves, recorded


class Twice(nn.Module):
    """Runs its last layer first, one layer twice, and works in place."""

    def __init__(self) -> None:
        super().__init__()
        self.late = nn.Linear(3, 3)
        self.first = nn.Linear(3, 3)
        self.idle = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.late(self.late(x)).mul_(0)


def test_layers_come_in_the_order_in_which_they_finish() -> None:
    net, x = Twice(), torch.ones(4, 3)
    assert leaves(net) == ("late", "first", "idle")
    assert finishing_order(net, lambda: net(x), 4) == ("first", "late")
    assert not any(m._forward_hooks for m in net.modules())


def test_runs_of_a_layer_stand_side_by_side_as_they_were() -> None:
    net, x = Twice(), torch.ones(4, 3)
    once = net.late(net.first(x))
    both = torch.cat([once, net.late(once)], dim=1).detach().numpy()
    with torch.no_grad(), recorded(net, ["late", "first"]) as take:
        for _ in range(2):  # nothing is left from one batch to the next
            net(x)
            found = take(4)
            assert found["first"].shape == (4, 3)
            np.testing.assert_allclose(found["late"], both, rtol=1e-6)
    assert not any(m._forward_hooks for m in net.modules())


def test_a_layer_that_does_not_run_or_loses_rows_is_refused() -> None:
    net = Twice()
    with recorded(net, ["idle"]) as take:
        net(torch.ones(4, 3))
        with pytest.raises(InvalidInput, match="'idle' returned no tensor"):
            take(4)
    with recorded(net, ["first"]) as take:
        net(torch.ones(4, 3))
        with pytest.raises(InvalidInput, match=r"shape \(4, 3\) for 5 rows"):
            take(5)
