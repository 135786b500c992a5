"""The tokens that decide, for each class, of a student on static embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.students.static_embedding.static_embedding import StaticEmbedding
from limbeck.students.text_classifier.fitting import LinearFit
from limbeck.students.text_classifier.text import Deciding

__all__ = ["described_embedding", "token_weights"]


def token_weights(table: StaticEmbedding, model: Any) -> tuple[list[str], NDArray[np.float64]]:
    """What a text of one token adds to the sums, for each token that has a vector.

    Parameters
    ----------
    table : StaticEmbedding
        The vectors.
    model : LinearFit or SmallNetwork
        The model on them.

    Returns
    -------
    terms : list of p str
        The tokens.
    weights : ndarray of shape (p, 1) or (p, k)
        The sums of a text of that token, less those of an empty text.
    """
    vectors = table.table.astype(np.float64)
    length = np.linalg.norm(vectors, axis=1)
    at = np.flatnonzero(length > 0)
    vectors = vectors[at] / length[at, None]
    if isinstance(model, LinearFit):
        weights = vectors @ model.weights
    else:
        weights = model.scores(vectors) - model.scores(np.zeros((1, vectors.shape[1])))
    name = table.tokenizer.id_to_token
    return [str(name(int(i))) for i in at], np.asarray(weights)


def described_embedding(found: Deciding, student: Any) -> str:
    """A table of the tokens that decide, and how an answer comes about.

    Parameters
    ----------
    found : dict
        What `limbeck.students.text_classifier.text.deciding` returned.
    student : EmbeddingClassifier
        Whose they are.
    """
    task, table = student.task_, student.embedding_
    lines: list[str] = []
    for name, terms in found.items():
        head = f"for {name}" if task.classifies else f"for a {name} value"
        lines += [head, *(f"  {weight:+8.3f}  {term}" for term, weight in terms), ""]
    kind = "a linear model"
    if not isinstance(student.model_, LinearFit):
        kind = f"one hidden layer of {len(student.model_.level)} units"
    return "\n".join([
        *lines,
        f"{len(table.table):,} tokens with {table.width} numbers each; a text is the mean of its"
        f" tokens, of length 1, and {kind} answers.",
        "The numbers are what a text of that token alone adds to the sums.",
    ])  # fmt: skip
