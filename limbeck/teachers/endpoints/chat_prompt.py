"""The text that a chat model gets about a row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.task import Label

__all__ = ["OPTIONS", "check_prompt", "filled", "with_options", "with_words"]

OPTIONS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""One letter per class: a letter is one token in the vocabularies of chat models."""

_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_TEMPLATE = re.compile(
    r"<\|(im_start|im_end|user|assistant|system|begin_of_text|start_header_id|eot_id|end)\|>"
    r"|\[/?INST\]|<<SYS>>|<(start|end)_of_turn>|<\u200b?｜(User|Assistant)｜>"
)


def check_prompt(prompt: str) -> None:
    """Refuse a prompt that asks about no column, or holds the marks of a chat template.

    Parameters
    ----------
    prompt : str
        The prompt, with ``{column}`` where the value of a column stands.

    Raises
    ------
    InvalidInput
        A chat server writes the marks itself: they would stand there twice.
    """
    if not isinstance(prompt, str) or not any(m.group(1) for m in _FIELD.finditer(prompt)):
        raise InvalidInput(
            f"The prompt {str(prompt)[:60]!r} names no column.",
            "Write {column} where the value of a column stands; {text} for rows that are texts.",
        )
    found = has_template_marks(prompt)
    if found:
        raise InvalidInput(
            f"The prompt holds {found!r}, a mark of a chat template, which the server adds itself.",
            "Give the plain text of the question.",
        )


def has_template_marks(text: str) -> str:
    """The first mark of a chat template in a text; empty where there is none.

    Parameters
    ----------
    text : str
        A prompt, or an answer.
    """
    found = _TEMPLATE.search(text)
    return found.group(0) if found else ""


def filled(prompt: str, row: Mapping[str, Any]) -> str:
    """The prompt about one row; ``{{`` and ``}}`` are braces.

    Parameters
    ----------
    prompt : str
        The prompt.
    row : mapping
        From column to value.

    Raises
    ------
    InvalidInput
        If it names a column that there is not.

    Examples
    --------
    >>> filled("Is {text} good?", {"text": "tea"})
    'Is tea good?'
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return match.group(0)[0]
        if name not in row:
            raise InvalidInput(f"The prompt names the column {name!r}.", did_you_mean(name, row))
        cell = row[name]
        return "missing" if cell is None else str(cell)

    return _FIELD.sub(value, prompt)


def with_options(question: str, classes: Sequence[Label]) -> str:
    """A question with one letter per class, to be answered by the letter.

    Parameters
    ----------
    question : str
        The question.
    classes : sequence of labels
        At most 26.
    """
    options = "\n".join(f"{letter}. {c}" for letter, c in zip(OPTIONS, classes, strict=False))
    letters = " or ".join(OPTIONS[: len(classes)]) if len(classes) < 4 else "one letter"
    return f"{question}\n\n{options}\n\nAnswer with {letters} only."


def with_words(question: str, classes: Sequence[Label]) -> str:
    """A question to be answered by the name of a class.

    Parameters
    ----------
    question : str
        The question.
    classes : sequence of labels
        The classes.
    """
    return f"{question}\n\nAnswer with one of these only: {', '.join(map(str, classes))}."
