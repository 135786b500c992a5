"""Was the score fitted on the audited rows themselves?

Then it follows the outcome's own noise, which no score that was given beforehand could, and every
test for a missing feature raises a false alarm. Rows equal in every audited feature count as one
cell, so that a model that averages over identical cases is found as well. Shapes: n rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from limbeck.audits.matched_pairs import identical_groups
from limbeck.audits.results import Memorised

__all__ = ["HONEST_SHARE", "memorised"]

HONEST_SHARE = 0.5
"""Share of the outcome's residual variance above which a score is not thought honest.

An honest score that knows a missing feature reaches it only where that feature moves the
log-odds of the outcome by more than about three per standard deviation, which is nearly the
outcome itself.
"""
_LEVEL = 0.05


def memorised(
    values: NDArray[np.float64],
    score_residual: NDArray[np.float64],
    outcome_residual: NDArray[np.float64],
) -> Memorised:
    """Whether the score explains more of the outcome's noise than honest scores do.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Audited features.
    score_residual, outcome_residual : ndarray of shape (n,)
        What cross-fitted models leave of score and outcome (0/1 less probability).

    Returns
    -------
    Memorised
        ``share`` is the squared correlation of the mean residuals of cells, weighted by their
        rows; ``p_value`` that of a share of `HONEST_SHARE` or less (Fisher 1921, on the
        effective number of cells). Flagged at the level 0.05.

    Notes
    -----
    A model that was fitted on the audited rows but follows their outcomes only in part (a
    forest of large leaves, boosting that was stopped early) has a small share, and is not told
    from an honest score that knows more than the audited features.
    """
    groups = identical_groups(values)
    size = np.bincount(groups).astype(np.float64)
    a = np.bincount(groups, weights=score_residual) / size
    b = np.bincount(groups, weights=outcome_residual) / size
    a, b = a - np.average(a, weights=size), b - np.average(b, weights=size)
    scale = float(np.sqrt((size * a * a).sum() * (size * b * b).sum()))
    r = float((size * a * b).sum()) / scale if scale > 0 else 0.0
    cells = size.sum() ** 2 / (size**2).sum()
    gap = np.arctanh(min(abs(r), 1 - 1e-12)) - np.arctanh(np.sqrt(HONEST_SHARE))
    p = float(norm.sf(gap * np.sqrt(max(cells - 3, 0.0))))
    flagged = p <= _LEVEL
    known = f"The score explains {r * r:.0%} of what the features leave open in the outcome"
    if flagged:
        words = (
            f"{known}, more than an honest score could (about {HONEST_SHARE:.0%}): it was fitted on"
            " these very rows, or uses something that is nearly the outcome itself."
        )
    else:
        words = f"{known}; nothing says that it was fitted on these very rows."
    return Memorised(flagged, r * r, p, words)
