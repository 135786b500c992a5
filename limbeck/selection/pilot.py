"""Short runs of student and control: which ones a time allows, and the runs themselves."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.core.arrays import read_arrays
from limbeck.core.atomic_io import write_bytes
from limbeck.core.contract import Progress
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.evaluation.forecast import PairScores, Place
from limbeck.evaluation.networks import ask, right
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.seeding import mixed
from limbeck.networks.datasets.sources import Arrays
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.training.settings import Training

__all__ = [
    "Cell",
    "Pilot",
    "PilotRuns",
    "cross",
    "design",
    "gathered",
    "nested",
    "seconds_of",
    "smallest",
]

LEAST_ROWS, LEAST_UPDATES = 20, 10
_HALVINGS = 8  # of rows and of training, at most
_UNITS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600}


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
class Cell:
    """How much student and control are trained, and which student.

    Parameters
    ----------
    rows, updates : int
        Training rows, and updates of the weights.
    place : Place
        The same in doublings of the whole.
    larger : bool
        Whether it is the student of twice the size.
    """

    rows: int
    updates: int
    place: Place
    larger: bool = False

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{'larger' if self.larger else 'student'}-{self.rows}-{self.updates}"


@dataclass(frozen=True, eq=False)
class PilotRuns:
    """A student and its control of one seed, on the rows that are measured.

    Parameters
    ----------
    student, control : ndarray of shape (m,)
        A score per row.
    seconds : float
        What both took, with their answers.
    """

    student: NDArray[np.float64]
    control: NDArray[np.float64]
    seconds: float


@dataclass(frozen=True, eq=False)
class Pilot:
    """Trains pairs, and keeps them in a folder.

    Parameters
    ----------
    method : TrainNetwork
        The student on all rows.
    larger : TrainNetwork or None
        The same with a student of twice the size.
    settings : Training
        As they were given, before epochs were settled for a number of rows.
    measured : Samples
        Rows that no training sees.
    folder : Path or None
        Where finished pairs are kept.
    """

    method: TrainNetwork
    larger: TrainNetwork | None
    settings: Training
    measured: Samples
    folder: Path | None = None

    def updates(self, rows: int) -> int:
        """Updates that the settings give so many rows."""
        known = self.settings.settled(rows, validated=False)
        each = max(-(-rows // known.batch_size), 1)
        if self.method.rows.drop_last:
            each = max(rows // known.batch_size, 1)
        total = (known.epochs or 1) * each
        return total if known.max_steps is None else min(total, known.max_steps)

    def cell(self, rows: float, training: float, larger: bool = False) -> Cell:
        """The cell of a share of the rows and a share of the updates that so many get.

        Parameters
        ----------
        rows, training : float
            Shares from 0; training may be above 1.
        larger : bool
            Whether it is the larger student.
        """
        whole = len(self.method.rows)
        n = round(rows * whole)
        full = self.updates(n)
        made = max(round(training * full), 1)
        place = Place(math.log2(n / whole), math.log2(made / full))
        return Cell(n, made, place, larger)

    def run(self, cell: Cell, seed: int, tell: Progress = quiet) -> PilotRuns:
        """One pair, read where it was finished before.

        Parameters
        ----------
        cell : Cell
            How much it is trained.
        seed : int
            Of its rows, start and order.
        tell : Progress
            Told how far the training is.
        """
        path = None if self.folder is None else self.folder / f"{cell.name}-seed-{seed}.npz"
        if path is not None and path.is_file():
            kept = read_arrays(path, ("student", "control", "seconds"))
            return PilotRuns(kept["student"], kept["control"], float(kept["seconds"]))
        began = time.perf_counter()
        base = self.larger if cell.larger else self.method
        assert base is not None  # noqa: S101  (no such cell is planned without it)
        chosen = nested(base.rows, seed)[: cell.rows]
        each = max(-(-cell.rows // self.settings.batch_size), 1)
        epochs = -(-cell.updates // each)
        training = replace(self.settings, max_steps=cell.updates, patience=None, epochs=epochs)
        training = training.settled(cell.rows, validated=False)
        kept_filter = None if base.filter is None else base.filter.chosen(chosen)
        own = replace(base, rows=base.rows.subset(chosen), training=training, filter=kept_filter)
        scores = []
        for role in ("distill", "learn"):
            made = getattr(own, role)(seed, None, tell)
            net = made[-1].module if isinstance(made, list) else made.module
            scores.append(self._scores(net))
        found = PilotRuns(scores[0], scores[1], time.perf_counter() - began)
        if path is not None:
            file = io.BytesIO()
            np.savez_compressed(file, student=found.student, control=found.control,
                                seconds=np.array(found.seconds))  # fmt: skip
            write_bytes(file.getvalue(), path)
        return found

    def _scores(self, net: Any) -> NDArray[np.float64]:
        rows, task = self.measured, self.method.task
        said = right(ask(net, rows.batches(range(len(rows)), self.settings.batch_size), task))
        assert said is not None  # noqa: S101  (rows without labels are refused before)
        return said


def nested(rows: Samples, seed: int) -> torch.Tensor:
    """An order whose every beginning holds about the same share of each class, and of no label.

    Parameters
    ----------
    rows : Samples
        The rows.
    seed : int
        Of the order.
    """
    rng = np.random.default_rng(mixed(seed, 7))
    strata = np.zeros(len(rows), dtype=np.int64)
    if isinstance(rows.source, Arrays):
        labels = rows.fetch(range(len(rows))).labels
        if labels is not None and labels.ndim == 1 and not labels.is_floating_point():
            strata = labels.cpu().numpy()
    place = rng.random(len(rows))
    for s in np.unique(strata):
        own = np.flatnonzero(strata == s)
        place[own] = (rng.permutation(len(own)) + place[own]) / len(own)
    return torch.from_numpy(np.argsort(place, kind="stable"))


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


def gathered(pairs: Mapping[tuple[Cell, int], PilotRuns], larger: bool) -> list[PairScores]:
    """The pairs of each cell, one below the other, largest cell first.

    Parameters
    ----------
    pairs : mapping
        By cell and seed.
    larger : bool
        Of which student.
    """
    cells: Sequence[Cell] = list(dict.fromkeys(c for c, _ in pairs if c.larger == larger))
    found = []
    for cell in cells:
        own = [p for (c, _), p in pairs.items() if c == cell]
        found.append(PairScores(cell.place, np.stack([p.student for p in own]),
                                np.stack([p.control for p in own])))  # fmt: skip
    return sorted(found, key=lambda p: -(p.place.rows + p.place.training))
