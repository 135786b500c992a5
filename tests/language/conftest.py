"""A tiny tokenizer and tiny random Llamas, made in milliseconds."""

from __future__ import annotations

import pytest

CHARACTERS = "abcdefghijklmnopqrstuvwxyz .,!?"


@pytest.fixture(scope="session")
def make_tokenizer():
    pytest.importorskip("torch")
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")

    def make(characters: str = CHARACTERS, template: str | None = None):
        vocabulary = {c: i for i, c in enumerate(["<pad>", "<eos>", "<unk>", *characters])}
        inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
        split = tokenizers.pre_tokenizers.Split(tokenizers.Regex("."), "isolated")
        inner.pre_tokenizer = split
        inner.decoder = tokenizers.decoders.Fuse()
        made = transformers.PreTrainedTokenizerFast(
            tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>",
            clean_up_tokenization_spaces=False,
        )  # fmt: skip
        made.chat_template = template
        return made

    return make


@pytest.fixture(scope="session")
def make_llama():
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")

    def make(width: int = 16, layers: int = 1, seed: int = 0, vocabulary: int = 34, scale=0.5):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return transformers.LlamaForCausalLM(
                transformers.LlamaConfig(
                    vocab_size=vocabulary, hidden_size=width, intermediate_size=2 * width,
                    num_hidden_layers=layers, num_attention_heads=2, num_key_value_heads=1,
                    max_position_embeddings=64, bos_token_id=None, eos_token_id=1,
                    pad_token_id=0, initializer_range=scale,
                )
            ).eval()  # fmt: skip

    return make


@pytest.fixture(scope="session")
def pair(make_llama, make_tokenizer):
    """A teacher and a student with one tokenizer."""
    from limbeck.language.models import LanguageModel

    tokenizer = make_tokenizer()
    return (
        LanguageModel(make_llama(24, 2, 0), tokenizer, "big"),
        LanguageModel(make_llama(16, 1, 1), tokenizer, "small"),
    )
