"""Gradients of a module's scores with respect to its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from limbeck.core.errors import TeacherFailed
from limbeck.modules.capture import evaluated

__all__ = ["differentiable", "slope_of"]


@contextmanager
def differentiable(module: nn.Module) -> Iterator[None]:
    """Eval mode with gradients inside; afterwards every submodule is back in its own mode.

    In eval mode cuDNN differentiates no recurrent layer; torch's other kernels do.
    """
    recurrent = any(isinstance(m, nn.RNNBase) for m in module.modules())
    kernels = torch.backends.cudnn.flags(enabled=False) if recurrent else nullcontext()
    with evaluated(module), torch.enable_grad(), kernels:
        yield


def slope_of(score: Tensor, x: Tensor, rows: slice, name: str) -> Tensor:
    """The gradient of a score with respect to inputs; 0 where it does not depend on them.

    Parameters
    ----------
    score : Tensor of shape ()
        Summed over rows, which do not depend on each other.
    x : Tensor of shape (n, ...)
        The inputs.
    rows : slice
        Their places.
    name : str
        What the module is called in errors.

    Raises
    ------
    TeacherFailed
        If the module cannot be differentiated.
    """
    if not score.requires_grad:
        return torch.zeros_like(x)
    try:
        (slope,) = torch.autograd.grad(score, x, allow_unused=True)
    except RuntimeError as error:
        raise TeacherFailed(
            f"{name} cannot be differentiated on rows {rows.start} to {rows.stop - 1}: {error}",
            "Use a method that asks for scores only, or differentiable operations.",
        ) from error
    return torch.zeros_like(x) if slope is None else slope
