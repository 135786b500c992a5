"""Spectral graph wavelets (Hammond, Vandergheynst, Gribonval 2011)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms.base import Matrix
from limbeck.signal.transforms.graphs import Laplacian, check_nodes, spectrum
from limbeck.signal.transforms.matrix import MatrixTransform

__all__ = ["GraphWavelets", "band_pass"]

_RATIO = 20.0  # lambda_max / lambda_min, as in section 8.1
_KNEES = (1.0, 2.0)  # x1, x2


class GraphWavelets(MatrixTransform):
    """Wavelets around each node at several scales, and one smooth band.

    The band of scale t is U g(t L) U^T x and the smooth one U h(L) U^T x, with the kernels g and h
    of the paper (section 8.1): J + 1 coefficients per node. This frame is overcomplete; the inverse
    is its pseudo-inverse, which gives every row back exactly.

    Parameters
    ----------
    adjacency : array-like or sparse matrix of shape (V, V)
        Weights of the edges, symmetric, 0 or more.
    scales : int
        J, laid out from coarse to fine at equal ratios between x2 / lambda_min and
        x1 / lambda_max, with lambda_min = lambda_max / 20.
    laplacian : {"combinatorial", "normalized"}
        D - A, or I - D^-1/2 A D^-1/2.

    Raises
    ------
    InvalidInput
        If the adjacency is none or has no edges, or, at ``fit``, the rows are not of the shape
        (n, V) or (n, C, V).
    """

    def __init__(
        self, adjacency: Any, scales: int = 4, laplacian: Laplacian = "combinatorial"
    ) -> None:
        super().__init__()
        if scales < 1:
            raise InvalidInput(f"scales is {scales}.", "Give at least 1.")
        values, vectors = spectrum(adjacency, laplacian)
        top = float(values[-1])
        if top <= 0:
            raise InvalidInput("The graph has no edges.", "Give an adjacency with edges.")
        lowest = top / _RATIO
        self.scales = np.geomspace(_KNEES[1] / lowest, _KNEES[0] / top, scales)  # t_1 > ... > t_J
        kernels = np.array(
            [_low_pass(values, lowest), *(band_pass(t * values) for t in self.scales)]
        )  # (J + 1, V)
        frame = (kernels**2).sum(axis=0)  # G(lambda): the sum of W_j^T W_j is U G U^T
        self.centre = np.zeros(len(vectors))
        self.forth = np.concatenate([(vectors * k) @ vectors.T for k in kernels])
        self.back = np.concatenate([(vectors * (k / frame)) @ vectors.T for k in kernels], axis=1)

    def __repr__(self) -> str:
        return f"GraphWavelets({len(self.back)} nodes, scales={len(self.scales)})"

    def _learn(self, rows: Matrix) -> Iterable[tuple[str, tuple[int, ...]]]:
        nodes = len(self.back)
        shape = (*check_nodes(rows, nodes), nodes)
        return [("smooth", shape), *((f"scale {t:.3g}", shape) for t in self.scales)]


def band_pass(x: Matrix) -> Matrix:
    """g(x) = x^2 below 1, 4 / x^2 above 2, and -5 + 11 x - 6 x^2 + x^3 between ."""
    x = np.asarray(x, dtype=np.float64)
    between = -5 + x * (11 + x * (-6 + x))
    tail = (_KNEES[1] / np.maximum(x, _KNEES[1])) ** 2
    return np.where(x < _KNEES[0], x**2, np.where(x > _KNEES[1], tail, between))


def _low_pass(values: Matrix, lowest: float) -> Matrix:
    """h(lambda) = gamma exp(-(lambda / (0.6 lambda_min))^4), gamma the largest value of g."""
    peak = 2 - 3**-0.5  # where the cubic is largest
    kernel: Matrix = band_pass(np.array(peak)) * np.exp(-((values / (0.6 * lowest)) ** 4))
    return kernel
