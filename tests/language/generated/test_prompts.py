from __future__ import annotations

from limbeck.language.generated.prompts import (
    classification_question,
    instances_prompt,
    instructions_prompt,
)
from limbeck.language.generated.tasks import Instance, SeedTask


def seed(i: int, classification: bool, length: int = 1) -> SeedTask:
    instances = (Instance("x" * length, f"label {i}"), Instance("", f"free {i}"))
    return SeedTask(f"s{i}", f"Task\n number {i}:", instances, classification)


SEEDS = [*(seed(i, True, 40 - i) for i in range(20)), *(seed(i, False) for i in range(20, 60))]


def test_instructions_are_numbered_on_a_line_each():
    found = instructions_prompt(["Name  a\nriver:", "Add."], classification=True)
    assert found.split("\n")[1:] == ["1. Name a river", "2. Add.", "3."]
    assert "classification tasks" in found
    assert instructions_prompt([]).split("\n") == ["Come up with a series of tasks:", "1."]


def test_the_question_shows_twelve_and_nineteen_and_ends_open():
    found = classification_question("Sort these.", SEEDS)
    assert (found.count("? Yes\n"), found.count("? No\n")) == (12, 19)
    assert found.endswith("Task: Sort these.\nIs it classification?")
    answers = [line[-3:].strip() for line in found.split("\n") if "Is it" in line][:-1]
    assert max(map(len, "".join(a[0] for a in answers).split("Y"))) <= 3  # mixed, not in blocks


def test_instances_come_in_the_order_that_is_asked_for():
    labels = instances_prompt("Sort these.", True, SEEDS)
    assert labels.count("Class label: label") == 16
    assert "number 0:" not in labels  # of the longest instances
    assert "\nClass label: label 19\nxxxxx" in labels  # the label first
    assert labels.endswith("Task: Sort these.\n")
    free = instances_prompt("Sort these.", False, SEEDS)
    assert free.count("Example 1\nx\nOutput: label") == 11
    assert "Class label" not in free
