from __future__ import annotations

import random

from limbeck.language.generated.evolve import EvolveInstructions, RewriteInstructions
from limbeck.language.generated.tasks import SeedTask

SEED = SeedTask("s", "Name three rivers of Asia.")
NEXT = ["Explain how bread is baked.", "The rewritten prompt asks for nothing.",
        "Translate a word into Latin."]  # fmt: skip


def test_an_instruction_takes_the_place_of_its_parent(scripted):
    def answer(prompt, n):
        return NEXT[n] if "below" in prompt else "fine"

    log = scripted(answer)
    rows = EvolveInstructions(prompts_at_once=1).run(log, [SEED], 2, random.Random(0))
    parents = [prompt.split("\n\n")[1] for prompt in log.writer.asked[:3]]
    assert parents == [SEED.instruction, NEXT[0], NEXT[0]]  # what failed leaves its parent there
    assert [(row.instruction, row.prompt_tasks) for row in rows] == [
        (NEXT[0], ("s",)), (NEXT[2], ("row_0",)),
    ]  # fmt: skip
    assert [d.filter for d in log.dropped] == ["words of the prompt"]


def test_operations_are_drawn_and_rewording_is_one():
    five = EvolveInstructions().operations()
    assert list(five) == ["constraints", "deepening", "concretizing", "reasoning", "breadth"]
    assert "{how}" not in "".join(five.values())
    assert list(RewriteInstructions().operations()) == ["rewording"]
