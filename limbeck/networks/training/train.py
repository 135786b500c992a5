"""Training students: at the speed of a loop by hand, resumable, and the same for the same seed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress, quiet
from limbeck.core.task import Task
from limbeck.modules.linear_head import linear_head
from limbeck.modules.runner import Network, watched
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.mixing import Mixing
from limbeck.networks.datasets.seeding import seed_torch
from limbeck.networks.losses.filters import Filter
from limbeck.networks.losses.loss import Needs, Objective
from limbeck.networks.training.checkpoint import settings_of
from limbeck.networks.training.checks import (
    check_scored,
    check_settings,
    check_shared,
    check_validation,
    maps_of,
    unused,
)
from limbeck.networks.training.engine import Engine, device_of
from limbeck.networks.training.settings import Training
from limbeck.networks.training.teacher_outputs import asked
from limbeck.networks.training.trainer import Trainer
from limbeck.networks.training.training_step import Learner
from limbeck.networks.training.validation import Validation

if TYPE_CHECKING:
    from limbeck.networks.cache.teacher_cache import TeacherCache

__all__ = ["Student", "Trained", "fit", "joined", "train"]

Student = nn.Module | Callable[[], nn.Module]
"""A network, whose weights are where every training starts, or what makes one."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained student.

    Parameters
    ----------
    module : nn.Module
        The student, in eval mode: of the best epoch where there was validation, else of the last.
    maps : nn.ModuleDict
        Learned maps of the objective, of the last update; no part of the student.
    history : tuple of mappings
        One row an epoch: epoch (from 0), step, loss (the total), each term's raw loss (means of
        the epoch), lr, score and validation_loss (see `Validation`; None without), and the
        metrics of the settings.
    best_epoch : int
        The epoch, from 0, that the weights are from.
    steps : int
        Updates made.
    seconds : float
        Of training.
    began : mapping
        What losses were before anything was learned: loss that of the first update;
        validation_loss that of the best answer that is the same for all rows.
    """

    module: nn.Module
    maps: nn.ModuleDict
    history: tuple[Mapping[str, Any], ...]
    best_epoch: int
    steps: int
    seconds: float
    began: Mapping[str, float] = field(default_factory=dict)


def joined(first: Trained, second: Trained) -> Trained:
    """Two trainings one after another as one, with the network of the second.

    Parameters
    ----------
    first, second : Trained
        In their order.
    """
    epochs = len(first.history)
    later = tuple(
        {**row, "epoch": row["epoch"] + epochs, "step": row["step"] + first.steps}
        for row in second.history
    )
    return replace(
        second,
        history=(*first.history, *later),
        best_epoch=second.best_epoch + epochs,
        steps=first.steps + second.steps,
        seconds=first.seconds + second.seconds,
        began=first.began,
    )


def train(
    student: Student,
    samples: Samples,
    objective: object,
    task: Task,
    *,
    training: Training | None = None,
    seed: int = 0,
    teacher: nn.Module | TeacherCache | None = None,
    filter: Filter | None = None,  # noqa: A002  (the word of the design)
    validation: Samples | None = None,
    views: int | None = None,
    augment_seed: int | None = None,
    folder: str | Path | None = None,
    name: str = "",
    progress: Progress = quiet,
) -> Trained:
    """Train a student.

    Parameters
    ----------
    student : nn.Module or callable
        A network, which is copied, or a function that makes one; it is called after the seed is
        set.
    samples : Samples
        Training rows.
    objective : Objective or Loss
        What is learned.
    task : Task
        What is predicted.
    training : Training, optional
        Settings of the loop.
    seed : int
        Of the order, the augmentation and everything that is drawn. The same seed gives the same
        student, bit for bit on a CPU.
    teacher : nn.Module or TeacherCache, optional
        Who teaches; stays as it is.
    filter : Filter, optional
        Which samples use the teacher's signal.
    validation : Samples, optional
        Rows that choose the epoch and may stop the training.
    views : int, optional
        Augmented views of each sample that epochs go through in turn; None means a new one every
        epoch, and with stored outputs as many as are stored.
    augment_seed : int, optional
        Of the augmentation: with stored outputs the seed they were stored for, else ``seed``. A
        control sees the same augmented samples where it is given the same views and this seed.
    folder : path, optional
        Where checkpoints and metrics are written. A training that is found there goes on, and
        one that is finished is returned at once; other settings than its own are refused.
    name : str
        What callbacks are told of which training this is.
    progress : callable
        Told how far the work is.

    Returns
    -------
    Trained
        The student and its history.

    Raises
    ------
    InvalidInput
        If objective, data, networks and settings do not fit, or a loss is not finite.
    FileRefused
        If the folder cannot be read or written.
    """
    return fit(
        [student], samples, objective, task, training=training, seed=seed, teacher=teacher,
        filter=filter, validation=validation, views=views, augment_seed=augment_seed,
        folder=folder, name=name, progress=progress,
    )[0]  # fmt: skip


def fit(
    students: Sequence[Student],
    samples: Samples,
    objective: object,
    task: Task,
    *,
    training: Training | None = None,
    seed: int = 0,
    teacher: nn.Module | TeacherCache | None = None,
    filter: Filter | None = None,  # noqa: A002  (the word of the design)
    validation: Samples | None = None,
    views: int | None = None,
    augment_seed: int | None = None,
    folder: str | Path | None = None,
    name: str = "",
    progress: Progress = quiet,
) -> list[Trained]:
    """Train one student, or several that teach each other; see `train` and `train_together`.

    Parameters
    ----------
    students : sequence of Student
        Each with what belongs to it alone.
    samples : Samples
        What is trained on.
    objective : loss or sum of losses
        The weighted losses.
    task : Task
        What is predicted.
    training, seed, teacher, filter, validation, views, augment_seed, folder, name, progress
        As for `train`.
    """
    training = (training or Training()).settled(len(samples), validation is not None)
    found = Objective.of(objective)
    check_settings(found, task, samples, teacher, filter, len(students) > 1)
    check_validation(training, validation)
    check_scored(validation, teacher)
    samples = samples if samples.task == task else samples.aimed(task)
    needs = found.needs if filter is None else found.needs | filter.needs
    if teacher is not None and not isinstance(teacher, nn.Module):
        teacher.check(samples, layers=needs.teacher_layers, task=task)
        _check_mixing_of_stored(training)
        views, augment_seed = teacher.views, teacher.seed
    augment_seed = seed if augment_seed is None else augment_seed
    where = None if folder is None else Path(folder)
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(range(torch.cuda.device_count())))
        seed_torch(seed)
        modules = [_made(s, teacher) for s in students]
        engine = stack.enter_context(Engine.started(training, device_of(modules[0])))
        settings = {}
        if where is not None:
            where.mkdir(parents=True, exist_ok=True)
            settings = {
                **settings_of(training, found, task, samples, teacher, filter, validation, views,
                              seed, augment_seed, modules), "processes": engine.processes,
            }  # fmt: skip
        moved = training.device is not None or engine.processes > 1
        heads = _heads(modules, teacher, found, validation is None and filter is None)
        ask, asked_teacher = stack.enter_context(
            asked(teacher, needs.teacher_layers, engine, moved, heads[-1])
        )
        for module in modules:
            module.to(engine.device)
        first = _two_rows(samples, seed, augment_seed, engine)
        mixing = _mixing(training, task, first.inputs)
        loose = [engine.processes > 1 and unused(m, first) for m in modules]
        # Replicas that look for unused weights would take one that only the loss uses for such.
        own = [None if out else head for head, out in zip(heads, loose, strict=False)]
        maps = maps_of(modules, first, found, task, ask, needs, seed, engine, asked_teacher, filter,
                       own)  # fmt: skip
        if engine.rank:
            seed_torch(seed + 7919 * engine.rank)  # other draws than the first process's
        averages = [_averaged(m, training.ema) for m in modules]
        plain = [copy.deepcopy(m) for m in modules] if engine.sharded else modules
        called = [engine.prepared(m, out) for m, out in zip(modules, loose, strict=True)]
        seen = _watched(stack, modules, called, own, needs, engine)
        learners = [
            Learner(m, outputs, found, learned, training, engine, average)
            for m, outputs, learned, average in zip(modules, seen, maps, averages, strict=True)
        ]
        session = Trainer(
            learners, ask, asked_teacher, samples, task, training, engine, seed=seed,
            augment_seed=augment_seed, views=views, filter=filter, folder=where, settings=settings,
            validation=_validation(validation, task, training, engine, asked_teacher), name=name,
            mixing=mixing,
        )  # fmt: skip
        session.run(progress)
        if engine.sharded:
            _gather(plain, learners)
        return _trained(session, plain, maps)


def _watched(
    stack: ExitStack, modules: Sequence[nn.Module], called: Sequence[nn.Module],
    heads: Sequence[Any], needs: Needs, engine: Engine,
) -> list[Any]:  # fmt: skip
    """What runs each student and keeps the layers that the losses need."""
    mixed = engine.autocast if engine.mixed else None
    return [
        stack.enter_context(
            watched(m, needs.student_layers, "The student", called=c, context=mixed, head=h)
        )
        for m, c, h in zip(modules, called, heads, strict=True)
    ]


def _gather(modules: Sequence[nn.Module], learners: Sequence[Learner]) -> None:
    """Give modules the weights that were trained in shards."""
    for module, learner in zip(modules, learners, strict=True):
        module.load_state_dict(learner.student_state())


def _two_rows(samples: Samples, seed: int, augment_seed: int, engine: Engine) -> Batch:
    """The first rows of training, on which shapes are read and settings tried."""
    rows = samples.order(0, seed)[:2]
    return next(iter(samples.batches(rows, 2, seed=augment_seed, view=0, device=engine.device)))


def _check_mixing_of_stored(training: Training) -> None:
    if training.mixup is not None or training.cutmix is not None:
        raise InvalidInput(
            "mixup or cutmix was given, and the teacher's outputs are stored for rows as they are.",
            "Leave the cache out, or mixup and cutmix.",
        )


def _mixing(training: Training, task: Task, inputs: Any) -> Mixing | None:
    """What mixes the inputs of a batch, where that was asked for."""
    if training.mixup is None and training.cutmix is None:
        return None
    mixing = Mixing(training.mixup, training.cutmix, task)
    mixing.check(inputs)
    return mixing


def _heads(
    modules: Sequence[nn.Module],
    teacher: nn.Module | TeacherCache | None,
    objective: Objective,
    plain: bool,
) -> list[nn.Linear | None]:
    """The last layers that are left out: of each student, and of the teacher."""
    if not (plain and objective.needs.takes_head) or objective.balanced:
        return [None] * (len(modules) + 1)
    every = [*modules, teacher if isinstance(teacher, nn.Module) else None]
    return [None if m is None else linear_head(m) for m in every]


def _validation(
    rows: Samples | None, task: Task, training: Training, engine: Engine, teacher: Network | None
) -> Validation | None:
    """What scores the students after every epoch, where there are rows for it."""
    if rows is None:
        return None
    aimed = rows if rows.task == task else rows.aimed(task)
    return Validation(aimed, task, training.batch_size, engine, teacher, training.metrics)


def _trained(
    session: Trainer, modules: Sequence[nn.Module], maps: Sequence[nn.ModuleDict]
) -> list[Trained]:
    """What came of each student, in eval mode."""
    return [
        Trained(
            m.eval(), own, tuple(r.history), r.best_epoch, session.steps, session.seconds,
            session.began(i),
        )
        for i, (m, own, r) in enumerate(zip(modules, maps, session.records, strict=True))
    ]  # fmt: skip


def _averaged(module: nn.Module, decay: float | None) -> AveragedModel | None:
    """An exponential moving average of a module's weights and buffers, before any hooks hang."""
    if decay is None:
        return None
    update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(module, multi_avg_fn=update, use_buffers=True)


def _made(student: Student, teacher: object) -> nn.Module:
    """The network that is trained: a copy, or a new one."""
    module = copy.deepcopy(student) if isinstance(student, nn.Module) else student()
    if not isinstance(module, nn.Module):
        raise InvalidInput(
            f"The student's function returned a {type(module).__name__}.",
            "Return a torch.nn.Module.",
        )
    if isinstance(teacher, nn.Module):
        check_shared(teacher, module)
    return module
