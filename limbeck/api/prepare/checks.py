"""What must be right before a network is trained: networks, rows, task, objective, test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from numbers import Real
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import DataLoader, SequentialSampler

from limbeck.api.prepare.input_checks import looked_at
from limbeck.api.prepare.outputs import parts_of
from limbeck.api.prepare.probabilities import read_probabilities
from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.task import Task, TaskKind
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.tasks import guess_task, same_outputs
from limbeck.networks.datasets.vocabularies import same_tokenizers, same_vocabularies
from limbeck.networks.losses.labels import GoldLabels, TeacherLabels
from limbeck.networks.losses.logits import Logits
from limbeck.networks.losses.loss import Objective
from limbeck.networks.losses.probabilities import SoftTargets
from limbeck.networks.teachers.ensemble import ModuleEnsemble
from limbeck.networks.training.checks import check_settings
from limbeck.networks.training.settings import Training

__all__ = [
    "cache_of",
    "check_lacking",
    "default_objective",
    "loader_settings",
    "makers_of",
    "named_task",
    "one_teacher",
    "settings_of",
    "task_of",
]


_ELSEWHERE = {
    "label_smoothing": "It is one of the loss: objective=0.9 * SoftTargets(temperature=4) + 0.1 *"
    " GoldLabels(label_smoothing=0.1).",
}


def settings_of(given: Mapping[str, Any]) -> Training:
    """Settings of the loop by name; an unknown one is refused with its nearest neighbour."""
    known = [f.name for f in fields(Training)]
    for name, value in given.items():
        if name not in known:
            raise InvalidInput(
                f"Distilling into a network has no setting {name!r}.",
                _ELSEWHERE.get(name) or did_you_mean(name, known),
            )
        numeric = isinstance(getattr(Training, name), Real)
        if numeric and not isinstance(value, Real):
            raise InvalidInput(f"{name} is {value!r}.", "Give a number.")
    return Training(**given)


def loader_settings(data: Any, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Settings with the batch size of a DataLoader, or of Samples, unless one is given.

    Parameters
    ----------
    data : DataLoader, Samples or other data
        The training rows.
    given : mapping
        Training settings as the user gave them.

    Returns
    -------
    settings : dict
        As given, with ``batch_size``.
    notes : list of str
        What was taken over from a DataLoader, and what was not.
    """
    size = data.batch_size if isinstance(data, DataLoader | Samples) else None
    loader = isinstance(data, DataLoader)
    notes = []
    settings = dict(given)
    if size is not None and given.get("batch_size") is None:
        settings["batch_size"] = size
        if loader:
            notes.append(f"Batches have {size} rows, as the DataLoader's.")
    if loader and isinstance(data.sampler, SequentialSampler):
        notes.append(
            "The DataLoader does not shuffle; training takes rows in a new order each epoch."
        )
    return settings, notes


def one_teacher(teacher: Any, task: Task | None = None) -> nn.Module | None:
    """The teacher as one module; several by the mean of what they answer.

    For one class out of many that is the mean of probabilities; for numbers, for labels that hold
    together, and as long as the task is not known, the mean of outputs.

    Parameters
    ----------
    teacher : nn.Module, sequence of nn.Module, or None
        The teacher, or several.
    task : Task, optional
        What is predicted, where it is known.
    """
    classes = task is not None and task.classifies
    if (
        isinstance(teacher, ModuleEnsemble)
        and task is not None
        and not classes
        and not teacher.choose
    ):
        _check_probabilities(teacher, task)
    if teacher is None or isinstance(teacher, nn.Module):
        return teacher
    inner = getattr(teacher, "module", None)  # a limbeck teacher of a module
    if isinstance(inner, nn.Module):
        return inner
    if isinstance(teacher, list | tuple) and teacher:
        several = [t for t in map(one_teacher, teacher) if t is not None]
        return ModuleEnsemble(several, combine="probabilities" if classes else "logits")
    raise InvalidInput(
        f"A {type(teacher).__name__} cannot teach a network.",
        "Give a torch module or a list of them; for other models ask for into='tree'.",
    )


