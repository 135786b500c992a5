"""Fresh rows with independent columns, each from its own observed values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limbeck.core.columns import Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import SAMPLERS

__all__ = ["Marginals"]


@SAMPLERS.register("marginals")
@dataclass(frozen=True)
class Marginals:
    """Every value drawn, independently of all others, from those of its column.

    Where columns are independent, as for uniform inputs of +-1, this is the distribution of the
    data itself; elsewhere it also yields combinations that never occur. Missing values keep their
    rate.
    """

    def draw(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw n new rows with the columns of ``rows``.

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
            Of shape (n, d).

        Raises
        ------
        InvalidInput
            If n is negative.
        """
        if n < 0:
            raise InvalidInput(f"n is {n}.", "Ask for a number of rows.")
        d = len(rows.features)
        picks = rng.integers(len(rows), size=(n, d))
        return Rows(rows.features, rows.values[picks, np.arange(d)])

    def describe(self) -> str:
        """The distribution in words."""
        return "every column drawn independently from the values observed in it"
