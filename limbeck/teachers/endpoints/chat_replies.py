"""What a chat server replies: the text, the most probable first tokens, and the tokens counted."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from limbeck.core.task import Label
from limbeck.teachers.endpoints.client import UnusableReply
from limbeck.teachers.endpoints.spending import Usage

__all__ = ["class_in_json", "class_in_text", "reply_parts", "usage_of"]

_THOUGHT = re.compile(r"^.*</think>", re.DOTALL)


def reply_parts(reply: Any) -> dict[str, Any]:
    """What is stored of a reply: ``text``, and ``top`` where log-probabilities came.

    Parameters
    ----------
    reply : JSON value
        As ``/chat/completions`` returns it.

    Raises
    ------
    UnusableReply
        If it holds no message.
    """
    try:
        choice = reply["choices"][0]
        text = choice["message"].get("content")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise UnusableReply("the reply holds no choices[0].message") from None
    if not isinstance(text, str):
        refusal = choice["message"].get("refusal")
        text = refusal if isinstance(refusal, str) else ""
    found: dict[str, Any] = {"text": text}
    top = _top_tokens(choice)
    if top:
        found["top"] = top
    if isinstance(reply.get("model"), str):
        found["model"] = reply["model"]
    return found


def _top_tokens(choice: dict[str, Any]) -> list[list[Any]]:
    """The most probable first tokens, with their log-probabilities; empty where none came."""
    try:
        top = choice["logprobs"]["content"][0]["top_logprobs"]
        return [[str(one["token"]), float(one["logprob"])] for one in top]
    except (KeyError, IndexError, TypeError, ValueError):
        return []


def usage_of(reply: Any) -> Usage:
    """The tokens that a reply counts; 0 where it counts none.

    Parameters
    ----------
    reply : JSON value
        As for `reply_parts`.
    """
    usage = reply.get("usage") if isinstance(reply, dict) else None
    counted = usage if isinstance(usage, dict) else {}
    read, written = (counted.get(name) for name in ("prompt_tokens", "completion_tokens"))
    return Usage(*(n if isinstance(n, int) and n > 0 else 0 for n in (read, written)))


def class_in_text(text: str, classes: Sequence[Label]) -> int:
    """The class that a text names and nothing else; -1 where it does not.

    What stands before ``</think>`` is left out, and so are quotes, a full stop and the case of
    letters. A class inside a sentence is not read: "not positive" would name one.

    Parameters
    ----------
    text : str
        The answer.
    classes : sequence of labels
        The classes.

    Examples
    --------
    >>> class_in_text(" Yes.", ["no", "yes"]), class_in_text("not yes", ["no", "yes"])
    (1, -1)
    """
    plain = _plain(_THOUGHT.sub("", text))
    found = [i for i, c in enumerate(classes) if _plain(str(c)) == plain]
    return found[0] if len(found) == 1 else -1


def class_in_json(text: str, classes: Sequence[Label]) -> int:
    """The class in an answer like ``{"answer": "yes"}``; -1 where there is none.

    Parameters
    ----------
    text : str
        The answer.
    classes : sequence of labels
        The classes.
    """
    try:
        found = json.loads(_THOUGHT.sub("", text).strip())
    except (ValueError, RecursionError):
        return -1
    answer = found.get("answer") if isinstance(found, dict) else None
    names = [str(c) for c in classes]
    return names.index(answer) if isinstance(answer, str) and answer in names else -1


def _plain(text: str) -> str:
    return text.strip().strip("\"'`*.").strip().casefold()
