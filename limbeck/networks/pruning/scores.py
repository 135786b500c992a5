"""What stays: scores of channels by activation, weights or gradients, and of blocks by angles."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.core.errors import InvalidInput
from limbeck.modules.capture import asking, evaluated, placed
from limbeck.modules.outputs import answer
from limbeck.networks.initialization.importance import by_activation, by_norm
from limbeck.networks.initialization.spaces import Axis, Space
from limbeck.networks.initialization.tracing import Trace
from limbeck.networks.pruning.blocks import RemovableBlock, Stack, without_blocks

__all__ = ["angle", "block_scores", "by_gradient", "channel_scores", "divergence"]


def channel_scores(
    module: nn.Module, found: Trace, importance: str, batch: Any, labels: Tensor | None, seed: int
) -> dict[Space, Tensor]:
    """How important each channel is, by the sets that they are followed in.

    Parameters
    ----------
    module : nn.Module
        The network that is cut.
    found : Trace
        Of its run on the batch.
    importance : str
        See `limbeck.networks.Pruned`.
    batch : Any
        Inputs of the rows.
    labels : Tensor or None
        Their classes or values, for gradients; the network's own answers where there are none.
    seed : int
        Draws what is random.
    """
    weights = {n: p.detach() for n, p in module.named_parameters(remove_duplicate=False)}
    scores = by_norm(weights, found.axes)
    if importance == "activation":
        scores |= by_activation(found.reads)
    if importance in ("gradient", "fisher"):
        scores |= by_gradient(module, found.axes, batch, labels, each_row=importance == "fisher")
    if importance == "random":
        draw = torch.Generator().manual_seed(seed)
        scores = {s: torch.rand(v.shape, generator=draw) for s, v in scores.items()}
    return {s: v.cpu() for s, v in scores.items()}


def by_gradient(
    module: nn.Module,
    axes: Mapping[str, tuple[Axis, ...]],
    batch: Any,
    labels: Tensor | None,
    *,
    each_row: bool,
) -> dict[Space, Tensor]:
    """By how much the loss would change without a channel, to first order, squared.

    The share of each channel in (g w)^2 summed over a weight (Molchanov et al. 2019), with
    g the gradient of the mean loss; or the mean over rows of it (Theis et al. 2018, the Fisher
    information). The loss is that of the labels: cross-entropy for classes and shares of them,
    squared error for values, one answer at a time for several from 0 to 1; without labels,
    cross-entropy with the network's own classes.

    Parameters
    ----------
    module : nn.Module
        Left as it is.
    axes : mapping
        The axes of its tensors.
    batch : Any
        Inputs.
    labels : Tensor or None
        Class indices or values of the rows.
    each_row : bool
        Whether squares are taken row by row.

    Raises
    ------
    InvalidInput
        If a network with one output has no labels.
    """
    known = {n: p for n, p in module.named_parameters() if n in axes and p.is_floating_point()}
    flags = {p: p.requires_grad for p in module.parameters()}
    kind = _kind_of(labels)
    inputs, labels = placed(batch, module), None if labels is None else placed(labels, module)
    total = {n: torch.zeros_like(p, dtype=torch.float64) for n, p in known.items()}
    try:
        for p in flags:
            p.requires_grad_(p.is_floating_point())
        with evaluated(module), torch.enable_grad():
            rows = _rows(inputs)
            parts = range(rows) if each_row else [slice(0, rows)]
            for part in parts:
                at = slice(part, part + 1) if isinstance(part, int) else part
                some = _some(inputs, at)
                loss = _loss(answer(module, some), None if labels is None else labels[at], kind)
                found = torch.autograd.grad(loss, list(known.values()), allow_unused=True)
                for (name, p), g in zip(known.items(), found, strict=True):
                    if g is not None:
                        total[name] += (g.double() * p.detach().double()).square()
    finally:
        for p, flag in flags.items():
            p.requires_grad_(flag)
    return by_norm({n: v.sqrt() for n, v in total.items()}, axes)


def block_scores(
    module: nn.Module, stack: Stack, importance: str, batch: Any, seed: int
) -> list[float]:
    """How important each block of a stack is; of ``angular`` see `angle`.

    Parameters
    ----------
    module : nn.Module
        The network that is cut.
    stack : Stack
        Its blocks.
    importance : {"cosine", "loss", "last", "random"}
        1 less the mean cosine of what enters and leaves (Men et al. 2024); the divergence of the
        answers without the block; the later the less; drawn.
    batch : Any
        Inputs.
    seed : int
        Draws what is random.
    """
    blocks = stack.blocks
    if importance == "last":
        return [-float(i) for i in range(len(blocks))]
    if importance == "random":
        draw = torch.Generator().manual_seed(seed)
        return torch.rand(len(blocks), generator=draw).tolist()
    if importance == "loss":
        return [_rise(module, b, batch) for b in blocks]
    return [1 - float(_cosine(b.seen.before, b.seen.after).mean()) for b in blocks]


def angle(blocks: Sequence[RemovableBlock]) -> float:
    """The mean angle between the ends of a run of blocks, over pi (Gromov et al. 2024).

    The last token of each sequence is compared, as there; of other outputs all places.
    """
    before, after = blocks[0].seen.before, blocks[-1].seen.after
    if before.ndim == 3:
        before, after = before[:, -1], after[:, -1]
    cosine = _cosine(before, after).clamp(-1, 1)
    return float((torch.arccos(cosine) / math.pi).mean())


def divergence(ours: Tensor, theirs: Tensor) -> Tensor:
    """Per row, KL of the student's distribution from the teacher's; of single numbers squares.

    Parameters
    ----------
    ours, theirs : Tensor of shape (n, ..., k)
        Logits of student and teacher.
    """
    k = ours.shape[-1] if ours.ndim > 1 else 1
    ours, theirs = (x.double().reshape(len(x), -1, k) for x in (ours, theirs))
    if ours.shape[-1] == 1:
        return (ours - theirs).square().mean((1, 2))
    log_p, log_q = F.log_softmax(theirs, -1), F.log_softmax(ours, -1)
    return (log_p.exp() * (log_p - log_q)).sum(-1).mean(1)


def _rise(module: nn.Module, block: RemovableBlock, batch: Any) -> float:
    less = copy.deepcopy(module)
    without_blocks(less, [block.name, *block.followers])
    inputs = placed(batch, module)
    with asking(module, less):
        return float(divergence(answer(less, inputs), answer(module, inputs)).mean())


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    """By row (and place), over the last axis of sequences, over all of pictures."""
    if a.ndim > 3:
        a, b = a.flatten(1), b.flatten(1)
    return F.cosine_similarity(a.double(), b.double(), dim=-1)


def _kind_of(labels: Tensor | None) -> str:
    """What all labels are: none, classes, values, shares of classes, or answers from 0 to 1."""
    if labels is None:
        return "none"
    if not labels.is_floating_point():
        return "classes"
    if bool(((labels < 0) | (labels > 1)).any()):
        return "values"
    sums = labels.sum(-1)
    return "shares" if torch.allclose(sums, torch.ones_like(sums), atol=1e-4) else "answers"


def _loss(scores: Tensor, labels: Tensor | None, kind: str) -> Tensor:
    """The loss that such labels are learned by; without them that of the network's own classes."""
    flat = scores.reshape(-1, scores.shape[-1])
    one = flat.shape[-1] == 1
    if labels is None:
        if one:
            raise InvalidInput(
                "Importance by gradients needs labels where a network has one output: it is no"
                " error of its own answer.",
                "Give labels, or Pruned(importance='activation').",
            )
        labels = flat.detach().argmax(-1)
    wide = labels.shape == scores.shape and not one
    if wide and kind == "shares":
        return F.cross_entropy(flat, labels.reshape(flat.shape).to(flat.dtype))
    if (wide and kind != "values") or (one and kind == "classes"):
        return F.binary_cross_entropy_with_logits(flat, labels.reshape(flat.shape).to(flat.dtype))
    if labels.is_floating_point():
        return F.mse_loss(flat, labels.reshape(flat.shape).to(flat.dtype))
    return F.cross_entropy(flat, labels.reshape(-1).long(), ignore_index=-100)


def _rows(inputs: Any) -> int:
    if isinstance(inputs, Mapping):
        return len(next(iter(inputs.values())))
    return len(inputs[0]) if isinstance(inputs, tuple | list) else len(inputs)


def _some(inputs: Any, at: slice) -> Any:
    if isinstance(inputs, Mapping):
        return {n: v[at] for n, v in inputs.items()}
    if isinstance(inputs, tuple | list):
        return tuple(v[at] for v in inputs)
    return inputs[at]
