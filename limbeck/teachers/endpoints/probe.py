"""What a chat server really does, found out by a few questions before money is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from limbeck.teachers.endpoints.chat_prompt import has_template_marks

__all__ = ["ChatProbe", "log_probabilities_fault", "probe_of"]


@dataclass(frozen=True)
class ChatProbe:
    """What a few questions showed.

    Parameters
    ----------
    mode : str
        How classes are read: ``logprobs``, ``structured`` or ``text``.
    fault : str
        Why log-probabilities are not used; empty where they are.
    repeats : bool
        Whether the same question got the same text again.
    template : str
        The mark of a chat template that an answer held; empty where none did.
    tokens_added : int or None
        Tokens of template and options beside the question; None where the server counts none.
    questions : int
        Questions that were asked for it.
    """

    mode: str
    fault: str
    repeats: bool
    template: str
    tokens_added: int | None
    questions: int

    def __str__(self) -> str:
        how = {
            "logprobs": "Classes are read from log-probabilities of one token",
            "structured": "Classes are read from structured output",
            "text": "Classes are read from the text of answers",
        }[self.mode]
        out = [how + (f", since {self.fault}." if self.fault else ".")]
        if not self.repeats:
            out.append("The same question got another answer: this teacher is not a function.")
        if self.template:
            out.append(
                f"An answer holds {self.template!r}, a mark of a chat template: the server seems"
                " to apply it not once. Check the server's template."
            )
        if self.tokens_added is not None:
            out.append(f"Template and options are {self.tokens_added:,} tokens of each question.")
        return " ".join(out)


def log_probabilities_fault(replies: Sequence[dict[str, Any]]) -> str:
    """Why log-probabilities cannot be used; empty where they can.

    Some servers accept the flag and return none, or the same number for whatever is asked.

    Parameters
    ----------
    replies : sequence of dict
        As `limbeck.teachers.endpoints.chat_replies.reply_parts` returns them.
    """
    tops = [reply.get("top") for reply in replies]
    if not replies or not all(tops):
        return "the server returns no log-probabilities"
    for top in tops:
        logs = [log for _, log in top or []]
        if len(logs) < 2:
            return "the server returns the log-probability of one token only"
        if len(set(logs)) == 1:
            return "the server returns the same log-probability for all tokens"
        if max(logs) > 1e-6:
            return "the server returns log-probabilities above 0"
    return ""


def probe_of(
    mode: str,
    fault: str,
    repeated: Sequence[Sequence[dict[str, Any]]],
    doubled: tuple[int, int] | None,
    questions: int,
) -> ChatProbe:
    """The record of a probe.

    Parameters
    ----------
    mode, fault : str
        As in `ChatProbe`.
    repeated : sequence of sequences of dict
        The replies to each question that was asked several times.
    doubled : tuple of int, or None
        Tokens of a question, and of one with the same text twice.
    questions : int
        Questions that were asked.
    """
    texts = [[str(reply.get("text")) for reply in replies] for replies in repeated]
    marks = [has_template_marks(text) for several in texts for text in several]
    return ChatProbe(
        mode,
        fault,
        all(len(set(several)) == 1 for several in texts),
        next((mark for mark in marks if mark), ""),
        None if doubled is None else max(0, 2 * doubled[0] - doubled[1]),
        questions,
    )
