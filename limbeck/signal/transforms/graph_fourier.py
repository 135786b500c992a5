"""The graph Fourier transform (Shuman, Narang, Frossard, Ortega, Vandergheynst 2013)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms.base import Matrix
from limbeck.signal.transforms.graphs import Laplacian, check_nodes, spectrum
from limbeck.signal.transforms.matrix import MatrixTransform

__all__ = ["GraphFourier"]


class GraphFourier(MatrixTransform):
    """Signals on the nodes of a graph, in the eigenvectors of its Laplacian: s = U^T x.

    The eigenvectors are orthonormal, so the transform is exact. Small eigenvalues are smooth over
    the edges. Bands hold the eigenvalues of equal parts of the range from 0 to the largest.

    Parameters
    ----------
    adjacency : array-like or sparse matrix of shape (V, V)
        Weights of the edges, symmetric, 0 or more.
    bands : int
        How many parts; those without an eigenvalue are left out.
    laplacian : {"combinatorial", "normalized"}
        D - A, or I - D^-1/2 A D^-1/2.

    Raises
    ------
    InvalidInput
        If the adjacency is none, or, at ``fit``, the rows are not of the shape (n, V) or (n, C, V).
    """

    def __init__(
        self, adjacency: Any, bands: int = 4, laplacian: Laplacian = "combinatorial"
    ) -> None:
        super().__init__()
        if bands < 1:
            raise InvalidInput(f"bands is {bands}.", "Give at least 1.")
        self.eigenvalues, vectors = spectrum(adjacency, laplacian)
        self.centre = np.zeros(len(vectors))
        self.forth, self.back = vectors.T, vectors
        self.count = bands

    def __repr__(self) -> str:
        return f"GraphFourier({len(self.back)} nodes, bands={self.count})"

    def _learn(self, rows: Matrix) -> Iterable[tuple[str, tuple[int, ...]]]:
        channels = check_nodes(rows, len(self.back))
        edges = np.linspace(0, self.eigenvalues[-1], self.count + 1)
        which = np.searchsorted(edges[1:-1], self.eigenvalues, side="right")
        return [
            (f"eigenvalues {edges[i]:.3g} to {edges[i + 1]:.3g}", (*channels, int(size)))
            for i, size in enumerate(np.bincount(which, minlength=self.count))
            if size
        ]
