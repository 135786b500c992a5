"""Small random decoders of several families, with a tokenizer of words."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

WORDS = [
    "the",
    "a",
    "cat",
    "dog",
    "bird",
    "sees",
    "hears",
    "likes",
    "old",
    "new",
    "red",
    "and",
    "then",
    "runs",
    "sleeps",
]


def decoder(family: str, layers: int = 4) -> Any:
    """A random model with 2 key heads for 4 query heads where the family has them."""
    import transformers as t

    shared = {
        "vocab_size": 20, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": layers,
        "num_attention_heads": 4, "num_key_value_heads": 2, "bos_token_id": None,
        "eos_token_id": None, "pad_token_id": 0,
    }  # fmt: skip
    torch.manual_seed(0)
    made: Any
    if family == "llama":
        made = t.LlamaForCausalLM(t.LlamaConfig(**shared))
    elif family == "qwen2":
        made = t.Qwen2ForCausalLM(t.Qwen2Config(**shared))
    elif family == "qwen3":
        made = t.Qwen3ForCausalLM(t.Qwen3Config(**shared, head_dim=8))
    else:
        made = t.GPT2LMHeadModel(
            t.GPT2Config(vocab_size=20, n_embd=32, n_layer=layers, n_head=4, n_positions=256,
                         bos_token_id=None, eos_token_id=None, pad_token_id=0)
        )  # fmt: skip
    return made.eval()


@pytest.fixture(scope="session")
def make_decoder() -> Any:
    return decoder


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(
        models.WordLevel({"<pad>": 0} | {w: i + 1 for i, w in enumerate(WORDS)}, unk_token="<pad>")
    )
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>")


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """80 different texts of 12 words, which repeat themselves."""
    import numpy as np

    rng = np.random.default_rng(0)
    return [" ".join([*rng.choice(WORDS, 6)] * 2) for _ in range(80)]
