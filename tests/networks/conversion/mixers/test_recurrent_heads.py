from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks.conversion.mixers.base import AttentionParts  # noqa: E402
from limbeck.networks.conversion.mixers.gated_recurrence import GatedRecurrence  # noqa: E402
from limbeck.networks.conversion.mixers.recurrent_heads import (  # noqa: E402
    SILU_IS_ONE,
    calibrate_heads,
)
from limbeck.networks.conversion.mixers.rows import ROW_DEFAULTS, TokenRows  # noqa: E402


def mixer(start="neutral", rotary=False):
    torch.manual_seed(0)
    linear = [nn.Linear(6, 4) for _ in range(3)]
    return GatedRecurrence(
        AttentionParts(*linear, nn.Linear(4, 6), 2, 2, 2, 1.0, rotary=rotary), start
    )


@torch.no_grad()
def test_calibration_finds_the_decay_and_scale_that_made_the_heads():
    truth, found, u = mixer(), mixer(), torch.randn(4, 20, 6)
    truth.A_log.copy_(torch.tensor([0.03, 2.0]).log())
    truth.norm.copy_(torch.tensor([[2.0, -1.0], [0.5, 3.0]]))
    wanted = truth.heads_out(u, ROW_DEFAULTS, None)[0]
    found.calibrate(u, ROW_DEFAULTS, wanted)
    torch.testing.assert_close(found.A_log, truth.A_log)
    torch.testing.assert_close(found.norm, truth.norm)


@torch.no_grad()
def test_padding_counts_nothing_in_a_calibration():
    u, keep = torch.randn(4, 12, 6), torch.ones(4, 12).bool()
    keep[:, 8:] = False
    wanted = torch.randn(4, 12, 2, 2)
    one, two = mixer(), mixer()
    one.calibrate(u, TokenRows(keep), wanted)
    wanted[:, 8:] = 1e6
    calibrate_heads(
        [two], lambda: two.heads_out(u, TokenRows(keep), None)[0], TokenRows(keep), wanted
    )
    assert torch.equal(one.A_log, two.A_log)
    torch.testing.assert_close(one.norm, two.norm)


def test_neutral_starts_have_a_gate_of_one_and_slow_decay_and_no_start_knows_positions_twice():
    m = mixer()
    gate = nn.functional.silu(m.gate_proj(torch.randn(3, 6)))
    torch.testing.assert_close(gate, torch.ones_like(gate))
    assert SILU_IS_ONE / (1 + math.exp(-SILU_IS_ONE)) == pytest.approx(1, abs=1e-12)
    torch.testing.assert_close(m.A_log.exp(), torch.tensor([0.01, 0.3]))
    published = mixer("published")
    assert published.A_log.exp().min() >= 1
    assert published.A_log.exp().max() <= 16
    assert [mixer(s, rotary=True).rotary for s in ("neutral", "published")] == [True, False]


def test_the_state_has_the_sizes_that_a_call_returns():
    m = mixer()
    _, state = m.heads_out(torch.randn(5, 7, 6), ROW_DEFAULTS, None)
    assert {n: v.shape for n, v in m.empty_state(5).items()} == {
        n: v.shape for n, v in state.items()
    }
    assert not any(v.any() for v in m.empty_state(5).values())
