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


ROWS = [
    {"prompt": "the cost", "completion": " was 1234."},
    {"prompt": "in", "completion": " all 56"},
]


@pytest.fixture(scope="session")
def bridge(make_bpe, make_model):
    """A teacher with numerals as tokens, and a student of bytes."""
    from limbeck.language.cross_tokenizer.bridge import Bridge

    return Bridge(make_model(make_bpe(320), "big", 0, 24), make_model(make_bpe(257), "small", 1))


def step_of(bridge, logits=None, rows=ROWS):
    """A batch of the training loop, and the student's logits."""
    from limbeck.core.task import Task
    from limbeck.language.prompt_rows import read_rows
    from limbeck.language.prompts import encode
    from limbeck.language.samples import TextSamples
    from limbeck.modules.batch import Step, View

    prompts = encode(read_rows(rows), bridge.student, 40)
    task = Task.of("language", bridge.student.outputs)
    batch = TextSamples(prompts, bridge.student.pad, task).fetch(range(len(rows)))
    if logits is None:
        logits = bridge.student.module(**batch.inputs).logits.detach().double().requires_grad_()
    return Step(batch.inputs, batch.labels, View(logits), None, task), logits


def token_by_token(model, ids, start, end):
    """Log-probability of ids[start:end], one call a token."""
    import torch

    total = 0.0
    with torch.no_grad():
        for at in range(start, end):
            logits = model.module(torch.tensor([ids[:at]])).logits[0, -1].double()
            total += float(logits.log_softmax(-1)[ids[at]])
    return total
