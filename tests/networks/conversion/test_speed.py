from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.speed import TokenCost, crossing, token_costs  # noqa: E402


def test_costs_know_what_is_kept_and_where_one_is_quicker(make_decoder):
    model = make_decoder("llama", 2)
    own = token_costs(convert(model, (), Hybrid(0.0)), [8, 64], tokens=2)
    theirs = token_costs(model, [8, 64], tokens=2)
    assert own[0].state_bytes == own[1].state_bytes
    assert theirs[1].state_bytes == 8 * theirs[0].state_bytes
    assert all(c.seconds >= 0 for c in own)  # of a clock that may tick but every few milliseconds
    slow = [TokenCost(n, s, 0) for n, s in ((8, 1.0), (16, 2.0), (32, 4.0))]
    fast = [TokenCost(n, 1.5, 0) for n in (8, 16, 32)]
    assert crossing(slow, fast) == 16
    assert crossing(fast, slow) is None
