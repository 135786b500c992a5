from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from limbeck.core.errors import InvalidInput
from limbeck.evaluation.comparison import Difference
from limbeck.evaluation.conversion_plan import ConversionPlan, LayerWorth, convert_plan
from limbeck.networks.conversion.hybrid import kept_layers


def plan(low: float, high: float, keep: Any = (0, 3), even: Any = (1, 3)) -> ConversionPlan:
    difference = Difference("KL", (low + high) / 2, low, high)
    rows = tuple(LayerWorth(i, difference, 1 if i == 3 else None) for i in range(4))
    return ConversionPlan(keep, even, rows, difference, 1.5, ("a note",))


def test_the_sentence_follows_the_interval() -> None:
    assert plan(0.1, 0.3).sentence.startswith("The chosen layers are nearer to the teacher than")
    assert plan(-0.3, -0.1).sentence.startswith("Evenly spread layers are nearer to the teacher")
    assert plan(-0.1, 0.3).sentence.startswith("No evidence that the chosen layers are better")
    assert plan(0.1, 0.3, (1, 3)).sentence == "The chosen layers are those evenly spread."


def test_the_table_says_what_is_kept_and_a_hybrid_takes_the_plan() -> None:
    found = plan(0.1, 0.3)
    frame = found.sheet().to_frame()
    assert frame["attention"].tolist() == ["kept", "converted", "converted", "kept"]
    assert frame["even"].tolist() == ["", "kept", "", "kept"]
    assert "KL falls from 1.500 nats per token" in str(found)
    assert "a note" in str(found)
    assert kept_layers(found, 4) == (0, 3)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"keep": 4}, "keep is 4, and the model has 4 layers"),
        ({"keep": 0}, "keep is 0"),
        ({"keep": 1.0}, "keep"),
        ({"keep": True}, "keep is True"),
        ({"steps": {"mixer": 3}}, "steps names 'mixer', which is no stage of a plan"),
        ({"rounds": 0}, "rounds"),
        ({"seeds": 0}, "seeds"),
        ({"texts": None}, "There are no texts"),
        ({"texts": ["the cat", "a dog"]}, "There are 2 different texts"),
    ],
)
def test_what_cannot_be_planned_is_refused_before_any_training(settings: Any, says: str) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 4, "vocab_size": 9}
    model = LlamaForCausalLM(LlamaConfig(**sizes, num_attention_heads=2))
    given = {"texts": [f"{'the ' * i}cat" for i in range(1, 30)]} | settings
    with pytest.raises(InvalidInput, match=says):
        convert_plan(model, tokenizer=Words(), **given)


class Words:
    eos_token_id = None

    def __call__(self, text: Any, **_: Any) -> Any:
        if isinstance(text, str):
            return {"input_ids": [1 + len(w) % 7 for w in text.split()]}
        return {"input_ids": [self(t)["input_ids"] for t in text]}
