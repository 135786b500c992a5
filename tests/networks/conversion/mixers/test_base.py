from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.networks.conversion.mixers.base import AttentionParts, Mixer, per_head  # noqa: E402
from limbeck.networks.conversion.mixers.rows import ROW_DEFAULTS  # noqa: E402


class Adds(Mixer):
    """Values of all tokens so far, summed."""

    def heads_out(self, hidden, rows, state):
        x = per_head(self.x_proj(hidden), self.head_dim, self.heads // self.kv_heads)
        before = self.empty_state(len(hidden)) if state is None else state
        y = x.cumsum(1) + before["sum"][:, None]
        return y, {"sum": y[:, -1]}

    def empty_state(self, batch):
        return {"sum": self._zeros(batch, self.heads, self.head_dim)}


def parts(**more):
    torch.manual_seed(0)
    q, k, v, o = nn.Linear(6, 8), nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(8, 6)
    return AttentionParts(q, k, v, o, heads=4, kv_heads=2, head_dim=2, scaling=0.5, **more)


def test_heads_of_keys_are_repeated_side_by_side():
    values = torch.arange(8.0).view(1, 2, 4)
    assert per_head(values, 2).tolist() == [[[[0, 1], [2, 3]], [[4, 5], [6, 7]]]]
    assert per_head(values, 2, 2)[0, 0].tolist() == [[0, 1], [0, 1], [2, 3], [2, 3]]


@torch.no_grad()
def test_outputs_are_projected_and_the_state_goes_on():
    p = parts()
    mixer, u = Adds(p), torch.randn(3, 5, 6)
    whole, _ = mixer(u, ROW_DEFAULTS)
    first, state = mixer(u[:, :2], ROW_DEFAULTS)
    second, _ = mixer(u[:, 2:], ROW_DEFAULTS, state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    values = p.value(u[:, 0]).view(3, 2, 2).repeat_interleave(2, 1)
    torch.testing.assert_close(whole[:, 0], p.out(values.flatten(1)))


def test_projections_and_norms_are_copies_and_random_starts_draw_them_anew():
    p = parts(query_norm=nn.LayerNorm(2), key_norm=nn.LayerNorm(2))
    kept, drawn = Adds(p), Adds(p, "random")
    assert torch.equal(kept.C_proj.weight, p.query.weight)
    assert torch.equal(kept.x_proj.weight, p.value.weight)
    assert torch.equal(kept.B_proj.weight, p.key.weight)
    assert not torch.equal(drawn.B_proj.weight, p.key.weight)
    assert not {id(x) for x in kept.parameters()} & {
        id(x) for m in vars(p).values() if isinstance(m, nn.Module) for x in m.parameters()
    }
    assert kept.C_norm is not p.query_norm
    assert Adds(parts()).B_norm is None
