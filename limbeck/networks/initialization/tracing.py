"""Following channels through one run of a network, from operation to operation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from limbeck.modules.capture import modes_kept, placed
from limbeck.modules.outputs import answer
from limbeck.networks.initialization.operations import rule_of
from limbeck.networks.initialization.spaces import Axis, Factor, Space, fix, lose, resolved, roots

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
    watch = Watch(state.values())
    with modes_kept(module), torch.no_grad(), _in_parts(), _WholeAttention(watch), watch:
        module.eval()
        watch.fix(answer(module, placed(inputs, module)))
    found = {
        name: tuple(resolved(axis) for axis in watch.axes(value))
        for name, value in state.items()
        if id(value) in watch.used
    }
    for axis in (axis for axes in found.values() for axis in axes):
        if any(factor.piece is not None for factor in axis):
            lose(axis)  # cut, and never put together again as it was
    return Trace(found, tuple((resolved(axis), given) for axis, given in watch.reads))


@contextmanager
def _in_parts() -> Iterator[None]:
    """Let torch's own attention and encoder layers run operation by operation."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the axes of all tensors through the operations of a run."""

    def __init__(self, state: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._axes: MutableMapping[Tensor, list[Axis]] = WeakTensorKeyDictionary()
        self._state = set()
        self._memory = set()  # where the state lies
        self.used: set[int] = set()
        self.asleep = False
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

    def read(self, value: Tensor, dim: int, weight: Tensor, axis: Axis, squares: Tensor) -> None:
        """Note what each channel of a value gives to the sum that a weight makes over them.

        ``axis`` are these channels in the weight, ``squares`` of shape (channels,) its squares.
        """
        if weight.untyped_storage().data_ptr() in self._memory:  # no values, as keys by queries
            rest = [d for d in range(value.ndim) if d != dim]
            self.reads.append((axis, value.double().var(rest, correction=0) * squares))

    def fix(self, value: Tensor, *dims: int) -> None:
        """All channels of these axes are needed; of all axes by default."""
        axes = self.axes(value)
        fix(*(axes[dim] for dim in dims or range(value.ndim)))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if self.asleep:
            return out
        name = func.overloadpacket.__name__.rstrip("_") if func is not None else ""
        rule = rule_of(name.removeprefix("_"), torch.Tag.pointwise in func.tags)
        first = out[0] if isinstance(out, tuple) and out else out  # a list is of equals
        try:
            if rule is None:
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
                known |= any(roots(*axes))
                lose(*axes)
        for value in tree_leaves(out):
            if known and isinstance(value, Tensor) and value.is_floating_point():
                self.put(value, [(Factor(s, Space(s, lost=True)),) for s in value.shape])


class _WholeAttention(TorchFunctionMode):
    """Shows the watch torch's attention as one operation, into whatever a device takes it apart.

    Where queries share keys, a GPU computes it in float32 by products over heads, which hide them.
    """

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = dict(kwargs or {})
        if func is not F.scaled_dot_product_attention:
            return func(*args, **named)
        sides = [*args[:3], *(named[n] for n in ("query", "key", "value") if n in named)]
        if any(side.ndim != 4 for side in sides):
            return func(*args, **named)
        self._watch.asleep = True
        try:
            out = func(*args, **named)
        finally:
            self._watch.asleep = False
        rule = rule_of("scaled_dot_product", False)
        assert rule is not None  # noqa: S101  (there is one)
        rule(self._watch, tuple(sides), {}, out)
        return out
