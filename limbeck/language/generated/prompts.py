"""The prompts of Self-Instruct: tasks to add to, a question about a task, instances to write."""

from __future__ import annotations

import re
from collections.abc import Sequence

from limbeck.language.generated.tasks import SeedTask

__all__ = ["classification_question", "instances_prompt", "instructions_prompt", "shown_tasks"]

_SERIES = "Come up with a series of tasks:"
_CLASSIFICATION_SERIES = (
    "Come up with a series of classification tasks. Try to specify the possible output labels when"
    " possible."
)
_QUESTION = "Can the following task be regarded as a classification task with finite output labels?"
_LABELS_FIRST = (
    "Given the classification task definition and the class labels, generate an input that"
    " corresponds to each of the class labels. If the task doesn't require input, just generate"
    " possible class labels."
)
_INPUT_FIRST = (
    "Come up with examples for the following tasks. Try to generate multiple examples when"
    " possible. If the task doesn't require additional input, you can generate the output"
    " directly."
)
_CLASSIFIED, _OTHERS = 12, 19  # worked examples of the question
_SHOWN = {True: 16, False: 11}  # tasks before the one whose instances are written


def instructions_prompt(instructions: Sequence[str], classification: bool = False) -> str:
    """Numbered instructions, and the number of the next one.

    Parameters
    ----------
    instructions : sequence of str
        Those that are shown.
    classification : bool
        Whether the next ones are to be classification tasks.

    Examples
    --------
    >>> print(instructions_prompt(["Name a river.", "Translate the  word:"]))
    Come up with a series of tasks:
    1. Name a river.
    2. Translate the word
    3.
    """
    lines = [re.sub(r"\s+", " ", one).strip().rstrip(":") for one in instructions]
    numbered = [f"{number}. {line}" for number, line in enumerate(lines, start=1)]
    head = _CLASSIFICATION_SERIES if classification else _SERIES
    return "\n".join([head, *numbered, f"{len(lines) + 1}."])


def shown_tasks(seeds: Sequence[SeedTask]) -> tuple[list[SeedTask], list[SeedTask]]:
    """Classification tasks and others, those with the shortest instances first.

    The published prompts hold worked examples that are written into them. Here they are the
    user's own seeds, as many and in the same form; short ones, since each request repeats them.

    Parameters
    ----------
    seeds : sequence of SeedTask
        All seeds.
    """

    def size(task: SeedTask) -> tuple[bool, int]:
        parts = [len(i.input) + len(i.output) for i in task.instances]
        return not parts, len(task.instruction) + sum(parts)

    ordered = sorted(seeds, key=size)
    return [t for t in ordered if t.is_classification], [
        t for t in ordered if not t.is_classification
    ]


def classification_question(instruction: str, seeds: Sequence[SeedTask]) -> str:
    """Whether a task is a classification, after up to 12 that are and 19 that are not.

    Parameters
    ----------
    instruction : str
        The task.
    seeds : sequence of SeedTask
        Where the worked examples come from.
    """
    classified, others = shown_tasks(seeds)
    examples = _interleaved(classified[:_CLASSIFIED], others[:_OTHERS])
    parts = [_QUESTION]
    for task in examples:
        answer = "Yes" if task.is_classification else "No"
        parts.append(f"Task: {_line(task.instruction)}\nIs it classification? {answer}")
    parts.append(f"Task: {instruction.strip()}\nIs it classification?")
    return "\n\n".join(parts)


def instances_prompt(instruction: str, classification: bool, seeds: Sequence[SeedTask]) -> str:
    """Instances of a task, labels first for classification, else inputs first.

    Parameters
    ----------
    instruction : str
        The task.
    classification : bool
        Whether it is one.
    seeds : sequence of SeedTask
        Where the worked examples come from.
    """
    kind = shown_tasks(seeds)[0 if classification else 1]
    examples = [task for task in kind if task.instances][: _SHOWN[classification]]
    parts = [_LABELS_FIRST if classification else _INPUT_FIRST]
    parts += [_labels_first(t) if classification else _input_first(t) for t in examples]
    parts.append(f"Task: {instruction.strip()}\n")
    return "\n\n".join(parts)


def _labels_first(task: SeedTask) -> str:
    lines = [f"Task: {_line(task.instruction)}"]
    for one in task.instances:
        lines.append(f"Class label: {one.output.strip()}")
        if one.input.strip():
            lines.append(one.input.strip())
    return "\n".join(lines)


def _input_first(task: SeedTask) -> str:
    lines = [f"Task: {_line(task.instruction)}"]
    for number, one in enumerate(task.instances, start=1):
        if one.input.strip():
            lines += [f"Example {number}", one.input.strip()]
        lines.append(f"Output: {one.output.strip()}")
    return "\n".join(lines)


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _interleaved(first: Sequence[SeedTask], second: Sequence[SeedTask]) -> list[SeedTask]:
    """Both lists as one, evenly mixed, so that the last answers do not all say the same."""
    keyed = [((i + 1) / (len(first) + 1), t) for i, t in enumerate(first)]
    keyed += [((i + 1) / (len(second) + 1), t) for i, t in enumerate(second)]
    return [task for _, task in sorted(keyed, key=lambda pair: pair[0])]
