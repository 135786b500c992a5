"""Following channels through one run of a network, from operation to operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from limbeck.networks.capture import logits_of, modes_kept, placed, run
from limbeck.networks.structure.spaces import Axis, Factor, Space, join, lose, reshaped, resolved

__all__ = ["Trace", "trace"]


@dataclass(frozen=True)
class Trace:
    """What one run of a network tells of its channels.

    Parameters
    ----------
    axes : dict of str to tuple of Axis
        Of every tensor of the state that took part, by the names of ``state_dict``. Two axes are
        the same channels where their factors have the same ``space.root()``.
    reads : tuple of (Axis, Tensor)
        For each time that a weight summed over channels: which, and what each of them gave to
        the sum: Var(x_j) |w_j|^2, of shape (channels,), with x_j what was read in channel j, over
        rows and places, and w_j the weights that read it.
    """

    axes: dict[str, tuple[Axis, ...]]
    reads: tuple[tuple[Axis, Tensor], ...]


def trace(module: nn.Module, inputs: Any) -> Trace:
    """Follow the channels of a network through a run.

    Parameters
    ----------
    module : nn.Module
        Run once in eval mode without gradients; left in its modes.
    inputs : Any
        A batch, as it is called with it.
    """
    state = module.state_dict(keep_vars=True)
    watch = _Watch(state.values())
    with modes_kept(module), torch.no_grad(), watch:
        module.eval()
        watch.fix(logits_of(run(module, placed(inputs, module)), type(module).__name__))
    found = {
        name: tuple(resolved(axis) for axis in watch.axes(value))
        for name, value in state.items()
        if id(value) in watch.used
    }
    for axis in (axis for axes in found.values() for axis in axes):
        if any(factor.piece is not None for factor in axis):
            lose(axis)  # cut, and never put together again as it was
    return Trace(found, tuple((resolved(axis), given) for axis, given in watch.reads))


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the axes of all tensors through the operations of a run."""

    def __init__(self, state: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._axes: MutableMapping[Tensor, list[Axis]] = WeakTensorKeyDictionary()
        self._state = set()
        self._memory = set()  # where the state lies
        self.used: set[int] = set()
        self.reads: list[tuple[Axis, Tensor]] = []
        for value in state:
            if value not in self._axes:
                self.put(value, [(Factor(s, Space(s)),) for s in value.shape])
                self._state.add(id(value))
                self._memory.add(value.untyped_storage().data_ptr())

    def axes(self, value: Tensor) -> list[Axis]:
        """The axes of a tensor; nothing is known of inputs."""
        if id(value) in self._state:
            self.used.add(id(value))
        return self._axes.get(value) or [(Factor(s),) for s in value.shape]

    def put(self, value: Tensor, axes: Sequence[Axis]) -> None:
        """Keep the axes of a tensor, as long as it lives."""
        self._axes[value] = list(axes)

    def read(self, value: Tensor, dim: int, weight: Tensor, along: int) -> None:
        """Note what each channel of a value gives to the sum that a weight makes over them."""
        if weight.untyped_storage().data_ptr() not in self._memory:
            return  # values are summed with values, as queries with keys
        rest = [d for d in range(value.ndim) if d != dim]
        others = [d for d in range(weight.ndim) if d != along]
        given = value.double().var(rest, correction=0) * weight.double().square().sum(others)
        self.reads.append((self.axes(weight)[along], given))

    def fix(self, value: Tensor, *dims: int) -> None:
        """All channels of these axes are needed; of all axes by default."""
        axes = self.axes(value)
        for dim in dims or range(value.ndim):
            for factor in resolved(axes[dim]):
                if factor.space is not None:
                    factor.space.root().fixed = True

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__.rstrip("_") if func is not None else ""
        plain = name.removeprefix("_")
        rule = _attention if plain.startswith("scaled_dot_product") else _RULES.get(plain)
        first = out[0] if isinstance(out, tuple | list) and out else out
        if rule is None and torch.Tag.pointwise in func.tags:
            rule = _pointwise
        try:
            if rule is None or not isinstance(first, Tensor):
                raise LookupError
            rule(self, args, kwargs or {}, first)
        except (
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ):  # no rule, or called as the rule never saw
            self._lost(args, kwargs or {}, out)
        return out

    def _lost(self, args: Any, kwargs: Any, out: Any) -> None:
        """An operation without a rule: what it reads and returns is not followed."""
        known = False
        for value in tree_leaves((args, kwargs)):
            if isinstance(value, Tensor) and value.is_floating_point():
                axes = self.axes(value)
                known |= any(f.space is not None for axis in axes for f in axis)
                lose(*axes)
        for value in tree_leaves(out):
            if known and isinstance(value, Tensor) and value.is_floating_point():
                self.put(value, [(Factor(s, Space(s, lost=True)),) for s in value.shape])


def _contract(a: Axis, b: Axis) -> None:
    """Two axes that are summed over together."""
    if all(f.space is None for f in resolved(a)) or all(f.space is None for f in resolved(b)):
        for factor in (*resolved(a), *resolved(b)):
            if factor.space is not None:
                factor.space.root().fixed = True
    else:
        join(a, b)


def _linear(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    x, w = watch.axes(args[0]), watch.axes(args[1])
    watch.read(args[0], args[0].ndim - 1, args[1], 1)
    _contract(x[-1], w[1])
    if len(args) > 2 and args[2] is not None:
        join(watch.axes(args[2])[0], w[0])
    watch.put(out, [*x[:-1], w[0]])


def _addmm(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    bias, x, w = (watch.axes(v) for v in args[:3])
    watch.read(args[1], 1, args[2], 0)
    _contract(x[1], w[0])
    join(bias[-1], w[1])
    watch.put(out, [x[0], w[1]])


def _matmul(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    x, y = watch.axes(args[0]), watch.axes(args[1])
    watch.read(args[0], args[0].ndim - 1, args[1], args[1].ndim - 2)
    _contract(x[-1], y[-2])
    for a, b in zip(x[:-2], y[:-2], strict=True):
        join(a, b)
    watch.put(out, [*x[:-1], y[-1]])


def _attention(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    q, k, v = (watch.axes(value) for value in args[:3])  # each (n, heads, t, width)
    for other in (k, v):
        join(q[1], other[1])
    join(q[3], k[3])
    watch.put(out, [q[0], q[1], q[2], v[3]])


def _convolution(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    value, weight, bias, transposed, groups = args[0], args[1], args[2], args[6], args[8]
    x, w = watch.axes(value), watch.axes(weight)
    inner, outer = (w[0], w[1]) if transposed else (w[1], w[0])
    if groups == 1:
        watch.read(value, 1, weight, 0 if transposed else 1)
        _contract(x[1], inner)
    elif groups == value.shape[1] == weight.shape[0]:
        join(x[1], outer)  # one kernel a channel
    else:
        lose(x[1], inner, outer)
    if bias is not None:
        join(watch.axes(bias)[0], outer)
    watch.fix(weight, *range(2, weight.ndim))
    watch.put(out, [x[0], outer, *((Factor(s),) for s in out.shape[2:])])


def _batch_norm(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    x = watch.axes(args[0])
    for value in args[1:5]:
        if isinstance(value, Tensor):
            join(x[1], watch.axes(value)[0])
    watch.put(out, x)


def _layer_norm(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    x = watch.axes(args[0])
    for value in args[2:4]:
        if isinstance(value, Tensor):
            for a, b in zip(x[-value.ndim :], watch.axes(value), strict=True):
                join(a, b)
    watch.put(out, x)


def _embedding(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    watch.fix(args[0], 0)
    watch.put(out, [*((Factor(s),) for s in out.shape[:-1]), watch.axes(args[0])[1]])


def _turned(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
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


def _shaped(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    watch.put(out, reshaped(watch.axes(args[0]), out.shape))


def _same(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    watch.put(out, watch.axes(args[0]))


def _spread(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    x = watch.axes(args[0])
    new = out.ndim - len(x)
    watch.put(
        out,
        [
            x[i - new] if i >= new and args[0].shape[i - new] == s else (Factor(s),)
            for i, s in enumerate(out.shape)
        ],
    )


def _sliced(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    x = list(watch.axes(args[0]))
    dim = (args[1] if len(args) > 1 else 0) % len(x)
    if out.ndim < len(x):  # one place of the axis
        lose(x.pop(dim))
    elif out.shape[dim] != args[0].shape[dim]:
        lose(x[dim])
        x[dim] = (Factor(out.shape[dim]),)
    watch.put(out, x)


def _joined(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    parts = [watch.axes(v) for v in args[0]]
    dim = (args[1] if len(args) > 1 else 0) % out.ndim
    for axes in parts:
        lose(axes[dim])
        for i, axis in enumerate(axes):
            if i != dim:
                join(parts[0][i], axis)
    watch.put(out, [a if i != dim else (Factor(out.shape[dim]),) for i, a in enumerate(parts[0])])


def _reduced(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    x = watch.axes(args[0])
    dims = args[1] if len(args) > 1 and args[1] is not None else range(len(x))
    gone = {d % len(x) for d in ([dims] if isinstance(dims, int) else dims)}
    kept = out.ndim == len(x)
    watch.put(
        out, [(Factor(1),) if i in gone else a for i, a in enumerate(x) if kept or i not in gone]
    )


def _pooled(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    watch.put(out, [*watch.axes(args[0])[:2], *((Factor(s),) for s in out.shape[2:])])


def _pointwise(watch: _Watch, args: Any, kwargs: Any, out: Tensor) -> None:
    axes: list[Axis] = [(Factor(s),) for s in out.shape]
    for value in tree_leaves((args, kwargs)):
        if not isinstance(value, Tensor):
            continue
        for at, axis in enumerate(watch.axes(value), start=out.ndim - value.ndim):
            if value.shape[at - out.ndim + value.ndim] != out.shape[at] or out.shape[at] == 1:
                continue
            if all(f.space is None for f in axes[at]):
                axes[at] = axis
            else:
                join(axes[at], axis)
    watch.put(out, axes)


Rule = Callable[[_Watch, Any, Any, Tensor], None]
_KINDS: dict[Rule, str] = {
    _linear: "linear",
    _addmm: "addmm",
    _matmul: "mm bmm",
    _convolution: "convolution",
    _batch_norm: "native_batch_norm native_batch_norm_legit_no_training cudnn_batch_norm",
    _layer_norm: "native_layer_norm",
    _embedding: "embedding",
    _turned: "t transpose permute",
    _shaped: "view unsafe_view reshape unsqueeze squeeze",
    _same: "clone detach alias to_copy contiguous lift_fresh softmax log_softmax native_dropout",
    _spread: "expand",
    _sliced: "slice select",
    _joined: "cat",
    _reduced: "mean sum amax amin",
    _pooled: "avg_pool2d max_pool2d_with_indices adaptive_avg_pool2d avg_pool1d",
}
_RULES: dict[str, Rule] = {name: rule for rule, names in _KINDS.items() for name in names.split()}
