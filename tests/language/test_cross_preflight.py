from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from limbeck.core.errors import InvalidInput
from limbeck.language.cross_preflight import boundaries, bridged, cross_preflight
from limbeck.language.models import LanguageModel
from limbeck.language.prompt_rows import read_rows
from limbeck.language.prompts import encode


@pytest.fixture(scope="module")
def models(make_bpe, make_llama):
    def made(size, seed):
        tokenizer = make_bpe(size)
        return LanguageModel(make_llama(16, 1, seed, len(tokenizer), 0.3), tokenizer, str(size))

    return made(290, 0), made(257, 1)


def test_a_bridge_says_what_both_share_and_boundaries_are_counted(models):
    bridge, note = bridged(*models)
    assert note.startswith("The teacher has 290 tokens and the student bytes; 25")
    some = encode(read_rows([{"prompt": "the", "completion": " cost"}, "in all"]), models[1], 8)
    found = boundaries(bridge, some)
    pairs = [(some.ids[0], some.completions[0]), (some.ids[1][:1], some.ids[1][1:])]
    chunks = sum(bridge.aligned(*pair).chunks for pair in pairs)
    tokens = sum(len(text) for _, text in pairs)
    assert (found.state, found.message) == (
        "ok", f"{chunks} chunks in {tokens} of the student's tokens.",
    )  # fmt: skip
    assert 0 < chunks < tokens
    with pytest.raises(InvalidInput, match="two tokenizers have two chat templates"):
        cross_preflight(bridge, replace(some, templated=True))


def test_few_boundaries_are_said_where_the_student_has_long_tokens(models, make_bpe, make_llama):
    tokenizer = make_bpe(320)
    long = LanguageModel(make_llama(16, 1, 2, len(tokenizer), 0.3), tokenizer, "long")
    bridge, note = bridged(models[1], long)
    assert "the student 320 tokens" in note or f"the student {len(tokenizer)} tokens" in note
    some = encode(read_rows([{"prompt": "the", "completion": " cost was 1234"}]), long, 8)
    assert boundaries(bridge, some).state == "ok"  # every token of the student ends at a byte
