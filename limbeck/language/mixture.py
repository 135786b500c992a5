"""Tokens drawn from teacher and student mixed, with a KV cache of the teacher's own."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.language.models import LanguageModel
from limbeck.modules.outputs import reading_of

__all__ = ["TeacherMixture"]


class TeacherMixture:
    """Log-probabilities of share p + (1 - share) q while a text is written.

    Parameters
    ----------
    teacher : LanguageModel
        Gives p; in evaluation mode.
    share : float
        Of the teacher, in (0, 1).
    """

    def __init__(self, teacher: LanguageModel, share: float) -> None:
        self._teacher, self._share = teacher, share
        self._past: Any = None

    @torch.no_grad()
    def __call__(self, tokens: Tensor, mask: Tensor, log_q: Tensor) -> Tensor:
        """The mixture for the next token, (n, vocabulary).

        Parameters
        ----------
        tokens : Tensor of int64, shape (n, t)
            Prompts, padded to the left, and what was written so far.
        mask : Tensor of shape (n, prompt)
            Of the prompts.
        log_q : Tensor of shape (n, vocabulary)
            The student's log-probabilities.
        """
        written = tokens.shape[1] - mask.shape[1]
        if not written:
            self._past = None
        there = F.pad(mask, (0, written), value=1)
        places = (there.cumsum(-1) - 1).clamp_min(0)
        new = slice(None) if self._past is None else slice(-1, None)
        module = self._teacher.module
        out = module(
            input_ids=tokens[:, new], attention_mask=there, position_ids=places[:, new],
            past_key_values=self._past, use_cache=True,
        )  # fmt: skip
        self._past = out.past_key_values
        logits = out.logits[:, -1, : reading_of(module).first]
        a = torch.tensor(self._share, device=log_q.device)
        log_p = F.log_softmax(logits.float(), -1)[:, : log_q.shape[1]]
        return torch.logaddexp(a.log() + log_p, torch.log1p(-a) + log_q)
