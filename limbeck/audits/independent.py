"""Independent cases for the tests of missing features: their p-values take every row for one.

Shapes: n rows of the audit, m rows for the tests.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from limbeck.audits.audited_rows import AuditTable

__all__ = ["independent_rows"]

_MOST_PEOPLE = 1_000_000
_SURE = 3.0
"""Standard errors beyond which weights count as drawn by score and outcome together."""


def independent_rows(table: AuditTable, seed: int) -> tuple[NDArray[np.int64], str]:
    """Which rows the tests use, and a sentence where these are not all.

    * Frequency weights: a row stands for so many people, and is used that often.
    * Cases: one row of each, drawn at random. What is tested is then a sample of independent
      cases, whatever the rows of one case have in common.
    * Sampling weights: all rows once. A test of score against outcome given the features stays
      right where the chance of being drawn is a product of one part that depends on features and
      score and one that depends on features and outcome. Where the weights say that it is not,
      rows are kept with chances in proportion to their weights (rejection sampling), which
      leaves fewer rows, drawn as the population is.

    Parameters
    ----------
    table : AuditTable
        The audited rows.
    seed : int
        Of what is drawn.

    Returns
    -------
    ndarray of shape (m,), str
        Row numbers, which may repeat, and the sentence or an empty text.
    """
    rng = np.random.default_rng([seed, 2])
    n = len(table)
    if table.frequency is not None:
        people = table.frequency.astype(np.int64)
        note = ""
        if people.sum() > _MOST_PEOPLE:
            note = f"The tests use {_MOST_PEOPLE:,} of {int(people.sum()):,} people, at random."
            people = rng.multivariate_hypergeometric(people, _MOST_PEOPLE, method="marginals")
        return np.repeat(np.arange(n), people), note
    rows = np.arange(n)
    note = ""
    if table.case is not None:
        order = rng.permutation(n)
        first = np.unique(table.cases[order], return_index=True)[1]
        rows = np.sort(order[first])
        if len(rows) < n:
            note = f"The tests use one row of each case, drawn at random: {len(rows):,} rows."
    if table.sampling is not None and table.outcome is not None:
        weight = table.sampling[rows]
        if _drawn_by_both(weight, table.score[rows], table.outcome[rows]):
            kept = rng.random(len(rows)) < weight / weight.max()
            note = (
                f"The sampling weights depend on score and outcome together, so the tests use"
                f" {int(kept.sum()):,} of {len(rows):,} rows, kept in proportion to their weights."
            )
            rows = rows[kept]
    return rows, note


def _drawn_by_both(
    weight: NDArray[np.float64], score: NDArray[np.float64], outcome: NDArray[np.float64]
) -> bool:
    """Whether log weights are no sum of a function of the score and one of the outcome."""
    y = np.log(weight)
    if np.ptp(y) < 1e-9:
        return False
    s = rankdata(score) / len(score) - 0.5
    X = np.column_stack([np.ones_like(s), s, s**2, s**3, outcome, outcome * s])
    coef, *_ = np.linalg.lstsq(X, y, rcond=None)
    rest = y - X @ coef
    inverse = np.linalg.pinv(X)
    error = float(np.sqrt(((inverse[-1] * rest) ** 2).sum()))  # White 1980
    return bool(abs(coef[-1]) > max(_SURE * error, 1e-6))
