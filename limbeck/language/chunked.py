"""Sums over tokens of what depends on the student's distribution, some tokens at a time.

The logits of 8 sequences of 2,048 tokens over a vocabulary of 151,936 take 10 GB, and a loss
written with them holds several copies. Here only as many tokens are looked at together as fit into
``elements`` logits; the gradient of a chunk is found with its value, so nothing is kept and
nothing computed twice, as in Liger's fused losses. Given hidden states and the LM head instead of
logits, no tensor of tokens x vocabulary exists at any time.

A sum comes with the number of tokens that counted: divide by the number over all processes and
accumulated batches, not by that of one part, else tokens of short batches count for more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.chunk_gradients import (
    ChunkJob,
    TokenLoss,
    filled,
    run_of,
    sum_of_chunks,
    values_of_chunks,
    wide_logits,
)

__all__ = [
    "LMHead",
    "TokenLoss",
    "TokenSum",
    "chunk_rows",
    "chunked_sum",
    "chunked_tokens",
    "chunked_values",
    "run_of",
]

_ELEMENTS = {"cpu": 1 << 20, "cuda": 1 << 26}
"""Logits of one chunk: about a cache of a processor; enough to keep a GPU busy."""
_HEAD_ROWS = 96
"""Tokens of a chunk at least, from states: each adds to the gradient of the whole head."""


class TokenSum(NamedTuple):
    """A loss summed over tokens, with their number.

    Attributes
    ----------
    total : Tensor
        The sum, a scalar; it carries the gradient.
    tokens : Tensor
        How many tokens counted, a scalar, whatever they weigh.
    """

    total: Tensor
    tokens: Tensor

    @property
    def mean(self) -> Tensor:
        """The mean over the tokens of this part; 0 where none counted."""
        return self.total / self.tokens.clamp_min(torch.finfo(self.total.dtype).tiny)


@dataclass(frozen=True, eq=False)
class LMHead:
    """Last hidden states with the head that makes logits of them, in place of the logits.

    Parameters
    ----------
    states : Tensor of shape (..., width)
        What the head is applied to, that is after the final norm.
    weight : Tensor of shape (vocabulary, width)
        The head; often the table of embeddings.
    bias : Tensor of shape (vocabulary,), optional
        Of the head.
    scale : float
        Logits are multiplied by it (``logit_scale`` of Cohere's models).
    softcap : float, optional
        Logits z become softcap tanh(z / softcap) (``final_logit_softcapping`` of Gemma's models).
    """

    states: Tensor
    weight: Tensor
    bias: Tensor | None = None
    scale: float = 1.0
    softcap: float | None = None

    @property
    def outputs(self) -> int:
        """How many logits a token has."""
        return len(self.weight)

    def flat(self) -> LMHead:
        """The same with states of shape (tokens, width)."""
        states = self.states.reshape(-1, self.states.shape[-1])
        return LMHead(states, self.weight, self.bias, self.scale, self.softcap)

    def logits(self, rows: slice | Tensor) -> Tensor:
        """Logits of some tokens, of shape (n, vocabulary).

        Parameters
        ----------
        rows : slice or Tensor of int64
            Which tokens, of flat states.
        """
        return self.finished(F.linear(self.states[rows], self.weight, self.bias))

    def finished(self, raw: Tensor) -> Tensor:
        """What the model makes of the products of states and head."""
        if self.scale != 1:
            raw = raw * self.scale
        return raw if self.softcap is None else self.softcap * torch.tanh(raw / self.softcap)


def chunk_rows(vocabulary: int, device: torch.device, elements: int | None = None) -> int:
    """How many tokens are looked at together.

    Parameters
    ----------
    vocabulary : int
        Logits per token.
    device : torch.device
        Where they are computed.
    elements : int, optional
        How many logits stand in memory together; by default what suits the device.
    """
    return max(1, (elements or _ELEMENTS.get(device.type, 1 << 24)) // vocabulary)


def chunked_sum(
    student: Tensor | LMHead,
    loss: TokenLoss,
    mask: Tensor | None = None,
    weights: Tensor | None = None,
    elements: int | None = None,
) -> TokenSum:
    """Sum of a loss over tokens; gradients flow to the student's logits, or to states and head.

    Parameters
    ----------
    student : Tensor of shape (..., vocabulary), or LMHead
        Logits, or hidden states with their head.
    loss : callable
        From logits (n, vocabulary), in float32 or wider, and the places (n,) of their tokens among
        all tokens in order, to a value per token. Other tensors in it get no gradient.
    mask : Tensor of bool, shape (...), optional
        Which tokens count; all by default. The others are not even computed.
    weights : Tensor of shape (...), optional
        What each token's value is multiplied by; no gradient flows through it. What is
        counted is the number of tokens nevertheless.
    elements : int, optional
        As in `chunk_rows`.

    Returns
    -------
    TokenSum

    Raises
    ------
    InvalidInput
        If the mask or the weights are of another shape.

    Examples
    --------
    >>> import torch
    >>> logits = torch.zeros(2, 3, 5, requires_grad=True)
    >>> labels = torch.zeros(6, dtype=torch.long)
    >>> loss = lambda z, at: torch.nn.functional.cross_entropy(z, labels[at], reduction="none")
    >>> found = chunked_sum(logits, loss)
    >>> round(float(found.mean.detach()), 4), int(found.tokens)
    (1.6094, 6)
    """
    job, source = _job(student, loss, mask, weights, elements)
    total = sum_of_chunks(job, source)
    return TokenSum(total, total.new_tensor(float(len(job.places))))


def chunked_tokens(
    student: Tensor | LMHead, value: TokenLoss, mask: Tensor | None = None
) -> Tensor:
    """The value of each token that counts, in order, with gradients to the student.

    For losses in which tokens meet. Logits of a chunk are made once more for the gradient.

    Parameters
    ----------
    student, mask
        As in `chunked_sum`.
    value : callable
        As ``loss`` there.

    Returns
    -------
    Tensor of shape (counted tokens,)
    """
    job, source = _job(student, value, mask)
    return values_of_chunks(job, source)


@torch.no_grad()
def chunked_values(
    student: Tensor | LMHead,
    value: TokenLoss,
    mask: Tensor | None = None,
    elements: int | None = None,
) -> Tensor:
    """The value of each token that counts, in order, without gradients.

    Parameters
    ----------
    student, mask, elements
        As in `chunked_sum`.
    value : callable
        As ``loss`` there.

    Returns
    -------
    Tensor of shape (counted tokens,)
    """
    places = _places(student, mask)
    flat = student.flat() if isinstance(student, LMHead) else student.reshape(-1, student.shape[-1])
    vocabulary = flat.outputs if isinstance(flat, LMHead) else flat.shape[-1]
    if not len(places):
        return torch.zeros(0, device=places.device)
    found = (
        value(wide_logits(flat.logits(at) if isinstance(flat, LMHead) else flat[at]), at)
        for at in torch.split(places, chunk_rows(vocabulary, places.device, elements))
    )
    return filled(found, len(places))


def _job(
    student: Tensor | LMHead,
    loss: TokenLoss,
    mask: Tensor | None,
    weights: Tensor | None = None,
    elements: int | None = None,
) -> tuple[ChunkJob, tuple[Tensor | None, ...]]:
    """What is to be done, and the tensors that gradients flow to."""
    places = _places(student, mask)
    if weights is not None:
        _same_shape("weights", weights, student)
        weights = weights.detach().reshape(-1)
    if isinstance(student, LMHead):
        flat = student.flat()
        rows = chunk_rows(flat.outputs, flat.states.device, elements)
        rows = rows if elements else max(rows, _HEAD_ROWS)
        return (ChunkJob(loss, places, weights, rows, flat.finished),
                (flat.states, flat.weight, flat.bias))  # fmt: skip
    logits = student.reshape(-1, student.shape[-1])
    rows = chunk_rows(logits.shape[-1], logits.device, elements)
    return ChunkJob(loss, places, weights, rows, None), (logits, None, None)


def _places(student: Tensor | LMHead, mask: Tensor | None) -> Tensor:
    """Places of the tokens that count, among all tokens in order."""
    tensor = student.states if isinstance(student, LMHead) else student
    if mask is None:
        return torch.arange(tensor.numel() // max(tensor.shape[-1], 1), device=tensor.device)
    _same_shape("mask", mask, student)
    return mask.reshape(-1).bool().nonzero()[:, 0]


def _same_shape(name: str, given: Tensor, student: Tensor | LMHead) -> None:
    tensor = student.states if isinstance(student, LMHead) else student
    if given.shape != tensor.shape[:-1]:
        raise InvalidInput(
            f"The {name} has the shape {tuple(given.shape)}, and the student's tokens have"
            f" {tuple(tensor.shape[:-1])}.",
            "Give one number per token of the student's logits.",
        )
