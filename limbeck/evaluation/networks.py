"""What networks say of rows they never saw: right answers, agreement, calibration, mistakes.

A place is what is answered: a row, a token, a label of a row, or a number. Scores are means over
the places of a row, so that rows, which are what was drawn, stay the unit of every interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import Step, View
from limbeck.modules.capture import asking
from limbeck.modules.outputs import answer
from limbeck.networks.datasets.finite import check_nan

__all__ = [
    "Mistakes",
    "Said",
    "agreement",
    "ask",
    "by_true_class",
    "gaps",
    "mistakes",
    "reliability",
    "right",
]

BINS = 15


@dataclass(frozen=True, eq=False)
class Said:
    """What one network said, place by place.

    Parameters
    ----------
    answers : ndarray of shape (p,)
        Class indices, labels 0 and 1, or numbers.
    confidence : ndarray of shape (p,)
        The probability of that answer; 1 for numbers.
    labels : ndarray of shape (p,) or None
        The truth; of distributions over classes the likeliest one.
    row : ndarray of shape (p,)
        The row of each place, rising from 0.
    task : Task
        What was answered.
    known : ndarray of bool of shape (p,), optional
        Which places have a label; None means all.
    """

    answers: NDArray[Any]
    confidence: NDArray[np.float64]
    labels: NDArray[Any] | None
    row: NDArray[np.int64]
    task: Task
    known: NDArray[np.bool_] | None = None

    def by_row(
        self, scores: NDArray[Any], counts: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Means of scores (p,) over the places of each row (n,); rows without any are left out.

        Parameters
        ----------
        scores : ndarray of shape (p,)
            One per place.
        counts : ndarray of bool of shape (p,), optional
            The places that count; all by default.
        """
        row = self.row if counts is None else self.row[counts]
        scores = np.asarray(scores, dtype=np.float64)
        places = np.bincount(row)
        sums = np.bincount(row, weights=scores if counts is None else scores[counts])
        return np.asarray(sums[places > 0] / places[places > 0])


def ask(
    module: nn.Module,
    batches: Iterable[Any],
    task: Task,
    each: Callable[[Tensor, Any], None] | None = None,
) -> Said:
    """Run a network over batches, in eval mode and without gradients; its modes are restored.

    Parameters
    ----------
    module : nn.Module
        The network.
    batches : iterable of Batch
        From `Samples.batches`, in the order of the rows.
    task : Task
        What its outputs mean.
    each : callable, optional
        Gets the outputs of every batch as float32, and the batch, so that what else is needed of
        them takes no second pass.
    """
    answers, sure, labels, rows, known = [], [], [], [], []
    start, home = 0, next((p.device for p in module.parameters()), None)
    with asking(module):
        for batch in batches:
            batch = batch.to(home)
            logits = answer(module, batch.inputs).float()
            check_nan(type(module).__name__, logits, batch)
            if each is not None:
                each(logits, batch)
            a, c, y, r = _places(Step(batch.inputs, batch.labels, View(logits), None, task))
            answers.append(a.cpu().numpy())
            sure.append(c.double().cpu().numpy())
            rows.append(r.cpu().numpy() + start)
            if y is not None:
                labels.append(y.cpu().numpy())
                there = batch.labelled
                known.append(torch.ones_like(y, dtype=torch.bool) if there is None else there)
            start += len(logits)
    return Said(
        np.concatenate(answers),
        np.concatenate(sure),
        np.concatenate(labels) if labels else None,
        np.concatenate(rows),
        task,
        None if not known or all(bool(k.all()) for k in known) else _flat(known),
    )


def _flat(parts: list[Tensor]) -> NDArray[np.bool_]:
    """One array of masks, rows first."""
    return np.concatenate([part.flatten().cpu().numpy() for part in parts])


def _places(step: Step) -> tuple[Any, Any, Any, Any]:
    """Answers, confidences, labels and rows of the places of one batch."""
    task, aligned = step.task, step.aligned
    z, y = aligned.student, aligned.labels  # (p, k), (p,) or (p, k)
    n = len(step.student.logits)
    if task.classifies:
        p, a = z.softmax(-1).max(-1)
        if not task.sequential:
            return a, p, step.classes, torch.arange(n)
        ids = torch.arange(n, device=z.device).view(n, 1, 1)
        ids = ids.expand_as(step.student.logits[..., :1])
        return a, p, y, step.align(ids, None).student[:, 0]
    z = z.reshape(n, -1)
    y = None if y is None else y.reshape(n, -1)
    row = torch.arange(n).repeat_interleave(z.shape[1])
    flat = None if y is None else y.flatten()
    if task.kind is TaskKind.MULTILABEL:
        yes = z > 0
        return yes.long().flatten(), torch.sigmoid(z.abs()).flatten(), flat, row
    return z.flatten(), torch.ones_like(z).flatten(), flat, row


def right(said: Said) -> NDArray[np.float64] | None:
    """A score per row against the labels, shape (n,); None where there are no labels.

    The share of right answers; for numbers scores whose mean is R squared, the mean over outputs.
    They are R squared's influence values, u + m (v - 1) with u = 1 - e^2 / V, m = mean(e^2) / V
    and v = (label - mean)^2 / V, V the variance of the labels: u alone has the same mean, but its
    spread leaves out that V is an estimate, too (ratio estimates: Cochran 1977).
    """
    if said.labels is None:
        return None
    return _score(said, said.labels, said.known)