def _check_probabilities(teacher: ModuleEnsemble, task: Task) -> None:
    if teacher.combine == "probabilities":
        raise InvalidInput(
            f"The ensemble combines probabilities of classes, and the task is {task.kind}.",
            "Give ModuleEnsemble(..., combine='logits').",
        )


def makers_of(into: Any) -> list[Any]:
    """Students, or functions that make them, as a list."""
    makers = list(into) if isinstance(into, list | tuple) else [into]
    if not makers:
        raise InvalidInput("into is an empty list.", "Give a student, or several.")
    for i, maker in enumerate(makers):
        if not isinstance(maker, nn.Module) and not callable(maker):
            raise InvalidInput(
                f"into holds a {type(maker).__name__}.",
                "Give modules, or functions without arguments that make one.",
            )
        if isinstance(maker, nn.Module) and any(maker is m for m in makers[:i]):
            raise InvalidInput(
                "into holds the same network twice.",
                "Students that start alike stay alike: give different ones, or a function twice.",
            )
    return makers


def task_of(
    rows: Samples,
    teacher: nn.Module | None,
    students: Sequence[nn.Module],
    said: Any,
    tokenizers: Sequence[Any] | None = None,
    *,
    vocabulary: int | None = None,
    compares: bool = True,
) -> Task:
    """What is predicted; refuses networks whose inputs or outputs do not mean the same.

    Vocabularies are compared by their sizes only where neither tokenizers nor ``vocabulary`` tell,
    and outputs only where the objective compares them.

    Parameters
    ----------
    rows : Samples
        The training rows; the first four are looked at.
    teacher : nn.Module or None
        The teacher, if there is one.
    students : sequence of nn.Module
        All students; the first one's outputs decide.
    said : str, Task or None
        The task that was asked for; None infers it from data and student.
    tokenizers : pair, optional
        The tokenizers of teacher and student.
    vocabulary : int, optional
        How many outputs teacher and student share.
    compares : bool
        Whether the objective compares outputs of teacher and student.
    """
    if tokenizers is not None:
        same_tokenizers(tokenizers)
    batch = rows.fetch(range(min(len(rows), 4)))
    looks = [looked_at("student", m, batch.inputs) for m in students]
    first, read = looks[0]
    if teacher is not None:
        answered, read = looked_at("teacher", teacher, batch.inputs)
        for module, (view, _) in zip(students if compares else (), looks, strict=compares):
            same_outputs(answered, view, teacher, module)
    for _, known in looks if tokenizers is None and vocabulary is None else ():
        same_vocabularies(read, known)
    task = guess_task(rows, first.logits, said, module=students[0])
    read_probabilities(batch.inputs, task, parts_of(teacher), students)
    if task.sequential and batch.labels is not None:
        places = tuple(batch.labels.flatten(1).shape), tuple(first.logits.shape[:2])
        if places[0] != places[1]:
            raise InvalidInput(
                f"Labels of the first rows have shape {places[0]}, and the student answers"
                f" {places[1]} places.",
                "Give each token a label: -100 for special tokens, and for all but the first of a"
                " word.",
            )
    for view, _ in looks[1:]:
        if view.logits.shape != first.logits.shape:
            raise InvalidInput(
                f"Students return the shapes {tuple(first.logits.shape)} and"
                f" {tuple(view.logits.shape)}.",
                "Students that teach each other need the same outputs.",
            )
    return task


def named_task(task: Task, classes: Any, unit: str, *modules: nn.Module | None) -> Task:
    """The classes by name, where there are any.

    Parameters
    ----------
    task : Task
        What is predicted.
    classes : sequence or None
        Names of the classes.
    unit : str
        The unit of a number.
    """
    if task.kind not in (TaskKind.CLASSIFICATION, TaskKind.TOKENS):
        if classes is not None:
            raise InvalidInput(f"classes were given for {task.kind}.", "Leave them out.")
        return Task(unit=unit or task.unit, kind=task.kind, outputs=task.outputs)
    if classes is None:
        classes = task.classes or None
    if classes is None:
        told = (getattr(getattr(m, "config", None), "id2label", None) for m in modules)
        # a network with a vocabulary has two names that nobody gave
        names = next((n for n in told if n and len(n) == task.outputs), None)
        classes = range(task.outputs) if names is None else [names[i] for i in sorted(names)]
    if len(classes) != task.outputs:
        raise InvalidInput(
            f"There are {len(classes)} classes and {task.outputs} outputs.", "Name every output."
        )
    return Task(tuple(classes), kind=task.kind, outputs=task.outputs)


