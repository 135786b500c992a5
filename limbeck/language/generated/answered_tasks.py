"""Rows of instructions that the model itself answers, as the variants of Self-Instruct do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from limbeck.language.generated.instruction_filters import CUT
from limbeck.language.generated.pool import InstructionPool, KeptInstruction
from limbeck.language.generated.tasks import GeneratedRow
from limbeck.language.generated.writing_log import OutOfRequests, WritingLog
from limbeck.teachers.completions import Sampling

__all__ = ["answered_rows"]

_TOGETHER = 64
_SORRY_WORDS = 80


def answered_rows(
    log: WritingLog, pool: InstructionPool, method: str, max_tokens: int
) -> list[GeneratedRow]:
    """A row for each kept instruction that got an answer worth keeping.

    As in Evol-Instruct an answer is dropped that says sorry in fewer than 80 words, or that holds
    no letter; and one that was cut off.

    Parameters
    ----------
    log : WritingLog
        Who answers, and what is noted.
    pool : InstructionPool
        The instructions.
    method : str
        How they were made.
    max_tokens : int
        The longest answer.
    """
    rows: list[GeneratedRow] = []
    try:
        for start in range(0, len(pool.kept), _TOGETHER):
            some = pool.kept[start : start + _TOGETHER]
            rows += _answered(log, some, method, max_tokens, start, len(pool.kept))
    except OutOfRequests:
        pass
    return rows


def _answered(
    log: WritingLog,
    some: Sequence[KeptInstruction],
    method: str,
    max_tokens: int,
    done: int,
    total: int,
) -> list[GeneratedRow]:
    prompts = [log.writer.asking(one.text) for one in some]
    answers = log.ask("answering", prompts, Sampling(max_tokens), done, total)
    rows = []
    for one, answer in zip(some, answers, strict=True):
        text = answer.answer.strip()
        fault = CUT if answer.finish == "length" else _fault(text)
        if answer.finish == "none":
            continue
        if fault:
            log.drop(text or one.text, fault, answer.number, "instance")
            continue
        rows.append(
            GeneratedRow(
                f"{one.id}.0", one.text, "", text, False, None, one.prompt_tasks,
                (one.request, answer.number), method, log.writer.name, one.similarity, one.nearest,
            )
        )  # fmt: skip
    return rows


def _fault(text: str) -> str:
    if not any(c.isalnum() for c in text):
        return "an answer without letters"
    if re.search(r"\bsorry\b", text, re.IGNORECASE) and len(text.split()) < _SORRY_WORDS:
        return "an answer that says sorry"
    return ""
