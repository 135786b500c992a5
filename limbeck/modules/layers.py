"""Layers of a module while it runs: in which order they finish, and all that they return."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.capture import hooked
from limbeck.modules.outputs import tensor_in

__all__ = ["finishing_order", "leaves", "recorded"]


def leaves(module: nn.Module) -> tuple[str, ...]:
    """Names of the modules without children, in the order in which they were registered."""
    return tuple(n for n, m in module.named_modules() if n and not any(m.children()))


def finishing_order(module: nn.Module, run: Callable[[], Any], n: int) -> tuple[str, ...]:
    """Names of layers in the order in which they finish.

    These are the leaf modules, so both sides of a nonlinearity, and the composite modules that
    return a tensor of their own, such as residual blocks; not those without an output by row.

    Parameters
    ----------
    module : nn.Module
        Whose layers are recorded.
    run : callable
        Calls it.
    n : int
        The number of rows that it is called with.
    """
    order: list[str] = []
    seen: list[Any] = []
    single = leaves(module)

    def note(name: str, output: Any) -> None:
        found = tensor_in(output)
        by_row = found is not None and found.ndim > 0 and len(found) == n
        own = found is output and not any(output is s for s in seen)
        if by_row and name not in order and (name in single or own):
            order.append(name)
        seen.append(output)

    with _seen_by(module, [n for n, _ in module.named_modules() if n], note):
        run()
    return tuple(order)


@contextmanager
def recorded(
    module: nn.Module, layers: Sequence[str]
) -> Iterator[Callable[[int], dict[str, NDArray[np.float32]]]]:
    """Keep all that layers return, also where one runs several times in a pass.

    Parameters
    ----------
    module : nn.Module
        Whose layers are recorded.
    layers : sequence of str
        Their names, as in ``named_modules``.

    Yields
    ------
    callable
        ``take(n)``: what each layer returned for n rows since the last time, as (n, m), its runs
        side by side. It raises InvalidInput if a layer returned no tensor with rows first.
    """
    runs: dict[str, list[Tensor]] = {name: [] for name in layers}

    def keep(name: str, output: Any) -> None:
        found = tensor_in(output)
        if found is not None:  # copied at once: a later layer may work in place
            runs[name].append(found.detach().to("cpu", torch.float32, copy=True))

    def take(n: int) -> dict[str, NDArray[np.float32]]:
        found = {name: _side_by_side(runs[name], name, n) for name in runs}
        runs.update((name, []) for name in layers)
        return found

    with _seen_by(module, layers, keep):
        yield take


def _seen_by(
    module: nn.Module, names: Sequence[str], see: Callable[[str, Any], None]
) -> AbstractContextManager[None]:
    return hooked(
        (module.get_submodule(name), lambda m, i, output, name=name: see(name, output))
        for name in dict.fromkeys(names)
    )


def _side_by_side(runs: list[Tensor], name: str, n: int) -> NDArray[np.float32]:
    if not runs:
        raise InvalidInput(
            f"Layer {name!r} returned no tensor when the rows were run.",
            "Choose one of teacher.layers(X).",
        )
    for a in runs:
        if a.ndim == 0 or len(a) != n:
            raise InvalidInput(
                f"Layer {name!r} returned shape {tuple(a.shape)} for {n} rows.",
                "Choose a layer whose output has one entry per row along its first axis.",
            )
    flat: NDArray[np.float32] = torch.cat([a.reshape(n, -1) for a in runs], dim=1).numpy()
    return flat
