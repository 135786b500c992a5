"""What holds a network's student back, each in a sentence with a remedy."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.certificates.binomial import interval
from limbeck.core.task import Task, TaskKind
from limbeck.evaluation.networks import Said, agreement, ask
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples
from limbeck.networks.losses.loss import Objective

__all__ = ["diagnosis"]

_ROWS = 1000  # training rows that both networks are asked about
_LEVEL = 0.05
_FLAT = 0.05  # of the largest entropy: below it soft answers say little more than labels
_TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


def diagnosis(
    student: nn.Module,
    teacher: nn.Module | None,
    rows: Samples,
    task: Task,
    objective: Objective,
    apart: float,
    epsilon: float,
    batch_size: int,
) -> tuple[str, ...]:
    """What may be mended: a student that is too small, too few inputs, a teacher too certain.

    Both networks are asked about at most 1,000 training rows. A student that differs from its
    teacher there nearly as often as on test rows cannot fit its answers; one that hardly differs
    there, and does on test rows, has seen too few inputs. Both only where they differ on more than
    was asked for.

    Parameters
    ----------
    student, teacher : nn.Module
        As they are after training; without a teacher there is nothing to say.
    rows : Samples
        The training rows.
    task : Task
        What is predicted; of numbers nothing is said.
    objective : Objective
        Its temperatures are compared with how certain the teacher is.
    apart : float
        The share of test answers on which student and teacher differ.
    epsilon : float
        The share that was asked for.
    batch_size : int
        Rows of one call.

    Returns
    -------
    tuple of str
        A sentence and a remedy each; empty where nothing was found.
    """
    if teacher is None or task.kind is TaskKind.REGRESSION:
        return ()
    n = min(len(rows), _ROWS)
    places = np.linspace(0, len(rows) - 1, n).round().astype(int)
    logits: list[Tensor] = []

    def kept(found: Tensor, batch: Batch) -> None:
        logits.append(found.detach().cpu())

    def asked(module: nn.Module, each: object = None) -> Said:
        batches = rows.batches(places.tolist(), batch_size)
        return ask(module, batches, task, each)  # type: ignore[arg-type]

    taught = asked(teacher, kept)
    scores = np.asarray(agreement(asked(student), taught))
    found = [_fit(scores, apart, epsilon, n)]
    if task.kind is TaskKind.CLASSIFICATION:
        found.append(_certain(torch.cat(logits), objective))
    return tuple(sentence for sentence in found if sentence)


def _fit(scores: NDArray[np.float64], apart: float, epsilon: float, n: int) -> str:
    """Whether the student is too small, or the inputs are too few; empty where neither shows."""
    if apart <= epsilon:
        return ""
    wrong = 1.0 - float(scores.mean())
    low, high = interval(round(wrong * n), n, _LEVEL)
    told = (
        f"it differs from its teacher on {wrong:.1%} of {n:,} training rows, and on {apart:.1%} of"
        " the test rows"
    )
    if low > epsilon and low > apart / 2:
        return (
            f"The student is too small, or its learning rate does not suit it: {told}, so that it"
            " cannot fit even the answers that it learned. Try a larger student, or another lr"
            " (limbeck.tune)."
        )
    if high < apart / 2:
        return (
            f"There are too few inputs for the student: {told}. Try more inputs, which need no"
            " labels: unlabelled=..., or augmentation."
        )
    return ""


def _certain(logits: Tensor, objective: Objective) -> str:
    """Whether soft answers say little more than labels, and at which temperature they would."""
    warm = [getattr(part.term, "temperature", None) for part in objective.parts]
    constant = [float(t) for t in warm if isinstance(t, int | float)]
    most = math.log(logits.shape[-1])
    if not constant or most == 0.0:
        return ""
    used, entropy = max(constant), _entropy(logits, max(constant))
    if entropy >= _FLAT * most:
        return ""
    better = next((t for t in _TEMPERATURES if _entropy(logits, t) >= _FLAT * most), None)
    sure = float(logits.softmax(-1).max(-1).values.mean())
    remedy = "Try the logits: Logits()." if better is None else f"Try temperature={better:g}."
    return (
        f"The teacher is nearly always certain: {sure:.1%} for its answer on average, and at"
        f" temperature {used:g} an entropy of {entropy / most:.1%} of the largest, so that it says"
        f" little more than labels (a rule of thumb: below {_FLAT:.0%}). {remedy}"
    )


def _entropy(logits: Tensor, temperature: float) -> float:
    p = (logits / temperature).softmax(-1)
    return float(torch.special.entr(p).sum(-1).mean())
