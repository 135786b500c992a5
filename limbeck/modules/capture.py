"""Reading, and editing, what single layers of one network return.

Hooks hang on the instances of one network while the context is open, and on nothing afterwards:
two networks of one class never share them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from limbeck.core.errors import InvalidInput, did_you_mean

__all__ = [
    "Capture",
    "asking",
    "evaluated",
    "hooked",
    "logits_of",
    "modes_kept",
    "picked",
    "placed",
    "run",
    "statistics_kept",
    "wide",
]

_ITEM = re.compile(r"(?P<name>.*?)(\[(?P<item>\d+)\])?$")
Edit = Callable[[Tensor], Tensor]


@contextmanager
def hooked(
    hooks: Iterable[tuple[nn.Module, Callable[..., Any]]],
    before: Iterable[tuple[nn.Module, Callable[..., Any]]] = (),
    *,
    with_kwargs: bool = False,
) -> Iterator[None]:
    """Hang a forward hook on each of some layers, and take all of them off at the end.

    Parameters
    ----------
    hooks : iterable of (Module, callable)
        Called after the forward pass of their layers.
    before : iterable of (Module, callable)
        Called before it, with the layer and its positional arguments.
    with_kwargs : bool
        Whether the first get keyword arguments too: (layer, args, kwargs, output).
    """
    with ExitStack() as stack:
        for layer, hook in hooks:
            stack.callback(layer.register_forward_hook(hook, with_kwargs=with_kwargs).remove)
        for layer, hook in before:
            stack.callback(layer.register_forward_pre_hook(hook).remove)
        yield


class Capture:
    """The outputs of named layers of one network, of its last call.

    Parameters
    ----------
    module : nn.Module
        The network.
    names : sequence of str
        Names as in ``named_modules()``. Of a layer that returns a tuple the first tensor is
        taken, or with ``name[1]`` the second entry (where attention weights usually are).

    Raises
    ------
    InvalidInput
        If there is no such layer.

    Examples
    --------
    >>> import torch
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> with Capture(net, ["0"]) as capture:
    ...     _ = net(torch.zeros(5, 2))
    ...     capture.take()["0"].shape
    torch.Size([5, 3])
    """

    def __init__(self, module: nn.Module, names: Sequence[str]) -> None:
        self._layers: dict[str, tuple[nn.Module, int | None]] = {}
        known = dict(module.named_modules(remove_duplicate=False))
        for name in dict.fromkeys(names):
            found = _ITEM.fullmatch(name)
            assert found is not None  # noqa: S101  (the pattern takes every text)
            if found["name"] not in known or not found["name"]:
                raise InvalidInput(
                    f"{type(module).__name__} has no layer {name!r}.",
                    did_you_mean(found["name"], [k for k in known if k]),
                )
            _check_compiled(module, name, found["name"], known)
            item = found["item"]
            self._layers[name] = (known[found["name"]], None if item is None else int(item))
        self._taken: dict[str, Tensor] = {}
        self._without: dict[str, str] = {}  # what layers returned instead of a tensor
        self._edits: Mapping[str, Edit] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        hooks = ((layer, self._hook(name, item)) for name, (layer, item) in self._layers.items())
        self._open.enter_context(hooked(hooks))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._taken.clear()

    def take(self) -> dict[str, Tensor]:
        """What the layers returned in the last call, and forget it.

        Raises
        ------
        InvalidInput
            If a layer did not run in that call.
        """
        absent = [n for n in self._layers if n not in self._taken]
        if absent and absent[0] in self._without:
            instead = self._without[absent[0]]
            raise InvalidInput(
                f"The layer {absent[0]!r} returned no tensor there, but {instead}.",
                "Name a layer, or an entry of what it returns, that is a tensor. Networks of"
                ' transformers return attention weights when made with attn_implementation="eager"'
                " (sdpa and flash attention make none).",
            )
        if absent:
            raise InvalidInput(
                f"The layer {absent[0]!r} did not run.",
                "Name a layer that runs in every call.",
            )
        taken, self._taken = self._taken, {}
        return taken

    @contextmanager
    def editing(self, edits: Mapping[str, Edit]) -> Iterator[None]:
        """Let functions change what the layers return, in the calls made inside."""
        self._edits = edits
        try:
            yield
        finally:
            self._edits = {}

    def _hook(self, name: str, item: int | None) -> Callable[..., Any]:
        def see(module: nn.Module, inputs: Any, output: Any) -> Any:
            place, found = _pick(output, item)
            if found is None:
                self._without[name] = _listed_kinds(output)
                return None
            edit = self._edits.get(name)
            if edit is not None:
                found = edit(found)
                output = _replaced(output, place, found)
            self._taken[name] = found
            return output if edit is not None else None

        return see


def _check_compiled(module: nn.Module, name: str, layer: str, known: Mapping[str, Any]) -> None:
    """Refuse layers inside a network of TorchScript, whose calls cannot be watched."""
    above = [layer[:i] for i, letter in enumerate(layer) if letter == "."]
    if any(isinstance(known[n], torch.jit.ScriptModule) for n in ("", *above)):
        raise InvalidInput(
            f"The layer {name!r} is inside a network of TorchScript ({type(module).__name__}),"
            " whose layers cannot be read.",
            "Give the network as it was before torch.jit.script or torch.jit.trace, or use an"
            " objective on outputs, such as SoftTargets().",
        )


def _listed_kinds(output: Any) -> str:
    """What a layer returned, in words."""
    if isinstance(output, tuple | list):
        return f"a {type(output).__name__} of " + ", ".join(type(v).__name__ for v in output)
    return f"a {type(output).__name__}"


@contextmanager
def modes_kept(*modules: nn.Module) -> Iterator[None]:
    """Give each part of networks back in the mode, train or eval, that it was in."""
    modes = [(m, m.training) for module in modules for m in module.modules()]
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


@contextmanager
def statistics_kept(module: nn.Module) -> Iterator[None]:
    """Let runs in train mode leave the running statistics of normalisation as they are.

    What is computed stays the same: in train mode it does not depend on them.
    """
    kept = [
        (m._buffers, dict(m._buffers))
        for m in module.modules()
        if isinstance(m, _NormBase) and m.training and m.track_running_stats
    ]
    for buffers, own in kept:  # copies to write to: nothing is undone in place
        buffers.update({n: None if v is None else v.clone() for n, v in own.items()})
    try:
        yield
    finally:
        for buffers, own in kept:
            buffers.update(own)


@contextmanager
def evaluated(*modules: nn.Module) -> Iterator[None]:
    """Eval mode inside; afterwards every submodule is back in its own mode."""
    with modes_kept(*modules):
        for module in modules:
            module.eval()
        yield


@contextmanager
def asking(*modules: nn.Module) -> Iterator[None]:
    """Eval mode and no gradients inside; afterwards every submodule is back in its own mode."""
    with evaluated(*modules), torch.inference_mode():
        yield


def run(module: nn.Module, inputs: Any) -> Any:
    """Call a network: with one tensor, with the entries of a tuple, or with named tensors.

    Of named tensors it gets those that its ``forward`` names, so that networks of different kinds
    read one data set; all of them where ``forward`` takes any.

    Parameters
    ----------
    module : nn.Module
        The network.
    inputs : Tensor, tuple or mapping
        A batch, where the network is.

    Raises
    ------
    InvalidInput
        If it names none of them.
    """
    if isinstance(inputs, Tensor):
        return module(inputs)
    if isinstance(inputs, Mapping):
        inner = getattr(module, "module", module)  # inside a wrapper for several processes
        taken = _named_by(type(inner if isinstance(inner, nn.Module) else module).forward)
        if taken is not None and not taken & inputs.keys():
            raise InvalidInput(
                f"{type(module).__name__} takes {_listed(taken - {'self'})}, and the rows have"
                f" {_listed(inputs)}.",
                "Name inputs as forward does, or give them without names, as tuples.",
            )
        return module(**{k: v for k, v in inputs.items() if taken is None or k in taken})
    return module(*inputs) if isinstance(inputs, tuple | list) else module(inputs)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(names))) or "nothing"


@lru_cache(maxsize=64)
def _named_by(forward: Callable[..., Any]) -> frozenset[str] | None:
    """The names of a function's arguments; None where it takes any."""
    found = inspect.signature(forward).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in found):
        return None
    return frozenset(p.name for p in found)


