"""Vectors of tokens from texts alone, without a teacher: latent semantic analysis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.students.static_embedding.static_embedding import StaticEmbedding

__all__ = ["table_without_teacher"]


def table_without_teacher(
    student: StaticEmbedding, texts: NDArray[Any], seed: int
) -> StaticEmbedding:
    """A table of the same tokens and width from texts alone, by latent semantic analysis.

    Token vectors are the right singular vectors of the tf-idf matrix of the texts, times the
    weights (Deerwester et al. 1990).

    Parameters
    ----------
    student : StaticEmbedding
        Whose tokens and width it takes.
    texts : ndarray of shape (n,), object
        The texts.
    seed : int
        Of the randomised decomposition.
    """
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.utils.extmath import randomized_svd

    bags = student.bags(texts)
    weighted = TfidfTransformer(sublinear_tf=False).fit(bags)
    matrix = weighted.transform(bags)
    width = min(student.width, *(n - 1 for n in matrix.shape))
    _, _, right = randomized_svd(matrix, max(width, 1), n_iter=3, random_state=seed)
    table = np.zeros((len(student.table), student.width), dtype=np.float32)
    table[:, : len(right)] = right.T * weighted.idf_[:, None]
    return StaticEmbedding(table, student.tokenizer.to_str(), unknown=student.unknown)
