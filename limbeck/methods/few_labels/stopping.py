"""When more labels no longer pay: agreement on texts held out no longer moves beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

__all__ = ["LearningCurve", "Round"]

_LEVEL = 0.05


@dataclass(frozen=True)
class Round:
    """The student after some labels.

    Parameters
    ----------
    labels : int
        Texts that it learned from.
    agreement : float
        Share of held-out texts on which it answers as the teacher, or for numbers the share of
        their variance that it explains.
    moved : bool
        Whether it differs from the student of the last move beyond chance.
    """

    labels: int
    agreement: float
    moved: bool


class LearningCurve:
    """Students after more and more labels, compared on the same held-out texts.

    The first student is the mark. A later one moves, and becomes the mark, if among the texts on
    which only one of the two is right their numbers differ beyond chance (exact sign test,
    McNemar 1947, at 5%); for numbers, the same with which of the two is nearer. With
    ``patience`` rounds without a move, labelling has come to its end.

    Parameters
    ----------
    patience : int
        Rounds.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.rounds: list[Round] = []
        self._mark: NDArray[np.float64] | None = None
        self._since = 0

    def add(self, labels: int, errors: NDArray[np.float64], agreement: float) -> bool:
        """Take the next student, and say whether labelling goes on.

        Parameters
        ----------
        labels : int
            Texts that it learned from.
        errors : ndarray of shape (v,)
            Of the held-out texts: 0 or 1, or how far off a number is.
        agreement : float
            See `Round`.
        """
        moved = self._mark is None or _differs(self._mark, errors)
        if moved:
            self._mark, self._since = errors, 0
        else:
            self._since += 1
        self.rounds.append(Round(labels, agreement, moved))
        return self._since < self.patience


def _differs(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    better, worse = int((after < before).sum()), int((after > before).sum())
    if better + worse == 0:
        return False
    return bool(binomtest(better, better + worse).pvalue < _LEVEL)
