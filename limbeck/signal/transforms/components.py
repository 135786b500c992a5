"""Principal components (Pearson 1901)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms.base import Matrix
from limbeck.signal.transforms.matrix import MatrixTransform

__all__ = ["Components"]


class Components(MatrixTransform):
    """Coordinates along the principal components of the rows that ``fit`` saw.

    The components are orthonormal. With all of them the transform is exact; the first k alone lose
    what lies outside of them. Rows of any shape are taken as one vector of d values. Each component
    is a band of its own.

    Parameters
    ----------
    k : int, optional
        How many, the largest variance first; all d by default.

    Raises
    ------
    InvalidInput
        If k is less than 1, or, at ``fit``, more than d.
    """

    def __init__(self, k: int | None = None) -> None:
        super().__init__()
        self.k = k

    def __repr__(self) -> str:
        return f"Components(k={self.k})"

    def _learn(self, rows: Matrix) -> Iterable[tuple[str, tuple[int, ...]]]:
        flat = rows.reshape(len(rows), -1)
        d = flat.shape[1]
        k = d if self.k is None else self.k
        if not 1 <= k <= d:
            raise InvalidInput(f"k is {k}.", f"Give 1 to {d}, the number of values in a row.")
        self.centre = flat.mean(axis=0)
        centred = flat - self.centre
        _, vectors = np.linalg.eigh(centred.T @ centred)  # rising variance
        directions = vectors[:, ::-1][:, :k].T  # (k, d)
        largest = directions[np.arange(k), np.abs(directions).argmax(axis=1)]
        self.forth = directions * np.sign(largest)[:, None]
        self.back = self.forth.T
        return [(f"component {i + 1}", (1,)) for i in range(k)]
