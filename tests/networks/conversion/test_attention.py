from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402


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
