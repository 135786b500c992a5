"""What must be right before a network is trained: networks, rows, goal, objective, test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from limbeck.certificates.binomial import check_share
from limbeck.certificates.fingerprint import overlap, row_hashes
from limbeck.contract import Task
from limbeck.errors import InvalidInput, did_you_mean
from limbeck.networks.capture import asking, logits_of, run
from limbeck.networks.data import Samples
from limbeck.networks.ensemble import Ensemble
from limbeck.networks.goals import guess_goal, same_outputs
from limbeck.networks.objective import Objective
from limbeck.networks.objectives.labels import GoldLabels
from limbeck.networks.objectives.logits import Logits
from limbeck.networks.objectives.probabilities import SoftTargets
from limbeck.networks.predictor import layout_of, rows_of
from limbeck.networks.training import Training
from limbeck.networks.views import Goal, Kind, View
from limbeck.students.layout import Layout

__all__ = [
    "default_objective",
    "fresh_rows",
    "goal_of",
    "makers_of",
    "one_teacher",
    "refuse_lacking",
    "settings_of",
    "task_of",
    "two_sides",
    "whole",
]

_MOST_HASHED = 200_000
_FEWEST = 10


def whole(name: str, value: Any, least: int) -> None:
    """Refuse what is no whole number from ``least`` on."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidInput(f"{name} is {value!r}.", f"Give a whole number from {least}.")


def settings_of(given: Mapping[str, Any]) -> Training:
    """Settings of the loop by name; an unknown one is refused with its nearest neighbour."""
    known = [f.name for f in fields(Training)]
    for name in given:
        if name not in known:
            raise InvalidInput(
                f"Distilling into a network has no setting {name!r}.", did_you_mean(name, known)
            )
    return Training(**given)


def one_teacher(teacher: Any) -> nn.Module | None:
    """The teacher as one module."""
    if teacher is None or isinstance(teacher, nn.Module):
        return teacher
    inner = getattr(teacher, "module", None)  # a limbeck teacher of a module
    if isinstance(inner, nn.Module):
        return inner
    if isinstance(teacher, list | tuple) and teacher:
        return Ensemble([t for t in map(one_teacher, teacher) if t is not None])
    raise InvalidInput(
        f"A {type(teacher).__name__} cannot teach a network.",
        "Give a torch module or a list of them; for other models ask for into='tree'.",
    )


def makers_of(into: Any) -> list[Any]:
    """Students, or functions that make them, as a list."""
    makers = list(into) if isinstance(into, list | tuple) else [into]
    for maker in makers:
        if not isinstance(maker, nn.Module) and not callable(maker):
            raise InvalidInput(
                f"into holds a {type(maker).__name__}.",
                "Give modules, or functions without arguments that make one.",
            )
    return makers


def two_sides(
    data: Any, y: Any, test: Any, holdout: float, seed: int, settings: Training
) -> tuple[Samples, Samples]:
    """Training rows and test rows."""
    rows = Samples.of(data, y, batch_size=settings.batch_size)
    if test is not None:
        return rows, Samples.of(test, batch_size=settings.batch_size)
    check_share("holdout", holdout)
    n = round(len(rows) * holdout)
    if min(n, len(rows) - n) < _FEWEST:
        raise InvalidInput(
            f"{n} of {len(rows)} rows would be set aside.",
            f"At least {_FEWEST} are needed on both sides: give more rows, or test=...",
        )
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    return rows.subset(order[n:].sort().values), rows.subset(order[:n].sort().values)


def goal_of(
    rows: Samples, tutor: nn.Module | None, pupil: nn.Module, task: Any, settings: Training
) -> Goal:
    """What is predicted; refuses networks whose outputs do not mean the same."""
    batch = rows.fetch(range(min(len(rows), 4)))
    views = []
    for role, module in (("teacher", tutor), ("student", pupil)):
        if module is None:
            continue
        with asking(module):
            try:
                views.append(View(logits_of(run(module, batch.inputs), type(module).__name__)))
            except InvalidInput:
                raise
            except Exception as error:
                raise InvalidInput(
                    f"The {role} {type(module).__name__} raised {type(error).__name__} on the first"
                    f" rows: {error}",
                    "Call it on these rows by hand; both networks must take the same inputs.",
                ) from error
    if tutor is not None:
        same_outputs(views[0], views[1], tutor, pupil)
    return guess_goal(rows, views[-1].logits, task, module=pupil)


