"""Three ways to ask a chat model for a class: log-probabilities, structured output, text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Label
from limbeck.teachers.endpoints.chat_prompt import OPTIONS, with_options, with_words
from limbeck.teachers.endpoints.chat_replies import class_in_json, class_in_text
from limbeck.teachers.endpoints.option_probabilities import option_probabilities
from limbeck.teachers.endpoints.paid_teacher import OutsideAnswer, ScoredAnswer

__all__ = ["MODES", "parameters_of", "question_of", "scored_by"]

MODES = ("logprobs", "structured", "text")
_LONGEST = 64  # tokens of an answer in words


def question_of(mode: str, question: str, classes: Sequence[Label]) -> str:
    """The whole question in a mode.

    Parameters
    ----------
    mode : str
        One of `MODES`.
    question : str
        The prompt about a row.
    classes : sequence of labels
        The classes.
    """
    return (with_options if mode == "logprobs" else with_words)(question, classes)


def parameters_of(mode: str, classes: Sequence[Label], top: int) -> dict[str, Any]:
    """The parameters of a request in a mode.

    Parameters
    ----------
    mode : str
        One of `MODES`.
    classes : sequence of labels
        The classes.
    top : int
        Tokens whose log-probabilities are asked for.
    """
    if mode == "logprobs":
        return {"max_tokens": 1, "logprobs": True, "top_logprobs": top}
    if mode == "text":
        return {"max_tokens": _LONGEST}
    answer = {"type": "string", "enum": [str(c) for c in classes]}
    schema = {
        "type": "object",
        "properties": {"answer": answer},
        "required": ["answer"],
        "additionalProperties": False,
    }
    named = {"name": "answer", "strict": True, "schema": schema}
    return {
        "max_tokens": _LONGEST,
        "response_format": {"type": "json_schema", "json_schema": named},
    }


def scored_by(mode: str, stored: dict[str, Any], classes: Sequence[Label]) -> ScoredAnswer:
    """What a stored reply says.

    Parameters
    ----------
    mode : str
        One of `MODES`.
    stored : dict
        As `limbeck.teachers.endpoints.chat_replies.reply_parts` returns it.
    classes : sequence of labels
        The classes.

    Raises
    ------
    OutsideAnswer
        If it is none of the classes.
    """
    text = str(stored.get("text", ""))
    if mode != "logprobs":
        read = class_in_json if mode == "structured" else class_in_text
        place = read(text, classes)
        if place < 0:
            raise OutsideAnswer(f"{text[:80]!r} is none of the classes")
        return ScoredAnswer.exactly([float(i == place) for i in range(len(classes))])
    if "top" not in stored:
        raise OutsideAnswer("no log-probabilities came with the answer")
    try:
        top = [(str(token), float(log)) for token, log in stored["top"]]
        found = option_probabilities(top, OPTIONS[: len(classes)])
    except InvalidInput as error:
        raise OutsideAnswer(error.problem) from None
    if found.first < 0:
        token = max(top, key=lambda one: one[1])[0]
        raise OutsideAnswer(f"the most probable token is {token[:20]!r}, which is no option")
    return ScoredAnswer(*found.among_options())
