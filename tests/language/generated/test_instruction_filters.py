from __future__ import annotations

import pytest

from limbeck.language.generated.instruction_filters import InstructionFilters, split_answer


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Name a river.", "fewer than 4 words"),  # three words
        ("Name a long river.", ""),
        (" ".join(["word"] * 151), "more than 150 words"),
        (" ".join(["word"] * 150), ""),
        ("Describe the picture in words.", "asks for more than text ('picture')"),
        ("Describe the pictures in words.", "asks for more than text ('pictures')"),
        ("Describe this mapping in words.", ""),  # no word of its own
        ("Go to the shop and report.", "asks for more than text ('go to')"),
        ("Plot the data you have.", "asks for more than text ('plot')"),
        ("Profile the users of it.", ""),
        ("Write a program that adds.", "begins with 'Write a program'"),
        ("Write a programme for today.", "begins with 'Write a program'"),  # as published
        ("Explain how to write a program.", ""),
        ("(a) Name a long river.", "begins with punctuation"),
        ("Übersetze diesen Satz ins Englische.", "begins with no ASCII character"),
    ],
)
def test_each_filter_as_published(text, fault):
    assert InstructionFilters().fault(text) == fault


def test_any_script_keeps_other_alphabets():
    filters = InstructionFilters(any_script=True)
    assert filters.fault("Übersetze diesen Satz ins Englische.") == ""
    assert filters.fault("把这个句子翻译成英文") == ""  # one token a character
    assert filters.fault("翻译这") == "fewer than 4 words"


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        (" Name a river.\n10. Name  a\tlake.", ["Name a river.", "Name a lake."]),
        ("9. Name a river.\n10. Name a lake.", ["Name a river.", "Name a lake."]),
        ("name A RIVER\n10 . name a lake\n11.", ["Name a river", "Name a lake 11."]),
        (" In 1. place\n10.no split", ["In 1. place 10.no split"]),
        ("\n\n", []),
    ],
)
def test_answers_are_split_at_a_number_a_stop_and_a_space(answer, parts):
    assert split_answer(answer) == parts
