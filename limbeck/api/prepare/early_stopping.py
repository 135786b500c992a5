"""Training rows that are set aside to choose the epoch by, where no validation rows are given."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, LimbeckError
from limbeck.data.cases import units_of
from limbeck.data.splits import split_units
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.seeding import mixed
from limbeck.networks.training.settings import Training

__all__ = ["validation_part", "validation_share"]

_SHARE, _MOST, _FEWEST = 0.1, 2000, 10


def validation_share(validation: Any, training: Training) -> float:
    """The share of the training rows that are to be validation rows; 0 for none.

    Parameters
    ----------
    validation : share, None or rows
        What the user gave: a share is taken as it is, rows of one's own leave all for training.
        None is a tenth where the settings leave open how long to train or ask for patience, and
        otherwise 0: given epochs, or ``max_steps``, are trained to their end on all rows.
    training : Training
        Settings of the loop.

    Raises
    ------
    InvalidInput
        If a share is not from 0 to below 1.
    """
    if validation is None:
        fixed = training.epochs is not None or training.max_steps is not None
        return 0.0 if fixed and training.patience is None else _SHARE
    if not isinstance(validation, Real):
        return 0.0
    share = float(validation)
    if not 0 <= share < 1:
        raise InvalidInput(
            f"validation is {validation!r}.",
            "Give rows, or a share of the training rows from 0 to below 1.",
        )
    return share


def validation_part(
    rows: Samples,
    share: float,
    seed: int,
    *,
    asked: bool,
    cache: TeacherCache | None = None,
    hashes: NDArray[np.uint64] | None = None,
) -> tuple[Samples, Samples | None, list[str]]:
    """Training rows without a part, that part, and a note on it.

    Students and controls of all seeds are validated on the same part. Rows of a case, and copies
    of a row, stay together. Of many rows at most 2,000 are taken unless a share was asked for. None
    are taken where that would leave fewer than 10 of them, or where their place in the training set
    is tied to something else: stored answers of a teacher that could not be asked about them, or a
    cache that was filled with all rows.

    Parameters
    ----------
    rows : Samples
        Training rows.
    share : float
        How many of them, see `validation_share`.
    seed : int
        Which of them.
    asked : bool
        Whether the user asked for this share, so that it is refused rather than left out.
    cache : TeacherCache, optional
        Where answers of the teacher to the training rows are stored.
    hashes : ndarray of uint64 of shape (n,) or (n, 2), optional
        Of the inputs of the training rows, as `limbeck.api.prepare.leakage.fresh_rows` gives them.

    Raises
    ------
    InvalidInput
        If the share was asked for and cannot be taken.
    """
    if not share:
        return rows, None, []
    units = units_of(_first_copies(hashes, len(rows)), rows.cases)
    share = share if asked else min(share, _MOST / len(rows))
    generator = torch.Generator().manual_seed(mixed(seed, 1) >> 1)
    left, chosen = split_units(
        units, torch.randperm(units.count, generator=generator).numpy(), share
    )
    why = _why_not(rows, round(units.count * share), cache)
    if why and asked:
        raise InvalidInput(f"validation is {share}, and {why}.", "Give validation rows.")
    if why:
        return rows, None, [
            f"No training rows were set aside for early stopping: {why}. All of the training is"
            " done, and its last weights are the student's; give validation rows to choose."
        ]  # fmt: skip
    part = rows.subset(torch.from_numpy(chosen))
    note = (
        f"Early stopping: {len(part):,} of {len(rows):,} training rows were set aside to choose the"
        " epoch by, the same for student and control; give validation=... to choose by other rows,"
        " or validation=0 to train on all."
    )
    return rows.subset(torch.from_numpy(np.sort(left))), part, [note]


def _first_copies(hashes: NDArray[np.uint64] | None, n: int) -> NDArray[np.int64]:
    """Of which row each of n rows is a copy, as far as it is known."""
    if hashes is None or len(hashes) != n:
        return np.arange(n)
    inputs = hashes if hashes.ndim == 1 else hashes[:, 0]
    _, first, of = np.unique(inputs, return_index=True, return_inverse=True)
    return np.asarray(first[of], dtype=np.int64)


def _why_not(
    rows: Samples,
    n: int,
    cache: TeacherCache | None,
) -> str:
    """Why no validation rows can be taken from the training rows; empty where they can."""
    if n < _FEWEST:
        what = "rows" if rows.cases is None else "cases"
        return f"{n} {what} of {len(rows):,} rows are too few to choose by"
    if not rows.has_labels and cache is not None:
        return "the rows have no labels, and the teacher's answers are stored for training only"
    if cache is not None:
        try:
            cache.check(rows)
        except LimbeckError:
            return ""
        return "the teacher cache holds answers to all of them"
    return ""
