"""Three tokenizers that cut the same texts differently, and tiny models for them."""

from __future__ import annotations

import pytest

TEXT = "the cost is 1234 and 5678 in all, as the cost was 1234. naïve café 1234 5678 the end. "


@pytest.fixture(scope="session")
def make_bpe():
    pytest.importorskip("torch")
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")

    def make(size: int = 290):
        """Byte-level BPE: 256 bytes, one end of text, and merges that keep numerals whole."""
        inner = tokenizers.Tokenizer(tokenizers.models.BPE())
        inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        inner.decoder = tokenizers.decoders.ByteLevel()
        inner.train_from_iterator([TEXT] * 3, tokenizers.trainers.BpeTrainer(
            vocab_size=size, special_tokens=["<eos>"], show_progress=False,
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        ))  # fmt: skip
        return transformers.PreTrainedTokenizerFast(
            tokenizer_object=inner, eos_token="<eos>", pad_token="<eos>"
        )

    return make


@pytest.fixture(scope="session")
def pieces():
    """Like SentencePiece: a blank before every text, and bytes where a character is unknown."""
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    words = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256)), "▁", *"abcdehost1234"]
    words += ["os", "12", "▁c", "▁co", "▁1"]
    merges = [("o", "s"), ("1", "2"), ("▁", "c"), ("▁c", "o"), ("▁", "1")]
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(
        {w: i for i, w in enumerate(words)}, merges, unk_token="<unk>", byte_fallback=True
    ))  # fmt: skip
    normal, decode = tokenizers.normalizers, tokenizers.decoders
    inner.normalizer = normal.Sequence([normal.Prepend("▁"), normal.Replace(" ", "▁")])
    inner.decoder = decode.Sequence([decode.Replace("▁", " "), decode.ByteFallback(), decode.Fuse(),
                                     decode.Strip(" ", 1, 0)])  # fmt: skip
    inner.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


@pytest.fixture(scope="session")
def make_model(make_llama):
    """A tiny model with a tokenizer."""
    from limbeck.language.models import LanguageModel

    def make(tokenizer, name: str, seed: int = 0, width: int = 16):
        module = make_llama(width, 1, seed, len(tokenizer), 0.3)
        ends = {tokenizer.eos_token_id}
        module.config.eos_token_id = module.generation_config.eos_token_id = max(ends)
        module.config.max_position_embeddings = 256
        return LanguageModel(module, tokenizer, name)

    return make
