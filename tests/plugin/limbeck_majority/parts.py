"""A teacher and a bound of somebody else."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from limbeck.certificates.bounds import MeanBound
from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access
from limbeck.core.task import Task


class Oracle:
    """A model of a kind that limbeck does not know: neither callable nor an estimator."""


class OracleTeacher:
    """Says yes where the first number of a row is above a threshold."""

    access = Access.SCORES | Access.QUERIES
    score_kind = ScoreKind.LABEL
    task = Task(("no", "yes"))
    name = "oracle"

    def __init__(self, oracle: Oracle, threshold: float = -1.5) -> None:
        self.threshold = threshold

    @classmethod
    def accepts(cls, model: Any) -> bool:
        return isinstance(model, Oracle)

    def scores(self, X: Any) -> np.ndarray:
        yes = np.asarray(X)[:, 0] > self.threshold
        return np.column_stack([~yes, yes]).astype(float)


class Hoeffding(MeanBound):
    """Hoeffding 1963; proof in docs/theory.md."""

    title = "Hoeffding 1963"

    @staticmethod
    def upper(losses: np.ndarray, delta: float, low: float, high: float) -> float:
        slack = (high - low) * math.sqrt(math.log(1 / delta) / (2 * len(losses)))
        return min(high, float(losses.mean()) + slack)
