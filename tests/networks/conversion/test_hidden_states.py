from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.attention import attention_layers, heads_module  # noqa: E402
from limbeck.networks.conversion.hidden_states import walk_blocks  # noqa: E402


def blocks():
    return torch.randint(1, 20, (12, 16), generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_stored_heads_are_what_the_output_projection_reads(make_decoder):
    teacher = make_decoder("llama", 2)
    states = next(walk_blocks(teacher, blocks(), frozenset({1})))
    out = heads_module(attention_layers(teacher)[1])
    torch.testing.assert_close(out(states.heads_written), states.attention_written)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_stored_states_are_those_of_the_whole_model(make_decoder, family):
    model, tokens = make_decoder(family, 3), blocks()
    with torch.no_grad():
        whole = model(input_ids=tokens, output_hidden_states=True, use_cache=False).hidden_states
    seen = {}
    hook = attention_layers(model)[1].register_forward_hook(
        lambda _, args, kwargs, out: seen.update(read=kwargs.get("hidden_states", args and args[0]),
                                                 written=out[0]),
        with_kwargs=True,
    )  # fmt: skip
    with torch.no_grad():
        model(input_ids=tokens, use_cache=False)
    hook.remove()
    found = list(walk_blocks(model, tokens, frozenset({1}), batch_size=5))
    assert [s.index for s in found] == [1]
    for one, two in (
        (found[0].read, whole[1]), (found[0].written, whole[2]),
        (found[0].attention_read, seen["read"]), (found[0].attention_written, seen["written"]),
    ):  # fmt: skip
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)
