"""Bounds for the mean of losses that lie on disk, bit for bit as of the same losses in memory."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.bounded import bernstein_of, log_factors
from limbeck.certificates.bounds import Betting, EmpiricalBernstein
from limbeck.certificates.loss_file import LossFile
from limbeck.certificates.planning import RowsNeeded, plan_from_moments
from limbeck.core.registry import BOUNDS

__all__ = ["bound_on_disk", "plan_on_disk"]

Floats = NDArray[np.float64]


def bound_on_disk(losses: LossFile, bound: str, level: float, low: float, high: float) -> float:
    """An upper bound for the mean, as the bound gives it for the losses in memory.

    Parameters
    ----------
    losses : LossFile
        Losses of independent draws, each within the range, in the order of the draws.
    bound : str
        One of `limbeck.core.registry.BOUNDS`. One of another package is given the file as a
        memory-mapped array.
    level : float
        Probability with which the bound may fail; in (0, 1).
    low, high : float
        The range of the losses.
    """
    kind = BOUNDS.get(bound) if len(losses) > 1 else Betting
    if kind is Betting:
        return _betting(losses, level, low, high)
    if kind is EmpiricalBernstein:
        x = _written(losses, "unit", lambda part: (part - low) / (high - low))
        return low + (high - low) * bernstein_of(x.mean(), x.variance(1), len(x), level)
    return float(kind.upper(np.memmap(losses.path, "<f8", "r"), level, low, high))


def plan_on_disk(
    losses: LossFile, asked: float, bound: str, level: float, low: float, high: float
) -> RowsNeeded:
    """What more rows would do; see `limbeck.certificates.planning.plan_means`.

    Parameters
    ----------
    losses : LossFile
        As for `bound_on_disk`.
    asked : float
        The mean loss that was asked for, in (low, high).
    bound : str
        That of the certificate, as for `bound_on_disk`.
    level : float
        The level of the bound, in (0, 1).
    low, high : float
        The range of the losses.
    """
    turned = _written(losses, "turned", lambda part: low + high - part)
    lower = low + high - bound_on_disk(turned, bound, level, low, high)
    return plan_from_moments(
        losses.mean(), losses.variance(), len(losses), lower, asked, level, high - low
    )


def _written(losses: LossFile, name: str, to: Callable[[Floats], Floats]) -> LossFile:
    """A file beside it, written anew."""
    path = losses.path.with_name(name)
    path.unlink(missing_ok=True)
    out = LossFile(path)
    for part in losses.parts():
        out.append(to(part))
    return out


def _betting(losses: LossFile, level: float, low: float, high: float) -> float:
    """`limbeck.certificates.bounded.betting_bound` in parts; see there."""
    x = _written(losses, "unit", lambda part: (part - low) / (high - low))
    bets = _predictable_bets(x, level)
    target = math.log(1 / level)
    below, above = x.mean(), 1.0
    for _ in range(40):
        middle = (below + above) / 2
        m = np.array([middle])

        def factors(start: int, n: int, m: Floats = m) -> Floats:
            return np.asarray(log_factors(x.read(start, n)[None], bets.read(start, n)[None], m)[0])

        if x.total(factors) >= target:
            above = middle
        else:
            below = middle
    return low + (high - low) * above


def _predictable_bets(x: LossFile, level: float) -> LossFile:
    """As in `limbeck.certificates.bounded`, with what was summed carried from part to part."""
    path = x.path.with_name("bets")
    path.unlink(missing_ok=True)
    bets = LossFile(path)
    n, total, squares, last = len(x), 0.0, 0.0, 0.25
    for start, part in zip(x.starts(), x.parts(), strict=True):
        count = np.arange(start + 1, start + len(part) + 1)
        sums = np.cumsum(np.concatenate([[total], part]))[1:]
        mean = (0.5 + sums) / (count + 1)
        apart = np.cumsum(np.concatenate([[squares], (part - mean) ** 2]))[1:]
        variance = (0.25 + apart) / (count + 1)
        before = np.concatenate([[last], variance[:-1]])
        bets.append(np.sqrt(2 * math.log(1 / level) / (n * before)))
        total, squares, last = float(sums[-1]), float(apart[-1]), float(variance[-1])
    return bets
