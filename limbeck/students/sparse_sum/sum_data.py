"""Rows, what a sum should answer there, and what a sum loses on them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features

__all__ = ["CLIP", "SumData", "cross_entropy", "row_losses"]

Vector = NDArray[np.float64]
Index = NDArray[np.int64]
CLIP = 3.0


@dataclass(frozen=True)
class SumData:
    """Rows and what a sum should answer there.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d)
        Encoded rows.
    soft : ndarray of shape (n, classes) or (n, 1)
        Probabilities, or values.
    weight : ndarray of shape (n,)
        How much each row counts.
    fold : ndarray of shape (n,), int
        The fold of each row; rows that stand for the same thing share one.
    judged : ndarray of shape (n,), bool
        On which rows sizes are judged: the user's own, not queries.
    classifies : bool
        Whether the answers are probabilities.
    rises : ndarray of shape (d,), int, optional
        1 for columns with which the sum may only rise, -1 only fall, else 0.
    costs : ndarray of shape (d,), optional
        What reading a column must explain beyond what else it costs, as a share of the variance.
    """

    features: Features
    values: Vector
    soft: Vector
    weight: Vector
    fold: Index
    judged: NDArray[np.bool_]
    classifies: bool
    rises: Index | None = None
    costs: Vector | None = None

    @property
    def classes(self) -> int:
        """How many classes; 0 for values."""
        return self.soft.shape[1] if self.classifies else 0

    def take(self, index: NDArray[np.int64]) -> SumData:
        """Some of the rows."""
        return replace(
            self, values=self.values[index], soft=self.soft[index], weight=self.weight[index],
            fold=self.fold[index], judged=self.judged[index],
        )  # fmt: skip

    def targets(self) -> Vector:
        """What the sums should be, of shape (n, k): clipped logits, or values per spread."""
        if not self.classifies:
            y = self.soft[:, :1]
            middle = np.average(y[:, 0], weights=self.weight)
            spread = math.sqrt(float(np.average((y[:, 0] - middle) ** 2, weights=self.weight)))
            return np.asarray((y - middle) / (spread or 1.0))
        least = 1.0 / (1.0 + math.exp(CLIP))
        p = np.clip(self.soft[:, 1:] if self.classes == 2 else self.soft, least, 1.0 - least)
        return np.asarray(np.log(p / (1.0 - p)))

    def answers(self) -> NDArray[np.float64]:
        """Hard answers, of shape (n,): positions of classes, or values."""
        return self.soft.argmax(axis=1) if self.classifies else self.soft[:, 0]


def row_losses(total: Vector, data: SumData, index: Index) -> Vector:
    """Disagreement with the hard answers on some rows, or the squared error per variance.

    Parameters
    ----------
    total : ndarray of shape (m, k)
        The sums there.
    data : SumData
        All rows.
    index : ndarray of shape (m,)
        Which they are.
    """
    answers = data.answers()[index]
    if not data.classifies:
        y = data.soft[:, 0]
        variance = float(np.average((y - np.average(y, weights=data.weight)) ** 2,
                                    weights=data.weight))  # fmt: skip
        return np.asarray((total[:, 0] - answers) ** 2 / (variance or 1.0))
    said = total.argmax(axis=1) if total.shape[1] > 1 else total[:, 0] > 0
    return np.asarray(said != answers, dtype=np.float64)


def cross_entropy(total: Vector, soft: Vector) -> Vector:
    """Of the sums (n, k) with the teacher's probabilities (n, classes), per row.

    Parameters
    ----------
    total : ndarray of shape (n, k)
        k is 1 for two classes.
    soft : ndarray of shape (n, classes)
        The teacher's probabilities.
    """
    z = np.column_stack([np.zeros(len(total)), total]) if total.shape[1] == 1 else total
    return np.asarray(np.logaddexp.reduce(z, axis=1) - (soft * z).sum(axis=1))
