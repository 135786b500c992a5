"""Rows of every form become the same prompts; what cannot be used is refused by its place."""

import json

import pytest

pytest.importorskip("torch")

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.language.models import LanguageModel
from limbeck.language.prompt_rows import read_rows
from limbeck.language.prompts import encode

TEMPLATE = (
    "{% for m in messages %}{{ m['content'] }}!{% endfor %}"
    "{% if add_generation_prompt %}?{% endif %}"
)


def test_rows_of_all_forms(tmp_path):
    pd = pytest.importorskip("pandas")
    rows = [{"prompt": "ab", "completion": "cd"}, {"prompt": "e", "completion": "f"}]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    found = [read_rows(d) for d in (rows, path, str(path), frame, tmp_path / "rows.csv")]
    assert all(f == found[0] for f in found)
    assert [(r.prompt, r.completion) for r in found[0]] == [("ab", "cd"), ("e", "f")]


def test_messages_that_end_with_an_answer_are_prompt_and_completion():
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    row = read_rows([{"messages": chat}])[0]
    assert row.prompt == chat[:1]
    assert row.completion == "b"


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


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no prompts"),
        (["a", "  "], "Prompt 1 is empty"),
        (["a", 3], r"Prompt 1 is '3' \(int\)"),
        ("one text", "one text"),
        ([{"question": "a"}], "no prompt"),
    ],
)
def test_rows_that_are_no_prompts_are_refused(rows, message):
    with pytest.raises(InvalidInput, match=message):
        read_rows(rows)


def test_prompts_beyond_the_context_and_messages_without_template_are_refused(pair):
    with pytest.raises(InvalidInput, match="more than the context of big, 64"):
        encode(read_rows(["a" * 60]), pair[0], 10)
    with pytest.raises(InvalidInput, match="no chat template"):
        encode(read_rows([[{"role": "user", "content": "a"}]]), pair[0], 10)
    with pytest.raises(InvalidInput, match="prompt_tokens is 5"):
        encode(read_rows(["abc"]), pair[0], 10, prompt_tokens=5)


def test_a_damaged_line_is_refused_by_its_number(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a"}\n{"prompt": NaN}\n')
    with pytest.raises(FileRefused, match="Line 2"):
        read_rows(path)


def test_a_completion_begins_with_no_blank_of_the_tokenizers_own(pieces, make_llama):
    from limbeck.language.models import LanguageModel
    from limbeck.language.token_bytes import TokenBytes

    model = LanguageModel(make_llama(vocabulary=len(pieces)), pieces, "pieces")
    given = [{"prompt": "a co", "completion": "st"}, {"prompt": "a", "completion": " cost"}]
    found = encode(read_rows(given), model, 20)
    tokens = TokenBytes(pieces)
    wrote = [tokens.text([*p, *c]) for p, c in zip(found.ids, found.completions, strict=True)]
    assert wrote == [b"a cost", b"a cost"]
