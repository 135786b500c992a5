"""What a wavelet student is fitted to, and which coefficients it takes of the signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.students.targets import TaskLike, read_target
from limbeck.students.wavelet.choice import FOLDS, ChosenFeatures, choose, gather
from limbeck.students.wavelet.signals import TransformedSignals
from limbeck.students.wavelet.strongest import Keep, Strongest, groups_of

__all__ = ["chosen_features", "folds_of", "read_soft_target"]

Matrix = NDArray[np.float64]
_MOST_FEATURES = 1024  # are compared


def read_soft_target(y: Any, n: int, given: TaskLike) -> tuple[Task, Matrix]:
    """The task, and targets (n, k): values, or probabilities of the classes.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, k)
        Values, labels, or probabilities of the k classes of the task that was given.
    n : int
        How many rows there are.
    given : Task, "classes" or "value", optional
        What y holds.

    Raises
    ------
    InvalidInput
        If y is none of these.
    """
    k = len(given.classes) if isinstance(given, Task) else 0
    soft = np.asarray(y) if k > 1 and np.ndim(y) == 2 else None
    if soft is not None and soft.shape[1] == k:
        if soft.shape[0] != n or not (np.isfinite(soft).all() and (soft >= 0).all()):
            raise InvalidInput(
                f"The probabilities have shape {soft.shape}, or one is no number from 0.",
                f"Give {n} rows of {k} probabilities.",
            )
        assert isinstance(given, Task)  # noqa: S101  (it has classes)
        return given, soft.astype(np.float64)
    task, target = read_target(y, n, given)
    if not task.classifies:
        return task, target[:, None]
    return task, np.eye(len(task.classes))[target]


def folds_of(groups: Any, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The fold of each row; rows of one group are in one fold.

    Parameters
    ----------
    groups : array-like of shape (n,) or None
        The group of each row.
    n : int
        How many rows there are.
    rng : numpy.random.Generator
        Deals rows or groups to folds.

    Raises
    ------
    InvalidInput
        If there is not one group for each row.
    """
    if groups is None:
        return rng.permutation(n) % FOLDS
    found, at = np.unique(np.asarray(groups), return_inverse=True)
    if at.shape != (n,):
        raise InvalidInput(
            f"groups has shape {np.shape(groups)}, and there are {n} rows.", "Give one per row."
        )
    return (rng.permutation(len(found)) % FOLDS)[at]


def chosen_features(
    signals: TransformedSignals,
    target: Matrix,
    weight: Matrix,
    fold: NDArray[np.int64],
    keeps: Sequence[Keep],
    largest: int | None,
) -> ChosenFeatures:
    """The coefficients that cross-validated ridge regressions choose.

    Parameters
    ----------
    signals : TransformedSignals
        The n rows.
    target : ndarray of shape (n, k)
        Values, or probabilities.
    weight, fold : ndarray of shape (n,)
        How much each row counts, and its fold.
    keeps : sequence of Keep
        Which coefficients may be the strongest.
    largest : int or None
        How many of each channel of each band; None tries several numbers.
    """
    channels = groups_of(signals.transform.bands)
    spread = signals.spread(weight)
    numbers = [int(largest)] if largest else _numbers(channels)
    kinds = [Strongest(channels, keep, numbers[-1], spread) for keep in keeps]
    blocks = ((S, target[at], weight[at], fold[at]) for at, S in signals.blocks())
    return choose(gather(blocks, kinds), kinds, numbers)


def _numbers(groups: tuple[slice, ...]) -> list[int]:
    """How many of each group are tried: 1, 2, 3, 4, 6, 8, 12, ... and as many as are allowed."""
    longest = max(g.stop - g.start for g in groups)

    def total(k: int) -> int:
        return sum(min(k, g.stop - g.start) for g in groups)

    tried = [k for e in range(12) for k in (2**e, 3 * 2**e // 2) if (e or k == 1)]
    tried = sorted({min(k, longest) for k in tried})
    return [k for k in tried if total(k) <= _MOST_FEATURES] or [1]