def task_of(goal: Goal, classes: Any, unit: str, *modules: nn.Module | None) -> Task:
    """The classes by name, where there are any."""
    if goal.kind is not Kind.CLASSES:
        return Task(unit=unit)
    if classes is None:
        names = next(
            (c.id2label for m in modules if (c := getattr(m, "config", None)) is not None
             and getattr(c, "id2label", None)), None,
        )  # fmt: skip
        classes = range(goal.outputs) if names is None else [names[i] for i in sorted(names)]
    if len(classes) != goal.outputs:
        raise InvalidInput(
            f"There are {len(classes)} classes and {goal.outputs} outputs.", "Name every output."
        )
    return Task(classes=tuple(classes))


def default_objective(goal: Goal, rows: Samples, tutor: nn.Module | None) -> Objective:
    """Hinton, Vinyals and Dean's (2015) mixture, or what of it is possible."""
    if tutor is None:
        raise InvalidInput(
            "There is neither a teacher nor an objective.", "Give one, or students as a list."
        )
    soft: Any = Logits() if goal.kind is Kind.VALUES else SoftTargets(temperature=4.0)
    if not rows.has_labels:
        return Objective.of(soft)
    share = 0.5 if goal.kind is Kind.VALUES else 0.9
    return Objective.of(share * soft + (1 - share) * GoldLabels())


def refuse_lacking(
    aim: Objective, rows: Samples, tutor: nn.Module | None, students: int, mode: Any, given: Any
) -> None:
    """Refuse an objective that needs labels or a teacher where there are none; modes that clash."""
    if students > 1 and (mode is not None or given is not None):
        what = "mode" if mode is not None else "filter"
        raise InvalidInput(
            f"{what} was given for {students} students that teach each other.",
            f"Leave {what} out, or give one student.",
        )
    if aim.needs.labels and not rows.has_labels:
        raise InvalidInput(
            "The objective needs labels, and the data has none.",
            "Leave GoldLabels out of the objective, or give y.",
        )
    if aim.needs.teacher and tutor is None and students == 1 and mode is None:
        raise InvalidInput(
            "The objective needs a teacher, and there is none.",
            "Give a teacher, or several students in into=[...] that teach each other.",
        )


def fresh_rows(
    rows: Samples, aside: Samples, own: bool, settings: Training
) -> tuple[Layout, NDArray[np.uint64] | None, Samples, list[str]]:
    """The layout of all inputs, hashes of the training rows, and test rows that are not among them.

    Rows of one's own that training would see are refused; of those set aside here, copies of
    training rows are left out.
    """
    size = settings.batch_size
    if rows.random:
        layout = layout_of(aside.batches(range(len(aside)), size))
        note = (
            "Training rows are augmented at random: whether test rows are among them was not"
            " looked at."
        )
        return layout, None, aside, [note]
    n = min(len(rows), _MOST_HASHED)
    sides = (rows, range(n)), (aside, range(len(aside)))
    layout = layout_of(b for side, places in sides for b in side.batches(places, size))
    seen, found = (
        np.concatenate([row_hashes(rows_of(b.inputs, layout)) for b in side.batches(places, size)])
        for side, places in sides
    )
    notes = [] if n == len(rows) else [f"Only {n:,} of {len(rows):,} training rows were compared."]
    told = overlap(found, seen)
    if told.explained:
        return layout, seen, aside, notes
    if own:
        raise InvalidInput(
            f"{told.hits:,} of the {told.n:,} test rows are among the training rows.",
            "Give test rows that training never sees.",
        )
    kept = np.flatnonzero(~np.isin(found, seen))
    if len(kept) < _FEWEST:
        raise InvalidInput(
            f"Only {len(kept)} of the rows set aside are no copies of training rows.",
            "Drop repeated rows, or give test=...",
        )
    notes.append(f"{told.hits:,} test rows were left out: training rows repeat them.")
    return layout, seen, aside.subset(torch.from_numpy(kept)), notes
