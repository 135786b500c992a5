from __future__ import annotations

import random

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.language.generated.empty_prompt import EmptyPrompt

TEXTS = ["Explain how bread is baked.", "too short", "Name three rivers of Asia.",
         "Translate a word into Latin."]  # fmt: skip


def test_instructions_are_what_follows_the_opening(scripted):
    log = scripted(lambda prompt, n: TEXTS[n % 4] if prompt == "<user>" else f"about {prompt}")
    rows = EmptyPrompt(prompts_at_once=2).run(log, [], 2, random.Random(0))
    assert [row.instruction for row in rows] == [TEXTS[0], TEXTS[2]]
    assert [row.output for row in rows] == [f"about {TEXTS[0]}", f"about {TEXTS[2]}"]
    assert log.writer.asked == ["<user>"] * 4 + [TEXTS[0], TEXTS[2]]
    assert rows[1].requests == (2, 5)


def test_a_writer_without_an_opening_is_refused_and_nothing_is_asked(scripted):
    log = scripted(lambda prompt, n: "", opening=None)
    with pytest.raises(InvalidInput, match="w cannot be asked with an empty prompt"):
        EmptyPrompt().run(log, [], 2, random.Random(0))
    assert not log.requests


def test_a_run_without_requests_left_has_no_rows(scripted):
    log = scripted(lambda prompt, n: TEXTS[0], max_requests=3)
    assert EmptyPrompt(prompts_at_once=2).run(log, [], 2, random.Random(0)) == []
