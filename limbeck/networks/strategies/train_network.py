"""One seed's trainings: the students, and the same student without the teacher."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress
from limbeck.core.task import Task
from limbeck.modules.outputs import OutputReader, read_by
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.seeding import mixed, seed_torch
from limbeck.networks.initialization.from_teacher import Transplant, init_from_teacher
from limbeck.networks.linear_model import linear_baseline
from limbeck.networks.losses.filters import Filter
from limbeck.networks.losses.labels import GoldLabels
from limbeck.networks.losses.loss import Objective
from limbeck.networks.strategies.together import BornAgain, train_together
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import Student, Trained, joined, train

__all__ = ["GOLD", "TrainNetwork", "make", "started"]

GOLD = Objective.of(GoldLabels())
_UPDATES = 500  # of the linear model, at least: a few epochs of few rows would leave it untrained


@dataclass(frozen=True, eq=False)
class TrainNetwork:
    """What every seed trains.

    Parameters
    ----------
    makers : sequence of nn.Module or callable
        The students' starts.
    start : optional
        The teacher's layers that are copied first; see `init_from_teacher`.
    teacher : nn.Module or None
        Whose layers these are.
    source : nn.Module, TeacherCache or None
        Whom the students ask.
    rows, validation : Samples
        What is trained on, and chosen by.
    task : Task
        What is predicted.
    objective : Objective
        What is learned from the teacher.
    training : Training
        The budget, the same for all.
    mode : BornAgain or None
        Generations.
    filter : Filter or None
        Which samples use the teacher's signal.
    reads : sequence of OutputReader
        How the outputs of each student are found in what it returns; plainly by default.
    labelled : Samples, optional
        What the control trains on: as many as ``rows``, so that it makes as many updates. By
        default ``rows``.
    cuts : sequence of callables
        From a trained student to a smaller one, on which its training goes on; the updates are
        divided among all of them.
    """

    makers: Sequence[Student]
    start: Any
    teacher: nn.Module | None
    source: nn.Module | TeacherCache | None
    rows: Samples
    validation: Samples | None
    task: Task
    objective: Objective
    training: Training
    mode: BornAgain | None
    filter: Filter | None
    reads: Sequence[OutputReader] = ()
    labelled: Samples | None = None
    cuts: Sequence[Callable[[nn.Module], nn.Module]] = ()

    def distill(self, seed: int, folder: Path | None, tell: Progress) -> list[Trained]:
        """The students of one seed: one, peers in their order, or generations in theirs.

        Parameters
        ----------
        seed : int
            The seed.
        folder : Path or None
            Where checkpoints and metrics are written.
        tell : Progress
            Called with the stage, what is done, and the total.
        """
        shared = self._shared(seed, folder, tell, "student") | {"teacher": self.source}
        made = [self._start(i, own_seed(seed, i)) for i in range(len(self.makers))]
        given = self.rows, self.objective, self.task
        if len(made) > 1:
            return train_together(made, *given, **shared)
        shared["filter"] = self.filter
        if self.mode is not None:
            kept = isinstance(self.makers[0], nn.Module) or self.start is not None
            return self.mode.run(made[0] if kept else self._alike(), *given, **shared)
        return [self._in_steps(made[0], *given, **shared)]

    def learn(self, seed: int, folder: Path | None, tell: Progress) -> Trained:
        """The same student on gold labels: same start, budget, order, augmentation, smoothing.

        Parameters
        ----------
        seed : int
            The seed.
        folder : Path or None
            Where checkpoints and metrics are written.
        tell : Progress
            Called with the stage, what is done, and the total.
        """
        shared = self._shared(seed, folder, tell, "control")
        if isinstance(self.source, TeacherCache):
            shared |= {"views": self.source.views, "augment_seed": self.source.seed}
        gold = Objective.of(GoldLabels(label_smoothing=self._smoothing()))
        return self._in_steps(self._start(0, seed), self._gold, gold, self.task, **shared)

    def untrained(self, seed: int) -> Trained:
        """The start of a seed's student, as it is.

        Parameters
        ----------
        seed : int
            The seed.
        """
        return Trained(self._start(0, seed).eval(), nn.ModuleDict(), (), 0, 0, 0.0)

    def _in_steps(self, student: nn.Module, rows: Samples, *given: Any, **shared: Any) -> Trained:
        """Train; where there are cuts, cut and train again."""
        if not self.cuts:
            return train(student, rows, *given, **shared)
        settled = self.training.settled(len(rows), self.validation is not None)
        folder: Path | None = shared["folder"]
        done: Trained | None = None
        for step, part in enumerate(settled.divided(len(rows), 1 + len(self.cuts))):
            if done is not None:
                student = read_by(self.cuts[step - 1](done.module), self._reading(0))
            under = None if folder is None else folder / f"step-{step + 1}"
            made = train(student, rows, *given, **{**shared, "training": part, "folder": under})
            done = made if done is None else joined(done, made)
        assert done is not None  # noqa: S101  (there are parts)
        return done

    @property
    def _gold(self) -> Samples:
        """The samples that have labels."""
        return self.rows if self.labelled is None else self.labelled

    def _smoothing(self) -> float:
        """The label smoothing of the objective, which its control has too."""
        terms = [p.term for p in self.objective.parts]
        return next((t.label_smoothing for t in terms if isinstance(t, GoldLabels)), 0.0)

    def baselines(self, seed: int) -> dict[str, Trained]:
        """A linear model on gold labels, by the same loop; none where it makes no sense."""
        if not self.rows.has_labels:
            return {}
        pupil = make(self.makers[0], seed)
        vocabulary = getattr(getattr(pupil, "config", None), "vocab_size", None)
        first = self.rows.fetch(range(min(len(self.rows), 1024))).inputs
        with torch.random.fork_rng():
            seed_torch(seed)
            model = linear_baseline(first, self.task, vocabulary)
        if model is None:
            return {}
        size = self.training.batch_size
        epochs = max(self.training.epochs or 0, math.ceil(_UPDATES * size / len(self._gold)))
        budget = Training(epochs=epochs, batch_size=size, lr=model.rate)
        trained = train(model, self._gold, GOLD, self.task, training=budget, seed=seed)
        return {"linear model": trained}

    def _start(self, place: int, seed: int) -> nn.Module:
        module = started(self.makers[place], seed, self.rows, self.teacher, self.start)[0]
        return read_by(module, self._reading(place))

    def _reading(self, place: int) -> OutputReader:
        return self.reads[place] if self.reads else OutputReader()

    def _alike(self) -> Callable[[], nn.Module]:
        """The student's function, after which what is drawn is as if a network had been copied."""
        maker = self.makers[0]
        assert not isinstance(maker, nn.Module)  # noqa: S101  (the caller checks)

        def made() -> nn.Module:
            with torch.random.fork_rng():
                return read_by(maker(), self._reading(0))

        return made

    def _shared(self, seed: int, folder: Path | None, tell: Progress, title: str) -> dict[str, Any]:
        def said(stage: str, done: float, total: float) -> None:
            tell(f"{title}, seed {seed}: {stage}", done, total)

        return {
            "training": self.training,
            "seed": seed,
            "validation": self.validation,
            "folder": folder,
            "name": f"{title}, seed {seed}",
            "progress": said,
        }


