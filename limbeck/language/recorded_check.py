"""A check of the pre-flight on recorded distributions: whose they are, and at which temperature."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from limbeck.core.errors import plural
from limbeck.language.models import LanguageModel
from limbeck.language.predictions import TokenPredictor, logits_at
from limbeck.language.preflight_check import Check
from limbeck.language.recorded import RecordedLogits

__all__ = ["recorded_temperature"]

_TEXTS, _PLACES = 4, 32
_APART = 0.1
"""Nats, and the logarithm of a temperature, by which others may be away from the judge."""
_STEPS = 12
_NONE = -1e4
"""Nats in place of minus infinity, so that 0 times it is 0."""


def recorded_temperature(recorded: RecordedLogits, judge: LanguageModel) -> Check:
    """The distributions on disk are the judge's at temperature 1.

    Of a part of a distribution the probabilities within that part tell the temperature, so that
    what was not kept is not needed.

    Parameters
    ----------
    recorded : RecordedLogits
        On disk.
    judge : LanguageModel
        Said to be the teacher, in evaluation mode.
    """
    name = "recorded log-probabilities"
    pairs = [_pair(recorded, judge, row) for row in range(min(_TEXTS, len(recorded)))]
    stored, logits = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    best = _fitted(stored, logits)
    told = f"those of {judge.name} on {plural(len(stored), 'token')}"
    own = _likelihood(stored, logits, 1.0)
    if abs(math.log(best)) > _APART and _above(_likelihood(stored, logits, best) - own):
        return Check(
            name, "refused", f"They fit {told} at temperature {best:.2f}, and not at 1.",
            "Take them at temperature 1, before any sampling setting (vLLM:"
            " logprobs_mode='raw_logprobs').",
        )  # fmt: skip
    log_p = logits.log_softmax(-1).clamp_min(_NONE)
    apart = (log_p.exp() * log_p).sum(-1) - own  # 0 on average for draws, and for all kept
    if _above(apart, _APART) or _above(-apart, _APART):
        return Check(
            name, "refused", f"They are {abs(float(apart.mean())):.2f} nats a token from {told}: of"
            " another model, or of texts in another chat template.",
            "Give the judge that they are of.",
        )  # fmt: skip
    return Check(name, "ok", f"They fit {told} at temperature {best:.2f}.")


def _pair(recorded: RecordedLogits, judge: LanguageModel, row: int) -> tuple[Tensor, Tensor]:
    """Stored probabilities and the judge's logits of some places, over what was kept of them."""
    prompt, text = recorded.tokens(row)
    text = text[:_PLACES]
    ids = torch.tensor([[*prompt, *text][:-1]])
    predicted = TokenPredictor.of(judge)(ids, torch.ones_like(ids))
    out = logits_at(predicted, (0, slice(len(prompt) - 1, None)))
    logits = out[:, : recorded.vocabulary].float().cpu()
    stored = recorded.probabilities(row)[: len(text)]
    kind, _, kept = recorded.keep.partition(":")
    if kind == "top":
        best, where = stored.topk(int(kept))
        return best / best.sum(-1, keepdim=True), logits.gather(1, where)
    return stored, logits


def _likelihood(stored: Tensor, logits: Tensor, temperature: float) -> Tensor:
    """What the judge gives what is stored at each place, in nats."""
    return (stored * (logits / temperature).log_softmax(-1).clamp_min(_NONE)).sum(-1)


def _fitted(stored: Tensor, logits: Tensor) -> float:
    """The temperature at which the judge gives what is stored the greatest likelihood.

    By Newton's steps in 1 / temperature, in which the likelihood is concave.
    """
    inverse, logits = 1.0, logits.clamp_min(_NONE)
    expected = float((stored * logits).sum())
    for _ in range(_STEPS):
        p = (logits * inverse).softmax(-1)
        mean = (p * logits).sum(-1)
        spread = float((p * (logits - mean[:, None]).square()).sum())
        step = (expected - float(mean.sum())) / max(spread, 1e-12)
        inverse = min(max(inverse + step, inverse / 2, 0.05), 2 * inverse, 20.0)
    return 1 / inverse


def _above(values: Tensor, least: float = 0.0) -> bool:
    """Whether the mean is beyond, by three standard errors."""
    if len(values) < 2:
        return False
    return float(values.mean() - 3 * values.std() / len(values) ** 0.5) > least
