"""Channels: which axes of which tensors are the same, and what a reshape makes of them.

A space is a set of channels: what one layer writes, every layer that reads it, and whatever is
added to it; a group of the dependency graph of Fang et al. (2023), DepGraph.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Axis", "Factor", "Space", "join", "lose", "reshaped", "resolved"]


@dataclass(eq=False)
class Space:
    """A set of channels.

    ``fixed`` are those of inputs, outputs, words or kernels, of which none can be left out;
    ``split`` says into what a reshape cuts them, such as (heads, width of a head); ``lost`` that
    an operation mixes them in a way that is not followed.
    """

    size: int
    fixed: bool = False
    lost: bool = False
    split: tuple[int, ...] | None = None
    parent: Space | None = None
    is_: tuple[Factor, ...] | None = None

    def root(self) -> Space:
        """The space that this one was found to be."""
        return self if self.parent is None else self.parent.root()


@dataclass(frozen=True, eq=False)
class Factor:
    """A part of an axis: a space, one piece of a space that was cut, or nothing known (None)."""

    size: int
    space: Space | None = None
    piece: int | None = None


Axis = tuple[Factor, ...]
"""One axis of a tensor: mostly one factor; several where axes were flattened into one."""


def resolved(axis: Axis) -> Axis:
    """With what a flattened axis was found to be put in its place."""
    out: list[Factor] = []
    for f in axis:
        inner = None if f.space is None or f.piece is not None else f.space.root().is_
        out += [f] if inner is None else resolved(inner)
    return tuple(out)


def join(a: Axis, b: Axis) -> None:
    """Two axes are found to be the same channels."""
    a, b = resolved(a), resolved(b)
    if all(f.space is None for f in a) or all(f.space is None for f in b):
        return
    if len(a) != len(b):
        short, long = sorted((a, b), key=len)
        space = short[0].space
        if len(short) == 1 and space is not None and short[0].piece is None:
            space.root().is_ = long
        else:
            lose(a, b)
        return
    for f, g in zip(a, b, strict=True):
        if f.space is None or g.space is None:
            if f.space is not g.space:
                lose((f, g))
        elif (f.piece, f.size) != (g.piece, g.size):
            lose((f, g))
        else:
            _union(f.space.root(), g.space.root())


def _union(a: Space, b: Space) -> None:
    if a is b:
        return
    a.fixed |= b.fixed
    a.lost |= b.lost or a.size != b.size or (None not in (a.split, b.split) and a.split != b.split)
    a.split = a.split or b.split
    b.parent = a


def lose(*axes: Axis) -> None:
    """What happens to these channels is not followed."""
    for factor in (f for axis in axes for f in resolved(axis)):
        if factor.space is not None:
            factor.space.root().lost = True


def reshaped(axes: Sequence[Axis], sizes: Sequence[int]) -> list[Axis]:
    """The axes of a tensor that was given another shape, without moving its numbers."""
    left = [f for axis in axes for f in resolved(axis) if f.size != 1]
    out: list[Axis] = []
    for at, size in enumerate(sizes):
        taken: list[Factor] = []
        while math.prod(f.size for f in taken) < size and left:
            taken.append(left.pop(0))
        over = math.prod(f.size for f in taken) // max(size, 1)
        if over > 1:  # the last one is cut
            left = [*_cut(taken.pop(), sizes[at:]), *left]
            taken.append(left.pop(0))
        if math.prod(f.size for f in taken) != size:
            lose(tuple(taken), tuple(left))
            return [(Factor(s),) for s in sizes]
        out.append(_whole(taken) if taken else (Factor(size),))
    return out


def _cut(factor: Factor, sizes: Sequence[int]) -> list[Factor]:
    """A factor as several, of the sizes that follow."""
    parts: list[int] = []
    for size in sizes:
        if math.prod(parts) < factor.size and size != 1:
            parts.append(size)
    space = factor.space
    fits = math.prod(parts) == factor.size
    if space is None:
        return [Factor(p) for p in parts] if fits else [Factor(factor.size)]
    root = space.root()
    if not fits or factor.piece is not None or root.split not in (None, tuple(parts)):
        root.lost = True
        return [Factor(p) for p in parts] if fits else [factor]
    root.split = tuple(parts)
    return [Factor(p, space, i) for i, p in enumerate(parts)]


def _whole(factors: list[Factor]) -> Axis:
    """Pieces that lie side by side again are the space that was cut."""
    space = factors[0].space
    split = None if space is None else space.root().split
    if space is None or split is None or len(factors) < len(split):
        return tuple(factors)
    first = factors[: len(split)]
    together = all(
        f.space is not None and f.space.root() is space.root() and f.piece == i
        for i, f in enumerate(first)
    )
    return (
        (Factor(space.root().size, space), *factors[len(split) :]) if together else tuple(factors)
    )
