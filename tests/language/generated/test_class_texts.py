from __future__ import annotations

import random

import pytest

from limbeck.language.generated.class_texts import ClassTexts
from limbeck.teachers.completions import Completion


def made(**settings):
    return ClassTexts("Is it good?", ("no", "yes"), {"no": ("a dull\n film",)},
                      prompts_at_once=2, **settings)  # fmt: skip


def test_classes_take_turns_until_each_has_its_share(scripted):
    words = iter(f"word{i}" for i in range(12))

    def answer(prompt, n):
        kind = "bad" if "'no'" in prompt else "fine"
        return f" {kind} play {next(words)} {next(words)}\n3. text 1: {kind} show {next(words)} x"

    log = scripted(answer)
    rows = made().run(log, 4, random.Random(0))
    assert [row.label for row in rows] == ["no", "no", "yes", "yes"]
    assert rows[1].input == "bad show word2 x"
    assert log.writer.asked[0].endswith("Class label: no\n1. a dull film\n2.")
    assert log.writer.asked[1].endswith("Class label: yes\n1.")
    assert rows[0].prompt_tasks == ("no 0",)
    assert log.stopped == ""


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("word", "fewer than 2 words"),
        ("Here they are:\n1. word", "words before the list"),
        (Completion("a fine film\n2. a fi", "length"), "cut at the length limit"),
        ("a dull film", "ROUGE-L above 0.7"),
    ],
)
def test_what_is_no_text_of_its_class_is_dropped(scripted, answer, why):
    log = scripted(lambda prompt, n: answer if "'no'" in prompt else "")
    made(max_words=4).run(log, 2, random.Random(0))
    assert why in {d.filter for d in log.dropped}
    assert "10 prompts in a row brought no new text for" in log.stopped


def test_a_text_that_came_for_two_classes_is_of_neither(scripted):
    log = scripted(lambda prompt, n: "some very odd play")
    assert made().run(log, 4, random.Random(0)) == []
    assert {d.filter for d in log.dropped} >= {"one text for two classes"}
