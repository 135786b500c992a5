"""A tiny tokenizer and tiny random Llamas, made in milliseconds."""

from __future__ import annotations

import pytest

TEXT = "the cost is 1234 and 5678 in all, as the cost was 1234. naïve café 1234 5678 the end. "
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


@pytest.fixture(scope="session")
def largest():
    """Counts the most numbers in one tensor that anything computed, `numbers`, while it is open."""
    torch = pytest.importorskip("torch")
    from torch.utils._python_dispatch import TorchDispatchMode

    class Largest(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.numbers = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            for one in out if isinstance(out, tuple) else (out,):
                if isinstance(one, torch.Tensor):
                    self.numbers = max(self.numbers, one.numel())
            return out

    return Largest
