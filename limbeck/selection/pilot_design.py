"""Which cells a pilot runs: a cross of halvings of rows and of training, as large as fits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from limbeck.selection.pilot import Cell, Pilot

__all__ = ["cross", "design", "smallest"]

LEAST_ROWS, LEAST_UPDATES = 20, 10
_HALVINGS = 8  # of rows and of training, at most


def design(pilot: Pilot, cost: Callable[[Cell], float], budget: float) -> list[Cell]:
    """Which cells a time allows, nearest to the whole; the largest one first.

    A cross: three halvings of the rows and three of the training below its largest cell, and there
    the larger student. The cross is moved down, rows first, until all of it fits.

    Parameters
    ----------
    pilot : Pilot
        Makes the cells.
    cost : callable
        Seconds that a cell takes, with all of its seeds.
    budget : float
        Seconds for all cells.

    Returns
    -------
    list of Cell
        Empty where not even the smallest cross fits.
    """
    halves = 0.5 ** np.arange(_HALVINGS)
    places = sorted(((f, g) for f in halves for g in halves),
                    key=lambda p: (-round(math.log2(p[0] * p[1])), -p[1]))  # fmt: skip
    for f, g in places:
        cells = cross(pilot, f, g)
        if len(cells) >= 3 and sum(map(cost, cells)) <= budget:
            return cells
    return []


def smallest(pilot: Pilot) -> Cell:
    """The cell that costs least."""
    n = len(pilot.method.rows)
    shares = [s for s in 0.5 ** np.arange(_HALVINGS + 3) if s * n >= LEAST_ROWS] or [1.0]
    training = [s for s in 0.5 ** np.arange(_HALVINGS + 2)
                if s * pilot.updates(round(shares[-1] * n)) >= LEAST_UPDATES] or [1.0]  # fmt: skip
    return pilot.cell(shares[-1], training[-1])


def cross(pilot: Pilot, f: float, g: float) -> list[Cell]:
    """A cell with halvings of its rows and of its training, and with the larger student.

    Parameters
    ----------
    pilot : Pilot
        Makes the cells.
    f, g : float
        Shares of the rows, and of the updates that so many get, of the largest cell.
    """
    shares = [(f, g), *((f / 2**k, g) for k in (1, 2, 3)), *((f, g / 2**k) for k in (1, 2, 3))]
    n = len(pilot.method.rows)
    cells = [pilot.cell(*s) for s in shares if round(s[0] * n) >= LEAST_ROWS]
    cells = [c for c in cells if c.updates >= LEAST_UPDATES]
    if cells and pilot.larger is not None:
        cells.insert(1, replace(cells[0], larger=True))
    return cells
