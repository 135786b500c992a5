"""How far apart student and teacher are where classes are in an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import upper_bound
from limbeck.certificates.wording import in_percent
from limbeck.reports.numbers import percent

__all__ = ["far_apart"]


def far_apart(
    predicted: NDArray[Any],
    told: NDArray[Any],
    delta: float,
    classes: Sequence[Any],
    ranks: Sequence[int],
) -> str:
    """How many classes lie between the two, on rows that no student saw, in a sentence.

    Parameters
    ----------
    predicted, told : ndarray of shape (n,)
        Class indices.
    delta : float
        The bound is wrong with at most this probability, by itself.
    classes : sequence of k classes
        Their names, which the sentence repeats in the order.
    ranks : sequence of k int
        The place of each class in the order.

    Examples
    --------
    >>> far_apart(np.array([0, 1, 2, 4]), np.array([0, 2, 2, 1]), 0.05, range(1, 6), range(5))[:48]
    'In the order 1 < 2 < 3 < 4 < 5 student and teach'
    """
    if len(classes) < 3:
        return "ordered changes nothing here: there are two classes."
    place = np.array(ranks)
    apart = np.abs(place[np.asarray(predicted, int)] - place[np.asarray(told, int)])
    named = [classes[i] for i in np.argsort(place)]
    wrong, n = int((apart > 1).sum()), len(apart)
    return (
        f"In the order {_chain(named)} student and teacher are {apart.mean():.3f} classes apart"
        f" on average; by more than one on {wrong:,} of {n:,} rows, so on at most"
        f" {percent(upper_bound(wrong, n, delta))} of rows drawn like them (with probability"
        f" {in_percent(1 - delta)}, by itself)."
    )


def _chain(classes: Sequence[Any]) -> str:
    """The classes with a sign between them; of many the first three and the last."""
    names = [str(c) for c in classes]
    return " < ".join(names if len(names) <= 10 else [*names[:3], "...", names[-1]])
