"""What stands beside a student of a table: its control from labels, and the baselines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.api.prepare.table import Known, Request
from limbeck.core.answers import answers
from limbeck.core.contract import MethodResult
from limbeck.core.task import Task
from limbeck.data.class_weights import ClassWeight, class_weights
from limbeck.methods.linear import match_linear
from limbeck.methods.soft_answers import soft_of
from limbeck.students.linear.linear import Linear

__all__ = ["baselines", "controlled", "made_from"]


def controlled(request: Request, known: Known, chance: np.random.Generator) -> Any:
    """The same student with the same limits, from labels, with no teacher.

    Parameters
    ----------
    request : Request
        What was asked for.
    known : Known
        Rows and labels.
    chance : numpy.random.Generator
        Of the control.
    """
    y, weight = known.fit_y, known.apart.fit.weight
    assert y is not None  # noqa: S101
    labelled = np.flatnonzero(y >= 0) if known.task.classifies else np.arange(len(y))
    given = None if weight is None else weight[labelled]
    learnt = _by_class(request.class_weight, known.task, y[labelled], given)
    weighing: dict[str, Any] = {} if learnt is None else {"sample_weight": learnt}
    rows = known.apart.fit_rows[labelled]
    return request.method.learn(rows, y[labelled], known.task, chance, **weighing)


def baselines(
    request: Request, known: Known, found: MethodResult, chance: np.random.Generator
) -> tuple[Linear | None, Mapping[str, Any]]:
    """The linear model and the method's own baselines, taught by the same teacher.

    The linear model is what ``into="linear"`` gives without queries, so it can be kept. There is
    none of texts.

    Parameters
    ----------
    request : Request
        What was asked for.
    known : Known
        Teacher and rows.
    found : MethodResult
        The student, and its rivals if the method names some.
    chance : numpy.random.Generator
        Of the baselines.
    """
    rows, task = known.apart.fit_rows, known.task
    if rows.features.text:
        return None, found.rivals
    scores = known.teacher.scores(rows.native())
    own = answers(scores, task)
    weight = _by_class(request.class_weight, task, own, known.apart.fit.weight)
    linear = match_linear(rows, soft_of(scores, known.teacher), weight, task)
    if found.rivals:
        return linear, found.rivals
    return linear, request.method.baselines(known.teacher, rows, own, found, chance, weight)


def made_from(request: Request, known: Known, stream: int) -> list[Any]:
    """All that student, control and baselines depend on, for the pieces of a run.

    Parameters
    ----------
    request : Request
        What was asked for.
    known : Known
        Teacher, rows and labels.
    stream : int
        Which of the sources of chance.
    """
    rows = known.apart.fit_rows
    # A teacher that is not known again has no pieces: nobody finds what chance is part of.
    identity = getattr(known.teacher, "identity", None) or os.urandom(16)
    return [
        repr(request.method), request.seed, stream, identity, repr(known.task), rows.values,
        repr(rows.features), known.fit_y, known.apart.fit.weight, repr(request.class_weight),
        request.epsilon,
    ]  # fmt: skip


def _by_class(
    class_weight: ClassWeight, task: Task, codes: NDArray[Any], weight: Any
) -> NDArray[np.float64] | None:
    """Weights of rows with those of their classes; None where all count alike."""
    if class_weight is None:
        return None if weight is None else np.asarray(weight)
    each = class_weights(class_weight, task, codes, weight)[codes]
    return np.asarray(each if weight is None else each * weight)