def placed(inputs: Any, module: nn.Module) -> Any:
    """A batch where a network's parameters are.

    Parameters
    ----------
    inputs : Tensor, tuple or mapping
        A batch, on any device.
    module : nn.Module
        The network that will read it.
    """
    device = next((p.device for p in module.parameters()), None)
    if isinstance(inputs, Mapping):
        return {name: value.to(device) for name, value in inputs.items()}
    if isinstance(inputs, tuple | list):
        return tuple(value.to(device) for value in inputs)
    return inputs.to(device)


def picked(inputs: Any, rows: Tensor) -> Any:
    """Some rows of a batch.

    Parameters
    ----------
    inputs : Tensor, tuple or mapping
        A batch.
    rows : Tensor of int or bool
        Positions of the rows, or a mask.
    """
    if isinstance(inputs, Mapping):
        return {name: value[rows.to(value.device)] for name, value in inputs.items()}
    if isinstance(inputs, tuple | list):
        return tuple(value[rows.to(value.device)] for value in inputs)
    return inputs[rows.to(inputs.device)]


def logits_of(output: Any, name: str) -> Tensor:
    """The logits in what a network returned: itself, ``.logits``, or the first tensor of a tuple.

    Parameters
    ----------
    output : Tensor, mapping, tuple or object
        What the network returned.
    name : str
        What the network is called in messages.

    Raises
    ------
    InvalidInput
        If there is none; names the network.
    """
    if isinstance(output, Tensor):
        return output
    found = output.get("logits") if isinstance(output, Mapping) else None
    if found is None:
        found = getattr(output, "logits", None)
    if found is None:
        found = _pick(output, None)[1]
    if found is None:
        raise InvalidInput(
            f"{name} returned a {type(output).__name__}, in which no logits are found.",
            "Let it return a tensor, a tuple that starts with one, or an object with logits.",
        )
    return found


def wide(x: Tensor) -> Tensor:
    """Half precision is for storage and networks; losses are computed in float32."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def _pick(output: Any, item: int | None) -> tuple[Any, Tensor | None]:
    """The tensor of an output, and where in it that is."""
    if isinstance(output, Tensor):
        return None, output if item in (None, 0) else None
    entries = list(output.items()) if isinstance(output, Mapping) else None
    if entries is None and isinstance(output, tuple | list):
        entries = list(enumerate(output))
    if not entries:
        return None, None
    if item is not None:
        place, found = entries[item] if item < len(entries) else (None, None)
        return place, found if isinstance(found, Tensor) else None
    return next(((p, v) for p, v in entries if isinstance(v, Tensor)), (None, None))


def _replaced(output: Any, place: Any, found: Tensor) -> Any:
    if isinstance(output, Tensor):
        return found
    if isinstance(output, tuple):
        entries = tuple(found if i == place else v for i, v in enumerate(output))
        return type(output)(*entries) if hasattr(output, "_fields") else entries
    output[place] = found  # a list, or a mapping such as transformers' ModelOutput
    return output
