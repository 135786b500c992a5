"""A sum of terms as numbers: what it adds up to for rows, and how many numbers it holds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.students.sparse_sum.terms import FilledColumns, SumTerm

__all__ = ["TermWeights", "design_of"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class TermWeights:
    """Terms, their weights for each output, and intercepts.

    Parameters
    ----------
    terms : tuple of SumTerm
        t of them.
    weights : ndarray of shape (t, k)
        k is 1 for values and for two classes (the log-odds of the second), else the classes.
    intercept : ndarray of shape (k,)
        What each sum begins with.
    """

    terms: tuple[SumTerm, ...]
    weights: Vector
    intercept: Vector

    @property
    def numbers(self) -> int:
        """Numbers that a reader must hold: weights, intercepts, and those within terms."""
        held = sum(t.numbers for t, w in zip(self.terms, self.weights, strict=True) if w.any())
        outputs = int((self.intercept != 0).sum())
        if not outputs and (len(self.intercept) == 1 or not self.weights.any()):
            outputs = 1  # a sum of several classes alone may begin with nothing
        return held + int((self.weights != 0).sum()) + outputs

    def without_zeros(self) -> TermWeights:
        """The same sum without terms of no weight."""
        kept = np.flatnonzero(self.weights.any(axis=1))
        if len(kept) == len(self.terms):
            return self
        terms = tuple(self.terms[i] for i in kept)
        return TermWeights(terms, self.weights[kept], self.intercept)

    def totals(self, columns: FilledColumns) -> Vector:
        """The sums, of shape (n, k).

        Each term is added to those outputs alone for which it has a weight; where most have one,
        all are multiplied at once.
        """
        if (self.weights != 0).sum() > 3 * max(len(self.terms), 8):
            return design_of(self.terms, columns) @ self.weights + self.intercept
        out = np.empty((self.weights.shape[1], len(columns.values)))
        out[:] = self.intercept[:, None]
        for term, weights in zip(self.terms, self.weights, strict=True):
            used = np.flatnonzero(weights)
            if len(used):
                value = term.evaluate(columns)
                for c in used:
                    out[c] += value * weights[c]
        return out.T


def design_of(terms: tuple[SumTerm, ...] | list[SumTerm], columns: FilledColumns) -> Vector:
    """The value of each term on each row, of shape (n, t).

    Parameters
    ----------
    terms : sequence of SumTerm
        t of them.
    columns : FilledColumns
        Of n rows.
    """
    out = np.empty((len(columns.values), len(terms)), order="F")
    for i, term in enumerate(terms):
        out[:, i] = term.evaluate(columns)
    return out


def rounded(x: Vector, digits: int) -> Vector:
    """Numbers with so many significant digits.

    Parameters
    ----------
    x : ndarray
        The numbers.
    digits : int
        How many.
    """
    flat = [float(f"{v:.{digits}g}") for v in x.ravel()]
    return np.array(flat, dtype=np.float64).reshape(x.shape) + 0.0


def decimals_of(spread: float, digits: int) -> int:
    """How many decimals tell ``10 ** digits`` steps apart within a spread."""
    return digits - 1 - math.floor(math.log10(spread)) if spread > 0 else digits
