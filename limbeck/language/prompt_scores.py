"""How near two language models are on texts: one value a prompt, since tokens depend on each other.

The overlap of a token is sum_v min(p, q) = 1 - TV(p, q), in [0, 1]: also the probability that
speculative decoding accepts a token that the student drafts (Leviathan et al. 2023).
A text's overlap is the mean over its tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.chunk_gradients import filled
from limbeck.language.chunked import LMHead
from limbeck.language.generation import padded
from limbeck.language.models import LanguageModel
from limbeck.language.predictions import TokenPredictor, logits_at
from limbeck.modules.capture import modes_kept

__all__ = ["PromptScores", "distinct", "score_texts"]

Values = NDArray[np.float64]
_ELEMENTS = 1 << 22
"""Logits that are turned into probabilities together."""


@dataclass(frozen=True, eq=False)
class PromptScores:
    """Means over the tokens of each of n texts.

    Parameters
    ----------
    overlap : ndarray of shape (n,)
        Of 1 - TV between the next-token distributions, in [0, 1].
    forward_kl, reverse_kl : ndarray of shape (n,)
        KL(p || q) and KL(q || p), in nats.
    teacher_log_p, student_log_q : ndarray of shape (n,)
        Log-probability of the text's tokens, in nats.
    entropy : ndarray of shape (n,)
        Of the student's distributions, in nats.
    agreement : ndarray of shape (n,)
        Share of tokens at which both find the same one likeliest.
    tokens : ndarray of shape (n,)
        Tokens of each text.
    """

    overlap: Values
    forward_kl: Values
    reverse_kl: Values
    teacher_log_p: Values
    student_log_q: Values
    entropy: Values
    agreement: Values
    tokens: Values


def score_texts(
    teacher: LanguageModel,
    student: LanguageModel,
    prompts: Sequence[Sequence[int]],
    texts: Sequence[Sequence[int]],
    batch_size: int = 32,
) -> PromptScores:
    """Score texts after prompts, whoever wrote them.

    Parameters
    ----------
    teacher, student : LanguageModel
        Of one vocabulary, see `limbeck.language.models.share_vocabulary`.
    prompts, texts : sequence of sequence of int
        Tokens; only those of the texts count.
    batch_size : int
        Texts at once.

    Raises
    ------
    InvalidInput
        If a text has no tokens, or logits are not numbers.
    """
    empty = next((i for i, text in enumerate(texts) if not len(text)), None)
    if empty is not None:
        raise InvalidInput(
            f"The text after prompt {empty} has no tokens, so nothing can be compared.",
            "Leave the prompt out, or let the model write at least one token.",
        )
    order = sorted(range(len(texts)), key=lambda i: len(prompts[i]) + len(texts[i]))
    out = np.zeros((len(fields(PromptScores)), len(texts)))
    with modes_kept(teacher.module, student.module), torch.no_grad():
        teacher.module.eval()
        student.module.eval()
        asked = TokenPredictor.of(teacher), TokenPredictor.of(student)
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            out[:, rows] = _scored(*asked, [prompts[i] for i in rows], [texts[i] for i in rows])
    return PromptScores(*out)


def _scored(
    teacher: TokenPredictor,
    student: TokenPredictor,
    prompts: Sequence[Sequence[int]],
    texts: Sequence[Sequence[int]],
) -> Values:
    """The scores of one batch, (scores, n)."""
    whole = [[*p, *t] for p, t in zip(prompts, texts, strict=True)]
    own = student.model
    ids, mask = padded(whole, own.pad, left=False, device=own.module.device)
    p, q = teacher(ids, mask), student(ids, mask)
    owner: list[int] = []
    place: list[int] = []
    for row, (prompt, text) in enumerate(zip(prompts, texts, strict=True)):
        owner += [row] * len(text)
        place += range(len(prompt) - 1, len(prompt) + len(text) - 1)
    rows, places = torch.tensor([owner, place], device=ids.device)
    after = ids[rows, places + 1]
    at_once = max(1, _ELEMENTS // (q.outputs if isinstance(q, LMHead) else q.shape[-1]))
    parts = (
        _token_scores(logits_at(p, (r, s)).to(ids.device), logits_at(q, (r, s)), a)
        for r, s, a in zip(*(t.split(at_once) for t in (rows, places, after)), strict=True)
    )
    values = filled(parts, len(rows)).T.cpu()  # (scores, tokens)
    sums = torch.zeros(len(values), len(texts), dtype=torch.float64)
    sums.index_add_(1, rows.cpu(), values)
    lengths = torch.tensor([len(t) for t in texts], dtype=torch.float64)
    means = torch.cat([sums / lengths, lengths[None]])
    if not bool(means.isfinite().all()):
        raise InvalidInput(
            "The logits of teacher or student are not numbers, or give a token probability 0.",
            "Check the weights, and load the models in float32.",
        )
    found: Values = means.numpy()
    return found


def _token_scores(p: Tensor, q: Tensor, after: Tensor) -> Tensor:
    """Scores of tokens, (tokens, scores), in float64."""
    log_p, log_q = (z.float().log_softmax(-1) for z in (p, q))
    prob_p, prob_q = log_p.exp(), log_q.exp()
    gap = log_p - log_q
    same = torch.minimum(prob_p, prob_q).sum(-1).clamp(0, 1)
    own = after[:, None]
    out = (
        same,
        (prob_p * gap).sum(-1).clamp_min(0),
        -(prob_q * gap).sum(-1).clamp_max(0),
        log_p.gather(1, own)[:, 0],
        log_q.gather(1, own)[:, 0],
        -(prob_q * log_q).sum(-1),
        (p.argmax(-1) == q.argmax(-1)).float(),
    )
    return torch.stack(out, 1).double()


def distinct(texts: Sequence[Sequence[int]], n: int) -> float:
    """Share of n-grams of tokens that are different from all others (Li et al. 2016, distinct-n).

    It falls with the number of texts: compare models on equally many of equal length.

    Parameters
    ----------
    texts : sequence of sequence of int
        Tokens of each.
    n : int
        Tokens of a gram.

    Returns
    -------
    float
        NaN where no text has n tokens.

    Examples
    --------
    >>> distinct([[1, 2, 1, 2]], 2)
    0.6666666666666666
    """
    grams: list[Any] = [tuple(t[i : i + n]) for t in texts for i in range(len(t) - n + 1)]
    return len(set(grams)) / len(grams) if grams else float("nan")
