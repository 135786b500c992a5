"""Prompts as tokens: with templates, ends of text, and within the context."""

import pytest

pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput
from limbeck.language.models import LanguageModel
from limbeck.language.prompt_rows import read_rows
from limbeck.language.prompts import encode

TEMPLATE = (
    "{% for m in messages %}{{ m['content'] }}!{% endfor %}"
    "{% if add_generation_prompt %}?{% endif %}"
)


def test_the_chat_template_is_applied_once(pair, make_tokenizer):
    model = LanguageModel(pair[0].module, make_tokenizer(template=TEMPLATE), "big")
    messages = [{"role": "user", "content": "ab"}]
    found = encode(read_rows([messages]), model, 4)
    assert found.texts == ("ab!?",)
    assert encode(read_rows(["ab"]), model, 4, chat=True).ids == found.ids
    assert encode(read_rows(["ab"]), model, 4).texts == ("ab",)


def test_completions_end_with_the_end_of_text_unless_they_were_cut(pair):
    rows = read_rows([{"prompt": "a", "completion": "bc"}, {"prompt": "a", "completion": "bcdef"}])
    found = encode(rows, pair[0], 3)
    assert found.completions[0][-1] == 1
    assert len(found.completions[1]) == 3
    assert 1 not in found.completions[1]
    assert "1 completion of 2 were cut" in found.notes[0]


def test_whole_texts_are_parted_after_some_tokens(pair):
    found = encode(read_rows(["abcdef"]), pair[0], 3, prompt_tokens=2)
    ids = pair[0].tokenizer("abcdef")["input_ids"]
    assert found.ids == (tuple(ids[:2]),)
    assert found.completions == (tuple(ids[2:5]),)


def test_prompts_beyond_the_context_and_messages_without_template_are_refused(pair):
    with pytest.raises(InvalidInput, match="more than the context of big, 64"):
        encode(read_rows(["a" * 60]), pair[0], 10)
    with pytest.raises(InvalidInput, match="no chat template"):
        encode(read_rows([[{"role": "user", "content": "a"}]]), pair[0], 10)
    with pytest.raises(InvalidInput, match="prompt_tokens is 5"):
        encode(read_rows(["abc"]), pair[0], 10, prompt_tokens=5)


def test_a_completion_begins_with_no_blank_of_the_tokenizers_own(pieces, make_llama):
    from limbeck.language.models import LanguageModel
    from limbeck.language.token_bytes import TokenBytes

    model = LanguageModel(make_llama(vocabulary=len(pieces)), pieces, "pieces")
    given = [{"prompt": "a co", "completion": "st"}, {"prompt": "a", "completion": " cost"}]
    found = encode(read_rows(given), model, 20)
    tokens = TokenBytes(pieces)
    wrote = [tokens.text([*p, *c]) for p, c in zip(found.ids, found.completions, strict=True)]
    assert wrote == [b"a cost", b"a cost"]
