"""Labels of networks: in the shape of the task, with rows that have none, and what is said of them.

-1 (scikit-learn's semi-supervised learning) and -100 (torch's cross entropy) mean "no label".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.data.labels import UNLABELLED
from limbeck.modules.batch import IGNORED

__all__ = ["distributions", "label_notes", "labelled", "shaped", "unlabelled"]

_CLOSE = 1e-3  # how far from 1 a row of rounded probabilities may sum


def unlabelled(labels: Tensor) -> Tensor:
    """Which entries are marks of "no label", or NaN, of the same shape."""
    first, *others = (labels == mark for mark in UNLABELLED)
    for other in others:
        first = first | other
    return first | torch.isnan(labels) if labels.is_floating_point() else first


def distributions(labels: Tensor) -> bool:
    """Whether labels (n, k) are distributions over k classes: from 0, and each row sums to one.

    Rows without a label, whose entries are all -1 or -100, are left out.
    """
    if labels.ndim != 2 or labels.shape[1] < 2:
        return False
    rows = labels[~unlabelled(labels).all(1)].double()
    sums = (rows.sum(1) - 1).abs() <= _CLOSE
    return len(rows) > 0 and bool((rows >= 0).all()) and bool(sums.all())


def shaped(labels: Tensor, task: Task, *, missing: bool = False) -> Tensor:
    """Labels in the shape and dtype of `TaskKind`, with -100 where there is none.

    Parameters
    ----------
    labels : Tensor
        Classes (n,) or (n, 1), or distributions over classes (n, k); 0 and 1 of shape (n, k);
        numbers (n, k); or classes of tokens (n, t). Those of places on several axes, such as
        (n, h, w), are put side by side. Except in numbers, -1 and -100 mean that
        there is no label.
    task : Task
        What is predicted.
    missing : bool
        Whether a row of numbers may be NaN, which then has no label.

    Raises
    ------
    InvalidInput
        If they do not fit: names the value and the remedy.
    """
    k = task.outputs
    if task.kind in (TaskKind.REGRESSION, TaskKind.MULTILABEL):
        return _numbers(labels, task, missing)
    if task.kind is TaskKind.TOKENS and labels.ndim > 2:
        labels = labels.flatten(1)  # of places on several axes, such as (n, h, w)
    places = 2 if task.sequential else 1
    if labels.ndim == places + 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if task.kind is TaskKind.CLASSIFICATION and labels.ndim == 2 and labels.shape[1] == k:
        return _soft(labels)
    if labels.ndim != places:
        raise InvalidInput(
            f"Labels have shape {tuple(labels.shape)} for the task {task.kind}.",
            "Give a class for each token, (n, t)."
            if places == 2
            else f"Give a class per row, (n,), or a distribution over the classes, (n, {k}).",
        )
    none = unlabelled(labels)
    if labels.is_floating_point():
        uneven = (labels != labels.round()) & ~none
        _refuse(labels, uneven, "Give classes as integers, or task='regression'.")
        labels = torch.where(none, IGNORED, labels)
    labels = labels.long()
    labels = torch.where(none, IGNORED, labels) if bool(none.any()) else labels
    outside = ((labels < 0) | (labels >= k)) & ~none
    _refuse(labels, outside, f"Classes are 0 to {k - 1}; -1 and -100 mean no label.")
    return labels


def _numbers(labels: Tensor, task: Task, missing: bool) -> Tensor:
    """Numbers, or labels 0 and 1, (n, k)."""
    k = task.outputs
    if labels.ndim == 1 and k == 1:
        labels = labels[:, None]
    if labels.ndim > 2:
        labels = labels.flatten(1)
    if labels.ndim != 2 or labels.shape[1] != k:
        raise InvalidInput(
            f"Labels have shape {tuple(labels.shape)} for {k} outputs.",
            f"Give labels of shape (n, {k}), or another task.",
        )
    labels = labels if labels.is_floating_point() else labels.float()
    if task.kind is TaskKind.REGRESSION:
        bad = ~torch.isfinite(labels)
        if missing:
            bad &= ~torch.isnan(labels).all(1, keepdim=True)
        if bool(bad.any()):
            rows = bad.any(1)
            row, n = int(rows.int().argmax()), int(rows.sum())
            value = labels[row][bad[row]][0].item()
            raise InvalidInput(
                f"{n:,} of {len(rows):,} labels {'is' if n == 1 else 'are'} missing or infinite"
                f" ({value:g} in place {row}), and numbers are predicted.",
                "Drop these rows, or leave the labels out and learn from the teacher alone.",
            )
        return labels
    none = unlabelled(labels)
    wrong = (labels != 0) & (labels != 1) & ~none
    _refuse(labels, wrong, "Multi-label targets must be 0 or 1; -1 and -100 mean no label.")
    return torch.where(none, float(IGNORED), labels) if bool(none.any()) else labels


def _soft(labels: Tensor) -> Tensor:
    """Distributions over classes (n, k); rows without a label are -100 throughout."""
    labels = labels if labels.dtype in (torch.float32, torch.float64) else labels.float()
    none = unlabelled(labels).all(1)
    bad = ((labels < 0).any(1) | ((labels.double().sum(1) - 1).abs() > _CLOSE)) & ~none
    bad |= ~torch.isfinite(labels).all(1)
    if bool(bad.any()):
        row = [round(v, 4) for v in labels[bad][0, :6].tolist()]
        raise InvalidInput(
            f"A row of labels is {row}{'' if labels.shape[1] <= 6 else ' ...'}, which is no"
            " distribution over classes.",
            "Give rows from 0 that sum to one; or task='multilabel', task='regression'.",
        )
    return torch.where(none[:, None], float(IGNORED), labels) if bool(none.any()) else labels


def labelled(labels: Tensor, task: Task) -> Tensor | None:
    """Which of the labels that `shaped` gave are there; None where all are, or tokens tell.

    Parameters
    ----------
    labels : Tensor
        Labels as `shaped` gave them.
    task : Task
        What is predicted.

    Returns
    -------
    Tensor of bool of shape (n,), for multi-label and numbers (n, k), or None
    """
    if task.sequential:
        return None
    if task.kind is TaskKind.REGRESSION:
        absent = torch.isnan(labels)
        return ~absent if bool(absent.any()) else None
    soft = task.kind is TaskKind.CLASSIFICATION and labels.ndim == 2
    known = (labels[:, 0] if soft else labels) >= 0
    return None if bool(known.all()) else known


def label_notes(labels: Tensor | Sequence[Tensor | None], task: Task, n: int) -> list[str]:
    """How labels were understood, in sentences, where it is not plain.

    Parameters
    ----------
    labels : Tensor, or sequence of Tensor
        As `shaped` gave them; all of them, or those of some samples.
    task : Task
        What is predicted.
    n : int
        The number of samples.
    """
    if not isinstance(labels, Tensor):
        found = [y for y in labels if y is not None]
        if task.kind is not TaskKind.CLASSIFICATION or len({y.ndim for y in found}) != 1:
            return []
        labels = torch.cat(found)
    if task.kind is not TaskKind.CLASSIFICATION:
        return []
    notes = []
    if labels.ndim == 2:
        notes.append(
            f"Labels are rows of {task.outputs} numbers that sum to one: taken for distributions"
            " over classes (soft cross entropy); the likeliest class counts as the right answer."
            " For multi-label targets give task='multilabel'."
        )
    known = labelled(labels, task)
    if known is not None:
        of = f"{n:,} rows" if len(known) == n else f"{len(known):,} rows looked at"
        notes.append(
            f"{int((~known).sum()):,} of {of} have no label (-1, -100 or missing): they learn from"
            " the teacher only, the control learns from the others, and accuracy leaves them out."
        )
    return notes


def _refuse(labels: Tensor, bad: Tensor, remedy: str) -> None:
    if bool(bad.any()):
        raise InvalidInput(f"There is a label {labels[bad][0].item():g}.", remedy)
