from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from limbeck.networks.conversion.mixers.base import AttentionParts  # noqa: E402
from limbeck.networks.conversion.mixers.kinds import make_mixer  # noqa: E402
from limbeck.networks.conversion.mixers.rows import TokenRows  # noqa: E402


def parts() -> AttentionParts:
    torch.manual_seed(0)
    return AttentionParts(
        nn.Linear(24, 32, bias=False), nn.Linear(24, 16), nn.Linear(24, 16), nn.Linear(32, 24),
        heads=4, kv_heads=2, head_dim=8, scaling=8**-0.5,
    )  # fmt: skip


def vectors(t: int, seed: int = 0):
    return torch.randn(3, t, 24, generator=torch.Generator().manual_seed(seed))


def close(one, two):
    torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_window_over_everything_is_softmax_attention():
    p, u = parts(), vectors(17)
    m = make_mixer("linear_attention", p, "neutral", {"window": 17})
    q, k, v = (f(u).unflatten(-1, (-1, 8)).transpose(1, 2) for f in (p.query, p.key, p.value))
    y = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    close(m(u, TokenRows())[0], p.out(y.transpose(1, 2).flatten(2)))
