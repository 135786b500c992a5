from __future__ import annotations

import random

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.language.generated.self_instruct import SelfInstruct
from limbeck.language.generated.tasks import Instance, SeedTask

SEEDS = [SeedTask(f"s{i}", f"Write number {i} about {word}.", (Instance("", "Yes."),), i == 0)
         for i, word in enumerate(["rain", "wind", "snow"])]  # fmt: skip


def test_a_task_gets_at_most_so_many_instances_and_the_others_are_noted(scripted):
    def answer(prompt, n):
        if prompt.startswith("Come up with a series"):
            return " Explain how bread is baked.\n10. too short"
        if prompt.startswith("Can the following"):
            return " No"
        return "".join(f"Example {i}\nin {i}\nOutput: out {i}\n" for i in range(1, 5))

    log = scripted(answer)
    made = SelfInstruct(prompts_at_once=1, max_instances=2)
    rows = made.run(log, SEEDS, 1, random.Random(0))
    assert [row.id for row in rows] == ["row_0.0", "row_0.1"]
    assert all(row.requests == (0, 1, 2) and not row.is_classification for row in rows)
    assert {row.output for row in rows} <= {f"out {i}" for i in range(1, 5)}
    assert sorted(rows[0].prompt_tasks) == ["s0", "s1", "s2"]
    assert [d.filter for d in log.dropped] == ["more than 2 instances of a task"] * 2


def test_classification_needs_a_seed_that_is_one(scripted):
    log = scripted(lambda prompt, n: "")
    with pytest.raises(InvalidInput, match="None of the seeds is a classification task"):
        SelfInstruct(classification=True).run(log, SEEDS[1:], 1, random.Random(0))
