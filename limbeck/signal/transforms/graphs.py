"""The spectrum of a graph: eigenvalues and eigenvectors of its Laplacian."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms.base import Matrix

__all__ = ["Laplacian", "check_nodes", "spectrum"]

Laplacian = Literal["combinatorial", "normalized"]


def spectrum(adjacency: Any, laplacian: Laplacian) -> tuple[Matrix, Matrix]:
    """Eigenvalues (V,), rising from 0, and eigenvectors (V, V), one per column.

    L = D - A, or I - D^-1/2 A D^-1/2 where it is normalized (Chung 1997; a node without edges has
    0 there).

    Parameters
    ----------
    adjacency : array-like or sparse matrix of shape (V, V)
        Weights of the edges, 0 for none.
    laplacian : {"normalized", "combinatorial"}
        Which Laplacian.

    Raises
    ------
    InvalidInput
        If the matrix is not square, symmetric, finite and non-negative.
    """
    dense = adjacency.toarray() if hasattr(adjacency, "toarray") else adjacency
    A = np.asarray(dense, dtype=np.float64)
    if A.ndim != 2 or A.shape[0] != A.shape[1] or len(A) < 2:
        raise InvalidInput(f"The adjacency has shape {A.shape}.", "Give a matrix (V, V), V > 1.")
    if not (np.isfinite(A).all() and (A >= 0).all() and np.allclose(A, A.T)):
        raise InvalidInput(
            "The adjacency is not symmetric, or holds negative or missing weights.",
            "Give non-negative weights with A = A.T; for directed edges take (A + A.T) / 2.",
        )
    if laplacian not in get_args(Laplacian):
        raise InvalidInput(f"laplacian is {laplacian!r}.", f"Give one of {get_args(Laplacian)}.")
    degree = A.sum(axis=1)
    L = np.diag(degree) - A
    if laplacian == "normalized":
        root = np.where(degree > 0, degree, 1.0) ** -0.5
        L = root[:, None] * L * root
    values, vectors = np.linalg.eigh((L + L.T) / 2)
    return np.maximum(values, 0.0), vectors


def check_nodes(rows: Matrix, nodes: int) -> tuple[int, ...]:
    """The axes before the nodes, for rows (n, V) or (n, C, V).

    Parameters
    ----------
    rows : ndarray of shape (n, V) or (n, C, V)
        Signals on the nodes.
    nodes : int
        The number V of nodes.

    Raises
    ------
    InvalidInput
        If the last axis has another length than the graph has nodes.
    """
    if rows.shape[-1] != nodes or rows.ndim > 3:
        raise InvalidInput(
            f"The rows have shape {rows.shape}, and the graph has {nodes} nodes.",
            f"Give (n, {nodes}) or (n, channels, {nodes}).",
        )
    return rows.shape[1:-1]
