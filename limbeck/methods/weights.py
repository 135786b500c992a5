"""How much rows and queries count when a student is trained on both."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput
from limbeck.students.targets import read_weight

__all__ = ["check_query_weight", "weights"]


def check_query_weight(query_weight: float) -> None:
    """Refuse what is no share.

    Raises
    ------
    InvalidInput
        Unless 0 < ``query_weight`` < 1.
    """
    if not 0 < query_weight < 1:
        raise InvalidInput(
            f"query_weight is {query_weight}.",
            "Give a share between 0 and 1: what the queries count together; queries=0 for none.",
        )


def weights(
    rows: int,
    queries: int,
    query_weight: float,
    sample_weight: Any = None,
    of_queries: Any = None,
) -> NDArray[np.float64]:
    """Weights of the user's own rows, then of the queries, 1 on average.

    Parameters
    ----------
    rows, queries : int
        How many there are.
    query_weight : float
        Share of the whole weight that the queries carry together;
        less where they are so few that one would count more than a row does on average. The rows
        carry the rest.
    sample_weight : array-like of shape (rows,), optional
        How the rows share theirs; by default equally.
    of_queries : array-like of shape (queries,), optional
        How the queries share theirs; by default equally.

    Returns
    -------
    ndarray of shape (rows + queries,)
    """
    own = read_weight(sample_weight, rows)
    if not queries:
        return np.asarray(own * (rows / own.sum()))
    total = rows + queries
    query_weight = min(query_weight, queries / total)
    own = own * (total * (1 - query_weight) / own.sum())
    theirs = read_weight(of_queries, queries)
    return np.concatenate([own, theirs * (total * query_weight / theirs.sum())])
