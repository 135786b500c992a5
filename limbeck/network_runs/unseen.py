"""Test rows that no training saw: set aside, or the user's own, and compared with training's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.certificates.binomial import check_share
from limbeck.certificates.fingerprint import overlap, row_hashes
from limbeck.certificates.tolerance import tolerance_bound
from limbeck.errors import InvalidInput
from limbeck.networks.loop.training import Training
from limbeck.networks.predictor import layout_of, rows_of
from limbeck.networks.samples.data import Samples
from limbeck.networks.views import Goal, Kind
from limbeck.students.layout import Layout

__all__ = ["fresh_rows", "refuse_few", "two_sides", "unchosen_rows"]

_MOST_HASHED = 200_000
_FEWEST = 10


def two_sides(
    data: Any, y: Any, test: Any, holdout: float, seed: int, settings: Training, pad: int = 0
) -> tuple[Samples, Samples]:
    """Training rows and test rows; ``pad`` is the token that fills up sequences.

    Raises
    ------
    InvalidInput
        If there are too few on a side.
    """
    rows = Samples.of(data, y, batch_size=settings.batch_size, pad=pad)
    if test is not None:
        aside = Samples.of(test, batch_size=settings.batch_size, pad=pad)
        if len(aside) < _FEWEST:
            raise InvalidInput(
                f"There are {len(aside)} test rows.", f"Give at least {_FEWEST}, or none."
            )
        return rows, aside
    check_share("holdout", holdout)
    n = round(len(rows) * holdout)
    if min(n, len(rows) - n) < _FEWEST:
        raise InvalidInput(
            f"{n} of {len(rows)} rows would be set aside.",
            f"At least {_FEWEST} are needed on both sides: give more rows, or test=...",
        )
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    return rows.subset(order[n:].sort().values), rows.subset(order[:n].sort().values)


def fresh_rows(
    rows: Samples,
    aside: Samples,
    own: bool,
    settings: Training,
    unread: Collection[str] = (),
) -> tuple[Layout, NDArray[np.uint64] | None, Samples, list[str]]:
    """The layout of all inputs, hashes of the training rows, and test rows that are not among them.

    Rows of one's own that training would see are refused; of those set aside here, copies of
    training rows are left out.

    Parameters
    ----------
    rows, aside : Samples
        Of training, and for the test.
    own : bool
        Whether the test rows were given, rather than set aside here.
    settings : Training
        Its batch size is used.
    unread : collection of str
        Named inputs that do not tell rows apart, since no network reads them.

    Returns
    -------
    layout : Layout
        Of the inputs of both, where both were looked at.
    seen : ndarray of uint64 or None
        None where training rows are augmented, so that none of them stays the same.
    aside : Samples
        What is left of the test rows.
    notes : list of str
        What was not looked at, and what was left out.

    Raises
    ------
    InvalidInput
        If test rows are among the training rows.
    """
    size, notes = settings.batch_size, []
    if aside.random:
        notes.append("Test rows are augmented at random: give test=... with rows as they are.")
    if rows.random:
        notes.append(
            "Training rows are augmented at random: whether test rows are among them was not"
            " looked at."
        )
        return layout_of(aside.batches(range(len(aside)), size)), None, aside, notes
    n = min(len(rows), _MOST_HASHED)
    layout, seen, found = _hashes(rows, n, aside, size, unread)
    if n < len(rows):
        notes.append(f"Only {n:,} of {len(rows):,} training rows were compared with test rows.")
    kept, left = _apart(aside, found, seen, own, "training", "training never sees")
    return layout, seen, kept, notes + left


def unchosen_rows(
    aside: Samples,
    validation: Samples | None,
    own: bool,
    settings: Training,
    unread: Collection[str] = (),
) -> tuple[Samples, list[str]]:
    """Test rows that are not among the rows that choose the student; see `fresh_rows`.

    Raises
    ------
    InvalidInput
        If test rows of one's own are among the validation rows.
    """
    if validation is None:
        return aside, []
    if validation.random:
        return aside, [
            "Validation rows are augmented at random: whether test rows are among them was not"
            " looked at."
        ]
    n, size = len(validation), settings.batch_size
    _, seen, found = _hashes(validation, n, aside, size, unread)
    return _apart(aside, found, seen, own, "validation", "choose neither epoch nor seed")


def _hashes(
    known: Samples, n: int, aside: Samples, size: int, unread: Collection[str]
) -> tuple[Layout, NDArray[np.uint64], NDArray[np.uint64]]:
    """The layout of both, and hashes of the first n known rows and of all test rows."""
    sides = (known, range(n)), (aside, range(len(aside)))
    layout = layout_of(b for side, places in sides for b in side.batches(places, size))
    blocks = (replace(b, read=b.name not in unread) for b in layout.blocks)
    layout = Layout(tuple(blocks))
    seen, found = (
        np.concatenate(
            [row_hashes(layout.bare(rows_of(b.inputs, layout))) for b in side.batches(places, size)]
        )
        for side, places in sides
    )
    return layout, seen, found


def _apart(
    aside: Samples,
    found: NDArray[np.uint64],
    seen: NDArray[np.uint64],
    own: bool,
    role: str,
    wanted: str,
) -> tuple[Samples, list[str]]:
    """Test rows that are not among those of another role, with a note where some were left out."""
    told = overlap(found, seen)
    if told.explained:
        return aside, []
    if own:
        raise InvalidInput(
            f"{told.hits:,} of the {told.n:,} test rows are among the {role} rows.",
            f"Give test rows that {wanted}.",
        )
    kept = np.flatnonzero(~np.isin(found, seen))
    if len(kept) < _FEWEST:
        raise InvalidInput(
            f"Only {len(kept)} of the rows set aside are no copies of {role} rows.",
            "Drop repeated rows, or give test=...",
        )
    note = f"{told.hits:,} test rows were left out: {role} rows repeat them."
    return aside.subset(torch.from_numpy(kept)), [note]


def refuse_few(aside: Samples, goal: Goal, epsilon: float, delta: float) -> None:
    """Refuse, before any training, test rows that are too few for a certificate of numbers."""
    if goal.kind is Kind.VALUES:
        tolerance_bound(np.zeros(len(aside)), epsilon, delta)
