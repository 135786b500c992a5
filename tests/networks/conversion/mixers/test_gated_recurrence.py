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


def mixer(kind: str, start: str):
    """Moved off its start, so that convolution, gate and steps all say something."""
    options = {"window": 5} if kind == "linear_attention" else {}
    made = make_mixer(kind, parts(), start, {"chunk": 8, **options})
    with torch.no_grad():
        for p in made.parameters():
            p.add_(torch.randn(p.shape) * 0.1)
    return made


def vectors(t: int, seed: int = 0):
    return torch.randn(3, t, 24, generator=torch.Generator().manual_seed(seed))


def close(one, two):
    torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_rows_padded_on_the_right_go_on_from_their_last_token():
    m, u, more = mixer("gated_recurrence", "neutral"), vectors(12), vectors(6, 1)
    keep = torch.ones(3, 16).bool()
    keep[:, 12:] = False
    _, state = m(torch.cat([u, vectors(4, 2)], 1), TokenRows(keep))
    close(m(more, TokenRows(), state)[0], m(torch.cat([u, more], 1), TokenRows())[0][:, 12:])


@torch.no_grad()
def test_the_neutral_start_is_linear_attention_with_slow_decay_and_a_norm():
    p, u = parts(), vectors(17)
    m = make_mixer("gated_recurrence", p, "neutral")
    q, k, v = (f(u).unflatten(-1, (-1, 8)) for f in (p.query, p.key, p.value))
    k, v = k.repeat_interleave(2, 2), v.repeat_interleave(2, 2)
    scores = torch.einsum("bihn,bjhn->bhij", q, k) * 8**-0.5
    ages = (torch.arange(17)[:, None] - torch.arange(17)).clamp_min(0)
    rates = torch.logspace(-2, torch.tensor(0.3).log10().item(), 4)
    y = torch.einsum("bhij,bjhp->bihp", scores.tril() * (-rates[:, None, None] * ages).exp(), v)
    y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + 1e-5)
    torch.testing.assert_close(m(u, TokenRows())[0], p.out(y.flatten(2)), atol=1e-4, rtol=1e-4)
