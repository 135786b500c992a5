"""Successive halving: many trials of a short training, the best of them of a longer one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Rung", "rungs", "survivors"]


@dataclass(frozen=True)
class Rung:
    """One round: how many trials run, and for how many updates each.

    Parameters
    ----------
    trials : int
        Those that are left.
    updates : int
        Of each, from the start.
    """

    trials: int
    updates: int


def rungs(trials: int, updates: int, eta: int = 3, least: int = 20) -> tuple[Rung, ...]:
    """The rounds of successive halving (Jamieson and Talwalkar 2016).

    Each keeps one of ``eta`` trials and trains ``eta`` times as long; the last trains for all
    updates, and has at least two trials where there are two.

    Parameters
    ----------
    trials : int
        In the first round.
    updates : int
        Of a whole training.
    eta : int
        The factor, at least 2.
    least : int
        Updates of the shortest training.

    Examples
    --------
    >>> [(r.trials, r.updates) for r in rungs(30, 900)]
    [(30, 100), (10, 300), (3, 900)]
    >>> [(r.trials, r.updates) for r in rungs(30, 50)]
    [(30, 50)]
    """
    counts = [trials]
    while counts[-1] // eta >= 2 and updates // eta ** len(counts) >= least:
        counts.append(counts[-1] // eta)
    last = len(counts) - 1
    return tuple(Rung(n, math.ceil(updates / eta ** (last - i))) for i, n in enumerate(counts))


def survivors(scores: Sequence[tuple[float, ...] | None], kept: int) -> list[int]:
    """Places of the best scores, the best first; those without one are out.

    Parameters
    ----------
    scores : sequence of tuple of float, or None
        Of each trial, compared from the first entry on; None for one that failed. Among equals the
        first trial is ahead.
    kept : int
        How many at most.
    """
    known = [(score, i) for i, score in enumerate(scores) if score is not None]
    return [i for _, i in sorted(known, key=lambda pair: (*(-x for x in pair[0]), pair[1]))][:kept]
