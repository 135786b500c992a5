"""Fresh rows near the data: a row, a little noise, and a few values from other rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import SAMPLERS
from limbeck.samplers.columns import profile_of

__all__ = ["Jitter"]


@SAMPLERS.register("jitter")
@dataclass(frozen=True)
class Jitter:
    """Rows near the data, for asking a teacher about inputs that resemble those it was made for.

    A row is picked at random. Each of its values is, with probability ``swap``, exchanged for that
    of another random row, and otherwise, if it is a number, moved by Gaussian noise. Values stay
    within the observed range; whole-numbered columns keep to the observed numbers; categories,
    booleans, columns with two values and missing values are only exchanged, never moved. So
    missing values keep their rate.

    Parameters
    ----------
    scale : float
        Standard deviation of the noise, in units of the column's spread: the smaller of standard
        deviation and interquartile range / 1.349 (Silverman 1986, equation 3.30).
    swap : float
        Probability, a value, of the exchange.

    Raises
    ------
    InvalidInput
        If ``scale`` is negative or ``swap`` no probability.
    """

    scale: float = 0.2
    swap: float = 0.2

    def __post_init__(self) -> None:
        if not (np.isfinite(self.scale) and self.scale >= 0):
            raise InvalidInput(f"scale is {self.scale}.", "Give a number of at least 0.")
        if not 0 <= self.swap <= 1:
            raise InvalidInput(f"swap is {self.swap}.", "Give a probability from 0 to 1.")

    def draw(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw n new rows near ``rows``.

        Parameters
        ----------
        rows : Rows
            The data, of N rows and d columns.
        n : int
            Rows to draw.
        rng : numpy.random.Generator
            The source of chance.

        Returns
        -------
        Rows
            Of shape (n, d), in the columns of ``rows``.

        Raises
        ------
        InvalidInput
            If n is negative.
        """
        return self.draw_with_sources(rows, n, rng)[0]

    def draw_with_sources(
        self, rows: Rows, n: int, rng: np.random.Generator
    ) -> tuple[Rows, NDArray[np.int64]]:
        """Draw n new rows, and say from which rows of the data each was made.

        Parameters
        ----------
        rows, n, rng
            As in :meth:`draw`.

        Returns
        -------
        drawn : Rows
            Of shape (n, d).
        sources : ndarray of shape (n, 1), int
            The row that was picked; values exchanged from other rows are not counted.

        Raises
        ------
        InvalidInput
            If n is negative.
        """
        if n < 0:
            raise InvalidInput(f"n is {n}.", "Ask for a number of rows.")
        seen = profile_of(rows)
        at = rng.integers(len(rows), size=n)
        out = rows.values[at]
        moved = seen.moved
        if self.scale > 0 and moved.size:
            noise = rng.standard_normal((n, moved.size))
            noise *= self.scale * seen.spread
            noise += out[:, moved]
            seen.settle(out, noise)
        places = np.nonzero(rng.random(out.shape) < self.swap)
        out[places] = rows.values[rng.integers(len(rows), size=len(places[1])), places[1]]
        return Rows(rows.features, out), at[:, None]

    def describe(self) -> str:
        """The distribution in words."""
        return (
            f"rows of the data, numbers moved by Gaussian noise of {self.scale:g} times the"
            f" column's spread, and each value exchanged for that of another row with probability"
            f" {self.swap:g}"
        )
