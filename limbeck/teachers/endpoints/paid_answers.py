"""What a service said of rows: answers, what lacks one and why, and what it cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import plural

__all__ = ["PaidAnswers", "RowWithoutAnswer"]


@dataclass(frozen=True)
class RowWithoutAnswer:
    """A row that the service gave no usable answer to.

    Parameters
    ----------
    row : int
        Its position.
    reason : str
        Why: the request failed, or what was answered is none of the classes.
    outside : bool
        Whether it was answered, but by none of the classes; it is not asked again.
    """

    row: int
    reason: str
    outside: bool = False


@dataclass(frozen=True, eq=False)
class PaidAnswers:
    """Answers to n rows, with what lacks one.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        As `limbeck.core.contract.Teacher.scores`; NaN where there is no answer.
    low, high : ndarray of shape (n, k)
        Between what the scores lie, where the service showed the most probable tokens only; equal
        to the scores elsewhere.
    missing : tuple of RowWithoutAnswer
        Rows without an answer.
    asked : int
        Questions that were asked now; the other rows were stored or repeat one.
    requests : int
        Requests for them, with those that were sent again.
    cost : float
        What they cost.
    currency : str
        In what.
    """

    scores: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    missing: tuple[RowWithoutAnswer, ...]
    asked: int
    requests: int
    cost: float
    currency: str = "USD"

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which rows have an answer, of shape (n,)."""
        return np.asarray(~np.isnan(self.scores).any(axis=1))

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """Rows whose most probable class could be another within `low` and `high`, (n,)."""
        if self.scores.shape[1] < 2:
            return np.zeros(len(self.scores), dtype=bool)
        best = np.nan_to_num(self.scores).argmax(axis=1)
        rivals = self.high.copy()
        rivals[np.arange(len(best)), best] = -np.inf
        lower = self.low[np.arange(len(best)), best]
        return np.asarray(self.answered & (rivals.max(axis=1) > lower))

    def __str__(self) -> str:
        out = (
            f"{plural(len(self.scores), 'row')}: {plural(self.asked, 'question')} in"
            f" {plural(self.requests, 'request')}"
        )
        out += f", {self.cost:.4g} {self.currency}." if self.cost else "."
        outside = sum(m.outside for m in self.missing)
        failed = len(self.missing) - outside
        if failed:
            out += f" {plural(failed, 'row')} without an answer: {self._reasons(False)}."
        if outside:
            out += f" {plural(outside, 'row')} answered by no class: {self._reasons(True)}."
        doubtful = int(self.undecided.sum())
        if doubtful:
            out += (
                f" In {plural(doubtful, 'row')} the class is not certain, since options are beyond"
                " the tokens that were shown."
            )
        return out

    def _reasons(self, outside: bool) -> str:
        seen = Counter(m.reason for m in self.missing if m.outside is outside)
        first = [f"{reason} ({count:,})" for reason, count in seen.most_common(3)]
        return "; ".join([*first, *(["..."] if len(seen) > 3 else [])])

    def to_frame(self) -> Any:
        """The rows without an answer as a data frame, with their reasons."""
        import pandas as pd

        return pd.DataFrame(
            [(m.row, m.reason, m.outside) for m in self.missing],
            columns=["row", "reason", "outside"],
        )
