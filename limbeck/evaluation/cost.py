"""What networks cost to run: parameters, bytes, time and memory, measured side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from limbeck.core.errors import InvalidInput
from limbeck.modules.capture import asking, placed, run
from limbeck.modules.quantized_tensors import stored_bytes

__all__ = ["Cost", "peak_bytes", "profile"]

_ENOUGH = 5  # turns that a median and quartiles can be taken from


@dataclass(frozen=True)
class Cost:
    """What one network costs.

    Parameters
    ----------
    parameters : int
        Their number; tied ones count once.
    weight_bytes : int
        Their bytes.
    milliseconds : (float, float, float)
        Of one call: the median, the lower and the upper quartile.
    batch_size, threads : int
        Rows a call, and threads that torch used.
    calls : int
        All calls that measuring took: those before the timed ones, the timed ones, and one for
        the memory.
    device : str
        Where it ran.
    peak_bytes : int
        See `peak_bytes`.
    """

    parameters: int
    weight_bytes: int
    milliseconds: tuple[float, float, float]
    batch_size: int
    threads: int
    calls: int
    device: str
    peak_bytes: int


def profile(
    models: Mapping[str, nn.Module], inputs: Any, *, repeats: int = 10, warmup: int = 2,
    seconds: float = 5.0,
) -> dict[str, Cost]:  # fmt: skip
    """Measure networks in turns, so that what else the machine does hits all of them alike.

    Parameters
    ----------
    models : mapping of str to nn.Module
        By role. Each runs where its parameters are, in eval mode without gradients, and is left
        in its mode.
    inputs : Any
        One batch, as they are called with it.
    repeats : int
        Timed calls of each network, at least 1.
    warmup : int
        Calls before these.
    seconds : float
        Once they have taken so long, 5 timed calls of each are enough.

    Returns
    -------
    dict of str to Cost

    Raises
    ------
    InvalidInput
        If ``repeats`` is below 1.

    Examples
    --------
    >>> net = nn.Linear(4, 2)
    >>> cost = profile({"teacher": net}, torch.zeros(8, 4), repeats=2)["teacher"]
    >>> cost.parameters, cost.weight_bytes, cost.batch_size, cost.peak_bytes
    (10, 40, 8, 64)
    """
    if repeats < 1:
        raise InvalidInput(f"repeats is {repeats}.", "Give 1 or more.")
    given = {role: placed(inputs, net) for role, net in models.items()}
    times: dict[str, list[float]] = {role: [] for role in models}
    with asking(*models.values()):
        began = time.perf_counter()
        for turn in range(-warmup, repeats):
            if turn >= _ENOUGH and time.perf_counter() - began > seconds:
                break
            for role, net in models.items():
                start = _now(_device(net))
                run(net, given[role])
                if turn >= 0:
                    times[role].append(1000 * (_now(_device(net)) - start))
        peaks = {role: peak_bytes(net, given[role]) for role, net in models.items()}
    costs = {}
    for role, net in models.items():
        low, middle, high = (float(q) for q in np.quantile(times[role], (0.25, 0.5, 0.75)))
        sizes = [(p.numel(), stored_bytes(p)) for p in net.parameters()]
        costs[role] = Cost(
            parameters=sum(n for n, _ in sizes),
            weight_bytes=sum(b for _, b in sizes),
            milliseconds=(middle, low, high),
            batch_size=_rows(given[role]),
            threads=torch.get_num_threads(),
            calls=warmup + len(times[role]) + 1,
            device=str(_device(net)),
            peak_bytes=peaks[role],
        )
    return costs


def peak_bytes(module: nn.Module, inputs: Any) -> int:
    """Most bytes that a call holds at one time beside weights and inputs.

    On CUDA as the allocator tells. Elsewhere the bytes of all tensors that operations returned
    and that are still held; what an operation needs only inside itself is not seen.

    Parameters
    ----------
    module : nn.Module
        Called once, in its own mode; without gradients, or activations are held for them.
    inputs : Any
        One batch.
    """
    device, inputs = _device(module), placed(inputs, module)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = int(torch.cuda.memory_allocated(device))
        run(module, inputs)
        torch.cuda.synchronize(device)
        return int(torch.cuda.max_memory_allocated(device) - before)
    held = [*module.parameters(), *module.buffers(), *tree_leaves(inputs)]
    seen = _Held(v for v in held if isinstance(v, Tensor))
    with seen:
        run(module, inputs)
    return seen.peak


class _Held(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows which storages are alive that operations made."""

    def __init__(self, known: Iterator[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known = {v.untyped_storage()._cdata for v in known}
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self._alive = {
            k: v
            for k, v in self._alive.items()
            if not v[0].expired()  # type: ignore[no-untyped-call]
        }
        for value in tree_leaves(out):
            if isinstance(value, Tensor):
                storage = value.untyped_storage()
                if storage._cdata not in self._known:
                    weak = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
                    self._alive[storage._cdata] = weak, storage.nbytes()
        self.peak = max(self.peak, sum(size for _, size in self._alive.values()))
        return out


def _device(module: nn.Module) -> torch.device:
    return next((p.device for p in module.parameters()), torch.device("cpu"))


def _rows(inputs: Any) -> int:
    return next(len(v) for v in tree_leaves(inputs) if isinstance(v, Tensor))


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
