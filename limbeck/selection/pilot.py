"""Short runs of student and control, kept in a folder."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.core.arrays import read_arrays
from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import InvalidInput, TeacherFailed
from limbeck.core.progress import Progress, quiet
from limbeck.evaluation.forecast import PairScores, Place
from limbeck.evaluation.networks import ask, right
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.seeding import mixed
from limbeck.networks.datasets.sources import Arrays
from limbeck.networks.datasets.transfer import repeated
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.training.settings import Training

__all__ = ["Cell", "Pilot", "PilotRuns", "gathered", "nested", "on_part"]


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
    labelled : int or None
        Where inputs without labels were given, how many rows come before them: of these alone the
        control learns, with as many updates as the student.
    """

    method: TrainNetwork
    larger: TrainNetwork | None
    settings: Training
    measured: Samples
    folder: Path | None = None
    labelled: int | None = None

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
        chosen = nested(base.rows, seed, self.labelled)[: cell.rows]
        labelled = self._labelled(chosen)
        own = replace(on_part(base, chosen, cell.updates, self.settings), labelled=labelled)
        scores = []
        for role in ("distill", "learn"):
            made = getattr(own, role)(seed, None, tell)
            net = made[-1].module if isinstance(made, list) else made.module
            try:
                scores.append(self._scores(net))
            except TeacherFailed as error:  # what any network is told whose outputs are not finite
                raise InvalidInput(
                    f"The {'student' if role == 'distill' else 'control'} diverged after"
                    f" {cell.updates:,} updates: its outputs are not finite.",
                    "Lower lr, or give max_grad_norm=1.0.",
                ) from error
        found = PilotRuns(scores[0], scores[1], time.perf_counter() - began)
        if path is not None:
            file = io.BytesIO()
            np.savez_compressed(file, student=found.student, control=found.control,
                                seconds=np.array(found.seconds))  # fmt: skip
            write_bytes(file.getvalue(), path)
        return found

    def _labelled(self, chosen: torch.Tensor) -> Samples | None:
        """What the control learns from, of the chosen rows; None where it is all of them."""
        if self.labelled is None:
            return None
        return repeated(self.method.rows.subset(chosen[chosen < self.labelled]), len(chosen))

    def _scores(self, net: Any) -> NDArray[np.float64]:
        rows, task = self.measured, self.method.task
        said = right(ask(net, rows.batches(range(len(rows)), self.settings.batch_size), task))
        assert said is not None  # noqa: S101  (rows without labels are refused before)
        return said


def on_part(
    method: TrainNetwork, chosen: torch.Tensor, updates: int, settings: Training
) -> TrainNetwork:
    """The method on a part of its rows, for so many updates and without early stopping.

    Parameters
    ----------
    method : TrainNetwork
        On all rows.
    chosen : Tensor of int
        The rows of the part.
    updates : int
        Updates of the weights.
    settings : Training
        As they were given.
    """
    epochs = -(-updates // max(-(-len(chosen) // settings.batch_size), 1))
    training = replace(settings, max_steps=updates, patience=None, epochs=epochs)
    training = training.settled(len(chosen), validated=False)
    kept = None if method.filter is None else method.filter.chosen(chosen)
    return replace(method, rows=method.rows.subset(chosen), training=training, filter=kept)


def nested(rows: Samples, seed: int, labelled: int | None = None) -> torch.Tensor:
    """An order whose every beginning holds about the same share of each class, and of no label.

    Parameters
    ----------
    rows : Samples
        The rows.
    seed : int
        Of the order.
    labelled : int or None
        How many rows come before those without labels, where there are such.
    """
    rng = np.random.default_rng(mixed(seed, 7))
    strata = np.zeros(len(rows), dtype=np.int64)
    if isinstance(rows.source, Arrays):
        labels = rows.fetch(range(len(rows))).labels
        if labels is not None and labels.ndim == 1 and not labels.is_floating_point():
            strata = labels.cpu().numpy().copy()
    if labelled is not None:
        strata[labelled:] = strata.max() + 1
    place = rng.random(len(rows))
    for s in np.unique(strata):
        own = np.flatnonzero(strata == s)
        place[own] = (rng.permutation(len(own)) + place[own]) / len(own)
    return torch.from_numpy(np.argsort(place, kind="stable"))


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
