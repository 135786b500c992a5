"""Would more inputs help? Agreement after short refits on parts of them, continued to more."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from limbeck.core.measured import Measured
from limbeck.core.progress import Progress, quiet
from limbeck.core.task import TaskKind
from limbeck.evaluation.curves import Place, continued
from limbeck.evaluation.networks import Said, agreement, ask
from limbeck.networks.datasets.data import Samples
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.training.train import Trained
from limbeck.reports.numbers import count
from limbeck.selection.pilot import nested, on_part
from limbeck.selection.pilot_design import LEAST_ROWS, LEAST_UPDATES

__all__ = ["AgreementCurve", "learning_curve", "refits"]

_SHARE = 0.1  # of the updates of the run
_ROWS = 1000  # test rows that are asked about
_TWO = 2  # what seeds differ by is a part of the interval: so many of the run or of each part
_HALVINGS = range(1, 8)
_DELTA = 0.1


@dataclass(frozen=True)
class AgreementCurve:
    """Agreement with the teacher on test rows, after learning from parts of the inputs.

    Parameters
    ----------
    inputs : tuple of int
        How many of them, rising; the last is all.
    agreement : tuple of float
        Means over seeds.
    twice, four : Measured
        Forecast for so many times the inputs, with a prediction interval.
    """

    inputs: tuple[int, ...]
    agreement: tuple[float, ...]
    twice: Measured
    four: Measured

    def sentence(self, epsilon: float) -> str:
        """What the curve says, with a remedy.

        Parameters
        ----------
        epsilon : float
            The share on which the student may differ.
        """
        parts = ", ".join(f"{a:.1%} after {count(n)}" for n, a in
                          zip(self.inputs, self.agreement, strict=True))  # fmt: skip
        told = (
            f"Learning curve: it agrees with its teacher on {parts} inputs; forecast for twice as"
            f" many {_written(self.twice)}, for four times {_written(self.four)} (as many"
            f" epochs; {1 - _DELTA:.0%} intervals, if errors fall as a power of the inputs)."
        )
        now = self.agreement[-1]
        if max(self.twice.low, self.four.low) > now:
            return f"{told} More inputs should help, and need no labels: unlabelled=..."
        if self.four.high < 1 - epsilon:
            return (f"{told} By this curve four times as many hardly reach the {1 - epsilon:.0%}"
                    " asked for: try a larger student, longer training, or limbeck.advise, which"
                    " sees more of it.")  # fmt: skip
        return f"{told} Whether more inputs help cannot be told from it; limbeck.advise finds out."


def _written(found: Measured) -> str:
    return f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"


def refits(rows: int, updates: int, whole: int, seeds: int) -> list[tuple[int, int]]:
    """Rows and updates of two refits whose updates are at most a tenth of a run's, largest first.

    Parameters
    ----------
    rows, updates : int
        Of one training of the student.
    whole : int
        Updates of all trainings of the run.
    seeds : int
        Of each part.

    Returns
    -------
    list of tuple of int
        Empty where none are so short, or they would be too short to tell anything.
    """
    for k in _HALVINGS:
        found = [(rows // 2**j, max(updates // 2**j, 1)) for j in (k, k + 1)]
        if found[1][0] < LEAST_ROWS or found[1][1] < LEAST_UPDATES:
            return []
        if seeds * sum(u for _, u in found) <= _SHARE * whole:
            return found
    return []


def learning_curve(
    method: TrainNetwork,
    students: Sequence[Trained],
    whole: int,
    test: Samples,
    labelled: int | None,
    seed: int,
    tell: Progress,
) -> AgreementCurve | None:
    """Refit the student on two parts of the inputs, and continue the curve.

    Each part learns for as many epochs as the student did, with two seeds where the run has one.
    None where that would take more than a
    tenth of the updates of the run, where the teacher's answers are stored (asking anew may be
    what was to be saved), for generations, peers and several processes, and for numbers.

    Parameters
    ----------
    method : TrainNetwork
        What trained the students.
    students : sequence of Trained
        One per seed.
    whole : int
        Updates of all trainings of the run.
    test : Samples
        Rows that no training saw.
    labelled : int or None
        How many rows come before those without labels, where there are such.
    seed : int
        The first.
    tell : Progress
        Told what is trained.
    """
    teacher = method.teacher
    if (
        teacher is None or method.source is not teacher or method.mode is not None
        or len(method.makers) > 1 or method.task.kind is TaskKind.REGRESSION
        or int(os.environ.get("WORLD_SIZE", "1")) > 1
    ):  # fmt: skip
        return None
    n, made = len(method.rows), min(t.steps for t in students)
    seeds = 1 if len(students) >= _TWO else _TWO
    parts = refits(n, made, whole, seeds)
    if not parts:
        return None
    size = method.training.batch_size
    places = np.linspace(0, len(test) - 1, min(len(test), _ROWS)).round().astype(int).tolist()

    def asked(module: object) -> Said:
        return ask(module, test.batches(places, size), method.task)  # type: ignore[arg-type]

    taught = asked(teacher)

    def agreements(made: Sequence[Trained]) -> NDArray[np.float64]:
        return np.stack([agreement(asked(t.module), taught) for t in made])

    scores = [agreements(students)]
    at = [Place()]
    settings = replace(method.training, callbacks=(), metrics=None, checkpoint_every=None)
    bare = replace(method, validation=None)
    for rows, updates in parts:
        nets: list[Trained] = []
        for own in range(seed, seed + seeds):
            tell(f"learning curve, {count(rows)} inputs, seed {own}", len(nets), seeds)
            chosen = nested(method.rows, own, labelled)[:rows]
            nets.append(on_part(bare, chosen, updates, settings).distill(own, None, quiet)[0])
        scores.append(agreements(nets))
        at.append(Place(math.log2(rows / n), 0.0))
    twice, four = (continued(at, scores, Place(more), delta=_DELTA, seeds=len(students))
                   for more in (1.0, 2.0))  # fmt: skip
    inputs = (*(rows for rows, _ in parts[::-1]), n)
    means = [float(s.mean()) for s in scores]
    return AgreementCurve(inputs, (means[2], means[1], means[0]), twice, four)
