from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import Hybrid, recurrent_encoder  # noqa: E402
from limbeck.networks.conversion.encoder import EncoderMixer, encoder_attentions  # noqa: E402


def bert(layers=3):
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=40, hidden_size=32, num_hidden_layers=layers, num_attention_heads=4,
        intermediate_size=48, max_position_embeddings=64, num_labels=2,
    )  # fmt: skip
    return transformers.BertForSequenceClassification(config).eval()


def vit():
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        image_size=8, patch_size=2, num_channels=1, num_labels=10,
    )  # fmt: skip
    return transformers.ViTForImageClassification(config).eval()


def tokens(n=16, t=12):
    ids = torch.randint(1, 40, (n, t), generator=torch.Generator().manual_seed(0))
    mask = torch.ones(n, t, dtype=torch.long)
    mask[::2, t - 4 :] = 0
    return {"input_ids": ids * mask, "attention_mask": mask}


IMAGES = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("make", "inputs"), [(bert, tokens()), (vit, IMAGES)])
@torch.no_grad()
def test_a_calibrated_encoder_starts_nearer_to_its_model(make, inputs):
    model = make()
    before = {name: p.clone() for name, p in model.named_parameters()}

    def outputs(one):
        found = one(**inputs) if isinstance(inputs, dict) else one(inputs)
        return found.logits

    wanted = outputs(model)
    apart = [
        float((outputs(recurrent_encoder(model, Hybrid(0.0), batch)) - wanted).square().mean())
        for batch in (inputs, None)
    ]
    assert apart[0] < 0.5 * apart[1]
    assert all(torch.equal(p, before[n]) for n, p in model.named_parameters())
    half = recurrent_encoder(model, Hybrid([0]))
    assert (
        sum(isinstance(m, EncoderMixer) for m in half.modules())
        == len(list(encoder_attentions(model))) - 1
    )


@torch.no_grad()
def test_tokens_see_both_ways_and_padding_changes_nothing():
    student, batch = recurrent_encoder(bert(), Hybrid(0.0)), tokens()
    encoder = student.base_model
    whole = encoder(**batch).last_hidden_state
    row = {name: value[:1, :8] for name, value in batch.items()}  # the first row has 8 tokens
    torch.testing.assert_close(encoder(**row).last_hidden_state, whole[:1, :8])
    row["input_ids"] = row["input_ids"].clone()
    row["input_ids"][0, -1] = 7
    assert not torch.allclose(encoder(**row).last_hidden_state[0, 0], whole[0, 0])


def test_it_is_distilled_like_every_network_with_certificate_and_control():
    teacher, batch = bert(2), tokens(80)
    with torch.no_grad():
        labels = teacher(**batch).logits.argmax(-1)
    student = recurrent_encoder(teacher, Hybrid(0.5), batch)
    items = [{name: v[i] for name, v in batch.items()} | {"labels": labels[i]} for i in range(80)]
    result = limbeck.distill(
        teacher,
        items,
        into=student,
        max_steps=3,
        batch_size=16,
        progress=False,
        baseline=False,
    )
    roles = [e.role for e in result.comparison.entries]
    assert {"teacher", "student", "control"} <= set(roles)
    assert np.isfinite(result.certificate.mean_loss)


@pytest.mark.parametrize(
    ("make", "hybrid", "said"),
    [
        (bert, Hybrid(0.0, "linear_attention"), "left to right only"),
        (bert, Hybrid([5]), "layers 0 to 2"),
        (lambda: torch.nn.Linear(2, 2), Hybrid(), "no model of transformers"),
        (lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(
            vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
            num_attention_heads=2)), Hybrid(), "left to right"),
    ],
)  # fmt: skip
def test_what_is_no_encoder_is_refused(make, hybrid, said):
    with pytest.raises(InvalidInput, match=said):
        recurrent_encoder(make(), hybrid)
