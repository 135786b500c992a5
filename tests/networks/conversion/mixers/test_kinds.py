from __future__ import annotations

import dataclasses
import itertools

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.mixers.base import AttentionParts  # noqa: E402
from limbeck.networks.conversion.mixers.kinds import MIXERS, make_mixer  # noqa: E402
from limbeck.networks.conversion.mixers.rows import TokenRows  # noqa: E402

KINDS = list(itertools.product(MIXERS, ["neutral", "published"]))


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


@pytest.mark.parametrize(("kind", "start"), KINDS)
@torch.no_grad()
def test_generation_token_by_token_equals_the_whole(kind, start):
    m, u = mixer(kind, start).double(), vectors(29).double()
    whole, end = m(u, TokenRows())
    state, outputs = m.empty_state(3), []
    sizes = {n: v.shape for n, v in state.items()}
    for t in range(29):
        y, state = m(u[:, t : t + 1], TokenRows(), state)
        outputs.append(y)
    torch.testing.assert_close(torch.cat(outputs, 1), whole)
    assert {n: v.shape for n, v in state.items()} == sizes  # constant memory
    for name in end:
        close(state[name].float(), end[name].float())


@pytest.mark.parametrize(("kind", "start"), KINDS)
@torch.no_grad()
def test_padding_changes_nothing(kind, start):
    m, u, noise = mixer(kind, start), vectors(29), vectors(4, 1)
    whole, end = m(u, TokenRows())
    keep = torch.cat([torch.zeros(3, 4), torch.ones(3, 29)], 1).bool()
    left, state = m(torch.cat([noise, u], 1), TokenRows(keep))
    close(left[:, 4:], whole)
    close(state["memory"], end["memory"])
    right, _ = m(torch.cat([u, noise], 1), TokenRows(keep.flip(1)))
    close(right[:, :29], whole)
    assert torch.isfinite(left).all()


@pytest.mark.parametrize(("kind", "start"), KINDS)
@torch.no_grad()
def test_packed_sequences_do_not_see_each_other_and_the_last_goes_on(kind, start):
    m, one, two, more = mixer(kind, start), vectors(29), vectors(11, 1), vectors(9, 2)
    segments = torch.cat([torch.zeros(3, 29), torch.ones(3, 11)], 1).long()
    packed, state = m(torch.cat([one, two], 1), TokenRows(segments=segments))
    close(packed[:, :29], m(one, TokenRows())[0])
    close(packed[:, 29:], m(two, TokenRows())[0])
    close(m(more, TokenRows(), state)[0], m(torch.cat([two, more], 1), TokenRows())[0][:, 11:])


def test_random_starts_forget_the_attention_and_others_keep_it():
    p = parts()
    assert torch.equal(make_mixer("gated_delta", p, "published").C_proj.weight, p.query.weight)
    assert not torch.equal(make_mixer("gated_delta", p, "random").C_proj.weight, p.query.weight)
    p.query.weight.data.zero_()  # the mixer has weights of its own
    assert p.query.weight.abs().sum() == 0


def test_unknown_mixers_starts_and_settings_are_named():
    with pytest.raises(InvalidInput, match="gated_recurrence"):
        make_mixer("gated_recurence", parts(), "neutral")
    with pytest.raises(InvalidInput, match="neutral"):
        make_mixer("gated_delta", parts(), "neutrl")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="window"):
        make_mixer("linear_attention", parts(), "neutral", {"windw": 3})


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("gated_delta", {"window": 3}, "no setting 'window'.*It takes convolution, rotary"),
        ("linear_attention", {"chunk": 8, "rotary": True}, "no setting 'rotary'.*window and chunk"),
        ("gated_recurrence", {"chunk": "8"}, "chunk of gated_recurrence is '8'"),
        ("gated_recurrence", {"convolution": 0}, "convolution of gated_recurrence is 0"),
        ("gated_delta", {"rotary": "no"}, "rotary of gated_delta is 'no'"),
        ("gated_delta", ["chunk"], "Give a mapping"),
    ],
)
def test_settings_are_refused_for_what_is_wrong_with_them(kind, options, said):
    with pytest.raises(InvalidInput, match=said):
        make_mixer(kind, parts(), "neutral", options)
    with pytest.raises(InvalidInput, match=said):  # before any model is opened
        Hybrid(mixer=kind, options=options)


def test_an_error_inside_a_mixer_is_not_told_as_an_unknown_setting():
    broken = dataclasses.replace(parts(), heads=None)
    with pytest.raises(TypeError):
        make_mixer("gated_delta", broken, "neutral", {"chunk": 8})
