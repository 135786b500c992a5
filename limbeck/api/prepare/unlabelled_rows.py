"""Rows without labels join those of the method: the teacher answers them, nobody scores them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from limbeck.api.prepare.table import LabelledRows, Request
from limbeck.certificates.fingerprint import seen_among
from limbeck.core.columns import Rows
from limbeck.core.errors import InvalidInput
from limbeck.data.duplicates import kinds_of, row_hashes
from limbeck.evaluation.holdout import MOST_ROWS, Apart

__all__ = ["more_rows_note", "with_unlabelled"]

_ELSEWHERE = "Join these rows to X, with the label -1 (None among names), and give it for all."


def with_unlabelled(apart: Apart, data: LabelledRows, request: Request) -> Apart:
    """The two sides, with more rows for the method.

    Parameters
    ----------
    apart : Apart
        The rows that were given with labels, or without any, on their two sides.
    data : LabelledRows
        Says what the columns are.
    request : Request
        Holds the rows without labels.

    Raises
    ------
    InvalidInput
        If they come with labels, have other columns, or holdout rows are among them; and with
        cases or weights, which these rows have none of.
    """
    X = request.unlabelled
    if X is None:
        return apart
    if isinstance(X, tuple):
        raise InvalidInput(
            f"unlabelled is a tuple of {len(X)}, as rows with labels are given.",
            "Give the rows alone, as unlabelled=X.",
        )
    for name in ("cases", "sample_weight"):
        if getattr(request, name) is not None:
            raise InvalidInput(f"unlabelled was given with {name}, and has none.", _ELSEWHERE)
    try:
        more = data.features.rows(X)
    except InvalidInput as error:
        raise InvalidInput(
            f"The unlabelled rows are not like those of X: {error.problem}", error.remedy
        ) from None
    if not len(more):
        raise InvalidInput("unlabelled holds no rows.", "Leave it out.")
    more = more[_chosen(len(more), MOST_ROWS - len(apart.fit_rows), request.seed)]
    hashes, kinds = row_hashes(more.values), kinds_of(data.features)
    known = seen_among(apart.test_rows.values, hashes, kinds, apart.duplicates)
    if not known.explained:
        raise InvalidInput(
            f"{int(known.hit.sum()):,} of the {len(known.hit):,} holdout rows are among the"
            " unlabelled rows, whose answers the student learns.",
            "Take the rows of X, and of the holdout, out of unlabelled.",
        )
    given = None
    if more.given is not None and apart.fit_rows.given is not None:
        given = np.concatenate([apart.fit_rows.given, more.given])
    values = np.concatenate([apart.fit_rows.values, more.values])
    return replace(
        apart,
        fit_rows=Rows(data.features, values, given),
        seen=np.concatenate([apart.seen, hashes]),
    )


def more_rows_note(apart: Apart) -> str:
    """What is said of the rows that joined without a label; empty where there are none.

    Parameters
    ----------
    apart : Apart
        As `with_unlabelled` returns it.
    """
    labelled = len(apart.fit.X)
    more = len(apart.fit_rows) - labelled
    if not more:
        return ""
    beside = "" if apart.fit.y is None else "; the control learns from these alone"
    return (
        f"{more:,} rows without labels were answered by the teacher and teach the student, beside"
        f" {labelled:,} rows of X{beside}."
    )


def _chosen(n: int, room: int, seed: int) -> Any:
    """Places of the rows that are read: all, or as many at random as there is room for."""
    if n <= room:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).permutation(n)[: max(room, 0)])
