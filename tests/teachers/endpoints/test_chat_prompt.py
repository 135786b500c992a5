from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.teachers.endpoints.chat_prompt import (
    check_prompt,
    filled,
    has_template_marks,
    with_options,
    with_words,
)


def test_fields_are_filled_once_and_braces_stay():
    row = {"a": "{b}", "b": 2.5, "c": None}
    assert filled("{a} {{b}} {b} {c}", row) == "{b} {b} 2.5 missing"
    with pytest.raises(InvalidInput, match=r"names the column 'bb'\. .*'b'"):
        filled("{bb}", row)


@pytest.mark.parametrize("prompt", ["Is it good?", "{{text}}", "{}", None])
def test_a_prompt_without_a_column_is_refused(prompt):
    with pytest.raises(InvalidInput, match="names no column"):
        check_prompt(prompt)


@pytest.mark.parametrize(
    "mark", ["<|im_start|>", "[/INST]", "<<SYS>>", "<start_of_turn>", "<|eot_id|>", "<｜User｜>"]
)
def test_marks_of_templates_are_found(mark):
    assert has_template_marks(f"a {mark} b") == mark
    with pytest.raises(InvalidInput, match="a mark of a chat template, which the server adds"):
        check_prompt(f"{{text}} {mark}")
    check_prompt("{text} <b>|end|</b>")


def test_options_are_lettered_and_words_listed():
    assert with_options("Q?", ["no", 7]) == "Q?\n\nA. no\nB. 7\n\nAnswer with A or B only."
    assert with_options("Q?", list("wxyz")).endswith("D. z\n\nAnswer with one letter only.")
    assert with_words("Q?", ["no", 7]) == "Q?\n\nAnswer with one of these only: no, 7."
