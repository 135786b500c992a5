"""Whether a teacher answers a question as it did before, and whether it beats chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from limbeck.certificates.binomial import upper_bound
from limbeck.core.errors import plural

__all__ = ["ChanceTest", "Repeatability", "better_than_chance", "repeatability_of"]


@dataclass(frozen=True)
class Repeatability:
    """How often the answer to the same question changed.

    Parameters
    ----------
    rows, times : int
        Rows, each asked so many times; rows without an answer to one of them are left out.
    changed : int
        Rows with more than one answer.
    spread : float
        The largest range of a probability over the times.
    at_most : float
        With 95% confidence at most this share of rows like these changes within so many times
        (Clopper and Pearson 1934).
    """

    rows: int
    times: int
    changed: int
    spread: float
    at_most: float

    @property
    def is_function(self) -> bool:
        """Whether no answer changed."""
        return self.changed == 0

    def __str__(self) -> str:
        start = f"{plural(self.rows, 'row')} asked {self.times} times: "
        if self.is_function:
            return (
                f"{start}no answer changed (with 95% confidence at most"
                f" {100 * self.at_most:.3g}% of such rows do)."
            )
        return (
            f"{start}{self.changed:,} changed the answer. The teacher is not a function of its"
            " rows: a certificate is about the distribution of its answers, one drawn per row."
        )


def repeatability_of(scores: NDArray[np.float64]) -> Repeatability:
    """What repeated answers say.

    Parameters
    ----------
    scores : ndarray of shape (times, n, k)
        Scores; NaN where there is no answer.
    """
    scores = scores[:, ~np.isnan(scores).any(axis=(0, 2))]
    times, n, k = scores.shape
    told = scores.argmax(axis=2) if k > 1 else scores[:, :, 0]
    changed = int((told != told[:1]).any(axis=0).sum()) if n else 0
    spread = float(np.ptp(scores, axis=0).max()) if n else 0.0
    return Repeatability(n, times, changed, spread, upper_bound(changed, n, 0.05) if n else 1.0)


@dataclass(frozen=True)
class ChanceTest:
    """An exact binomial test of a teacher against answers that know nothing of the rows.

    Parameters
    ----------
    rows, right : int
        Labelled rows, and those answered as labelled.
    chance : float
        The share that such answers get right: the larger of 1 / k and of the agreement that the
        teacher's classes and the labels have when drawn independently (as in Cohen 1960), so that
        a constant answer passes for nothing.
    p_value : float
        The probability of so many right answers, or more, by chance.
    """

    rows: int
    right: int
    chance: float
    p_value: float

    @property
    def better(self) -> bool:
        """Whether it is better than chance at the 5% level."""
        return self.p_value <= 0.05

    def __str__(self) -> str:
        return (
            f"{self.right:,} of {plural(self.rows, 'labelled row')} right, where chance gives"
            f" {100 * self.chance:.3g}% (exact binomial test: p = {self.p_value:.2g})"
        )


def better_than_chance(told: NDArray[Any], labels: NDArray[Any], k: int) -> ChanceTest:
    """Test answers against labels.

    Parameters
    ----------
    told, labels : ndarray of int, shape (n,)
        Classes as positions.
    k : int
        The number of classes.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.arange(40) % 2
    >>> better_than_chance(labels, labels, 2).better
    True
    >>> better_than_chance(0 * labels, labels, 2).better
    False
    """
    n = len(labels)
    shares = [np.bincount(codes, minlength=k) / n for codes in (told, labels)]
    chance = min(1.0, max(1 / k, float(shares[0] @ shares[1])))
    right = int((told == labels).sum())
    p = float(binomtest(right, n, chance, alternative="greater").pvalue)
    return ChanceTest(n, right, chance, p)
