"""How much each member of an ensemble counts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from limbeck.core.errors import InvalidInput

__all__ = ["ensemble_weights"]


def ensemble_weights(members: int, weights: Sequence[float] | None) -> list[float]:
    """Weights as shares of their sum; equal ones where none are given.

    Parameters
    ----------
    members : int
        How many there are.
    weights : sequence of float or None
        One for each.

    Raises
    ------
    InvalidInput
        If there is no member, or a weight is negative or missing.
    """
    if not members:
        raise InvalidInput("There is no teacher.", "Give at least one.")
    given = [1.0] * members if weights is None else [float(w) for w in weights]
    fits = len(given) == members and all(math.isfinite(w) and w >= 0 for w in given)
    if not fits or sum(given) == 0:
        raise InvalidInput(
            f"The weights of {members} teachers are {given}.",
            "Give one number of 0 or more for each, not all 0.",
        )
    return [w / sum(given) for w in given]
