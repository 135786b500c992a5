"""A clause with one of its limits moved: the same question, asked elsewhere in the column."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from limbeck.students.rules.clause import Clause, test
from limbeck.students.tree.conditions import Condition

__all__ = ["MovedLimit", "limits_moved"]

Truth = NDArray[np.bool_]
_PLACES = 32  # to which a limit is moved


@dataclass(frozen=True)
class MovedLimit:
    """Which limit of a clause is moved, and where.

    Parameters
    ----------
    condition : int
        The position of its condition.
    side : "low" or "high"
        Which of its limits.
    place : float
        The limit instead.
    """

    condition: int
    side: Literal["low", "high"]
    place: float

    def of(self, clause: Clause) -> Clause:
        """The clause with this limit."""
        made = list(clause.conditions)
        made[self.condition] = _limited(made[self.condition], self.side, self.place)
        return Clause.of(dict(zip(clause.columns, made, strict=True)))


def limits_moved(clause: Clause, values: NDArray[np.float64]) -> tuple[list[MovedLimit], Truth]:
    """Ways to move one limit, and which rows satisfy the clause then, of shape (n, ways).

    A limit goes to at most 32 places, evenly spread over the rows that satisfy all else.

    Parameters
    ----------
    clause : Clause
        The clause.
    values : ndarray of shape (n, d)
        Encoded rows.
    """
    ways: list[MovedLimit] = []
    truth = [np.zeros((len(values), 0), dtype=np.bool_)]
    held = [test(c, values[:, j]) for j, c in zip(clause.columns, clause.conditions, strict=True)]
    for k, (j, condition) in enumerate(zip(clause.columns, clause.conditions, strict=True)):
        x = values[:, j]
        others = np.ones(len(x), dtype=np.bool_)
        for at, there in enumerate(held):
            if at != k:
                others &= there
        sides: tuple[tuple[Literal["low", "high"], float], ...] = (
            ("low", -math.inf), ("high", math.inf),
        )  # fmt: skip
        for side, free in sides:
            if math.isinf(getattr(condition, side)):
                continue
            rest = others & test(_limited(condition, side, free), x)
            places = _places(x[rest], getattr(condition, side))
            above = x[:, None] > places  # false for what is missing
            if side == "low" and condition.missing:
                above |= np.isnan(x)[:, None]
            truth.append(rest[:, None] & (above if side == "low" else ~above))
            ways += [MovedLimit(k, side, place) for place in places.tolist()]
    return ways, np.hstack(truth)


def _places(x: NDArray[np.float64], limit: float) -> NDArray[np.float64]:
    """Midway between neighbours among values (n,), but for the limit itself."""
    there = np.unique(x[~np.isnan(x)])
    cuts = there[:-1] + (there[1:] - there[:-1]) / 2
    if len(cuts) > _PLACES:
        cuts = cuts[np.linspace(0, len(cuts) - 1, _PLACES).astype(np.int64)]
    return np.asarray(cuts[cuts != limit])


def _limited(condition: Condition, side: Literal["low", "high"], limit: float) -> Condition:
    return replace(condition, low=limit) if side == "low" else replace(condition, high=limit)
