"""Tiny models, made here and written by save_pretrained: no network, no downloads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

WORDS = [
    "good", "bad", "film", "play", "the", "a", "is", "was", "not", "very", "great", "awful",
    "story", "of", "and",
]  # fmt: skip


@pytest.fixture(scope="session")
def tokenizer():
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: i for i, word in enumerate([*special, *WORDS])}
    own = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    own.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=own, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", model_max_length=16,
    )  # fmt: skip


@pytest.fixture(scope="session")
def saved(tokenizer, tmp_path_factory) -> Callable[..., Path]:
    """A folder of a tiny model of an architecture, with random weights of the seed 0."""
    import torch
    import transformers

    sizes = {
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 32, "vocab_size": len(tokenizer), "pad_token_id": 0,
        "max_position_embeddings": 16, "initializer_range": 0.5,
    }  # fmt: skip

    def make(architecture: str, **settings) -> Path:
        torch.manual_seed(0)
        family = next(f for f in ("Bert", "ViT", "GPT2", "T5") if architecture.startswith(f))
        if family == "ViT":
            given = {"image_size": 16, "patch_size": 8, **sizes}
        elif family == "GPT2":
            given = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 16,
                     "vocab_size": len(tokenizer), "initializer_range": 0.5,
                     "bos_token_id": 2, "eos_token_id": 3}  # fmt: skip
        elif family == "T5":
            given = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2,
                     "vocab_size": len(tokenizer), "decoder_start_token_id": 0,
                     "initializer_factor": 1.0, "pad_token_id": 0, "eos_token_id": 3}  # fmt: skip
        else:
            given = sizes
        config = getattr(transformers, f"{family}Config")(**{**given, **settings})
        folder = tmp_path_factory.mktemp("model") / "my-classifier"
        getattr(transformers, architecture)(config).eval().save_pretrained(folder)
        if family == "ViT":
            transformers.ViTImageProcessor(
                size={"height": 16, "width": 16}, do_convert_rgb=False
            ).save_pretrained(folder)
        else:
            tokenizer.save_pretrained(folder)
        return folder

    return make
