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

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput

__all__ = [
    "LMHead",
    "TokenLoss",
    "TokenSum",
    "chunk_rows",
    "chunked_sum",
    "chunked_values",
    "run_of",
]

_ELEMENTS = {"cpu": 1 << 20, "cuda": 1 << 26}
"""Logits of one chunk: about a cache of a processor; enough to keep a GPU busy."""

TokenLoss = Callable[[Tensor, Tensor], Tensor]
"""From logits (n, vocabulary) of the tokens at places (n,) to a value per token (n,)."""


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
    places = _places(student, mask)
    if weights is not None:
        _same_shape("weights", weights, student)
        weights = weights.detach().reshape(-1)
    source: tuple[Tensor | None, ...]
    if isinstance(student, LMHead):
        flat = student.flat()
        rows, finish = chunk_rows(flat.outputs, flat.states.device, elements), flat.finished
        source = (flat.states, flat.weight, flat.bias)
    else:
        logits = student.reshape(-1, student.shape[-1])
        rows, finish = chunk_rows(logits.shape[-1], logits.device, elements), None
        source = (logits, None, None)
    job = _Job(loss, places, weights, rows, finish)
    total: Tensor = _Chunked.apply(job, *source)  # type: ignore[no-untyped-call]
    return TokenSum(total, total.new_tensor(float(len(places))))


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
    found = [
        value(_wide(flat.logits(at) if isinstance(flat, LMHead) else flat[at]), at)
        for at in torch.split(places, chunk_rows(vocabulary, places.device, elements))
    ]
    return torch.cat(found) if found else torch.zeros(0, device=places.device)


class _Job(NamedTuple):
    """What `_Chunked` is asked for, besides tensors with gradients."""

    loss: TokenLoss
    places: Tensor
    weights: Tensor | None
    rows: int
    finish: Callable[[Tensor], Tensor] | None


class _Chunked(torch.autograd.Function):
    """The sum with its gradients, found in one pass."""

    @staticmethod
    def forward(
        ctx: Any, job: _Job, source: Tensor, weight: Tensor | None, bias: Tensor | None
    ) -> Tensor:
        needs = ctx.needs_input_grad[1:]
        grads = [
            None
            if tensor is None or not need
            else torch.zeros_like(tensor, dtype=_sum_type(tensor, i))
            for i, (tensor, need) in enumerate(zip((source, weight, bias), needs, strict=True))
        ]
        total = torch.zeros((), dtype=_sum_type(source, 1), device=source.device)
        for at in torch.split(job.places, job.rows):
            here = run_of(at)
            states = source[here]
            raw = states if weight is None else F.linear(states, weight, bias)
            raw = raw.detach().requires_grad_(any(needs))
            with torch.set_grad_enabled(any(needs)):
                logits = _wide(raw if job.finish is None else job.finish(raw))
                values = job.loss(logits, at)
                values = values if job.weights is None else values * job.weights[at]
                part = values.sum()
            total += part.detach()
            if any(needs):
                (grad,) = torch.autograd.grad(part, raw)
                _add(grads, grad, here, states, weight)
        ctx.grads = [
            None if grad is None or tensor is None else grad.to(tensor.dtype)
            for grad, tensor in zip(grads, (source, weight, bias), strict=True)
        ]
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        found, ctx.grads = ctx.grads, None
        if found is None:
            raise RuntimeError("The gradient of a chunked loss was asked for twice.")
        scale = grad if grad.is_cuda else float(grad)
        if isinstance(scale, Tensor) or scale != 1:
            found = [None if g is None else g.mul_(scale) for g in found]
        return (None, *found)


def run_of(places: Tensor) -> Tensor | slice:
    """Places one after another as a slice, which copies nothing; else as they are.

    Parameters
    ----------
    places : Tensor of int64, shape (n,)
        In any order.
    """
    if not places.is_cpu or not len(places):  # looking at numbers costs nothing there alone
        return places
    first, last = int(places[0]), int(places[-1])
    if last - first + 1 != len(places) or not bool((places.diff() == 1).all()):
        return places
    return slice(first, last + 1)


def _add(
    grads: list[Tensor | None],
    grad: Tensor,
    at: Tensor | slice,
    states: Tensor,
    weight: Tensor | None,
) -> None:
    """Add the gradient of a chunk's logits to those of what they were computed from."""
    of_source, of_weight, of_bias = grads
    if of_source is not None:
        of_source[at] = (grad if weight is None else grad @ weight.to(grad.dtype)).to(of_source)
    if of_weight is not None:
        product = grad.T @ states.to(grad.dtype)
        of_weight += product
    if of_bias is not None:
        of_bias += grad.sum(0)


def _sum_type(tensor: Tensor, over_chunks: int) -> torch.dtype:
    """Sums over chunks are kept in float32 at least; what a chunk owns, as it is."""
    return torch.promote_types(tensor.dtype, torch.float32) if over_chunks else tensor.dtype


def _wide(logits: Tensor) -> Tensor:
    """Logits in float32 or wider: the softmax of a large vocabulary needs it."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


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