def agreement(student: Said, teacher: Said) -> NDArray[np.float64]:
    """A score per row against the teacher's answers, shape (n,); see `right`.

    Parameters
    ----------
    student, teacher : Said
        Outputs of both on the same rows.
    """
    return _score(student, teacher.answers)


def _score(
    said: Said, truth: NDArray[Any], counts: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    if said.task.kind is TaskKind.REGRESSION:
        k = said.task.outputs
        error = ((said.answers - truth) ** 2).reshape(-1, k)  # (n, k)
        away = (truth.reshape(-1, k) - truth.reshape(-1, k).mean(axis=0)) ** 2  # (n, k)
        spread = away.mean(axis=0)
        unit = np.where(spread > 0, spread, 1.0)
        explained = 1 - error / unit + error.mean(axis=0) / unit * (away / unit - 1)
        return np.asarray(np.where(spread > 0, explained, error == 0).mean(axis=1))
    return said.by_row(said.answers == truth, counts)


def gaps(said: Said, times: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """Accuracy less confidence in each of 15 equal bins of confidence, times the bin's share.

    The sum of their absolute values is the expected calibration error (Guo, Pleiss, Sun,
    Weinberger 2017).

    Parameters
    ----------
    said : Said
        Answers with their confidence, and labels.
    times : ndarray of shape (n,) or (draws, n), optional
        How often each row counts, for a bootstrap; in each of many draws.

    Returns
    -------
    ndarray of shape (15,) or (draws, 15)
    """
    weight = np.ones(len(said.row)) if times is None else np.take(times, said.row, axis=-1)
    weight = weight if said.known is None else weight * said.known
    place = np.minimum((said.confidence * BINS).astype(int), BINS - 1)
    correct = said.answers == said.labels
    own = np.atleast_2d(weight * (correct - said.confidence))  # (draws, p)
    bins = place + BINS * np.arange(len(own))[:, None]
    sums = np.bincount(bins.ravel(), weights=own.ravel(), minlength=BINS * len(own))
    whole = weight.sum(axis=-1, keepdims=True)
    return np.asarray(sums.reshape(*weight.shape[:-1], BINS) / np.where(whole == 0, 1.0, whole))


def reliability(said: Sequence[Said]) -> tuple[tuple[float, ...], ...]:
    """Mean confidence, share of right answers and share of all, by bin of confidence.

    The bins are those of `gaps`; empty ones are left out.

    Parameters
    ----------
    said : sequence of Said
        Answers with their confidence, and labels, of all seeds.
    """
    sums = np.zeros((3, BINS))
    for one in said:
        there = np.ones(len(one.row), bool) if one.known is None else one.known
        sure, right = one.confidence[there], (one.answers == one.labels)[there]
        place = np.minimum((sure * BINS).astype(int), BINS - 1)
        sums += [np.bincount(place, weights=w, minlength=BINS)
                 for w in (sure, right.astype(float), np.ones(len(sure)))]  # fmt: skip
    held = sums[2] > 0
    means = [sums[0][held] / sums[2][held], sums[1][held] / sums[2][held],
             sums[2][held] / max(sums[2].sum(), 1.0)]  # fmt: skip
    return tuple(tuple(float(x) for x in row) for row in zip(*means, strict=True))


@dataclass(frozen=True)
class Mistakes:
    """Where a network is wrong: shares of all places that have a label.

    ``inherited`` are the teacher's mistakes repeated word for word, ``own`` those where the
    teacher is right, ``other`` those where both are wrong in different ways.
    """

    inherited: float
    own: float
    other: float


def mistakes(student: Said, teacher: Said) -> Mistakes | None:
    """Tell a student's own mistakes from those of its teacher; None for numbers or no labels.

    Parameters
    ----------
    student, teacher : Said
        Outputs of both on the same rows.
    """
    if student.labels is None or student.task.kind is TaskKind.REGRESSION:
        return None
    there = slice(None) if student.known is None else student.known
    wrong = student.answers != student.labels
    same = student.answers == teacher.answers
    taught = teacher.answers == student.labels
    return Mistakes(
        float((wrong & same)[there].mean()),
        float((wrong & taught)[there].mean()),
        float((wrong & ~same & ~taught)[there].mean()),
    )


def by_true_class(said: Said, teacher: Said) -> dict[int, dict[str, float]]:
    """Places, accuracy and agreement for each class of the labels.

    Empty for numbers, without labels, and for language, whose classes are a vocabulary.

    Parameters
    ----------
    said : Said
        Outputs of the model that is measured.
    teacher : Said
        Outputs of the teacher on the same rows.
    """
    if said.labels is None or said.task.kind in (TaskKind.REGRESSION, TaskKind.LANGUAGE):
        return {}
    there = slice(None) if said.known is None else said.known
    labels, of = np.unique(said.labels[there], return_inverse=True)
    places = np.bincount(of)
    accuracy = np.bincount(of, weights=(said.answers == said.labels)[there]) / places
    agreed = np.bincount(of, weights=(said.answers == teacher.answers)[there]) / places
    return {
        int(label): {"places": int(n), "accuracy": float(a), "agreement": float(b)}
        for label, n, a, b in zip(labels, places, accuracy, agreed, strict=True)
    }
