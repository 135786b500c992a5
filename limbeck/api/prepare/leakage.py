"""Test rows that no training saw: they are compared with those of training, and with each other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.api.prepare.splits import FEWEST, MOST_HASHED, compared_rows
from limbeck.certificates.fingerprint import TrainingOverlap, seen_among
from limbeck.certificates.tolerance import tolerance_bound
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.data.cases import case_hashes
from limbeck.data.duplicates import Rule, find_duplicates, row_hashes
from limbeck.networks.datasets.data import Samples
from limbeck.networks.predictor import layout_of, rows_of
from limbeck.networks.training.settings import Training
from limbeck.students.onnx.layout import Layout

__all__ = [
    "check_enough",
    "check_labelled_test",
    "counted_once",
    "fresh_rows",
    "unchosen_rows",
]  # fmt: skip


def fresh_rows(
    rows: Samples,
    aside: Samples,
    own: bool,
    settings: Training,
    unread: Collection[str] = (),
    *,
    duplicates: Rule = "auto",
    what: str = "test",
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
    duplicates : {"auto", "drop", "keep"}
        What identical rows are; see `limbeck.data.duplicates.find_duplicates`.
    what : str
        What the rows aside are called.

    Returns
    -------
    layout : Layout
        Of the inputs of both, where both were looked at.
    seen : ndarray of uint64 or None
        None where training rows are augmented, so that none of them stays the same. With those of
        their cases as a second column where rows have cases.
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
    n = min(len(rows), MOST_HASHED)
    layout, seen, found = _looked_at(rows, n, aside, size, unread)
    if n < len(rows):
        notes.append(f"Only {n:,} of {len(rows):,} training rows were compared with test rows.")
    told = seen_among(found, seen, layout.kinds(), duplicates)
    kept, left = _apart(aside, told, own, "training", "training never sees", what)
    if rows.cases is not None:
        seen = np.stack([seen, case_hashes(rows.cases[:n])], axis=1)
    return layout, seen, kept, notes + left


def unchosen_rows(
    aside: Samples,
    validation: Samples | None,
    own: bool,
    settings: Training,
    unread: Collection[str] = (),
    *,
    duplicates: Rule = "auto",
) -> tuple[Samples, list[str]]:
    """Test rows that are not among the rows that choose the student; see `fresh_rows`.

    Parameters
    ----------
    aside : Samples
        The test rows.
    validation : Samples or None
        The rows that choose the student.
    own : bool
        Whether the user gave the test rows.
    settings : Training
        The training settings.
    unread : collection of str
        Names of inputs that are not compared, since no network reads them.
    duplicates : {"auto", "drop", "keep"}
        What identical rows are; see :func:`limbeck.distill`.

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
    layout, seen, found = _looked_at(validation, n, aside, size, unread)
    told = seen_among(found, seen, layout.kinds(), duplicates)
    return _apart(aside, told, own, "validation", "choose neither epoch nor seed")


def check_labelled_test(
    more: Samples,
    aside: Samples,
    settings: Training,
    unread: Collection[str] = (),
    *,
    duplicates: Rule = "auto",
) -> list[str]:
    """Refuse test rows among the inputs without labels, whose answers the student would learn.

    Parameters
    ----------
    more : Samples
        The inputs without labels.
    aside : Samples
        The test rows, given or set aside.
    settings, unread, duplicates
        As for `fresh_rows`.

    Raises
    ------
    InvalidInput
        With the number of rows.
    """
    if more.random:
        return [
            "Unlabelled rows are augmented at random: whether test rows are among them was not"
            " looked at."
        ]
    n, size = min(len(more), MOST_HASHED), settings.batch_size
    layout, seen, found = _looked_at(more, n, aside, size, unread)
    told = seen_among(found, seen, layout.kinds(), duplicates)
    _apart(aside, told, True, "unlabelled", "are not among these")
    return []


def _looked_at(
    known: Samples, n: int, aside: Samples, size: int, unread: Collection[str]
) -> tuple[Layout, NDArray[np.uint64], NDArray[np.float64]]:
    """The layout of both, hashes of the first n known rows, and what is compared of test rows."""
    places, held = range(n), range(len(aside))
    layout = layout_of(
        b for side, of in ((known, places), (aside, held)) for b in side.batches(of, size)
    )
    layout = Layout(tuple(replace(b, read=b.name not in unread) for b in layout.blocks))
    seen = np.concatenate(
        [row_hashes(layout.bare(rows_of(b.inputs, layout))) for b in known.batches(places, size)]
    )
    return layout, seen, compared_rows(aside, held, layout, size)


def _apart(
    aside: Samples, told: TrainingOverlap, own: bool, role: str, wanted: str, what: str = "test"
) -> tuple[Samples, list[str]]:
    """Test rows that are not among those of another role, with a note where some were left out."""
    if told.explained:
        return aside, []
    out = told.copied if told.overlap.explained else told.hit
    hits = int(out.sum())
    if own:
        raise InvalidInput(
            f"{hits:,} of the {len(aside):,} {what} rows are among the {role} rows.",
            f"Give {what} rows that {wanted}.",
        )
    kept = np.flatnonzero(~out)
    if len(kept) < FEWEST:
        raise InvalidInput(
            f"Only {len(kept)} of the rows set aside are no copies of {role} rows.",
            "Drop repeated rows, or give test=...",
        )
    note = f"{hits:,} test rows were left out: {role} rows repeat them."
    return aside.subset(torch.from_numpy(kept)), [note]


def counted_once(
    aside: Samples, layout: Layout, settings: Training, duplicates: Rule
) -> tuple[Samples, list[str]]:
    """Test rows without copies of others among them, with a note where there were some.

    Parameters
    ----------
    aside : Samples
        The test rows.
    layout : Layout
        That of the inputs.
    settings : Training
        Its batch size is used.
    duplicates : {"auto", "drop", "keep"}
        What identical rows are; see `limbeck.data.duplicates.find_duplicates`.

    Raises
    ------
    InvalidInput
        If too few different rows are left.
    """
    if aside.random:
        return aside, []
    values = compared_rows(aside, range(len(aside)), layout, settings.batch_size)
    found = find_duplicates(values, layout.kinds(), duplicates)
    if not found.copies:
        return aside, []
    kept = np.flatnonzero(found.first == np.arange(len(aside)))
    if len(kept) < FEWEST:
        raise InvalidInput(
            f"The {len(aside):,} test rows are copies of {len(kept)} different ones.",
            f"Give at least {FEWEST} different test rows.",
        )
    note = f"{found.copies:,} test rows copy others, and were left out: each row counts once."
    return aside.subset(torch.from_numpy(kept)), [note]


def check_enough(aside: Samples, task: Task, epsilon: float, delta: float) -> None:
    """Refuse, before any training, test rows that are too few for a certificate of numbers.

    Parameters
    ----------
    aside : Samples
        The test rows.
    task : Task
        What is predicted; classes need no least number of rows.
    epsilon, delta : float
        What is asked of the certificate.
    """
    if task.kind is TaskKind.REGRESSION:
        draws = len(aside) if aside.cases is None else len(np.unique(case_hashes(aside.cases)))
        tolerance_bound(np.zeros(draws), epsilon, delta)
