"""One check of the pre-flight, and what it found; and how sure a mean over a few texts is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

__all__ = ["Check", "half_width"]


@dataclass(frozen=True)
class Check:
    """One check and what it found.

    Parameters
    ----------
    name : str
        What was looked at.
    state : {"ok", "warning", "refused"}
        Whether the run may go on.
    message, remedy : str
        What was found, and what to do.
    """

    name: str
    state: Literal["ok", "warning", "refused"]
    message: str
    remedy: str = ""


def half_width(values: NDArray[np.float64]) -> float:
    """Half of the 95% interval of a mean, by Student's t; infinite for a single value.

    Parameters
    ----------
    values : ndarray of shape (n,)
        One of each text.
    """
    n = len(values)
    if n < 2:
        return float("inf")
    return float(student_t.ppf(0.975, n - 1) * values.std(ddof=1) / n**0.5)