def default_objective(
    task: Task, rows: Samples, teacher: nn.Module | None, logits_alone: bool = False
) -> Objective:
    """Hinton, Vinyals and Dean's (2015) mixture, or what of it is possible.

    Parameters
    ----------
    task : Task
        What is predicted.
    rows : Samples
        The training rows; without labels the gold labels are left out.
    teacher : nn.Module or None
        The teacher.
    logits_alone : bool
        Whether the teacher's distribution at temperature 1 is all that is learned.
    """
    if teacher is None:
        raise InvalidInput(
            "There is neither a teacher nor an objective.", "Give a teacher, or an objective."
        )
    heat = 1.0 if logits_alone else 4.0
    soft: Any = Logits() if task.kind is TaskKind.REGRESSION else SoftTargets(temperature=heat)
    if getattr(teacher, "kind", None) is ScoreKind.LABEL:
        soft = TeacherLabels()
    if not rows.has_labels or logits_alone:
        return Objective.of(soft)
    share = 0.5 if task.kind is TaskKind.REGRESSION else 0.9
    return Objective.of(share * soft + (1 - share) * GoldLabels())


def check_lacking(
    objective: Objective,
    task: Task,
    rows: Samples,
    teacher: nn.Module | TeacherCache | None,
    students: int = 1,
    mode: Any = None,
    filter: Any = None,  # noqa: A002  (the field's word)
) -> None:
    """Refuse an objective that needs labels or a teacher where there are none; modes that clash.

    Parameters
    ----------
    objective : Objective
        Its losses say what they read.
    task : Task
        What is predicted.
    rows : Samples
        The training rows.
    teacher : nn.Module, TeacherCache or None
        The teacher.
    students : int
        How many students are trained together.
    mode : BornAgain or None
        Generations of students.
    filter : Filter or None
        Which samples use the teacher's signal.
    """
    if students > 1 and (mode is not None or filter is not None):
        what = "mode" if mode is not None else "filter"
        raise InvalidInput(
            f"{what} was given for {students} students that teach each other.",
            f"Leave {what} out, or give one student.",
        )
    if mode is not None and teacher is None:
        teacher = nn.Identity()  # stands for the first generation, which teaches the second
    check_settings(objective, task, rows, teacher, filter, students > 1)


def cache_of(
    given: bool | str | Path | TeacherCache | None,
    teacher: nn.Module | None,
    rows: Samples,
    layers: Sequence[str],
    folder: Path | None,
) -> TeacherCache | None:
    """Where the teacher's answers are kept, if they are; it is not filled yet.

    Parameters
    ----------
    given : bool, path, TeacherCache or None
        The argument ``cache``.
    teacher : nn.Module or None
        The network whose outputs are stored.
    rows : Samples
        The training rows.
    layers : sequence of str
        Names of the layers whose outputs the objective reads.
    folder : Path or None
        The folder of the run, used where ``given`` is True.
    """
    if given is None or given is False:
        return None
    if teacher is None:
        raise InvalidInput("cache was given without a teacher.", "Leave it out.")
    if isinstance(given, TeacherCache):
        return given
    if given is True and folder is None:
        raise InvalidInput("cache=True was given without out.", "Give cache a folder, or out.")
    if rows.random:
        raise InvalidInput(
            f"cache={given!r} was given, and the rows are augmented at random.",
            "Say how many versions of each are stored: cache=TeacherCache(folder, views=4).",
        )
    where = folder / "teacher_cache" if given is True and folder is not None else Path(str(given))
    return TeacherCache(where, layers=layers)
