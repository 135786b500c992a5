from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.mixers.rotary import rotated  # noqa: E402


def test_halves_are_turned_as_planes_and_scores_depend_on_the_distance_alone():
    angles = torch.tensor([0.0, torch.pi / 2])[:, None] * torch.ones(1, 2)
    rotary = (angles.cos().repeat(1, 2)[None], angles.sin().repeat(1, 2)[None])
    u = torch.tensor([1.0, 2.0, 3.0, 4.0]).expand(1, 2, 1, 4)
    turned = rotated(u, rotary)
    torch.testing.assert_close(turned[0, 0, 0], u[0, 0, 0])
    torch.testing.assert_close(turned[0, 1, 0], torch.tensor([-3.0, -4.0, 1.0, 2.0]))
    steps = torch.arange(6.0)[:, None] * torch.tensor([0.7, 0.1])
    rotary = (steps.cos().repeat(1, 2)[None], steps.sin().repeat(1, 2)[None])
    q, k = (
        rotated(u[:, :1].expand(1, 6, 1, 4), rotary),
        rotated(3 - u[:, :1].expand(1, 6, 1, 4), rotary),
    )
    torch.testing.assert_close(q[0, 5, 0] @ k[0, 3, 0], q[0, 2, 0] @ k[0, 0, 0])
    assert abs(float(q[0, 5, 0] @ k[0, 3, 0] - q[0, 5, 0] @ k[0, 1, 0])) > 0.1


def test_it_is_the_turn_of_transformers():
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    angles = torch.arange(5.0)[:, None] * torch.tensor([1.0, 0.3, 0.1])
    cos, sin = angles.cos().repeat(1, 2)[None], angles.sin().repeat(1, 2)[None]
    u = torch.randn(2, 5, 3, 6)
    theirs, _ = llama.apply_rotary_pos_emb(u.transpose(1, 2), u.transpose(1, 2), cos, sin)
    torch.testing.assert_close(rotated(u, (cos, sin)), theirs.transpose(1, 2))
