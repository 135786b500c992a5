"""Tiny models for tokenizers that cut the same texts differently."""

from __future__ import annotations

import pytest


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
