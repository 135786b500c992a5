from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from limbeck.networks import Pruned  # noqa: E402
from limbeck.networks.pruning.prune import prune  # noqa: E402

pytestmark = pytest.mark.torch


def words(n=4, t=7):
    draw = torch.Generator().manual_seed(0)
    return {"input_ids": torch.randint(0, 30, (n, t), generator=draw)}


def llama(attention="sdpa"):
    torch.manual_seed(0)
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=30, hidden_size=24, num_attention_heads=6, num_key_value_heads=2,
            head_dim=4, intermediate_size=32, num_hidden_layers=3, tie_word_embeddings=True,
            attn_implementation=attention,
        )
    ).eval()  # fmt: skip


def test_heads_that_share_their_keys_go_with_them():
    net = llama()
    with torch.no_grad():
        for layer in net.model.layers:
            layer.self_attn.o_proj.weight[:, :12] = 0.0  # what the first keys lead to
    cut = prune(net, Pruned(heads=0.5), words())
    assert [(line.before, line.after) for line in cut.lines] == [(6, 3)] * 3
    assert torch.allclose(cut.module(**words()).logits, net(**words()).logits, atol=1e-5)


@pytest.mark.parametrize("rows", [4, 6])  # as many as heads, too
def test_a_cut_is_the_same_however_attention_is_computed(rows):
    asked = Pruned(layers=2, heads=0.5, mlp=0.5, width=0.75)
    fused, eager = (prune(llama(kind), asked, words(rows)) for kind in ("sdpa", "eager"))
    assert eager.lines == fused.lines
    assert {line.kind for line in eager.lines} == {"layers", "heads", "mlp", "width"}
    weights = fused.module.state_dict()
    assert all(torch.equal(w, weights[n]) for n, w in eager.module.state_dict().items())


def test_a_cut_model_of_transformers_is_saved_loaded_and_generates(tmp_path):
    cut = prune(llama(), Pruned(layers=2, heads=0.5, mlp=0.5), words())
    assert not [note for note in cut.notes if "save_pretrained" in note]
    cut.module.save_pretrained(tmp_path)
    again = transformers.LlamaForCausalLM.from_pretrained(tmp_path).eval()
    assert torch.equal(again(**words()).logits, cut.module(**words()).logits)
    made = again.generate(**words(), max_new_tokens=3, do_sample=False, pad_token_id=0)
    assert made.shape == (4, 10)
    assert again.config.num_hidden_layers == 2


def test_tied_weights_stay_tied_and_less_than_the_heads_of_one_key_is_refused():
    cut = prune(llama(), Pruned(width=0.5), words()).module
    assert cut.lm_head.weight is cut.model.embed_tokens.weight
    with pytest.raises(Exception, match="cut 3 at a time"):
        prune(llama(), Pruned(heads=0.3), words())


def test_a_width_is_a_multiple_of_the_heads_as_transformers_asks():
    cut = prune(llama(), Pruned(width=0.7), words())
    assert cut.module.config.hidden_size == 18  # 17 would be refused
    assert any("17 was rounded to 18" in note for note in cut.notes)


def test_heads_divide_the_width_as_transformers_asks(tmp_path):
    net = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=30, hidden_size=32, num_attention_heads=4, num_key_value_heads=4,
            intermediate_size=32, num_hidden_layers=2,
        )
    )  # fmt: skip
    cut = prune(net, Pruned(heads=0.75), words())
    assert [(line.before, line.after) for line in cut.lines] == [(4, 2)] * 2
    assert any("3 heads were rounded to 2, which divide a width of 32" in n for n in cut.notes)
    cut.module.save_pretrained(tmp_path)
    transformers.LlamaForCausalLM.from_pretrained(tmp_path)


def test_a_cut_that_no_configuration_describes_is_noted():
    net = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=30, n_embd=24, n_head=4, n_layer=2, n_positions=9)
    )
    cut = prune(net, Pruned(heads=0.5), words())  # no name for a width of heads
    assert any("save_pretrained would write" in note for note in cut.notes)


@pytest.mark.parametrize("kind", ["Bert", "GPT2"])
def test_other_models_are_cut_in_all_their_parts(kind):
    torch.manual_seed(0)
    if kind == "Bert":
        net = transformers.BertForSequenceClassification(
            transformers.BertConfig(
                vocab_size=30, hidden_size=24, num_attention_heads=4, intermediate_size=32,
                num_hidden_layers=2,
            )
        )  # fmt: skip
    else:
        net = transformers.GPT2LMHeadModel(
            transformers.GPT2Config(vocab_size=30, n_embd=24, n_head=4, n_layer=2, n_positions=9)
        )
    net = net.eval()
    cut = prune(net, Pruned(layers=1, heads=0.5, mlp=0.5, width=0.75), words())
    kinds = {line.kind: (line.before, line.after) for line in cut.lines}
    assert kinds["layers"] == (2, 1)
    assert kinds["heads"] == (4, 2)
    assert kinds["width"] == (24, 18)
    assert cut.module(**words()).logits.shape == net(**words()).logits.shape
