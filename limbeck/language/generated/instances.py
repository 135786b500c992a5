"""Inputs and outputs read from an answer, and Self-Instruct's filters of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from limbeck.language.generated.instruction_filters import CUT
from limbeck.language.generated.tasks import Instance

__all__ = ["classification_instances", "free_instances", "usable"]

_EXAMPLE = re.compile(r"Example\s?\d*\.?")
_OUTPUT = re.compile(r"Output\s*\d*\s*:")
_INPUT = re.compile(r"Input\s*\d*\s*:")
_LABEL = "Class label:"


def free_instances(text: str) -> list[Instance]:
    r"""Instances of an answer that gives the input first: ``Example 1 ... Output: ...``.

    Parameters
    ----------
    text : str
        The answer.

    Examples
    --------
    >>> free_instances("Example 1\nList: 3, 1\nOutput: 1, 3\nExample 2\nList: 2\nOutput: 2")
    [Instance(input='List: 3, 1', output='1, 3'), Instance(input='List: 2', output='2')]
    """
    text = text.strip()
    if _EXAMPLE.search(text):
        parts = [part.strip() for part in _EXAMPLE.split(text)]
        return [_pair(part) for part in parts if part]
    return [_pair(text)] if _OUTPUT.search(text) else []


def classification_instances(text: str) -> list[Instance]:
    r"""Instances of an answer that gives the label first: ``Class label: ...`` and the input.

    Parameters
    ----------
    text : str
        The answer.

    Examples
    --------
    >>> answer = "Class label: good\nFilm: great.\nClass label: bad\nFilm: dull."
    >>> classification_instances(answer)
    [Instance(input='Film: great.', output='good'), Instance(input='Film: dull.', output='bad')]
    """
    found = []
    for part in text.split(_LABEL)[1:]:
        label, _, given = part.strip().partition("\n")
        found.append(Instance(given.strip(), label.strip()))
    return found


def usable(
    instances: Sequence[Instance], finish: str = "stop"
) -> tuple[list[Instance], list[tuple[Instance, str]]]:
    """The instances of a task that are kept, and the others with the reason.

    Parameters
    ----------
    instances : sequence of Instance
        All of one answer, in its order.
    finish : str
        Why the answer ended; of one that ended by its length the last instance is dropped.

    Examples
    --------
    >>> kept, dropped = usable([Instance("2 + 2", "4"), Instance("2 + 2", "5")])
    >>> kept, {reason for _, reason in dropped}
    ([], {'one input with two outputs'})
    """
    dropped: list[tuple[Instance, str]] = []
    left = list(instances)
    if finish == "length" and left:
        dropped.append((left.pop(), CUT))
    kept: list[Instance] = []
    for one in left:
        reason = _fault(one)
        if reason:
            dropped.append((one, reason))
        else:
            kept.append(one)
    outputs: dict[str, str] = {}
    for one in kept:
        if one.input and outputs.setdefault(one.input, one.output) != one.output:
            return [], dropped + [(one, "one input with two outputs") for one in kept]
    once = list(dict.fromkeys(kept))
    dropped += [(one, "twice in one answer") for one in once for _ in range(kept.count(one) - 1)]
    return once, dropped


def _fault(one: Instance) -> str:
    if one.input == one.output:
        return "output equal to input"
    if not one.output:
        return "empty output"
    if one.input.endswith(":") or one.output.endswith(":"):
        return "ends with a colon"
    return ""


def _pair(text: str) -> Instance:
    parts = _OUTPUT.split(text)
    given, answer = (parts[0].strip(), parts[1].strip()) if len(parts) > 1 else ("", text.strip())
    answer = _INPUT.split(answer)[0].strip()  # several pairs in one example
    return Instance(re.sub(rf"^{_INPUT.pattern}", "", given).strip(), answer)
