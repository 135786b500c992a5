"""Additive students on bins by penalised least squares: many of them, from cross products alone.

What a student needs of the rows are the cross products of the bins and their sums of scores, so
that one of a bag, or one without some features, costs what p equations cost, whatever n is.
Neighbouring bins of a number are held together by the squares of their differences, bins without an
order by their own; how strongly, rows set aside decide.

Shapes: n rows, p bins of all columns together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from limbeck.audits.refit import Design, centred

__all__ = [
    "Equations",
    "SmoothStudent",
    "Smoothing",
    "choose_smoothing",
    "equations",
    "reduced",
    "without",
]

Vector = NDArray[np.float64]
_STRENGTHS = tuple(float(s) for s in 10.0 ** np.arange(-6.0, 2.1, 0.5))
_FIRM = 1e-6


@dataclass(frozen=True, eq=False)
class SmoothStudent:
    """Contributions theta (p,), centred within each column, and an intercept."""

    theta: Vector
    intercept: float

    def add_up(self, design: Design) -> Vector:
        """Predictions (n,) for the rows of a design."""
        return self.intercept + design.add_up(self.theta)


@dataclass(frozen=True, eq=False)
class Smoothing:
    """A penalty of contributions.

    It is ``own`` (p,) times their squares, and ``next`` (p - 1,) times the squares of the
    differences from one bin to the next.
    """

    own: Vector
    next: Vector

    @classmethod
    def of(cls, design: Design, nominal: Sequence[bool], rows: float) -> Smoothing:
        """The penalty of unit strength: that of as many rows as an average bin has.

        Parameters
        ----------
        design : Design
            The binned rows; the last bin of each column is for missing values.
        nominal : sequence of bool
            Whether the bins of a column have no order.
        rows : float
            The weight of all rows.
        """
        p = design.starts[-1]
        own, following = np.full(p, _FIRM), np.zeros(p - 1)
        for (a, b), unordered in zip(pairwise(design.starts), nominal, strict=True):
            if unordered:
                own[a:b] = 1.0
            else:
                own[b - 1] = 1.0
                following[a : b - 2] = 1.0
        unit = rows * (len(design.starts) - 1) / p
        return cls(own * unit, following * unit)

    def times(self, strength: float) -> Smoothing:
        """The penalty made stronger."""
        return Smoothing(strength * self.own, strength * self.next)

    def added_to(self, gram: Vector) -> Vector:
        """Cross products (p, p) with the penalty."""
        out = gram.copy()
        at = np.arange(len(out))
        out[at, at] += self.own
        out[at[:-1], at[:-1]] += self.next
        out[at[1:], at[1:]] += self.next
        out[at[:-1], at[1:]] -= self.next
        out[at[1:], at[:-1]] -= self.next
        return out


@dataclass(frozen=True, eq=False)
class Equations:
    """Least squares on bins: cross products (p, p) and push (p,), both about the mean of the rows.

    ``mass`` (p,) are the weights of the bins, ``mean`` the mean score.
    """

    gram: Vector
    push: Vector
    mass: Vector
    mean: float

    def student(self, design: Design, smoothing: Smoothing) -> SmoothStudent:
        """The student of all features.

        Parameters
        ----------
        design : Design
            For the columns.
        smoothing : Smoothing
            The penalty.
        """
        factor = cho_factor(smoothing.added_to(self.gram), check_finite=False)
        return self.centred(design, cho_solve(factor, self.push, check_finite=False))

    def inverse(self, smoothing: Smoothing) -> Vector:
        """The inverse (p, p) of the penalised cross products, for `without`."""
        factor = cho_factor(smoothing.added_to(self.gram), check_finite=False)
        return np.asarray(cho_solve(factor, np.eye(len(self.push)), check_finite=False))

    def centred(self, design: Design, theta: Vector) -> SmoothStudent:
        """A student of contributions (p,) as they come.

        Parameters
        ----------
        design : Design
            For the columns.
        theta : ndarray of shape (p,)
            The contributions.
        """
        # the mean of the student over the rows is the mean score, wherever columns are centred
        return SmoothStudent(centred(design, theta, self.mass), self.mean)


def without(inverse: Vector, at: slice, theta: Vector) -> Vector:
    """The solution (p,) of equations without the unknowns at some places, which become 0.

    Parameters
    ----------
    inverse : ndarray of shape (p, p)
        Of the matrix of the equations.
    at : slice
        The places.
    theta : ndarray of shape (p,)
        The solution with them.
    """
    out = theta - inverse[:, at] @ np.linalg.solve(inverse[at, at], theta[at])
    out[at] = 0.0
    return np.asarray(out)


def reduced(inverse: Vector, at: slice) -> Vector:
    """The inverse (p, p) without the unknowns at some places, whose rows and columns become 0.

    Parameters
    ----------
    inverse : ndarray of shape (p, p)
        Of the matrix of the equations.
    at : slice
        The places; unknowns that are left out already must lie elsewhere.
    """
    out = inverse - inverse[:, at] @ np.linalg.solve(inverse[at, at], inverse[at, :])
    out[at, :], out[:, at] = 0.0, 0.0
    return np.asarray(out)


def equations(design: Design, target: Vector, weights: Sequence[Vector]) -> Iterator[Equations]:
    """The equations of several weightings of the rows, one after the other.

    Parameters
    ----------
    design : Design
        The binned rows.
    target : ndarray of shape (n,)
        The scores.
    weights : sequence of ndarray of shape (n,)
        The weightings.
    """
    some = design.at_once
    for start in range(0, len(weights), some):
        part = weights[start : start + some]
        for half, w in zip(design.grams(np.stack(part, axis=1)), part, strict=True):
            total, mass = float(w.sum()), design.sums(w)
            mean = float(w @ target) / total
            gram = half + np.triu(half, 1).T - np.outer(mass, mass) / total
            yield Equations(gram, design.sums(w * (target - mean)), mass, mean)


def choose_smoothing(
    design: Design, target: Vector, smoothing: Smoothing, of: Equations, aside: Vector
) -> Smoothing:
    """The strength with the least squared error on rows set aside.

    Parameters
    ----------
    design : Design
        The binned rows.
    target : ndarray of shape (n,)
        The scores.
    smoothing : Smoothing
        Of unit strength.
    of : Equations
        Of the other rows.
    aside : ndarray of shape (n,)
        The weights of the rows set aside, 0 for the others.
    """

    def error(strength: float) -> float:
        student = of.student(design, smoothing.times(strength))
        return float(aside @ (target - student.add_up(design)) ** 2)

    return smoothing.times(min(_STRENGTHS, key=error))