def own_seed(seed: int, place: int) -> int:
    """Where the student at a place starts: peers from one function start differently."""
    return seed if place == 0 else mixed(seed, place)


def started(
    maker: Student, seed: int, rows: Samples, teacher: nn.Module | None, start: Any
) -> tuple[nn.Module, Transplant | None]:
    """A student as `make` makes it, and what ``start`` copied from the teacher, if anything.

    Parameters
    ----------
    maker : nn.Module or callable
        The start of the student, or a function that makes one.
    seed : int
        The seed set before the function is called.
    rows : Samples
        The training samples.
    teacher : nn.Module or None
        Whose layers are copied.
    start : str, mapping, sequence or None
        What is copied; see `limbeck.networks.init_from_teacher`.
    """
    student = make(maker, seed)
    if start is None:
        return student, None
    if teacher is None:
        raise InvalidInput("start was given without a teacher.", "Leave start out.")
    batch = rows.fetch(range(min(len(rows), 32))).inputs
    return student, init_from_teacher(teacher, student, start, batch)


def make(maker: Student, seed: int) -> nn.Module:
    """A network to train: a copy, or one that a function makes after the seed was set.

    Parameters
    ----------
    maker : nn.Module or callable
        The start of the student, or a function that makes one.
    seed : int
        The seed set before the function is called.

    Raises
    ------
    InvalidInput
        If the function returns something else.
    """
    with torch.random.fork_rng():
        seed_torch(seed)
        student = copy.deepcopy(maker) if isinstance(maker, nn.Module) else maker()
    if not isinstance(student, nn.Module):
        raise InvalidInput(
            f"into made a {type(student).__name__}.", "Let the function return a torch module."
        )
    return student
