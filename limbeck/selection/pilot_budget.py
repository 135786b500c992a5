"""Which pairs of a pilot a time allows: what they cost, and training them until it is spent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress
from limbeck.core.strict_json import read_json, record, write_json
from limbeck.reports.numbers import count, duration
from limbeck.selection.pilot import Cell, Pilot, PilotRuns
from limbeck.selection.pilot_design import cross, design, smallest

__all__ = [
    "PairCosts", "PilotRequest", "enough_seconds", "run_pilot", "seconds_of", "whole_seconds",
]  # fmt: skip

_UNITS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
_COSTS, _VERSION = "limbeck-pilot-costs", 1
_MOST_SEEDS = 5  # where time is left
_RUNGS = (0.25, 0.6, 1.0)  # of the budget
_LARGEST = max(b - a for a, b in pairwise((0.0, *_RUNGS)))  # share of one step, at least


def seconds_of(budget: Any) -> float:
    """A time in seconds: a number of them, or text such as ``"10 min"``, ``"90 s"`` or ``"1 h"``.

    Raises
    ------
    InvalidInput
        If it is no such time, or none at all.
    """
    found = math.nan
    if isinstance(budget, str):
        head = budget.strip().rstrip("abcdefghijklmnopqrstuvwxyz").strip()
        unit = budget.strip()[len(budget.strip().rstrip("abcdefghijklmnopqrstuvwxyz")) :]
        unit = unit if unit in _UNITS else unit.removesuffix("s")
        try:
            found = float(head) * _UNITS[unit] if unit else float(head)
        except (ValueError, KeyError):
            found = math.nan
    elif isinstance(budget, int | float) and not isinstance(budget, bool):
        found = float(budget)
    if not (math.isfinite(found) and found > 0):
        raise InvalidInput(
            f"budget is {budget!r}.", 'Give seconds, or a time such as "10 min", "90 s" or "1 h".'
        )
    return found


@dataclass(frozen=True)
class PilotRequest:
    """What was asked of the pilot: seconds, seeds, level, and settings to run it with again."""

    budget: float
    seeds: int
    seed: int
    delta: float
    training: Mapping[str, Any]


@dataclass(frozen=True)
class PairCosts:
    """Seconds of a pair: ``fixed``, and for each update; a larger student takes twice as many."""

    fixed: float
    update: float

    def of(self, cell: Cell) -> float:
        """Of one pair."""
        return (self.fixed + self.update * cell.updates) * (1 + cell.larger)


def run_pilot(
    pilot: Pilot, asked: PilotRequest, tell: Progress
) -> tuple[dict[tuple[Cell, int], PilotRuns], PairCosts]:
    """The pairs that the budget allows, and what pairs cost.

    Parameters
    ----------
    pilot : Pilot
        Trains them.
    asked : PilotRequest
        Seconds and seeds.
    tell : Progress
        Told which pair is trained.

    Raises
    ------
    InvalidInput
        If the budget is too short for one pair; says how long one takes.
    """
    costs = _kept_costs(pilot, asked.seed)
    least = smallest(pilot)
    one = costs.of(least)
    if one > asked.budget:
        raise InvalidInput(
            f"The budget of {duration(asked.budget)} is too short for one pair of runs: student and"
            f" control on {count(least.rows)} rows with {count(least.updates)} updates take about"
            f" {duration(one)}.",
            f'Give at least budget="{np.ceil(enough_seconds(pilot, costs, asked.seeds)):.0f} s".',
        )
    pairs: dict[tuple[Cell, int], PilotRuns] = {}
    own = range(asked.seed, asked.seed + asked.seeds)
    for share in _RUNGS:  # what was learned of the costs plans the next, larger cross
        budget = share * asked.budget
        cells = design(pilot, partial(_left, costs, pairs, own), budget - _spent(pairs))
        jobs = [(c, s) for s in own for c in cells[::-1]]
        costs = _train(pilot, jobs, pairs, costs, budget, tell)
    if not pairs:
        costs = _train(pilot, [(least, s) for s in own], pairs, costs, asked.budget, tell)
    more = range(own.stop, asked.seed + max(asked.seeds, _MOST_SEEDS))
    jobs = [(c, s) for s in more for c in dict.fromkeys(c for c, _ in pairs)]
    return pairs, _train(pilot, jobs, pairs, costs, asked.budget, tell)


def _left(
    costs: PairCosts, pairs: Mapping[tuple[Cell, int], PilotRuns], seeds: range, cell: Cell
) -> float:
    """Seconds of the seeds of a cell that are not run yet."""
    return costs.of(cell) * sum((cell, s) not in pairs for s in seeds)


def _spent(pairs: Mapping[Any, PilotRuns]) -> float:
    return sum(p.seconds for p in pairs.values())


def _train(
    pilot: Pilot,
    jobs: Sequence[tuple[Cell, int]],
    pairs: dict[tuple[Cell, int], PilotRuns],
    costs: PairCosts,
    budget: float,
    tell: Progress,
) -> PairCosts:
    """Run what fits into the budget; returns what pairs cost, as seen so far."""
    slower = 1.0
    for i, (cell, seed) in enumerate(jobs):
        fits = not pairs or _spent(pairs) + slower * costs.of(cell) <= budget
        if (cell, seed) in pairs or not fits:
            continue
        tell(f"{count(cell.rows)} rows, {count(cell.updates)} updates, seed {seed}", i, len(jobs))
        pairs[cell, seed] = pilot.run(cell, seed)
        slower = _spent(pairs) / sum(costs.of(c) for c, _ in pairs)
    return PairCosts(slower * costs.fixed, slower * costs.update)


def _kept_costs(pilot: Pilot, seed: int) -> PairCosts:
    """What a pair costs; in a folder as it was seen first, so that a resumed pilot plans alike."""
    path = None if pilot.folder is None else pilot.folder / "costs.json"
    if path is not None and path.is_file():
        return record(PairCosts, read_json(path, _COSTS, _VERSION))
    found = _costs(pilot, seed)
    if path is not None:
        write_json({"format": _COSTS, "version": _VERSION, **asdict(found)}, path)
    return found


def _costs(pilot: Pilot, seed: int) -> PairCosts:
    """What a pair costs, from two very short ones; the first warms up what is done once."""
    few = smallest(pilot)
    alone = replace(pilot, folder=None)
    alone.run(replace(few, updates=1), seed)
    times = [alone.run(replace(few, updates=n), seed).seconds for n in (2, 10)]
    update = max((times[1] - times[0]) / 8, 1e-5)
    return PairCosts(max(times[0] - 2 * update, 0.0), update)


def enough_seconds(pilot: Pilot, costs: PairCosts, seeds: int) -> float:
    """Seconds of the smallest cross.

    Parameters
    ----------
    pilot : Pilot
        Makes the cells.
    costs : PairCosts
        What a pair costs.
    seeds : int
        Of each cell.
    """
    budget = seeds * costs.of(smallest(pilot))
    most = seeds * sum(map(costs.of, cross(pilot, 1.0, 1.0)))
    while budget < most and not design(pilot, lambda c: seeds * costs.of(c), budget):
        budget *= 1.5
    return budget


def whole_seconds(pilot: Pilot, costs: PairCosts, seeds: int) -> float:
    """Seconds of a budget in which the pilot runs all rows for the whole training.

    Parameters
    ----------
    pilot : Pilot
        Makes the cells.
    costs : PairCosts
        What a pair costs.
    seeds : int
        Of each cell.
    """
    return seeds * sum(map(costs.of, cross(pilot, 1.0, 1.0))) / _LARGEST
