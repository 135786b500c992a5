"""A few tokens drawn from the teacher's distribution, with their counts: small and unbiased.

With N tokens drawn with replacement from p, the target counts / N has the mean p, so the gradient
of the forward KL is that of the full distribution on average, whatever mass the tokens drawn have;
its mean squared error is (1 - sum p^2) / N (random-sampling distillation, arXiv 2503.16870). The
largest k log-probabilities of the same size are biased.

The entropy of p is kept too, so that the loss is the KL on average and not the cross-entropy. For a
single token it may be negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.carriers.carrier import Arrays, Carrier, TokenLayout
from limbeck.language.carriers.packing import bits_of, pack, unpack
from limbeck.language.carriers.signal import TeacherSignal

__all__ = ["KeepSampled", "SampledTokens", "counted", "draw_tokens"]

_SMALL = 1_024
_BLOCK = 64  # outputs that are summed together before a token is looked for among them


class SampledTokens(TeacherSignal):
    """Distributions known by tokens drawn from them.

    Parameters
    ----------
    ids : Tensor of int64, shape (tokens, k)
        Tokens drawn at each place; any id where the share is 0.
    shares : Tensor of shape (tokens, k)
        Count / draws; 0 where less than k tokens are different.
    entropy : Tensor of shape (tokens,)
        Of the distributions, in nats.
    vocabulary : int
        How many outputs the teacher has.
    cut : bool
        Whether students with more outputs are cut to these.

    Examples
    --------
    >>> import torch
    >>> ids, shares = torch.tensor([[2, 0]]), torch.tensor([[0.75, 0.25]])
    >>> signal = SampledTokens(ids, shares, torch.tensor([0.6]), vocabulary=4)
    >>> log_q = torch.full((1, 4), 0.25).log()
    >>> round(float(signal.token_loss(log_q, torch.tensor([0]))), 4)  # ln 4 - 0.6
    0.7863
    """

    name: ClassVar[str] = "sampled"

    def __init__(
        self, ids: Tensor, shares: Tensor, entropy: Tensor, vocabulary: int, cut: bool = False
    ) -> None:
        self.ids, self.shares, self.entropy = ids, shares, entropy
        self.vocabulary, self.cut = vocabulary, cut

    def __len__(self) -> int:
        return len(self.ids)

    def check(self, divergence: str, temperature: float) -> None:
        """Only the forward KL at temperature 1 has an unbiased gradient."""
        if divergence != "forward_kl" or temperature != 1:
            raise InvalidInput(
                f"The divergence is {divergence!r} at temperature {temperature}, and what is kept"
                " of the teacher are tokens drawn at temperature 1.",
                'Use divergence="forward_kl" at temperature 1, or record with keep="hidden".',
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
        """Unbiased estimates of KL(p || q)."""
        shares = self.shares[places].to(log_q.dtype)
        log_q = log_q.gather(1, self.ids[places]).masked_fill(shares == 0, 0.0)
        return -(shares * log_q).sum(-1) - self.entropy[places].to(log_q.dtype)


@dataclass(frozen=True)
class KeepSampled(Carrier):
    """Tokens drawn, with their counts.

    Ids come the most frequent first, and counts of 1 are not written.

    Parameters
    ----------
    draws : int
        N, for each place.
    """

    draws: int = 50

    @property
    def keep(self) -> str:
        """As the base says."""
        return f"sampled:{self.draws}"

    def noise(self, tokens: int, seed: int) -> Tensor:
        """As the base says."""
        generator = torch.Generator().manual_seed(seed >> 1)
        return torch.rand(tokens, self.draws, generator=generator, dtype=torch.float64)

    def kept(self, outputs: Tensor, noise: Tensor | None) -> Arrays:
        """As the base says."""
        assert noise is not None  # noqa: S101  (from above)
        shifted = outputs - outputs.amax(-1, keepdim=True)
        weights = shifted.exp()
        drawn, total = draw_tokens(weights, noise)
        spread = torch.linalg.vecdot(weights, shifted)
        if bool(spread.isnan().any()):  # outputs of -inf: 0 log 0 is 0
            spread = (weights * shifted.clamp_min(torch.finfo(shifted.dtype).min)).sum(-1)
        entropy = total.log() - spread / total
        distinct, ids, counts = counted(drawn.cpu().numpy())
        return {
            "distinct": distinct,
            "ids": ids,
            "counts": counts,
            "entropy": entropy.half().cpu().numpy(),
        }

    def packed(self, kept: Arrays, vocabulary: int) -> Arrays:
        """As the base says."""
        several = kept["counts"] > 1
        places = np.repeat(np.arange(len(kept["distinct"])), kept["distinct"])
        repeated = np.bincount(places[several], minlength=len(kept["distinct"]))
        small = np.uint8 if self.draws < 256 else np.uint16
        return {
            "distinct": kept["distinct"].astype(small),
            "repeated": repeated.astype(small),
            "counts": kept["counts"][several].astype(small),
            "ids": pack(kept["ids"], bits_of(vocabulary)),
            "entropy": kept["entropy"],
        }

    def unpacked(self, packed: Arrays, vocabulary: int) -> Arrays:
        """As the base says."""
        distinct = packed["distinct"].astype(np.int64)
        repeated = packed["repeated"].astype(np.int64)
        counts = np.ones(distinct.sum(), dtype=np.int64)
        starts = np.cumsum(distinct) - distinct
        counts[np.repeat(starts, repeated) + _within(repeated)] = packed["counts"]
        ids = unpack(packed["ids"], bits_of(vocabulary), len(counts))
        return {
            "distinct": distinct,
            "ids": ids,
            "counts": counts,
            "entropy": packed["entropy"],
        }

    def signal(
        self, kept: Arrays, layout: TokenLayout, head: Mapping[str, Tensor]
    ) -> SampledTokens:
        """As the base says."""
        distinct = kept["distinct"]
        at = np.repeat(np.arange(len(distinct)), distinct), _within(distinct)
        shape = len(distinct), int(distinct.max(initial=1))
        ids, shares = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.float32)
        ids[at], shares[at] = kept["ids"], kept["counts"] / self.draws
        return SampledTokens(
            layout.dense(ids),
            layout.dense(shares),
            layout.dense(kept["entropy"].astype(np.float32)),
            layout.vocabulary,
            layout.cut,
        )

    def probabilities(self, signal: Any) -> Tensor:
        """As the base says."""
        found = torch.zeros(len(signal), signal.vocabulary)
        return found.scatter_add_(1, signal.ids.cpu(), signal.shares.cpu())


def draw_tokens(weights: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens drawn with replacement, (n, draws) of int64, and the sum of the weights, (n,).

    Of large vocabularies the cumulative sum is searched in two steps, so that most of the
    vocabulary is only summed.

    Parameters
    ----------
    weights : Tensor of shape (n, vocabulary)
        Proportional to the probabilities.
    uniform : Tensor of float64, shape (n, draws)
        Uniform numbers in [0, 1).
    """
    n, vocabulary = weights.shape
    if vocabulary <= _SMALL:  # one search is quicker than to look into a block for each draw
        ends = weights.double().cumsum(-1)
        found = torch.searchsorted(ends, uniform.to(weights.device) * ends[:, -1:], right=True)
        last = (ends == ends[:, -1:]).double().argmax(-1, keepdim=True)
        return torch.minimum(found, last), ends[:, -1]
    short = -vocabulary % _BLOCK
    filled = torch.nn.functional.pad(weights, (0, short)) if short else weights
    blocks = filled.reshape(n, -1, _BLOCK)
    ends = blocks.sum(-1).double().cumsum(-1)  # in float32 49,152 terms would drift
    wanted = uniform.to(weights.device) * ends[:, -1:]
    block = torch.searchsorted(ends, wanted, right=True).clamp_max(ends.shape[1] - 1)
    before = torch.where(block > 0, ends.gather(1, (block - 1).clamp_min(0)), 0.0)
    inside = blocks[torch.arange(n, device=block.device)[:, None], block].double().cumsum(-1)
    within = torch.searchsorted(inside, (wanted - before)[..., None], right=True)[..., 0]
    last = (inside == inside[..., -1:]).double().argmax(-1)  # rounding must not lead beyond it
    return block * _BLOCK + torch.minimum(within, last), ends[:, -1]


def _within(sizes: NDArray[Any]) -> NDArray[np.int64]:
    """0, 1, ..., size - 1 for each size, one after another."""
    ends = np.cumsum(sizes)
    found: NDArray[np.int64] = np.arange(int(sizes.sum())) - np.repeat(ends - sizes, sizes)
    return found


def counted(drawn: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Different tokens of each place with their counts, the most frequent first.

    Parameters
    ----------
    drawn : ndarray of int, shape (n, draws)
        Tokens of each place.

    Returns
    -------
    distinct : ndarray of shape (n,)
        How many tokens are different.
    ids, counts : ndarray of shape (sum of distinct,)
        Of all places one after another.

    Examples
    --------
    >>> [part.tolist() for part in counted(np.array([[7, 3, 7], [1, 1, 1]]))]
    [[2, 1], [7, 3, 1], [2, 1, 3]]
    """
    ordered = np.sort(drawn, axis=1)
    first = np.ones(ordered.shape, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    at = np.flatnonzero(first)
    counts = np.diff(at, append=ordered.size)
    ids, places = ordered.reshape(-1)[at], at // ordered.shape[1]
    order = np.lexsort((ids, -counts, places))
    return first.sum(1), ids[order], counts[order]
