"""Channels: which axes of which tensors are the same, and what a reshape makes of them.

A space is a set of channels: what one layer writes, every layer that reads it, and whatever is
added to it; a group of the dependency graph of Fang et al. (2023), DepGraph.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = [
    "Axis", "Factor", "Space", "chained", "fix", "join", "lose", "portion", "reshaped", "resolved",
    "roots", "tabled",
]  # fmt: skip


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
    """What an axis is made of: a space, one piece of a space that was cut, or nothing known (None).

    ``parts`` are axes that lie one after another, as after a concatenation.
    """

    size: int
    space: Space | None = None
    piece: int | None = None
    parts: tuple[Axis, ...] = ()


Axis = tuple[Factor, ...]
"""One axis of a tensor: mostly one factor; several where axes were flattened into one."""


def resolved(axis: Axis) -> Axis:
    """With what a flattened or joined axis was found to be put in its place."""
    out: list[Factor] = []
    for f in axis:
        inner = None if f.space is None else f.space.root().is_
        if f.piece is not None and inner is not None:
            inner = (inner[f.piece],)
        if f.parts:
            out += chained([resolved(part) for part in f.parts])
        else:
            out += [f] if inner is None else resolved(inner)
    return tuple(out)


def chained(parts: Sequence[Axis]) -> Axis:
    """Axes one after another as one."""
    flat: list[Axis] = []
    for part in parts:
        flat += part[0].parts if len(part) == 1 and part[0].parts else [part]
    return flat[0] if len(flat) == 1 else (Factor(sum(map(_size, flat)), parts=tuple(flat)),)


def _size(axis: Axis) -> int:
    return math.prod(f.size for f in axis)


def roots(*axes: Axis) -> Iterator[Space]:
    """All sets of channels in axes."""
    for f in (f for axis in axes for f in resolved(axis)):
        if f.parts:
            yield from roots(*f.parts)
        elif f.space is not None:
            yield f.space.root()


def join(a: Axis, b: Axis) -> None:
    """Two axes are found to be the same channels.

    Parameters
    ----------
    a, b : Axis
        The two axes.
    """
    short, long = sorted((resolved(a), resolved(b)), key=lambda x: (len(x), bool(x[0].parts)))
    if not any(roots(short)) or not any(roots(long)):
        return
    pairs = _side_by_side(short, long)
    if len(pairs) > 1:
        for one, other in pairs:
            if any(roots(one)) == any(roots(other)):
                join(one, other)
            else:
                lose(one, other)
        return
    f, g = short[0], long[0]
    if len(long) == 1 and f.space is not None and g.space is not None:
        if (f.piece, f.size) == (g.piece, g.size):
            _union(f.space.root(), g.space.root())
        elif f.size == g.size and None in (f.piece, g.piece):  # heads, and heads of a table
            tabled(short if f.piece is not None else long)
            join(short, long)
        else:
            lose(short, long)
    elif len(short) == 1 and f.space is not None and not f.parts and len(long) > 1:
        if f.piece is not None and f.size == math.prod(h.size for h in long):
            tabled(short)  # heads of queries, several of which share their keys
            join(short, long)
        elif f.piece is None:
            _made_of(f.space.root(), long)
        else:
            lose(short, long)
    elif len(short) == 1 and f.space is not None and f.piece is None:
        _made_of(f.space.root(), long)
    elif len(long) == 1 and list(map(_size, f.parts)) == list(map(_size, g.parts)):
        for p, q in zip(f.parts, g.parts, strict=True):
            join(p, q)
    else:
        lose(short, long)


def _side_by_side(a: Axis, b: Axis) -> list[tuple[Axis, Axis]]:
    """Factors of two axes in as many pairs of one size as there are: none where sizes differ."""
    one, other, out = list(a), list(b), []
    while one and other:
        left, right = [one.pop(0)], [other.pop(0)]
        while _size(tuple(left)) != _size(tuple(right)):
            short, rest = (
                (left, one) if _size(tuple(left)) < _size(tuple(right)) else (right, other)
            )
            if not rest:
                return []
            short.append(rest.pop(0))
        out.append((tuple(left), tuple(right)))
    return [] if one or other else out


def _made_of(space: Space, axis: Axis) -> None:
    """A set of channels is found to be several."""
    if space.split is not None:  # cut in another way before
        lose((Factor(space.size, space),), axis)
        return
    if space.fixed:
        fix(axis)
    if space.lost:
        lose(axis)
    space.is_ = axis


def _union(a: Space, b: Space) -> None:
    if a is b:
        return
    if a.size != b.size:  # pieces of one size, as the heads of queries and of fewer keys
        a.lost = b.lost = True
        return
    a.fixed |= b.fixed
    a.lost |= b.lost or (None not in (a.split, b.split) and a.split != b.split)
    a.split = a.split or b.split
    b.parent = a


def lose(*axes: Axis) -> None:
    """What happens to these channels is not followed."""
    for space in roots(*axes):
        space.lost = True


def fix(*axes: Axis) -> None:
    """None of these channels can be left out."""
    for space in roots(*axes):
        space.fixed = True


def tabled(axis: Axis) -> None:
    """Let pieces of a set of channels be chosen each for itself: a table of rows and columns."""
    for f in resolved(axis):
        if f.space is not None and f.piece is not None:
            root = f.space.root()
            assert root.split is not None  # noqa: S101  (it was cut)
            root.is_ = tuple(
                Factor(s, Space(s, fixed=root.fixed, lost=root.lost)) for s in root.split
            )


def portion(axis: Axis, start: int, end: int) -> Axis:
    """The channels from start to end, excluded, as a set of their own.

    Parameters
    ----------
    axis : Axis
        The channels.
    start, end : int
        The first channel, and the one after the last.
    """
    axis = resolved(axis)
    if not any(roots(axis)):
        return (Factor(end - start),)
    if (start, end) == (0, _size(axis)):
        return axis
    if len(axis) == 1 and axis[0].piece is not None:  # of the width of heads, as positions turn it
        tabled(axis)
        return portion(axis, start, end)
    (f, *more), size = axis, _size(axis)
    if more or f.piece is not None or (f.space is not None and f.space.root().split is not None):
        lose(axis)
        return (Factor(end - start, Space(end - start, lost=True)),)
    if f.space is not None:  # whole until now
        cuts = sorted({0, start, end, size})
        sizes = [last - first for first, last in pairwise(cuts)]
        _made_of(f.space.root(), chained([(Factor(s, Space(s)),) for s in sizes]))
    out, at = [], 0
    for part in resolved(axis)[0].parts:
        low, high = max(start - at, 0), min(end - at, _size(part))
        if low < high:
            out.append(portion(part, low, high))
        at += _size(part)
    return chained(out)


def reshaped(axes: Sequence[Axis], sizes: Sequence[int]) -> list[Axis]:
    """The axes of a tensor that was given another shape, without moving its numbers.

    Parameters
    ----------
    axes : sequence of Axis
        The axes before.
    sizes : sequence of int
        The shape after.
    """
    left = [f for axis in axes for f in resolved(axis) if f.size != 1]
    out: list[Axis] = []
    for at, size in enumerate(sizes):
        taken: list[Factor] = []
        while math.prod(f.size for f in taken) < size and left:
            taken.append(left.pop(0))
        over = math.prod(f.size for f in taken) // max(size, 1)
        if over > 1:  # the last one is cut
            last = taken.pop()
            first = size // math.prod(f.size for f in taken)
            left = [*_cut(last, (first, *sizes[at + 1 :])), *left]
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
    lose(*factor.parts)
    if space is None:
        return [Factor(p) for p in parts] if fits else [Factor(factor.size)]
    if factor.piece is not None:
        tabled((factor,))
        (factor,) = resolved((factor,))
        return _cut(factor, sizes)
    root = space.root()
    if not fits or root.split not in (None, tuple(parts)):
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
