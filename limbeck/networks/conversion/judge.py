"""How near a language model is to its teacher, text by text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from limbeck.networks.conversion.texts import TokenTexts, padded

__all__ = ["TextScores", "score_texts"]

_AT_ONCE = 2_048  # tokens in a forward pass
_NUMBERS = 2**25  # logits compared at once


@dataclass(frozen=True, eq=False)
class TextScores:
    """Means over the tokens of each of n texts, float64 (n,).

    Parameters
    ----------
    overlap : ndarray
        sum_v min(p_v, q_v) = 1 - total variation, between 0 and 1; also the share of
        tokens that speculative decoding would accept.
    divergence : ndarray
        KL(p || q) in nats.
    same : ndarray
        Whether the likeliest token is the same.
    cross_entropy : ndarray
        Of the text itself, in nats.
    right : ndarray
        Whether the likeliest token is the one that stands there.
    tokens : ndarray of int64
        Predicted tokens.
    """

    overlap: NDArray[np.float64]
    divergence: NDArray[np.float64]
    same: NDArray[np.float64]
    cross_entropy: NDArray[np.float64]
    right: NDArray[np.float64]
    tokens: NDArray[np.int64]

    def per_token(self, name: str) -> float:
        """The mean over all tokens of all texts."""
        return float(np.average(getattr(self, name), weights=self.tokens))


@torch.no_grad()
def score_texts(teacher: Any, student: Any, texts: TokenTexts, length: int) -> TextScores:
    """Compare two models' next-token distributions on real texts.

    Parameters
    ----------
    teacher, student : PreTrainedModel
        p and q; the same model may be given twice.
    texts : TokenTexts
        The texts, n of them.
    length : int
        Tokens read of each at most.
    """
    teacher.eval()
    student.eval()
    device = next(student.parameters()).device
    order = np.argsort([min(len(i), length) for i in texts.ids], kind="stable")
    found = np.zeros((len(texts), 6))
    size = max(_AT_ONCE // length, 1)
    for start in range(0, len(order), size):
        places = order[start : start + size]
        ids, mask = padded([texts.ids[i] for i in places], length)
        ids, mask = ids.to(device), mask.to(device)
        asked = {"input_ids": ids, "attention_mask": mask, "use_cache": False}
        p = teacher(**asked).logits[:, :-1].float()
        q = p if student is teacher else student(**asked).logits[:, :-1].float()
        counts = mask[:, 1:].double()
        means = _compared(p, q, ids[:, 1:]) * counts[..., None]
        tokens = counts.sum(1)
        found[places, :5] = (means.sum(1) / tokens[:, None]).cpu().numpy()
        found[places, 5] = tokens.cpu().numpy()
    overlap, divergence, same, cross_entropy, right, counted = found.T
    return TextScores(overlap, divergence, same, cross_entropy, right, counted.astype(np.int64))


def _compared(p: Tensor, q: Tensor, ids: Tensor) -> Tensor:
    """Overlap, KL, same, cross-entropy and right of each token, float64 (b, t, 5)."""
    rows = max(_NUMBERS // p.shape[-1], 1)
    parts = []
    flat = zip(torch.split(p.flatten(0, 1), rows), torch.split(q.flatten(0, 1), rows),
               torch.split(ids.flatten(), rows), strict=True)  # fmt: skip
    for some_p, some_q, some in flat:
        log_p, log_q = F.log_softmax(some_p, -1), F.log_softmax(some_q, -1)
        prob = log_p.exp()
        parts.append(
            torch.stack(
                [
                    torch.minimum(prob, log_q.exp()).sum(-1).clamp(0, 1),
                    (prob * (log_p - log_q)).sum(-1),
                    (log_p.argmax(-1) == log_q.argmax(-1)).float(),
                    -log_q.gather(-1, some[:, None]).squeeze(-1),
                    (log_q.argmax(-1) == some).float(),
                ],
                -1,
            ).double()
        )
    return torch.cat(parts).view(*ids.shape, 5)
