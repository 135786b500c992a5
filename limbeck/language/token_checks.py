"""Checks of the pre-flight on tokens: who numbers them, and which outputs are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.language.chunked import chunked_values
from limbeck.language.generation import padded
from limbeck.language.models import LanguageModel, tokens_of
from limbeck.language.predictions import TokenPredictor
from limbeck.language.preflight_check import Check, half_width
from limbeck.language.prompts import Prompts
from limbeck.modules.outputs import reading_of

__all__ = ["guessing", "token_ids", "vocabulary"]

_STRAY = 0.01
"""Probability of outputs that are no tokens, above which it is said."""
_WORSE = 0.5
"""Nats a token by which a model must be behind even guessing."""


def token_ids(teacher: LanguageModel, student: LanguageModel, few: Prompts) -> Check:
    """The same text is the same tokens for both: vocabularies alone do not tell.

    Parameters
    ----------
    teacher, student : LanguageModel
        The models.
    few : Prompts
        Some prompts.
    """
    name = "tokenizer ids"
    texts = [*few.texts, *(r for r in few.references if r)]
    for text in texts:
        theirs, ours = (_read(m.tokenizer, text, few.templated) for m in (teacher, student))
        if theirs != ours:
            at = next((i for i, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b),
                      min(len(theirs), len(ours)))  # fmt: skip
            return Check(
                name, "refused", f"The tokenizers have the same tokens and cut texts differently:"
                f" {text[:40]!r} is {_near(theirs, at)} for the teacher and {_near(ours, at)} for"
                f" the student, from token {at} on.",
                "Give the student the teacher's tokenizer, or"
                " objective=limbeck.language.CrossTokenizer().",
            )  # fmt: skip
    return Check(name, "ok", "Both tokenizers read the prompts as the same tokens.")


def _read(tokenizer: Any, text: str, templated: bool) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=not templated)["input_ids"]
    return list(found)


def _near(ids: list[int], at: int) -> str:
    """The first token that differs, with the one before it."""
    shown = ids[max(at - 1, 0) : at + 2]
    return f"{'... ' if at > 1 else ''}{' '.join(map(str, shown)) or 'nothing'}"


def guessing(log_p: Mapping[str, NDArray[np.float64]], tokens: int) -> Check:
    """Whether a model predicts texts worse than one that guesses: its weights number otherwise.

    Parameters
    ----------
    log_p : mapping of str to ndarray of shape (n,)
        By model: log-probability of each text, in nats a token.
    tokens : int
        That there are.
    """
    name, even = "tokens of the weights", -float(np.log(tokens))
    for role, values in log_p.items():
        middle = float(values.mean())
        if middle + half_width(values) < even - _WORSE:
            return Check(
                name, "warning", f"The {role} gives texts {middle:.2f} nats a token, and guessing"
                f" evenly among {tokens:,} tokens gives {even:.2f}: its weights seem to number"
                " tokens otherwise than its tokenizer, or it never learned.",
                "Check that weights and tokenizer come from one folder.",
            )  # fmt: skip
    return Check(name, "ok", "Both predict texts no worse than by guessing.")


def vocabulary(teacher: LanguageModel, student: LanguageModel, few: Prompts) -> Check:
    """Outputs beyond the tokens take no part: cut where heads differ, without probability else.

    Parameters
    ----------
    teacher, student : LanguageModel
        The models.
    few : Prompts
        Some prompts.
    """
    name, real = "vocabulary padding", tokens_of(student.tokenizer)
    models = {"teacher": teacher, "student": student}
    counted = {role: reading_of(m.module).first or m.outputs for role, m in models.items()}
    if counted["teacher"] != counted["student"]:
        return Check(
            name, "refused", f"The teacher predicts {counted['teacher']:,} outputs and the student"
            f" {counted['student']:,}, and {real:,} are tokens.",
            "Cut both to their tokens: limbeck.language.models.share_vocabulary.",
        )  # fmt: skip
    outputs = {role: m.outputs for role, m in models.items()}
    if counted["teacher"] == real and set(outputs.values()) != {real}:
        return Check(name, "ok", f"Both are cut to {real:,} tokens, and renormalised.")
    stray = _beyond(teacher, few, real) if counted["teacher"] > real else 0.0
    if stray > _STRAY:
        return Check(
            name, "warning", f"The teacher gives {stray:.1%} of its probability to the"
            f" {counted['teacher'] - real:,} outputs that are no tokens, and the student would"
            " learn to write them.",
            "Check that weights and tokenizer come from one folder.",
        )  # fmt: skip
    told = f"{counted['teacher'] - real:,} of {counted['teacher']:,} outputs are no tokens"
    if stray or counted["teacher"] > real:
        return Check(name, "ok", f"{told}; the teacher gives them a probability of {stray:.2g}.")
    return Check(name, "ok", "Every output is a token.")


def _beyond(teacher: LanguageModel, few: Prompts, real: int) -> float:
    """The teacher's probability of outputs that are no tokens, on average."""
    ids, mask = padded(few.ids, teacher.pad, False, device=teacher.module.device)
    found = chunked_values(
        TokenPredictor.of(teacher)(ids, mask),
        lambda z, _: z.softmax(-1)[:, real:].sum(-1),
        mask.bool(),
    )
    return float(found.mean())
