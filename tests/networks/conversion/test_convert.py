from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.convert import convert, converted_layers  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402

FAMILIES = ["llama", "qwen2", "qwen3", "gpt2"]
MIXERS = ["gated_recurrence", "linear_attention", "gated_delta"]


def ids(rows: int, t: int, seed: int = 0):
    return torch.randint(1, 20, (rows, t), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("mixer", MIXERS)
@torch.no_grad()
def test_generation_with_states_equals_generation_without(make_decoder, family, mixer):
    options = {"window": 6} if mixer == "linear_attention" else {}
    student = convert(make_decoder(family, 2), {1}, Hybrid([1], mixer, options=options))
    prompt = ids(2, 9)
    by_hand = prompt
    for _ in range(5):
        logits = student(input_ids=by_hand, use_cache=False).logits[:, -1:]
        by_hand = torch.cat([by_hand, logits.argmax(-1)], 1)
    asked = {"max_new_tokens": 5, "do_sample": False, "pad_token_id": 0}
    assert torch.equal(student.generate(input_ids=prompt, **asked), by_hand)
    padded = torch.nn.functional.pad(prompt, (4, 0))
    mask = torch.nn.functional.pad(torch.ones_like(prompt), (4, 0))
    found = student.generate(input_ids=padded, attention_mask=mask, **asked)
    assert torch.equal(found[:, 4:], by_hand)


@torch.no_grad()
def test_packed_rows_equal_rows_alone(make_decoder):
    student = convert(make_decoder("llama", 3), {1}, Hybrid([1]))
    rows = ids(2, 9)
    alone = student(input_ids=rows, use_cache=False).logits
    packed = student(
        input_ids=rows.reshape(1, 18), position_ids=torch.arange(9).repeat(2)[None], use_cache=False
    ).logits
    torch.testing.assert_close(packed.view(2, 9, -1), alone, atol=1e-5, rtol=1e-5)


def test_the_model_is_left_as_it_is_and_copies_are_their_own(make_decoder):
    model = make_decoder("llama", 2)
    before = {n: v.clone() for n, v in model.state_dict().items()}
    student = convert(model, (), Hybrid(0.0))
    again = copy.deepcopy(student)
    with torch.no_grad():
        for p in student.parameters():
            p.zero_()
    assert all(torch.equal(v, before[n]) for n, v in model.state_dict().items())
    layers = list(converted_layers(again))
    assert layers[0].context is layers[1].context
    assert layers[0].context is not next(converted_layers(student)).context
    assert again(input_ids=ids(1, 4), use_cache=False).logits.abs().sum() > 0


def test_the_same_seed_gives_the_same_random_start(make_decoder):
    model = make_decoder("llama", 2)
    one, two, other = (
        convert(model, (), Hybrid(0.0, start="published"), seed).state_dict() for seed in (0, 0, 1)
    )
    name = "model.layers.0.self_attn.mixer.gate_proj.weight"
    assert torch.equal(one[name], two[name])
    assert not torch.equal(one[name], other[name])
