"""Training without a fixed teacher: students that teach each other, and generations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress, quiet
from limbeck.core.task import Task
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.seeding import mixed
from limbeck.networks.losses.loss import Objective
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import Student, Trained, fit, train

if TYPE_CHECKING:
    from limbeck.networks.cache.teacher_cache import TeacherCache

__all__ = ["BornAgain", "train_together"]


def train_together(
    students: Sequence[Student],
    samples: Samples,
    objective: object,
    task: Task,
    *,
    training: Training | None = None,
    seed: int = 0,
    teacher: nn.Module | TeacherCache | None = None,
    validation: Samples | None = None,
    views: int | None = None,
    augment_seed: int | None = None,
    folder: str | Path | None = None,
    name: str = "",
    progress: Progress = quiet,
) -> list[Trained]:
    """Train two or more students that teach each other (co-distillation).

    All see the same batches. Terms of the objective that read a teacher read, for each student,
    the mean prediction of the others in the same batch, without gradients (Anil et al. 2018,
    section 2; Zhang et al. 2018, deep mutual learning, takes the mean of the losses instead). A
    teacher that is given counts as one more of the others.

    Parameters
    ----------
    students : sequence of nn.Module or callable
        At least two, which should start differently.
    samples, objective, task, training, seed, teacher, validation, views, augment_seed, folder, \
name, progress
        As in `train`. The objective may read predictions only, no layers of a teacher.

    Returns
    -------
    list of Trained
        In the order of the students; each of its own best epoch.

    Raises
    ------
    InvalidInput
        As `train`; and for fewer than two students.
    """
    if len(students) < 2:
        raise InvalidInput(
            f"{len(students)} students are to teach each other.", "Give at least two, or use train."
        )
    return fit(
        students, samples, objective, task, training=training, seed=seed, teacher=teacher,
        validation=validation, views=views, augment_seed=augment_seed, folder=folder,
        name=name, progress=progress,
    )  # fmt: skip


@dataclass(frozen=True)
class BornAgain:
    """Generations of one network, each taught by the one before it (Furlanello et al. 2018).

    The first is taught by the teacher that is given, or else learns from the labels.

    Parameters
    ----------
    generations : int
        How many students are trained, one after another.

    Examples
    --------
    >>> BornAgain(generations=3)
    BornAgain(generations=3)
    """

    generations: int = 3

    def __post_init__(self) -> None:
        if isinstance(self.generations, bool) or self.generations < 1:
            raise InvalidInput(f"generations is {self.generations!r}.", "Give at least 1.")

    def run(
        self,
        student: Student,
        samples: Samples,
        objective: object,
        task: Task,
        *,
        first: object | None = None,
        seed: int = 0,
        teacher: nn.Module | TeacherCache | None = None,
        folder: str | Path | None = None,
        name: str = "",
        **settings: Any,
    ) -> list[Trained]:
        """Train all generations.

        Parameters
        ----------
        student : nn.Module or callable
            As in `train`. The last generation has the seed itself, so that it starts and sees
            rows as a control of that seed does; those before it have seeds made from it, so that
            a function makes new weights for each.
        samples, objective, task, seed, teacher, folder, name
            As in `train`; each generation writes to ``generation_g`` in the folder, and is added
            to the name.
        first : Objective or Loss, optional
            What the first generation learns without a teacher; by default the terms of the
            objective that need none.
        **settings
            More of `train`: training, filter, validation, views, augment_seed, progress.

        Returns
        -------
        list of Trained
            One a generation, the last being the last taught.

        Raises
        ------
        InvalidInput
            As `train`; and if there is nothing that the first generation can learn from.
        """
        out: list[Trained] = []
        told: nn.Module | TeacherCache | None = teacher
        for g in range(self.generations):
            learned = objective if told is not None else _alone(objective, first)
            own = dict(settings) if told is not None else settings | {"filter": None}
            where = None if folder is None else Path(folder) / f"generation_{g}"
            left = self.generations - 1 - g
            seeded = seed if left == 0 else mixed(seed, left) >> 32
            trained = train(
                student, samples, learned, task, seed=seeded, teacher=told, folder=where,
                name=f"{name}, generation {g}".removeprefix(", "), **own,
            )  # fmt: skip
            out.append(trained)
            told = trained.module
        return out


def _alone(objective: object, first: object | None) -> object:
    """What is learned without a teacher."""
    if first is not None:
        return first
    found = Objective.of(objective)
    parts = tuple(p for p in found.parts if not p.term.needs.teacher)
    if not parts:
        raise InvalidInput(
            "No term of the objective can be learned without a teacher.",
            "Give a teacher, or add a term on labels, such as GoldLabels().",
        )
    return Objective(parts, found.balanced)
