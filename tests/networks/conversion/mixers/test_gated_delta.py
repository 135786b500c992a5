from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks.conversion.mixers.base import AttentionParts  # noqa: E402
from limbeck.networks.conversion.mixers.delta_rule import stepwise_delta  # noqa: E402
from limbeck.networks.conversion.mixers.gated_delta import GatedDeltaRule  # noqa: E402
from limbeck.networks.conversion.mixers.rows import ROW_DEFAULTS, TokenRows  # noqa: E402


def parts():
    torch.manual_seed(0)
    linear = [nn.Linear(6, 8), nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(8, 6)]
    return AttentionParts(*linear, heads=4, kv_heads=2, head_dim=2, scaling=1.0)


@torch.no_grad()
def test_the_neutral_start_is_the_delta_rule_on_keys_of_length_one_with_half_steps():
    p, u = parts(), torch.randn(3, 9, 6)
    q, k, v = (f(u).unflatten(-1, (-1, 2)) for f in (p.query, p.key, p.value))
    q, k = (nn.functional.normalize(x, dim=-1) for x in (q, k))
    k, v = k.repeat_interleave(2, 2), v.repeat_interleave(2, 2)
    rates = torch.logspace(-2, torch.tensor(0.3).log10().item(), 4)
    y, _ = stepwise_delta(v, k, q, -rates.expand(3, 9, 4), torch.full((3, 9, 4), 0.5))
    y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + 1e-5)
    torch.testing.assert_close(
        GatedDeltaRule(p)(u, ROW_DEFAULTS)[0], p.out(y.flatten(2)), atol=1e-4, rtol=1e-4
    )


@torch.no_grad()
def test_padding_neither_writes_nor_decays():
    m, u = GatedDeltaRule(parts(), "published"), torch.randn(2, 8, 6)
    keep = torch.ones(2, 8).bool()
    keep[:, 5:] = False
    _, state = m(u, TokenRows(keep))
    _, alone = m(u[:, :5], ROW_DEFAULTS)
    for name, value in alone.items():
        torch.testing.assert_close(state[name], value)
