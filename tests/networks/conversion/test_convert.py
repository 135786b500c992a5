from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.conversion.cache import state_bytes  # noqa: E402
from limbeck.networks.conversion.convert import convert, converted_layers  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.sizes import bytes_of_text  # noqa: E402

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


@torch.no_grad()
def test_memory_is_constant_where_all_layers_are_converted(make_decoder):
    model = make_decoder("llama", 2)
    student = convert(model, (), Hybrid(0.0))
    for kept, seen in ((student, 0), (convert(model, {0}, Hybrid([0])), 1)):
        sizes = []
        for t in (8, 40):
            cache = kept(input_ids=ids(1, t), use_cache=True).past_key_values
            sizes.append(state_bytes(cache))
            assert sizes[-1] == bytes_of_text(kept, t)
        assert (sizes[0] == sizes[1]) == (not seen)


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


def test_what_cannot_be_converted_is_named(make_decoder):
    import transformers as t

    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 16, "vocab_size": 20}  # fmt: skip
    with pytest.raises(InvalidInput, match="both directions"):
        convert(t.BertForMaskedLM(t.BertConfig(**small)), (), Hybrid(0.0))
    t5 = t.T5Config(d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, vocab_size=20)
    with pytest.raises(InvalidInput, match="cross-attention"):
        convert(t.T5ForConditionalGeneration(t5), (), Hybrid(0.0))
    window = t.MistralConfig(**small, num_key_value_heads=2, sliding_window=8)
    with pytest.raises(InvalidInput, match="window of 8"):
        convert(t.MistralForCausalLM(window), (), Hybrid(0.0))
    gpt2 = t.GPT2Config(vocab_size=20, n_embd=16, n_layer=1, n_head=2, add_cross_attention=True)
    with pytest.raises(InvalidInput, match="cross-attention"):
        convert(t.GPT2LMHeadModel(gpt2), (), Hybrid(0.0))
    sinks = t.GptOssConfig(**small | {"num_hidden_layers": 2}, num_key_value_heads=2, head_dim=8,
                           num_local_experts=2, num_experts_per_tok=1)  # fmt: skip
    with pytest.raises(InvalidInput, match="attention sinks"):  # the first has a window, too
        convert(t.GptOssForCausalLM(sinks), (0,), Hybrid([0]))
    with pytest.raises(InvalidInput, match="neighbouring numbers"):
        convert(t.CohereForCausalLM(t.CohereConfig(**small)), (), Hybrid(0.0))
    partly = t.GlmConfig(**small, num_key_value_heads=2, head_dim=8, pad_token_id=0)
    with pytest.raises(InvalidInput, match=r"turns only 0\.5"):
        convert(t.GlmForCausalLM(partly), (), Hybrid(0.0))
    capped = t.Gemma2Config(**small | {"num_hidden_layers": 2}, num_key_value_heads=2, head_dim=8)
    with pytest.raises(InvalidInput, match=r"caps its attention scores at 50 \(attn_logit_softca"):
        convert(t.Gemma2ForCausalLM(capped), (0,), Hybrid([0]))  # the first has a window, too
    both = t.Gemma3TextConfig(**small, num_key_value_heads=2, use_bidirectional_attention=True)
    with pytest.raises(InvalidInput, match="no causal mask"):
        convert(t.Gemma3ForCausalLM(both), (), Hybrid(0.0))
    with pytest.raises(InvalidInput, match="no model of transformers"):
        convert(torch.nn.Linear(2, 2), (), Hybrid(0.0))
    odd = make_decoder("llama", 1)
    odd.model.layers[0].self_attn.head_dim = 7
    with pytest.raises(InvalidInput, match="heads of 7"):
        convert(odd, (), Hybrid(0.0))
