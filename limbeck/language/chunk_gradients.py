"""The gradients of sums over chunks of tokens: found with the values, or in a second pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "ChunkJob",
    "TokenLoss",
    "filled",
    "run_of",
    "sum_of_chunks",
    "values_of_chunks",
    "wide_logits",
]

TokenLoss = Callable[[Tensor, Tensor], Tensor]
"""From logits (n, vocabulary) of the tokens at places (n,) to a value per token (n,)."""


class ChunkJob(NamedTuple):
    """What is to be done, besides the tensors that gradients flow to."""

    loss: TokenLoss
    places: Tensor
    weights: Tensor | None
    rows: int
    finish: Callable[[Tensor], Tensor] | None

    def values(self, raw: Tensor, at: Tensor) -> Tensor:
        """What the loss says of some tokens, (n,).

        Parameters
        ----------
        raw : Tensor of shape (n, vocabulary)
            Their logits before they are finished.
        at : Tensor of int64, shape (n,)
            Their places.
        """
        return self.loss(wide_logits(raw if self.finish is None else self.finish(raw)), at)


def sum_of_chunks(job: ChunkJob, source: Sequence[Tensor | None]) -> Tensor:
    """The weighted sum of a loss; its gradient is found with it.

    Parameters
    ----------
    job : ChunkJob
        What is summed.
    source : sequence of Tensor or None
        Logits (tokens, vocabulary), None, None; or states, weight and bias of the head.
    """
    found: Tensor = _Sum.apply(job, *source)  # type: ignore[no-untyped-call]
    return found


def values_of_chunks(job: ChunkJob, source: Sequence[Tensor | None]) -> Tensor:
    """The value of each token; for the gradient logits are made once more.

    Parameters
    ----------
    job, source
        As in `sum_of_chunks`; weights are not looked at.
    """
    found: Tensor = _Values.apply(job, *source)  # type: ignore[no-untyped-call]
    return found


class _Sum(torch.autograd.Function):
    """The sum with its gradients, found in one pass."""

    @staticmethod
    def forward(
        ctx: Any, job: ChunkJob, source: Tensor, weight: Tensor | None, bias: Tensor | None
    ) -> Tensor:
        needs = ctx.needs_input_grad[1:]
        gradients = _Gradients(needs, source, weight, bias)
        total = torch.zeros((), dtype=_sum_type(source, 1), device=source.device)
        for at in torch.split(job.places, job.rows):
            here = run_of(at)
            raw = gradients.raw(here).requires_grad_(any(needs))
            with torch.set_grad_enabled(any(needs)):
                values = job.values(raw, at)
                values = values if job.weights is None else values * job.weights[at]
                part = values.sum()
            total += part.detach()
            if any(needs):
                gradients.add(torch.autograd.grad(part, raw)[0], here)
        ctx.grads = gradients.found()
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


class _Values(torch.autograd.Function):
    """The value of each token; for the gradient the logits are made again."""

    @staticmethod
    def forward(
        ctx: Any, job: ChunkJob, source: Tensor, weight: Tensor | None, bias: Tensor | None
    ) -> Tensor:
        ctx.job = job
        ctx.save_for_backward(source, weight, bias)
        gradients = _Gradients((False,) * 3, source, weight, bias)
        if not len(job.places):
            return source.new_zeros(0)
        found = (
            job.values(gradients.raw(run_of(at)), at) for at in torch.split(job.places, job.rows)
        )
        return filled(found, len(job.places))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        job, gradients = ctx.job, _Gradients(ctx.needs_input_grad[1:], *ctx.saved_tensors)
        chunks = (torch.split(t, job.rows) for t in (job.places, grad))
        for at, of_values in zip(*chunks, strict=True):
            here = run_of(at)
            raw = gradients.raw(here).requires_grad_()
            with torch.enable_grad():
                values = job.values(raw, at)
            gradients.add(torch.autograd.grad(values, raw, of_values)[0], here)
        return (None, *gradients.found())


class _Gradients:
    """Gradients of logits, or of states, weight and bias, summed over chunks.

    Parameters
    ----------
    needs : sequence of bool
        Which of the three are asked for.
    source, weight, bias : Tensor or None
        Logits alone, or states with the head.
    """

    def __init__(
        self, needs: Sequence[bool], source: Tensor, weight: Tensor | None, bias: Tensor | None
    ) -> None:
        self._given = (source, weight, bias)
        self._grads = [
            None
            if tensor is None or not need
            else torch.zeros_like(tensor, dtype=_sum_type(tensor, i))
            for i, (tensor, need) in enumerate(zip(self._given, needs, strict=True))
        ]
        self._source = source  # mixed precision: the head as it is in the model's own call
        self._weight, self._bias = (
            None if t is None else t.detach().to(source.dtype) for t in (weight, bias)
        )

    def raw(self, rows: Tensor | slice) -> Tensor:
        """Logits of some tokens before they are finished, without their past."""
        states = self._source[rows].detach()
        return states if self._weight is None else F.linear(states, self._weight, self._bias)

    def add(self, grad: Tensor, rows: Tensor | slice) -> None:
        """Add the gradient of a chunk's logits to those of what they were computed from.

        Parameters
        ----------
        grad : Tensor of shape (n, vocabulary)
            Of the logits of some tokens.
        rows : Tensor of int64 or slice
            Which tokens.
        """
        of_source, of_weight, of_bias = self._grads
        if of_source is not None:
            of_source[rows] = grad if self._weight is None else grad @ self._weight
        if of_weight is not None:
            states = self._source[rows]
            if states.dtype is of_weight.dtype:
                of_weight.addmm_(grad.T, states)
            else:
                of_weight += grad.T @ states
        if of_bias is not None:
            of_bias += grad.sum(0)

    def found(self) -> list[Tensor | None]:
        """The sums, in the type of what they are of."""
        return [
            None if grad is None or tensor is None else grad.to(tensor.dtype)
            for grad, tensor in zip(self._grads, self._given, strict=True)
        ]


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


def _sum_type(tensor: Tensor, over_chunks: int) -> torch.dtype:
    """Sums over chunks are kept in float32 at least; what a chunk owns, as it is."""
    return torch.promote_types(tensor.dtype, torch.float32) if over_chunks else tensor.dtype


def filled(parts: Iterable[Tensor], count: int) -> Tensor:
    """Values of chunks in one tensor, (count, ...), that is there before the chunks are computed.

    Kept one by one each would lie behind the large tensors of its chunk, whose memory the allocator
    of a processor then finds too small for the next ones: hundreds of chunks held gigabytes.

    Parameters
    ----------
    parts : iterable of Tensor
        Of one chunk after another, at least one.
    count : int
        Values of all.
    """
    found: Tensor | None = None
    at = 0
    for part in parts:
        found = part.new_empty((count, *part.shape[1:])) if found is None else found
        found[at : at + len(part)] = part
        at += len(part)
    assert found is not None  # noqa: S101  (no caller has none)
    return found


def wide_logits(logits: Tensor) -> Tensor:
    """Logits in float32 or wider: the softmax of a large vocabulary needs it."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
