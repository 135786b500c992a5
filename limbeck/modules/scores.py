"""Which of the tensors that a module returns for n rows are its scores, as (n, k)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput, TeacherFailed
from limbeck.core.task import Label, Task
from limbeck.data.labels import as_classes
from limbeck.data.scores import sums_to_one, within_one
from limbeck.modules.outputs import Place, entries, entry, tensor_in

__all__ = [
    "as_array",
    "chosen_output",
    "class_scores",
    "kind_said",
    "row_scores",
    "task_said",
]


def row_scores(output: Any, rows: slice, k: int, name: str, place: Place = None) -> Tensor:
    """The scores (n, k) of rows in what a module returned.

    Parameters
    ----------
    output : Any
        What it returned.
    rows : slice
        Places of the rows.
    k : int
        The number of classes, or 0 where it is not known.
    name : str
        What the module is called in errors.
    place : str, int or None
        Name or position of the scores where there are several tensors.

    Raises
    ------
    TeacherFailed
        If there are none, or they have another shape, or are not finite.
    """
    n = rows.stop - rows.start
    scores = _found(output, n, k, name, place)
    if scores is None:
        keys = f" with {list(output)[:8]}" if isinstance(output, Mapping) else ""
        raise TeacherFailed(
            f"{name} returned a {type(output).__name__}{keys}, in which no scores are found.",
            "Let it return a tensor, a tuple that starts with one, or a mapping with 'logits'.",
        )
    if n == 1 and (scores.ndim == 0 or (scores.ndim == 1 and len(scores) > 1)):
        scores = scores.reshape(1, -1)  # a module that ends in squeeze()
    if scores.ndim == 1:
        scores = scores[:, None]
    if scores.ndim != 2 or len(scores) != n or not scores.is_floating_point():
        raise TeacherFailed(
            f"{name} returned shape {tuple(scores.shape)} of {scores.dtype} for {n} rows.",
            "Let it return floating scores of shape (n, k).",
        )
    if not torch.isfinite(scores).all():
        bad = int((~torch.isfinite(scores)).any(1).nonzero()[0]) + rows.start
        raise TeacherFailed(
            f"{name} gave a score that is not a finite number for row {bad}.",
            "Fill in missing values with preprocess=..., or drop such rows.",
        )
    return scores


def _found(output: Any, n: int, k: int, name: str, place: Place) -> Tensor | None:
    if isinstance(output, Tensor):
        return output
    if place is not None:
        return entry(output, place, name)
    held = _fitting(output, n, k, name)
    return next(iter(held.values())) if held else tensor_in(output)


def _fitting(output: Any, n: int, k: int, name: str) -> dict[str | int, Tensor]:
    """The one tensor that may be scores, or none, by its name or position.

    Parameters
    ----------
    output : Any
        What the module returned.
    n, k : int
        The number of rows, and of classes (0 where it is not known).
    name : str
        What the module is called in errors.

    Raises
    ------
    InvalidInput
        If there are several: names them.
    """
    there = {
        key: v
        for key, v in entries(output).items()
        if isinstance(v, Tensor)
        and v.is_floating_point()
        and v.ndim in (1, 2)
        and len(v) == n
        and key != "loss"
    }
    if "logits" in there:
        return {"logits": there["logits"]}
    widths = {key: v.shape[1] if v.ndim == 2 else 1 for key, v in there.items()}
    fits = {key: v for key, v in there.items() if widths[key] == k or
            (k == 2 and widths[key] == 1) or not k}  # fmt: skip
    if len(fits) > 1:
        listed = ", ".join(f"{key!r} {tuple(v.shape)}" for key, v in fits.items())
        raise InvalidInput(
            f"{name} returns {listed}, and each may be its scores.",
            f"Say which: output={next(iter(fits))!r}.",
        )
    return fits


def chosen_output(output: Any, n: int, k: int, name: str) -> tuple[str | int | None, str]:
    """Which of several tensors are the scores, and a sentence where there was a choice.

    Parameters
    ----------
    output : Any
        What the module returned.
    n, k : int
        The number of rows, and of classes (0 where it is not known).
    name : str
        What the module is called in sentences.

    Raises
    ------
    InvalidInput
        If two tensors fit.
    """
    held = _fitting(output, n, k, name)
    several = [v for v in entries(output).values() if isinstance(v, Tensor) and v.ndim]
    if not held or len(several) < 2:
        return None, ""
    place = next(iter(held))
    return place, (
        f"Of {len(several)} tensors that {name} returns, {place!r} of shape"
        f" {tuple(held[place].shape)} is taken for its scores; output=... says which."
    )


def class_scores(raw: Tensor, task: Task, kind: ScoreKind | None, rows: slice, name: str) -> Tensor:
    """Scores (n, k), checked against the task; one logit z becomes (0, z), one p (1 - p, p).

    Parameters
    ----------
    raw : Tensor of shape (n, k)
        What `row_scores` returned.
    task : Task
        What is predicted.
    kind : ScoreKind or None
        What they were taken for.
    rows : slice
        Places of the rows.
    name : str
        What the module is called in errors.

    Raises
    ------
    InvalidInput
        If there are more or fewer than classes.
    TeacherFailed
        If they were taken for probabilities, and are none.
    """
    k = len(task.classes)
    if raw.shape[1] != (k or 1) and not (raw.shape[1] == 1 and k == 2):
        raise InvalidInput(
            f"{name} has {raw.shape[1]} output(s) for "
            + (f"{k} classes {list(task.classes)[:8]}." if k else "one number."),
            "Give classes=[...] in the order of the outputs, or regression=True.",
        )
    fits = within_one if raw.shape[1] == 1 else sums_to_one
    if kind is ScoreKind.PROBABILITY and not fits(as_array(raw)):
        raise TeacherFailed(
            f"The outputs of {name} were taken for probabilities, and rows {rows.start} to"
            f" {rows.stop - 1} hold others.",
            "Give score_kind='logit'.",
        )
    if k == 2 and raw.shape[1] == 1:
        other = 1 - raw if kind is ScoreKind.PROBABILITY else torch.zeros_like(raw)
        return torch.cat([other, raw], dim=1)
    return raw


def as_array(raw: Tensor) -> NDArray[Any]:
    """A tensor as an array of its own dtype, or float16 for bfloat16, which numpy does not know."""
    raw = raw.detach()
    half = raw.dtype is torch.bfloat16
    return np.asarray(raw.to("cpu", torch.float16 if half else raw.dtype).numpy())


def task_said(classes: Sequence[Label] | int | None, unit: str, regression: bool) -> Task | None:
    """The task as a user says it; None where nothing was said.

    Parameters
    ----------
    classes : sequence of labels, int or None
        The classes in the order of the outputs, or their number.
    unit : str
        The unit of a predicted number.
    regression : bool
        Whether a number is predicted.

    Raises
    ------
    InvalidInput
        If it is classes and a number at once.
    """
    if classes is None:
        return Task(unit=unit) if regression or unit else None
    labels = as_classes(classes)
    if regression:
        raise InvalidInput(
            f"classes is {list(labels)[:8]} with regression=True.",
            "Give at least two different classes, or regression=True alone.",
        )
    return Task(labels)


def kind_said(kind: ScoreKind | str | None, task: Task | None) -> ScoreKind | None:
    """What the outputs are as a user says it; None where it is to be found out.

    Parameters
    ----------
    kind : ScoreKind, str or None
        As it was given.
    task : Task or None
        What is predicted.

    Raises
    ------
    InvalidInput
        If outputs of a module cannot be that.
    """
    if task is not None and not task.classifies:
        return ScoreKind.VALUE
    if kind not in (None, ScoreKind.LOGIT, ScoreKind.PROBABILITY):
        raise InvalidInput(
            f"score_kind is {str(kind)!r} for a classifier.", "Give 'logit' or 'probability'."
        )
    return None if kind is None else ScoreKind(kind)
