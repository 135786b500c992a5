"""What is checked before training between two tokenizers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from limbeck.core.errors import InvalidInput
from limbeck.language.cross_tokenizer.bridge import Bridge
from limbeck.language.cross_tokenizer.judge import cross_scores
from limbeck.language.models import LanguageModel
from limbeck.language.preflight import (
    judged_gain,
    labels,
    number_type,
    padding,
    sharding,
    shared_weights,
)
from limbeck.language.preflight_check import Check
from limbeck.language.prompts import Prompts
from limbeck.modules.capture import modes_kept

__all__ = ["bridged", "cross_preflight"]

_PROBES, _SCORED = 4, 32
_FEW = 0.25
"""Chunks a token of the student below which little is aligned."""


def bridged(teacher: LanguageModel, student: LanguageModel) -> tuple[Bridge, str]:
    """A bridge between two tokenizers, and a note of what they share.

    Parameters
    ----------
    teacher, student : LanguageModel
        The models.

    Raises
    ------
    InvalidInput
        If a tokenizer loses bytes.
    """
    bridge = Bridge(teacher, student)
    both = len(bridge.matched[0])
    kind = "bytes" if bridge.byte_student else f"{len(bridge.ours.table):,} tokens"
    probe = "\x00\ufffd"
    lacks = "" if bridge.theirs.known(probe) == probe else (
        " The teacher has no tokens for some characters: where a student writes one the rest of its"
        " text counts as one chunk of overlap 0, and enters no divergence."
    )  # fmt: skip
    return bridge, (
        f"The teacher has {len(bridge.theirs.table):,} tokens and the student {kind};"
        f" {both:,} stand for the same bytes. Likelihoods are compared at boundaries that both"
        f" have; log-probabilities and divergences are a token of the student, lengths too.{lacks}"
    )


def cross_preflight(
    bridge: Bridge, prompts: Prompts, *, strategy: str = "auto", seed: int = 0
) -> tuple[Check, ...]:
    """All checks, in the order in which they can go wrong.

    Parameters
    ----------
    bridge : Bridge
        Between the models.
    prompts : Prompts
        Of the training, in the student's tokens.
    strategy : str
        Of several processes; see `limbeck.networks.training.settings.Training`.
    seed : int
        Of the prompts that are looked at.

    Raises
    ------
    InvalidInput
        If the prompts went through the student's chat template.
    """
    if prompts.templated:
        raise InvalidInput(
            "The prompts are messages, and two tokenizers have two chat templates.",
            "Give prompts as texts, in a form that both models know.",
        )
    draw = np.random.default_rng(seed).permutation(len(prompts))[:_SCORED]
    some = prompts.subset(draw.tolist())
    modules = bridge.teacher.module, bridge.student.module
    with modes_kept(*modules), torch.no_grad():
        for module in modules:
            module.eval()
        return tuple(_checks(bridge, some, strategy))


def _checks(bridge: Bridge, some: Prompts, strategy: str) -> Iterator[Check]:
    few = some.subset(range(min(_PROBES, len(some))))
    teacher, student = bridge.teacher, bridge.student
    yield number_type(teacher, student)
    yield shared_weights(teacher, student)
    yield sharding(teacher, student, strategy)
    yield boundaries(bridge, some)
    theirs = [tuple(bridge.theirs.encoded(bridge.readable(ids))) for ids in few.ids]
    yield padding(teacher, "teacher", Prompts(few.texts, tuple(theirs), few.completions,
                                              few.references))  # fmt: skip
    yield padding(student, "student", few)
    yield labels(student, few)
    if some.complete:
        texts = [list(c or ()) for c in some.completions]
        scores = cross_scores(bridge, student, some.ids, texts, "other")
        yield judged_gain(scores.teacher_log_p - scores.student_log_q)


def boundaries(bridge: Bridge, some: Prompts) -> Check:
    """How many boundaries both tokenizers have in some texts.

    Parameters
    ----------
    bridge : Bridge
        Between the models.
    some : Prompts
        Some prompts, with or without texts.
    """
    name = "shared boundaries"
    pairs = [
        (p[:1], p[1:]) if c is None else (p, c)
        for p, c in zip(some.ids, some.completions, strict=True)
    ]
    pairs = [(p, t) for p, t in pairs if t]
    texts = [bridge.aligned(*pair) for pair in pairs]
    tokens, chunks = sum(len(t) for _, t in pairs), sum(t.chunks for t in texts)
    told = f"{chunks:,} chunks in {tokens:,} of the student's tokens."
    if pairs and not chunks:
        return Check(
            name, "refused", f"Both tokenizers share no boundary: {told}",
            "Check that texts are read alike by both.",
        )  # fmt: skip
    if chunks < _FEW * tokens and not bridge.byte_student:
        return Check(name, "warning", f"Few boundaries are shared: {told}", "Chunks are long.")
    return Check(name, "ok", told)
