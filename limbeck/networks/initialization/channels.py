"""Narrower layers from wider ones: the important channels, the same ones wherever they are read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.networks.initialization.importance import Importance, by_activation, by_norm
from limbeck.networks.initialization.spaces import Axis, Factor, Space, join
from limbeck.networks.initialization.tracing import trace

__all__ = ["select"]

Chosen = tuple[Tensor, ...]
"""For each axis of a tensor of the teacher, the indices that the student takes."""


def select(
    teacher: nn.Module,
    student: nn.Module,
    tensors: Mapping[str, str],
    batch: Any,
    importance: Importance = "activation",
) -> dict[str, Chosen | str]:
    """Choose, for each tensor of another shape, which channels of the teacher's a student takes.

    Both networks run once on the batch, and the channels of every axis are followed through the
    run (see `limbeck.networks.initialization.tracing`), so that a channel is kept or dropped in all
    tensors that write or read it. The most important are kept, in their order. Where channels
    are cut into heads, whole heads are chosen if their width stays, else the same number in each.

    Parameters
    ----------
    teacher, student : nn.Module
        Left as they are.
    tensors : mapping of str to str
        Names of the student's state to names of the teacher's.
    batch : Any
        What both are called with.
    importance : {"activation", "norm"}
        By what they give on the batch, or by their weights; see
        `limbeck.networks.initialization.importance`.

    Returns
    -------
    dict
        By the student's names, of tensors whose shapes differ: indices an axis, or why there are
        none.
    """
    told = trace(teacher, batch)
    olds, news = told.axes, trace(student, batch).axes
    sources: dict[Space, list[Space]] = {}
    for new, old in tensors.items():
        for ours, theirs in zip(news.get(new, ()), olds.get(old, ()), strict=False):
            for a, b in _alike(ours, theirs):
                sources.setdefault(a, []).append(b)
    for found in sources.values():  # what one set of channels comes from is chosen as one
        for other in found[1:]:
            if other.root().size == found[0].root().size:
                join(_axis(found[0]), _axis(other))
            else:
                other.root().lost = found[0].root().lost = True
    weights = {n: p.detach() for n, p in teacher.named_parameters()}
    scores = by_norm(weights, olds)
    if importance == "activation":
        scores |= by_activation(told.reads)
    out: dict[str, Chosen | str] = {}
    state = student.state_dict(), teacher.state_dict()
    for new, old in tensors.items():
        if state[0][new].shape == state[1][old].shape:
            continue
        if new not in news or old not in olds or len(news[new]) != len(olds[old]):
            out[new] = "it takes no part in the run on the batch"
            continue
        axes = [_chosen(a, b, scores) for a, b in zip(news[new], olds[old], strict=True)]
        reasons = [a for a in axes if isinstance(a, str)]
        out[new] = reasons[0] if reasons else tuple(a for a in axes if isinstance(a, Tensor))
    return out


def _alike(new: Axis, old: Axis) -> Iterator[tuple[Space, Space]]:
    """Sets of channels of a student, each with that of the teacher in its place."""
    if len(new) != len(old):
        return
    for f, g in zip(new, old, strict=True):
        for p, q in zip(f.parts, g.parts, strict=False):
            if len(f.parts) == len(g.parts):
                yield from _alike(p, q)
        if f.space is not None and g.space is not None:
            yield f.space.root(), g.space


def _axis(space: Space) -> Axis:
    return (Factor(space.size, space),)


def _chosen(new: Axis, old: Axis, scores: Mapping[Space, Tensor]) -> Tensor | str:
    """Indices along one axis."""
    if len(new) != len(old):
        return "its channels are laid out in another way"
    out = torch.zeros(1, dtype=torch.int64)
    for a, b in zip(new, old, strict=True):
        if a.parts or b.parts:
            part = _of_parts(a, b, scores)
        else:
            part = torch.arange(a.size) if a.size == b.size else _of_space(a, b, scores)
        if isinstance(part, str):
            return part
        out = (out[:, None] * b.size + part[None, :].to(out.device)).flatten()
    return out


def _of_parts(new: Factor, old: Factor, scores: Mapping[Space, Tensor]) -> Tensor | str:
    if len(new.parts) != len(old.parts):
        return f"{len(old.parts) or 1} parts joined in the teacher, {len(new.parts) or 1} here"
    out, first = [], 0
    for a, b in zip(new.parts, old.parts, strict=True):
        part = _chosen(a, b, scores)
        if isinstance(part, str):
            return part
        out.append(first + part)
        first += math.prod(f.size for f in b)
    return torch.cat(out)


def _of_space(new: Factor, old: Factor, scores: Mapping[Space, Tensor]) -> Tensor | str:
    if new.size > old.size:
        return "wider than the teacher's"
    if new.space is None or old.space is None:
        return "not channels, and of another size"
    a, b = new.space.root(), old.space.root()
    if a.fixed or b.fixed:
        return "inputs, outputs or positions of another number"
    if a.lost or b.lost or b not in scores or new.piece is not None:
        return "its channels could not be followed through the run"
    score = scores[b]
    if a.split is None and b.split is None:
        return _best(score, a.size)
    if a.split is None or b.split is None or len(a.split) != 2 or len(b.split) != 2:
        return "its channels are laid out in another way"
    table = score.reshape(b.split)  # (heads, width)
    if a.split[1] == b.split[1]:
        heads = _best(table.sum(1), a.split[0])
        return (heads[:, None] * b.split[1] + torch.arange(b.split[1])).flatten()
    if a.split[0] == b.split[0]:
        inner = torch.stack([_best(row, a.split[1]) for row in table])
        return (torch.arange(b.split[0])[:, None] * b.split[1] + inner).flatten()
    return "heads of another number and another width"


def _best(score: Tensor, n: int) -> Tensor:
    """The n largest, in their order; the first of equals."""
    order = torch.argsort(score.cpu(), descending=True, stable=True)
    return order[:n].sort().values
