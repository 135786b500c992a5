"""Rows that stand for all, chosen by where they lie: k-means prototypes, herding, k-centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput

__all__ = ["herding", "k_center", "k_means_prototypes", "shares_of"]

Vectors = NDArray[np.float64]
Places = NDArray[np.int64]


def k_means_prototypes(vectors: Vectors, m: int, rng: np.random.Generator) -> Places:
    """The row nearest to each of m means of k-means; a row is taken once.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Where the rows lie.
    m : int
        Rows to choose.
    rng : Generator
        Of the first means.

    Examples
    --------
    >>> rows = np.array([[0.0], [0.1], [0.2], [9.0]])
    >>> sorted(k_means_prototypes(rows, 2, np.random.default_rng(0)).tolist())
    [1, 3]
    """
    from sklearn.cluster import KMeans  # all who name a sampler import this file

    _enough(vectors, m)
    found = KMeans(m, n_init=1, max_iter=50, random_state=int(rng.integers(2**31))).fit(vectors)
    distance = found.transform(vectors)  # (n, m)
    taken: list[int] = []
    free = np.ones(len(vectors), dtype=bool)
    for mean in np.argsort(-np.bincount(found.labels_, minlength=m), kind="stable"):
        place = int(np.where(free, distance[:, mean], np.inf).argmin())
        free[place] = False
        taken.append(place)
    return np.array(taken, dtype=np.int64)


def herding(vectors: Vectors, m: int, rng: np.random.Generator) -> Places:
    """Rows whose mean follows that of all rows as closely as can be, one after another.

    Welling (2009): the next row maximises the inner product with w, to which the mean less that row
    is added. It chooses without chance.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Where the rows lie.
    m : int
        Rows to choose.
    rng : Generator
        Not used.
    """
    _enough(vectors, m)
    mean = vectors.mean(axis=0)
    inner, with_mean = vectors @ mean, vectors @ mean
    free = np.ones(len(vectors), dtype=bool)
    taken: list[int] = []
    for _ in range(m):
        place = int(np.where(free, inner, -np.inf).argmax())
        free[place] = False
        taken.append(place)
        inner = inner + with_mean - vectors @ vectors[place]
    return np.array(taken, dtype=np.int64)


def k_center(vectors: Vectors, m: int, rng: np.random.Generator) -> Places:
    """Rows from which no row is far: always the one farthest from those that are chosen.

    The greedy rule of Gonzalez (1985), within twice of the best radius; Sener and Savarese (2018)
    choose rows to label by it.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Where the rows lie.
    m : int
        Rows to choose.
    rng : Generator
        Of the first row.

    Examples
    --------
    >>> k_center(np.array([[0.0], [1.0], [5.0], [9.0]]), 4, np.random.default_rng(0)).tolist()[1:3]
    [0, 2]
    """
    _enough(vectors, m)
    taken = [int(rng.integers(len(vectors)))]
    distance = np.square(vectors - vectors[taken[0]]).sum(axis=1)
    for _ in range(m - 1):
        place = int(distance.argmax())
        taken.append(place)
        distance = np.minimum(distance, np.square(vectors - vectors[place]).sum(axis=1))
        distance[taken] = -1.0
    return np.array(taken, dtype=np.int64)


def shares_of(codes: NDArray[np.int64], m: int) -> list[tuple[Places, int]]:
    """The rows of each class, and how many of m to choose there: as many of each as can be.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        The class of each row.
    m : int
        Rows in all.

    Examples
    --------
    >>> [count for _, count in shares_of(np.array([0, 0, 0, 0, 1]), 4)]
    [3, 1]
    """
    classes, sizes = np.unique(codes, return_counts=True)
    counts = np.zeros(len(classes), dtype=np.int64)
    while counts.sum() < min(m, len(codes)):
        room = np.flatnonzero(counts < sizes)
        counts[room[counts[room].argmin()]] += 1
    return [(np.flatnonzero(codes == c), int(k)) for c, k in zip(classes, counts, strict=True) if k]


def _enough(vectors: Vectors, m: int) -> None:
    if m > len(vectors):
        raise InvalidInput(
            f"{m} rows are to be chosen of {len(vectors)}.", "Choose fewer, or give more rows."
        )
