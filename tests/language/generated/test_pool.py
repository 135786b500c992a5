from __future__ import annotations

import re

import pytest

from limbeck.language.generated.instruction_filters import InstructionFilters
from limbeck.language.generated.pool import InstructionPool
from limbeck.language.generated.tasks import SeedTask
from limbeck.language.generated.writing_log import WritingRequest


@pytest.fixture
def pool(scripted):
    seed = SeedTask("seed_0", "Name three rivers of Asia.")
    return InstructionPool([seed], InstructionFilters(), scripted(lambda prompt, n: ""))


def test_an_instruction_is_compared_with_seeds_and_with_all_that_were_kept(pool):
    assert not pool.offer("Name three rivers of Asia.", (), 4)
    assert pool.offer("Name what bread is baked of.", ("seed_0",), 5)
    assert not pool.offer("Name what bread is baked of today.", (), 6)
    (kept,) = pool.kept
    assert (kept.id, kept.prompt_tasks, kept.request) == ("row_0", ("seed_0",), 5)
    assert kept.nearest == "seed_0"
    assert [(d.filter, d.beside, d.request) for d in pool.log.dropped] == [
        ("ROUGE-L above 0.7", "seed_0", 4), ("ROUGE-L above 0.7", "row_0", 6),
    ]  # fmt: skip
    assert pool.log.kept_instructions == 1


@pytest.mark.parametrize(
    ("answer", "finish", "why"),
    [
        ("Explain how bread", "length", "cut at the length limit"),
        ("The new prompt asks how bread is baked.", "stop", "words of the prompt"),
        ("Draw a loaf of bread.", "stop", "asks for more than text ('draw')"),
        ("", "none", None),
        (' "" ', "stop", None),
    ],
)
def test_an_answer_that_is_no_instruction_is_dropped_with_the_reason(pool, answer, finish, why):
    request = WritingRequest(7, "a", "p", answer, finish)
    assert not pool.offer_answer(request, (), re.compile("new prompt"))
    assert [d.filter for d in pool.log.dropped] == ([] if why is None else [why])


def test_an_answer_is_one_line_without_its_quotes(pool):
    request = WritingRequest(7, "a", "p", '"Explain how\n  bread is baked."', "stop")
    assert pool.offer_answer(request, (), None)
    assert pool.kept[0].text == "Explain how bread is baked."
