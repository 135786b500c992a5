"""Whether networks were trained long enough to be judged: losses that still fall, the baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from limbeck.core.status import Status, StatusCode
from limbeck.evaluation.comparison import Comparison, Difference
from limbeck.networks.losses.loss import Objective
from limbeck.networks.training.settings import UPDATES, Training
from limbeck.networks.training.train import Trained

__all__ = ["Falling", "falling", "too_short"]

_LEVEL = 0.05  # of the test for a trend
_SHARE = 0.1  # of all that was gained: what another doubling of the training must bring to matter
_FEWEST, _BLOCKS = 4, 20  # epochs that a trend can be seen in; means that it is tested on


@dataclass(frozen=True)
class Falling:
    """A loss that still fell when the training ended, or its learning rate was lowered.

    Parameters
    ----------
    per_epoch : float
        By how much it fell in each epoch.
    share : float
        How much it fell in the last half of the training, as a share of all that it fell by.
    """

    per_epoch: float
    share: float


def falling(trained: Trained, comparable: bool = True) -> Falling | None:
    """The fall of a training's loss at its end; None where it does not fall, or cannot be told.

    The validation loss where there is one, else the training loss. Looked at are the epochs up to
    the last one in which the learning rate was at least half its highest, since a loss is flat
    wherever the rate has come down to 0; and of these the last half. A fall there is significant
    where the rank correlation of loss and epoch is (Mann 1945, one-sided, at 5%; over means of up
    to 20 blocks of epochs). It matters where it is at least a tenth of all that was gained
    since the start: for a loss that falls as a power of the epochs, each doubling of the training
    brings less than the one before, so training twice as long would bring less than that.

    Fewer than four epochs tell nothing.

    Parameters
    ----------
    trained : Trained
        A training with its history.
    comparable : bool
        Whether training losses of different epochs are the same measure.
    """
    rows = trained.history
    validated = bool(rows) and rows[-1].get("validation_loss") is not None
    name = "validation_loss" if validated else "loss"
    if not rows or name not in trained.began or not (validated or comparable):
        return None
    losses = np.array([row[name] for row in rows], dtype=np.float64)
    rates = np.array([row["lr"] for row in rows], dtype=np.float64)
    end = int(np.flatnonzero(rates >= rates.max() / 2)[-1]) + 1
    half = max(-(-end // 2), _FEWEST)
    if end < half:
        return None
    means, width = _blocks(losses[end - half : end])
    fall = -_slope(means) / width
    gained = trained.began[name] - losses[-1]
    if fall * half < _SHARE * gained:
        return None
    trend = kendalltau(np.arange(len(means)), means, alternative="less")
    if not trend.pvalue < _LEVEL:
        return None
    return Falling(float(fall), float(fall * half / gained) if gained > 0 else 1.0)


def too_short(
    trainings: Mapping[str, Sequence[Trained]],
    comparison: Comparison | None,
    objective: Objective,
    training: Training,
    rows: int,
    updates: int = UPDATES,
) -> Status | None:
    """Why networks are not trained well enough to be judged, and the remedy; None where they are.

    Parameters
    ----------
    trainings : mapping of sequence of Trained
        By role, one per seed. A role counts where the loss still falls in at least half its seeds.
    comparison : Comparison or None
        With those that are behind the linear model; None where there was no comparison.
    objective : Objective
        What all but the control learned.
    training : Training
        Settings, with their number of epochs.
    rows : int
        Training rows.
    updates : int
        How many are enough by default.
    """
    found = []
    for role, seeds in trainings.items():
        told = [falling(t, role == "control" or _comparable(objective)) for t in seeds]
        falls = [f.per_epoch for f in told if f is not None]
        if 2 * len(falls) >= len(seeds):
            found.append((role, sum(falls) / len(falls)))
    gaps = () if comparison is None else [d for d in comparison.behind if d.what != "teacher"]
    if not found and not gaps:
        return None
    made, longer = _longer(training, max(rows // training.batch_size, 1), updates)
    behind = "" if comparison is None else " ".join(_behind(d, comparison) for d in gaps)
    if found:
        by_role = " and ".join(f"{fall:.3g} ({role})" for role, fall in found)
        until = " before the learning rate comes down" if _lowered(trainings[found[0][0]]) else ""
        why = f"the loss still falls by {by_role} per epoch{until}. {behind}".rstrip()
    else:
        why = behind[0].lower() + behind[1:]
    if found or made < updates:
        return Status(StatusCode.LIMIT, f"Trained too short: {why}", f"Try {longer}.")
    was = "" if training.lr is None else f" (it was {training.lr:g})"
    remedy = f"Try another lr{was}, {longer}, or a larger student."
    return Status(StatusCode.LIMIT, f"Not trained well: {why}", remedy)


def _longer(training: Training, per_epoch: int, updates: int) -> tuple[int, str]:
    """The updates that were made, and settings that make enough, or three times as many."""
    assert training.epochs is not None  # noqa: S101  (settled before training)
    most = training.epochs * per_epoch
    if training.max_steps is None:
        return most, f"epochs={max(math.ceil(updates / per_epoch), 3 * training.epochs)}"
    made = min(training.max_steps, most)
    wanted = max(updates, 3 * made)
    steps = "" if training.max_steps >= wanted else f"max_steps={wanted}"
    epochs = "" if most >= wanted else f"epochs={math.ceil(wanted / per_epoch)}"
    return made, " with ".join(part for part in (steps, epochs) if part)


def _behind(d: Difference, comparison: Comparison) -> str:
    by_role = {e.role: e.accuracy or e.agreement for e in comparison.entries}
    return (
        f"The {d.what} is behind the linear model ({by_role[d.what].value:.3f} against"
        f" {by_role['baseline'].value:.3f}; difference {d.low:+.3f} to {d.high:+.3f})."
    )


def _lowered(seeds: Sequence[Trained]) -> bool:
    """Whether the learning rate ended below half its highest."""
    rates = [row["lr"] for row in seeds[0].history]
    return bool(rates[-1] < max(rates) / 2)


def _comparable(objective: Objective) -> bool:
    """Whether training losses of different epochs are the same measure: no schedule changes it."""
    scheduled = any(
        callable(part.weight) or callable(getattr(part.term, "temperature", None))
        for part in objective.parts
    )
    return not scheduled and not objective.balanced


def _blocks(losses: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Means of at most 20 blocks of epochs, and how many epochs lie from one to the next."""
    blocks = np.array_split(losses, min(len(losses), _BLOCKS))
    return np.array([b.mean() for b in blocks]), len(losses) / len(blocks)


def _slope(values: NDArray[np.float64]) -> float:
    """The median of all slopes between two values (Sen 1968, after Theil)."""
    i, j = np.triu_indices(len(values), 1)
    return float(np.median((values[j] - values[i]) / (j - i)))
