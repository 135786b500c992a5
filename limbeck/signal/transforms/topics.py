"""Topics: non-negative matrix factorisation (Lee and Seung 1999)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms.base import Matrix, like
from limbeck.signal.transforms.matrix import MatrixTransform

__all__ = ["Topics"]


class Topics(MatrixTransform):
    """How much of each topic is in a row of non-negative values, such as counts of words.

    The topics H, shape (k, d), are those of ``sklearn.decomposition.NMF``. The coefficients are
    s = argmin ||x - s H|| over s >= 0, by non-negative least squares (Lawson and Hanson 1974),
    and the inverse is s H, which loses what is no mixture of topics.

    Parameters
    ----------
    k : int
        The number of topics.
    seed : int
        Where the factorisation starts.

    Raises
    ------
    InvalidInput
        If k is not from 1 to the smaller side of the matrix, or a value is negative.
    """

    def __init__(self, k: int = 10, *, seed: int = 0) -> None:
        super().__init__()
        self.k = k
        self.seed = seed

    def __repr__(self) -> str:
        return f"Topics(k={self.k})"

    def _learn(self, rows: Matrix) -> Iterable[tuple[str, tuple[int, ...]]]:
        from sklearn.decomposition import NMF
        from sklearn.exceptions import ConvergenceWarning

        flat = rows.reshape(len(rows), -1)
        if not 1 <= self.k <= min(flat.shape):
            raise InvalidInput(f"k is {self.k}.", f"Give 1 to {min(flat.shape)} for these rows.")
        if (flat < 0).any():
            raise InvalidInput(
                f"A value is {flat.min():g}; topics are made of amounts.",
                "Give values of 0 or more, or use Components.",
            )
        model = NMF(self.k, init="nndsvda", random_state=self.seed, max_iter=2000)
        with warnings.catch_warnings():  # topics that are not quite the best ones serve as well
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(flat)
        self.centre = np.zeros(flat.shape[1])
        self.forth = model.components_
        self.back = model.components_.T
        return [(f"topic {i + 1}", (1,)) for i in range(self.k)]

    def _parts(self, x: Tensor) -> Sequence[Tensor]:
        from scipy.optimize import nnls

        flat = x.detach().reshape(len(x), -1).cpu().double().numpy()
        s = np.array([nnls(self.back, row)[0] for row in flat])
        return torch.split(like(s, x), 1, dim=1)

    def _whole(self, parts: Sequence[Tensor]) -> Tensor:
        s = torch.cat(list(parts), dim=1)
        return (s @ like(self.back, s).T).reshape(-1, *self.shape)
