"""What each operation of torch does to channels: which it keeps apart, joins, sums or mixes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from torch import Tensor
from torch.utils._pytree import tree_leaves

from limbeck.networks.initialization.spaces import (
    Axis,
    Factor,
    Space,
    chained,
    fix,
    join,
    lose,
    portion,
    reshaped,
    resolved,
    roots,
    tabled,
)

__all__ = ["Axes", "Rule", "rule_of"]


class Axes(Protocol):
    """The axes of all tensors of a run, which the rules read and set."""

    def axes(self, value: Tensor) -> list[Axis]:
        """The axes of a tensor."""

    def put(self, value: Tensor, axes: Sequence[Axis]) -> None:
        """Set them.

        Parameters
        ----------
        value : Tensor
            A value of the traced network.
        axes : sequence of Axis
            The axes of the value.
        """

    def read(self, value: Tensor, dim: int, weight: Tensor, axis: Axis, squares: Tensor) -> None:
        """Note what each channel of a value gives to the sum that a weight makes over them.

        Parameters
        ----------
        value : Tensor
            What the operation reads.
        dim : int
            The dimension of the value that is summed over.
        weight : Tensor
            The weight of the operation.
        axis : Axis
            The axis of the weight that is summed over.
        squares : Tensor
            The sum of squared weights of each channel.
        """

    def fix(self, value: Tensor, *dims: int) -> None:
        """All channels of these axes are needed."""


def _contract(a: Axis, b: Axis) -> None:
    """Two axes that are summed over together."""
    if any(roots(a)) and any(roots(b)):
        join(a, b)
    else:
        fix(a, b)


def _linear(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x, w = watch.axes(args[0]), watch.axes(args[1])
    watch.read(args[0], args[0].ndim - 1, args[1], w[1], _squares(args[1], 1))
    _contract(x[-1], w[1])
    if len(args) > 2 and args[2] is not None:
        join(watch.axes(args[2])[0], w[0])
    watch.put(out, [*x[:-1], w[0]])


def _addmm(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    bias, x, w = (watch.axes(v) for v in args[:3])
    watch.read(args[1], 1, args[2], w[0], _squares(args[2], 0))
    _contract(x[1], w[0])
    join(bias[-1], w[1])
    watch.put(out, [x[0], w[1]])


def _matmul(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x, y = watch.axes(args[0]), watch.axes(args[1])
    along = args[1].ndim - 2
    watch.read(args[0], args[0].ndim - 1, args[1], y[-2], _squares(args[1], along))
    _contract(x[-1], y[-2])
    for a, b in zip(x[:-2], y[:-2], strict=True):
        join(a, b)
    watch.put(out, [*x[:-1], y[-1]])


def _attention(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    q, k, v = (watch.axes(value) for value in args[:3])  # each (n, heads, t, width)
    for value, axes in zip(args[1:3], (k, v), strict=True):
        many = args[0].shape[1] // value.shape[1]  # queries that share their keys
        join(q[1], axes[1] if many == 1 else (*resolved(axes[1]), Factor(many)))
    join(q[3], k[3])
    watch.put(out, [q[0], q[1], q[2], v[3]])


def _convolution(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    value, weight, bias, transposed, groups = args[0], args[1], args[2], args[6], args[8]
    x, w = watch.axes(value), watch.axes(weight)
    inner, outer = (w[0], w[1]) if transposed else (w[1], w[0])
    if groups > 1:  # channels are a table: groups, and places that are alike in all groups
        group, own = _several(Space(groups)), _several(Space(weight.shape[0] // groups))
        join(w[0], (*group, *own))
        inner, outer = ((*group, *_more(axis)) if axis is w[1] else axis for axis in (inner, outer))
    squares = (
        _squares(weight, 0)
        if transposed
        else _squares(weight.unflatten(0, (groups, -1)), 0, 2).flatten()
    )
    watch.read(value, 1, weight, inner, squares)
    _contract(x[1], inner)
    if bias is not None:
        join(watch.axes(bias)[0], outer)
    watch.fix(weight, *range(2, weight.ndim))
    watch.put(out, [x[0], outer, *((Factor(s),) for s in out.shape[2:])])


def _squares(weight: Tensor, *along: int) -> Tensor:
    """The squares of a weight, summed over all other axes."""
    return weight.double().square().sum([d for d in range(weight.ndim) if d not in along])


def _several(space: Space) -> Axis:
    """A set of channels as a part of a table: nothing, where it is of one."""
    return _more((Factor(space.size, space),))


def _more(axis: Axis) -> Axis:
    return axis if axis[0].size > 1 or len(axis) > 1 else ()


def _batch_norm(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x = watch.axes(args[0])
    for value in args[1:5]:
        if isinstance(value, Tensor):
            join(x[1], watch.axes(value)[0])
    watch.put(out, x)


def _group_norm(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x, groups = watch.axes(args[0]), args[6]
    for value in args[1:3]:
        if isinstance(value, Tensor):
            join(x[1], watch.axes(value)[0])
    for space in roots(x[1]):  # as many are chosen in each
        cut = (groups, space.size // groups)
        if space.size != args[0].shape[1] or space.split not in (None, cut):
            space.lost |= groups > 1
        elif groups > 1:
            space.split = cut
    watch.put(out, x)


def _layer_norm(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x = watch.axes(args[0])
    for value in args[2:4]:
        if isinstance(value, Tensor):
            for a, b in zip(x[-value.ndim :], watch.axes(value), strict=True):
                join(a, b)
    watch.put(out, x)


def _embedding(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    watch.fix(args[0], 0)
    watch.put(out, [*((Factor(s),) for s in out.shape[:-1]), watch.axes(args[0])[1]])


def _turned(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x = watch.axes(args[0])
    order = list(range(len(x)))
    if len(args) == 1:
        order.reverse()
    elif len(args) == 2:
        order = [d % len(x) for d in args[1]]
    else:
        a, b = (d % len(x) for d in args[1:3])
        order[a], order[b] = order[b], order[a]
    watch.put(out, [x[d] for d in order])


def _shaped(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    watch.put(out, reshaped(watch.axes(args[0]), out.shape))


def _same(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    watch.put(out, watch.axes(args[0]))


def _strided(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    if out.shape != args[0].shape:
        raise LookupError  # other places of the same memory
    watch.put(out, watch.axes(args[0]))


def _spread(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x = watch.axes(args[0])
    new = out.ndim - len(x)
    watch.put(
        out,
        [
            x[i - new] if i >= new and args[0].shape[i - new] == s else (Factor(s),)
            for i, s in enumerate(out.shape)
        ],
    )


def _chosen(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x = list(watch.axes(args[0]))
    _one_place(x.pop(args[1] % len(x)))
    watch.put(out, x)


def _unbound(watch: Axes, args: Any, kwargs: Any, out: list[Tensor]) -> None:
    x = list(watch.axes(args[0]))
    _one_place(x.pop((args[1] if len(args) > 1 else 0) % len(x)))
    for value in out:
        watch.put(value, x)


def _one_place(axis: Axis) -> None:
    """Places are taken one by one, as queries, keys and values of one layer: all are needed."""
    if all(f.piece is not None for f in resolved(axis)):
        tabled(axis)
        fix(axis)
    else:
        lose(axis)


def _sliced(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x = list(watch.axes(args[0]))
    given: tuple[Any, ...] = (*args, *(None, 0, None, None, 1)[len(args) :])
    dim, start, end, step = given[1:]
    rows = range(args[0].shape[dim])[start:end]
    if step == 1:
        x[dim] = portion(x[dim], rows.start, rows.stop)
    elif not any(roots(x[dim])):
        x[dim] = (Factor(out.shape[dim]),)
    else:
        lose(x[dim])
        x[dim] = _unknown(out.shape[dim])
    watch.put(out, x)


def _divided(watch: Axes, args: Any, kwargs: Any, out: list[Tensor]) -> None:
    x = list(watch.axes(args[0]))
    dim = args[2] if len(args) > 2 else kwargs.get("dim", 0)
    at, whole = 0, x[dim]
    for value in out:
        x[dim] = portion(whole, at, at + value.shape[dim])
        watch.put(value, x)
        at += value.shape[dim]


def _gated(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x = list(watch.axes(args[0]))
    dim = (args[1] if len(args) > 1 else -1) % len(x)
    size = out.shape[dim]
    first, second = portion(x[dim], 0, size), portion(x[dim], size, 2 * size)
    join(first, second)
    x[dim] = first
    watch.put(out, x)


def _unknown(size: int) -> Axis:
    return (Factor(size, Space(size, lost=True)),)


def _joined(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    dim = (args[1] if len(args) > 1 else 0) % out.ndim
    axes = [watch.axes(v) for v in args[0] if v.ndim == out.ndim]  # none that are empty
    first = axes[0]
    for other in axes[1:]:
        for i, axis in enumerate(other):
            if i != dim:
                join(first[i], axis)
    watch.put(out, [a if i != dim else _chain([x[i] for x in axes]) for i, a in enumerate(first)])


def _chain(parts: list[Axis]) -> Axis:
    """Parts one after another; of inputs none can be left out."""
    sizes = [math.prod(f.size for f in part) for part in parts]
    if not any(roots(*parts)):
        return (Factor(sum(sizes)),)
    if any(f.piece is not None for part in parts for f in resolved(part)):
        lose(*parts)
        return _unknown(sum(sizes))
    return chained(
        [
            part if any(roots(part)) else (Factor(size, Space(size, fixed=True)),)
            for part, size in zip(parts, sizes, strict=True)
        ]
    )


def _padded(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x = list(watch.axes(args[0]))
    sides = list(zip(args[1][::2], args[1][1::2], strict=True))  # from the last axis
    for i, (before, after) in zip(range(out.ndim - 1, -1, -1), sides, strict=False):
        if min(before, after) < 0 or not any(roots(x[i])):
            lose(x[i])
            x[i] = (Factor(out.shape[i]),)
        elif before or after:  # as many channels more
            more = [(Factor(s, Space(s)),) if s else () for s in (before, after)]
            x[i] = chained([part for part in (more[0], x[i], more[1]) if part])
    watch.put(out, x)


def _reduced(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    x = watch.axes(args[0])
    dims = args[1] if len(args) > 1 and args[1] is not None else range(len(x))
    gone = {d % len(x) for d in ([dims] if isinstance(dims, int) else dims)}
    kept = out.ndim == len(x)
    watch.put(
        out, [(Factor(1),) if i in gone else a for i, a in enumerate(x) if kept or i not in gone]
    )


def _normed(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    _reduced(watch, (args[0], *args[2:]), kwargs, out)  # without the order of the norm


def _pooled(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    watch.put(out, [*watch.axes(args[0])[:2], *((Factor(s),) for s in out.shape[2:])])


def _pointwise(watch: Axes, args: Any, kwargs: Any, out: Tensor) -> None:
    axes: list[Axis] = [(Factor(s),) for s in out.shape]
    for value in tree_leaves((args, kwargs)):
        if not isinstance(value, Tensor):
            continue
        for at, axis in enumerate(watch.axes(value), start=out.ndim - value.ndim):
            if value.shape[at - out.ndim + value.ndim] != out.shape[at] or out.shape[at] == 1:
                continue
            if not any(roots(axes[at])):
                axes[at] = axis
            else:
                join(axes[at], axis)
    watch.put(out, axes)


Rule = Callable[[Axes, Any, Any, Any], None]
_KINDS: dict[Rule, str] = {
    _linear: "linear",
    _addmm: "addmm",
    _matmul: "mm bmm",
    _convolution: "convolution",
    _batch_norm: "native_batch_norm native_batch_norm_legit_no_training cudnn_batch_norm",
    _group_norm: "native_group_norm",
    _layer_norm: "native_layer_norm",
    _embedding: "embedding",
    _turned: "t transpose permute",
    _shaped: "view unsafe_view reshape unsqueeze squeeze",
    _same: "clone detach alias to_copy contiguous lift_fresh softmax log_softmax native_dropout",
    _strided: "as_strided",
    _spread: "expand",
    _sliced: "slice",
    _chosen: "select",
    _unbound: "unbind",
    _gated: "glu",
    _divided: "split split_with_sizes unsafe_split",
    _joined: "cat",
    _padded: "constant_pad_nd",
    _reduced: "mean sum amax amin std var",
    _normed: "linalg_vector_norm",
    _pointwise: "hardswish prelu_kernel",
    _pooled: "avg_pool1d avg_pool2d max_pool2d_with_indices adaptive_avg_pool2d"
    " adaptive_max_pool2d upsample_nearest2d upsample_bilinear2d upsample_bicubic2d"
    " reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d",
}
_RULES: dict[str, Rule] = {name: rule for rule, names in _KINDS.items() for name in names.split()}


def rule_of(name: str, pointwise: bool) -> Rule | None:
    """What is known of an operation of torch, by its name; None if nothing.

    Parameters
    ----------
    name : str
        Name of the operation.
    pointwise : bool
        Whether an unknown operation is taken to act on each number alone.
    """
    if name.startswith("scaled_dot_product"):
        return _attention
    return _RULES.get(name, _pointwise if pointwise else None)
