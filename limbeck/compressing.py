"""A network into a smaller network: train, control, compare, certify. The door behind `distill`."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from limbeck.certificates.binomial import check_share
from limbeck.certificates.wording import versions
from limbeck.contract import Progress, Status, StatusCode
from limbeck.errors import InvalidInput
from limbeck.judging import Contestant, Judge
from limbeck.network_papers import Papers
from limbeck.network_result import NetworkDistillation
from limbeck.networks.baselines import linear_baseline
from limbeck.networks.cache import TeacherCache
from limbeck.networks.data import Samples
from limbeck.networks.loop import Trained, train
from limbeck.networks.objective import Objective
from limbeck.networks.rounds import GOLD, Rounds, make
from limbeck.networks.training import Training
from limbeck.networks.views import Goal, Kind
from limbeck.preparing import (
    default_objective,
    fresh_rows,
    goal_of,
    makers_of,
    one_teacher,
    refuse_lacking,
    settings_of,
    task_of,
    two_sides,
    whole,
)
from limbeck.progress import shown

__all__ = ["compress"]


def compress(
    teacher: Any,
    data: Any,
    y: Any = None,
    *,
    into: Any,
    objective: Any = None,
    mode: Any = None,
    filter: Any = None,  # noqa: A002  (the field's word)
    start: Any = None,
    cache: bool | str | Path | TeacherCache | None = None,
    validation: Any = None,
    test: Any = None,
    holdout: float = 0.3,
    seeds: int = 1,
    task: str | Goal | None = None,
    classes: Sequence[Any] | None = None,
    unit: str = "",
    control: bool | str | Path = True,
    baseline: bool = True,
    epsilon: float = 0.05,
    delta: float = 0.05,
    seed: int = 0,
    out: str | Path | None = None,
    progress: bool | None = None,
    **training: Any,
) -> NetworkDistillation:
    """Distil a network into a smaller network, with a control and a certificate.

    Parameters
    ----------
    teacher : nn.Module, sequence of nn.Module, or None
        Never trained, never moved; several are an `limbeck.networks.Ensemble`. None where peers
        or exits teach.
    data, y : Dataset, DataLoader, arrays or Hugging Face data set
        Training rows, see `limbeck.networks.data.Samples.of`; y are labels given apart.
    into : nn.Module, function, or list of them
        The student: its weights are the start for every seed. A function without arguments makes
        a fresh one for every seed. A list trains students together, each taught by the others
        (and by the teacher, if there is one); the first is *the* student.
    objective : Term or Objective
        By default soft targets at temperature 4 (0.9) with gold labels (0.1); for numbers half
        the teacher's values, half the labels.
    mode : BornAgain, optional
        Generations of students, each taught by the one before.
    filter : Filter, optional
        Learn from the teacher only where it is right, or sure.
    start : str, mapping or sequence, optional
        Copy layers of the teacher first; see `limbeck.networks.transplant`. The control starts
        there, too.
    cache : bool, path or TeacherCache, optional
        Ask the teacher once and keep its outputs: in this folder, or in ``out``. Where samples are
        augmented, or only the largest logits shall be kept, give a
        ``TeacherCache(folder, views=4, top=32)``.
    validation, test : as data, optional
        Rows to choose by, and rows for table and certificate; without test rows a share
        ``holdout`` of the data is set aside.
    seeds : int
        How often all is trained; from 2 on intervals cover training again.
    task : str or Goal, optional
        classification, multilabel, regression, tokens or language; found from data and student.
    classes, unit
        Names of the classes; the unit of a number.
    control : bool or path
        Train the same student on gold labels, with the same start, budget, order and seeds; a
        path keeps these runs and takes them up again wherever they are the same.
    baseline : bool
        Train a linear model of the inputs as well.
    epsilon, delta : float
        What is asked of the certificate.
    seed : int
        The first seed; the same seed gives the same student.
    out : path, optional
        Checkpoints, metrics and, in the end, everything `NetworkDistillation.save` writes. A run
        that was cut off goes on when it is called again with the same arguments.
    progress : bool, optional
        A progress bar; by default only on a terminal.
    **training
        Settings of `limbeck.networks.training.Training`: epochs, batch_size, lr, ...

    Raises
    ------
    InvalidInput
        If an argument, the data, or a pair of networks cannot be used; before any work.
    """
    started = time.perf_counter()
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    whole("seeds", seeds, 1)
    whole("seed", seed, 0)
    settings = settings_of(training)
    tutor, makers = one_teacher(teacher), makers_of(into)
    folder = None if out is None else Path(out)
    rows, aside = two_sides(data, y, test, holdout, seed, settings)
    checked = None if validation is None else Samples.of(validation)
    pupil = make(makers[0], seed)
    goal = goal_of(rows, tutor, pupil, task, settings)
    names = task_of(goal, classes, unit, tutor, pupil)
    rows, aside = rows.aimed(goal), aside.aimed(goal)
    checked = None if checked is None else checked.aimed(goal)
    aim = Objective.of(objective) if objective is not None else default_objective(goal, rows, tutor)
    aim.check(goal)
    refuse_lacking(aim, rows, tutor, len(makers), mode, filter)
    layout, seen, aside, notes = fresh_rows(rows, aside, test is not None, settings)

    with shown(progress) as tell:
        source = _source(cache, tutor, rows, aim, folder, tell)
        rounds = Rounds(
            makers, start, tutor, source, rows, checked, goal, aim, settings, mode, filter
        )
        kept = Path(control) if isinstance(control, str | Path) else folder
        runs: list[list[Trained]] = []
        controls: list[Trained] = []
        for own in range(seed, seed + seeds):
            runs.append(rounds.distilled(own, _under(folder, f"seed-{own}/distilled"), tell))
            if control is not False and rows.has_labels and aim.needs.teacher:
                controls.append(rounds.control(own, _under(kept, f"seed-{own}/control"), tell))
        chief = [r[-1] if mode is not None else r[0] for r in runs]
        plain = _baseline(rows, goal, settings, seed, pupil) if baseline else None

        tell("asking about the test rows", 0, 1)
        size = settings.batch_size
        judge = Judge(lambda: aside.batches(range(len(aside)), size), goal, names, tutor, delta)
        label = type(chief[0].module).__name__
        contestants = [Contestant("student", label, [t.module for t in chief])]
        if controls:
            contestants.append(Contestant("control", label, [t.module for t in controls]))
        contestants += _others(runs, mode)
        if plain is not None:
            contestants.append(Contestant("baseline", "linear model", [plain.module]))
        comparison, facts = judge.compare(contestants)
        best = _best(chief)
        certificate = certified = None
        if tutor is not None:
            certificate, certified = judge.certificate(chief[best].module, layout, seen, epsilon)

    result = NetworkDistillation(
        student=chief[best].module,
        students=tuple(t.module for t in chief),
        controls=tuple(t.module for t in controls),
        status=_status(comparison, seeds),
        certificate=certificate,
        comparison=comparison,
        facts=facts,
        history=_history(runs, controls, seed),
        notes=(*notes, *rows.notes, *_remarks(chief, controls, plain, rows, checked, best)),
        settings={
            "teacher": None if tutor is None else type(tutor).__name__,
            "student": label,
            "objective": [[n, _weight(p.weight), repr(p.term)]
                          for n, p in zip(aim.names, aim.parts, strict=True)],
            "balanced": aim.balanced,
            "task": str(goal.kind),
            "classifies": goal.kind is not Kind.VALUES,
            "training": {f.name: _plain(getattr(settings, f.name)) for f in fields(settings)},
            "rows": len(rows),
            "test_rows": len(aside),
            "seeds": list(range(seed, seed + seeds)),
            "chosen_seed": seed + best,
            "epsilon": epsilon,
            "delta": delta,
            "out": None if folder is None else str(folder),
            "seconds": round(time.perf_counter() - started, 3),
            "versions": {"python": platform.python_version(), **versions("torch", "accelerate")},
        },
        papers=Papers(certified, layout, seen, epsilon, delta),
    )  # fmt: skip
    if folder is not None and _first_process():
        result = result.kept(folder)
    return result


def _source(
    cache: bool | str | Path | TeacherCache | None,
    tutor: nn.Module | None,
    rows: Samples,
    aim: Objective,
    folder: Path | None,
    tell: Progress,
) -> nn.Module | TeacherCache | None:
    """Whom the student asks: the teacher, or what it said once."""
    if cache is None or cache is False or tutor is None:
        return tutor
    if cache is True:
        if folder is None:
            raise InvalidInput("cache=True was given without out.", "Give cache a folder, or out.")
        cache = folder / "teacher_cache"
    if not isinstance(cache, TeacherCache):
        cache = TeacherCache(cache, layers=aim.needs.teacher_layers)
    return cache.fill(tutor, rows, progress=tell)


def _baseline(
    rows: Samples, goal: Goal, settings: Training, seed: int, pupil: nn.Module
) -> Trained | None:
    """A linear model on gold labels, by the same loop."""
    if not rows.has_labels:
        return None
    vocabulary = getattr(getattr(pupil, "config", None), "vocab_size", None)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first = rows.fetch(range(min(len(rows), 1024))).inputs
        model = linear_baseline(first, goal, vocabulary)
    if model is None:
        return None
    plain = Training(epochs=settings.epochs, batch_size=settings.batch_size, lr=1e-3)
    return train(model, rows, GOLD, goal, training=plain, seed=seed)


def _others(runs: Sequence[Sequence[Trained]], mode: Any) -> list[Contestant]:
    """Peers, or earlier generations, as lines of the table."""
    others = range(len(runs[0]) - 1) if mode is not None else range(1, len(runs[0]))
    word = "generation" if mode is not None else "peer"
    return [
        Contestant(f"{word} {i + 1 if mode is not None else i}", type(runs[0][i].module).__name__,
                   [r[i].module for r in runs])
        for i in others
    ]  # fmt: skip


def _best(chief: Sequence[Trained]) -> int:
    """The seed that did best on validation rows; the first without them."""
    scores = [t.history[t.best_epoch].get("score") for t in chief]
    if any(s is None for s in scores):
        return 0
    return max(range(len(scores)), key=lambda i: (scores[i], -i))


def _status(comparison: Any, seeds: int) -> Status:
    """How it ended; a teacher that knows no more than the control is an honest failure."""
    by_role = {e.role: e for e in comparison.entries}
    teacher, control = by_role.get("teacher"), by_role.get("control")
    if (
        teacher is not None
        and control is not None
        and teacher.accuracy is not None
        and control.accuracy is not None
        and teacher.accuracy.value <= control.accuracy.value
    ):
        return Status(
            StatusCode.HYPOTHESIS_FAILED,
            f"The teacher is no better ({teacher.accuracy}) than the same student without it"
            f" ({control.accuracy}) on the test rows.",
            "Train the teacher further or take a larger one: there is little to hand on.",
        )
    again = "" if seeds > 1 else " One seed says nothing about training again: give seeds=3."
    return Status(StatusCode.COMPLETE, f"All {seeds} trainings ran to their end.".replace(
        "All 1 trainings", "The training"), again.strip())  # fmt: skip


def _remarks(
    chief: Sequence[Trained],
    controls: Sequence[Trained],
    plain: Trained | None,
    rows: Samples,
    checked: Samples | None,
    best: int,
) -> list[str]:
    notes = []
    if not rows.has_labels:
        notes.append("Without labels there are no control and no accuracy.")
    elif not controls:
        notes.append("No control was trained.")
    if plain is None:
        notes.append("A linear baseline makes no sense for these inputs, or was not asked for.")
    if checked is None and len(chief) > 1:
        notes.append("Without validation rows the student of the first seed was chosen.")
    elif len(chief) > 1:
        notes.append(f"Of {len(chief)} seeds number {best + 1} did best on the validation rows.")
    return notes


def _history(
    runs: Sequence[Sequence[Trained]], controls: Sequence[Trained], seed: int
) -> tuple[dict[str, Any], ...]:
    out: list[dict[str, Any]] = []
    for i, run_ in enumerate(runs):
        for j, trained in enumerate(run_):
            role = "student" if len(run_) == 1 else f"student {j + 1}"
            out += [{"seed": seed + i, "role": role, **row} for row in trained.history]
    for i, trained in enumerate(controls):
        out += [{"seed": seed + i, "role": "control", **row} for row in trained.history]
    return tuple(out)


def _under(folder: Path | None, name: str) -> Path | None:
    return None if folder is None else folder / name


def _weight(weight: Any) -> Any:
    return repr(weight) if callable(weight) else weight


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


def _first_process() -> bool:
    import os

    return int(os.environ.get("RANK", "0")) == 0
