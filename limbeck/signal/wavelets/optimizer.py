"""Many small minimisations side by side: BFGS with one inverse Hessian a start.

As in Nocedal and Wright (2006), Numerical Optimization, algorithm 6.1, with backtracking
(algorithm 3.1). The starts share each call of the loss, which costs little more for a hundred
filters than for one; that is why this is not scipy's.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["descend"]

_LONGEST = 0.5  # radians: longer steps jump from one valley into another
_ENOUGH = 1e-4  # of the decrease that the slope promises
_STILL = 12  # calls without a gain: a step shortened to nothing, and one the steepest way
_GAIN = 1e-10  # of the value: less is none


def descend(
    value_and_slope: Callable[[Tensor], tuple[Tensor, Tensor]], x: Tensor, steps: int
) -> tuple[Tensor, Tensor]:
    """The best points found from each start.

    Parameters
    ----------
    value_and_slope : callable
        Takes points (S, p), returns values (S,) and gradients (S, p).
    x : Tensor of shape (S, p)
        The starts.
    steps : int
        Calls of the function, at most: where no start gained in twelve of them, all have arrived.

    Returns
    -------
    points : Tensor of shape (S, p)
    values : Tensor of shape (S,)
        Never above those of the starts.
    """
    value, slope = value_and_slope(x)
    if not x.shape[1]:
        return x, value
    fresh: Tensor = torch.eye(x.shape[1], dtype=x.dtype).expand(len(x), -1, -1)

    def restarted() -> Tensor:
        scale: Tensor = 0.1 / slope.norm(dim=-1).clamp_min(1e-3)
        return fresh * scale[:, None, None]

    inverse, length = restarted(), torch.ones_like(value)
    least, idle = value, 0  # the values at the last gain, and the calls since
    for _ in range(steps):
        way = -_times(inverse, slope)
        uphill = (way * slope).sum(-1) > -1e-14
        way = torch.where(uphill[:, None], -slope, way)
        way = way * (_LONGEST / way.norm(dim=-1).clamp_min(1e-30)).clamp_max(1)[:, None]
        step = length[:, None] * way
        new_value, new_slope = value_and_slope(x + step)
        taken = new_value <= value + _ENOUGH * (step * slope).sum(-1)
        inverse = _updated(inverse, step, new_slope - slope, taken)
        x = torch.where(taken[:, None], x + step, x)
        value = torch.where(taken, new_value, value)
        slope = torch.where(taken[:, None], new_slope, slope)
        length = torch.where(taken, 1.0, 0.4 * length)
        lost = length < 1e-4  # a corner of the L1 norm: forget the curvature
        inverse = torch.where(lost[:, None, None], restarted(), inverse)
        length = torch.where(lost, 1.0, length)
        gained = bool((value < least - _GAIN * least.abs()).any())
        least, idle = (value, 0) if gained else (least, idle + 1)
        if idle == _STILL:
            break
    return x, value


def _updated(inverse: Tensor, s: Tensor, y: Tensor, taken: Tensor) -> Tensor:
    """The inverse Hessians (S, p, p) after steps s with changes y of the slope."""
    curvature = (s * y).sum(-1)
    good = taken & (curvature > 1e-12 * s.norm(dim=-1) * y.norm(dim=-1))
    rho = torch.where(good, 1 / curvature.where(good, 1.0), 0.0)
    by = _times(inverse, y)
    scale = (rho + rho * rho * (y * by).sum(-1))[:, None, None]
    cross = by[:, :, None] * s[:, None, :]
    change = scale * s[:, :, None] * s[:, None, :] - rho[:, None, None] * (cross + cross.mT)
    return torch.where(good[:, None, None], inverse + change, inverse)


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector[..., None])[..., 0]
