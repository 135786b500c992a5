"""The k most probable tokens, with the mass of the rest: four things that are called top-k.

With T the k tokens, P and Q the masses of teacher and student in T, r = 1 - P:

=============  ================================================================================
bucket         divergence of the coarser distributions that take all other tokens as one; of the
               forward KL: sum_T p log(p / q) + r log(r / (1 - Q)). Never negative, and a lower
               bound of the full divergence (data processing), whichever it is
renormalised   KL(p / P || q) over T: says that the rest has no mass, and teaches over-confidence
truncated      sum_T p log(p / q): no divergence, and negative where Q > P
even_tail      KL(p~ || q), p~ spreading r evenly over the rest: right for the few outputs of a
               closed set of labels, wrong for the thousands of a vocabulary
=============  ================================================================================

On an open vocabulary at a kept mass of .905 the bucket keeps 73% of the gain of the full
distribution, the even tail none of it (docs/language.md). Tokens drawn at random keep more.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.language.carriers.carrier import Arrays, Carrier, TokenLayout
from limbeck.language.carriers.packing import bits_of, pack, unpack
from limbeck.language.carriers.signal import TeacherSignal
from limbeck.language.divergences import token_divergence

__all__ = ["RESTS", "KeepTop", "TopTokens", "check_kept_mass", "top_tokens"]

RESTS = ("bucket", "renormalised", "truncated", "even_tail")


class TopTokens(TeacherSignal):
    """Distributions known by their largest log-probabilities.

    Parameters
    ----------
    ids : Tensor of int64, shape (tokens, k)
        The most probable tokens.
    log_p : Tensor of shape (tokens, k)
        Their log-probabilities.
    log_rest : Tensor of shape (tokens,)
        Logarithm of the mass of all others.
    vocabulary : int
        How many outputs the teacher has.
    cut : bool
        Whether students with more outputs are cut to these.
    rest : {"bucket", "renormalised", "truncated", "even_tail"}
        What is taken of the others, see above.

    Examples
    --------
    >>> import torch
    >>> log_p = torch.tensor([[0.5, 0.3, 0.1, 0.1]]).log()
    >>> signal = top_tokens(log_p, 2)
    >>> log_q = torch.full((1, 4), 0.25).log()
    >>> full = (log_p.exp() * (log_p - log_q)).sum()
    >>> round(float(signal.token_loss(log_q, torch.tensor([0]))), 3), round(float(full), 3)
    (0.218, 0.218)
    """

    name: ClassVar[str] = "top"

    def __init__(
        self,
        ids: Tensor,
        log_p: Tensor,
        log_rest: Tensor,
        vocabulary: int,
        cut: bool = False,
        rest: str = "bucket",
    ) -> None:
        if rest not in RESTS:
            raise InvalidInput(f"rest is {rest!r}.", did_you_mean(rest, RESTS))
        self.ids, self.log_p, self.log_rest = ids, log_p, log_rest
        self.vocabulary, self.cut, self.rest = vocabulary, cut, rest

    def __len__(self) -> int:
        return len(self.ids)

    def taken(self, rest: str) -> TopTokens:
        """The same tokens, with something else taken of the others."""
        return TopTokens(self.ids, self.log_p, self.log_rest, self.vocabulary, self.cut, rest)

    def check(self, divergence: str, temperature: float) -> None:
        """Temperature 1, and for all but the bucket the forward KL."""
        if temperature != 1:
            raise InvalidInput(
                f"The temperature is {temperature}, and what is kept of the teacher are its largest"
                " log-probabilities at temperature 1.",
                'Use temperature=1, or record with keep="hidden".',
            )
        if self.rest != "bucket" and divergence != "forward_kl":
            raise InvalidInput(
                f"The divergence is {divergence!r}, and rest={self.rest!r} knows only the forward"
                " KL.",
                'Use rest="bucket".',
            )

    def token_loss(
        self,
        log_q: Tensor,
        places: Tensor,
        divergence: str = "forward_kl",
        beta: float = 0.5,
        alpha: float = 0.1,
        temperature: float = 1.0,
    ) -> Tensor:
        """The divergence that `rest` names."""
        ids = self.ids[places]
        log_p, rest = self.log_p[places].to(log_q.dtype), self.log_rest[places].to(log_q.dtype)
        chosen = log_q.gather(1, ids)
        if self.rest == "bucket":
            others = log_q.scatter(1, ids, -math.inf).logsumexp(-1)  # 1 - Q would cancel near 1
            coarse_q = torch.cat([chosen, others[:, None]], 1)
            return token_divergence(
                coarse_q, torch.cat([log_p, rest[:, None]], 1), divergence, beta, alpha
            )
        if self.rest == "renormalised":
            return token_divergence(chosen, log_p.log_softmax(-1))
        truncated = token_divergence(chosen, log_p)
        if self.rest == "truncated":
            return truncated
        outputs = log_q.shape[-1] - ids.shape[-1]
        each = (log_q.sum(-1) - chosen.sum(-1)) / outputs  # mean of log q over the others
        mass = rest.exp()
        own = torch.where(mass > 0, mass * (rest - math.log(outputs)), torch.zeros_like(mass))
        return truncated + own - mass * each


def top_tokens(log_p: Tensor, top: int, rest: str = "bucket") -> TopTokens:
    """What is known of distributions by their largest log-probabilities.

    Parameters
    ----------
    log_p : Tensor of shape (tokens, vocabulary)
        Log-probabilities.
    top : int
        How many are kept, less than the vocabulary.
    rest : str
        As in `TopTokens`.
    """
    values, ids = log_p.topk(top, dim=-1)
    log_rest = log_p.scatter(-1, ids, -math.inf).logsumexp(-1)
    return TopTokens(ids, values, log_rest, log_p.shape[-1], rest=rest)


@dataclass(frozen=True)
class KeepTop(Carrier):
    """The largest log-probabilities and that of all others, in float16.

    Parameters
    ----------
    top : int
        How many.
    """

    top: int = 32

    @property
    def keep(self) -> str:
        """As the base says."""
        return f"top:{self.top}"

    def check(self, vocabulary: int) -> None:
        """The largest must be fewer than all."""
        if self.top >= vocabulary:
            raise InvalidInput(
                f"keep is {self.keep!r}, and the teacher has {vocabulary:,} outputs.",
                'Give less, or keep="full".',
            )

    def kept(self, outputs: Tensor, noise: Tensor | None) -> Arrays:
        """As the base says."""
        values, ids = outputs.topk(self.top, dim=-1)
        total = outputs.logsumexp(-1, keepdim=True)
        log_rest = outputs.scatter(-1, ids, -math.inf).logsumexp(-1) - total[:, 0]
        return {
            "ids": ids.cpu().numpy(),
            "values": (values - total).half().cpu().numpy(),
            "log_rest": log_rest.half().cpu().numpy(),
        }

    def packed(self, kept: Arrays, vocabulary: int) -> Arrays:
        """As the base says."""
        return {**kept, "ids": pack(kept["ids"].reshape(-1), bits_of(vocabulary))}

    def unpacked(self, packed: Arrays, vocabulary: int) -> Arrays:
        """As the base says."""
        count = len(packed["values"]) * self.top
        ids = unpack(packed["ids"], bits_of(vocabulary), count).reshape(-1, self.top)
        return {**packed, "ids": ids}

    def signal(self, kept: Arrays, layout: TokenLayout, head: Mapping[str, Tensor]) -> TopTokens:
        """As the base says; rounding is taken out, so that all probabilities add up to 1."""
        logs = np.concatenate([kept["values"], kept["log_rest"][:, None]], 1).astype(np.float32)
        logs -= np.log(np.exp(logs).sum(1, keepdims=True))
        return TopTokens(
            layout.dense(kept["ids"]),
            layout.dense(logs[:, :-1]),
            layout.dense(logs[:, -1]),
            layout.vocabulary,
            layout.cut,
        )

    def probabilities(self, signal: Any) -> Tensor:
        """As the base says, the rest spread evenly."""
        outputs = signal.vocabulary - self.top
        each = signal.log_rest.exp().cpu()[:, None] / outputs
        found: Tensor = each.repeat(1, signal.vocabulary)
        found.scatter_(1, signal.ids.cpu(), signal.log_p.exp().cpu())
        return found


def check_kept_mass(mass: float, top: int, rest: str, least: float = 0.8) -> None:
    """Warn, or refuse, where too much of an open vocabulary's distribution was left out.

    Parameters
    ----------
    mass : float
        Mean mass of the tokens kept.
    top : int
        How many they are.
    rest : str
        As in `TopTokens`.
    least : float
        Below it training is refused; 0 refuses nothing.

    Raises
    ------
    InvalidInput
        If less is kept.
    """
    kept = f"The {top} most probable tokens hold {mass:.1%} of the teacher's probability"
    if mass < least:
        raise InvalidInput(
            f"{kept}, less than {least:.0%}: a student of them may end farther from the teacher"
            " than one that never saw it.",
            'Record with keep="sampled:50", which is smaller and unbiased; or least_mass=0.',
        )
    if mass < (0.9 if rest == "bucket" else 0.98):
        warnings.warn(
            f"{kept}. The rest is lost; keep='sampled:50' loses nothing on average.", stacklevel=2
        )
