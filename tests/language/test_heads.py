from __future__ import annotations

import pytest
import torch

from limbeck.language.heads import backbone_of

transformers = pytest.importorskip("transformers")

SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "max_position_embeddings": 32,
}


def model(kind: str, **more: object) -> torch.nn.Module:
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**SIZES, **more)
    found: torch.nn.Module = getattr(transformers, f"{kind}ForCausalLM")(config)
    return found.train()


@pytest.mark.parametrize(
    ("kind", "more"),
    [("Llama", {}), ("Gemma2", {"final_logit_softcapping": 0.5}), ("Cohere", {"logit_scale": 0.3})],
)
def test_backbone_and_head_make_the_logits_of_the_model(kind: str, more: dict[str, float]) -> None:
    module = model(kind, **more)
    backbone = backbone_of(module)
    assert backbone is not None
    assert module.training
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    module.eval()
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    expected = module(**inputs).logits[0]
    torch.testing.assert_close(backbone(inputs).flat().logits(slice(None)), expected)


def test_a_model_that_does_more_to_its_logits_is_not_taken_apart() -> None:
    module = model("Llama")
    forward = module.forward

    def more(*args: object, **given: object) -> object:
        found = forward(*args, **given)
        found.logits = found.logits * 2 + 1
        return found

    module.forward = more  # type: ignore[method-assign]
    assert backbone_of(module) is None
    assert backbone_of(torch.nn.Linear(3, 3)) is None
