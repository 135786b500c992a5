"""Where TREPAN's queries come from: each column on its own, as it is among the rows of a node.

A level is drawn as often as it occurs, a number from a kernel density estimate with bandwidth
1 / sqrt(n) on standardised values (Craven and Shavlik 1996, "Drawing query instances"). Whole
numbers are drawn as they occur, and nothing is drawn outside of the range of the column. Both,
with the missing values that keep their share, are limbeck's own: the paper does not speak of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from limbeck.core.columns import Features
from limbeck.students.m_of_n.count_tests import CountTest
from limbeck.students.rules.clause import test
from limbeck.students.tree.conditions import Condition

__all__ = ["LocalModel", "boxed", "differs"]

Matrix = NDArray[np.float64]
Path = Sequence[tuple[CountTest, bool]]
_MOST_CENTRES = 2000  # of kernels
_TRIES = 60  # batches in which instances that the path admits are looked for


@dataclass(frozen=True, eq=False)
class LocalModel:
    """The distribution of every column among some rows.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d)
        Encoded rows.
    """

    features: Features
    values: Matrix

    @cached_property
    def continuous(self) -> tuple[bool, ...]:
        """Whether each column is drawn from a kernel density, and not as its values occur."""
        return tuple(
            f.kind == "numeric" and _continuous(self.values[:, j])
            for j, f in enumerate(self.features.columns)
        )

    def draw(self, path: Path, n: int, rng: np.random.Generator) -> Matrix:
        """At most n instances that pass the tests of a path as they did, shape (m, d).

        Conditions that a path settles one by one (of tests that need all of them, and of failed
        ones that need any) limit their columns; for the other tests instances are drawn until they
        fit. Fewer than n are returned where hardly any does.

        Parameters
        ----------
        path : sequence of (CountTest, bool)
            The tests above a node, and whether they were passed.
        n : int
            How many instances.
        rng : numpy.random.Generator
            The source of chance.
        """
        box, rest = boxed(path)
        found: list[Matrix] = []
        total, batch = 0, n
        for _ in range(_TRIES if rest else 1):
            drawn = np.column_stack(
                [self._column(j, box.get(j, []), batch, rng) for j in range(len(self.features))]
            )
            ok = np.ones(len(drawn), dtype=np.bool_)
            for j, limits in box.items():
                for condition, passed in limits:
                    ok &= test(condition, drawn[:, j]) == passed
            for asked, passed in rest:
                ok &= asked.holds(drawn) == passed
            found.append(drawn[ok])
            total += int(ok.sum())
            if total >= n:
                break
            batch = min(4 * n, batch * 2)
        return np.vstack(found)[:n]

    def _column(
        self, j: int, limits: Sequence[tuple[Condition, bool]], n: int, rng: np.random.Generator
    ) -> Matrix:
        """N values of a column that satisfy conditions, or fail them, as far as any does."""
        x = self.values[:, j]
        fits = allowed(x, limits)
        if not self.continuous[j]:
            pool = x[fits] if fits.any() else x
            return np.asarray(pool[rng.integers(len(pool), size=n)])
        missing = float(np.isnan(x[fits]).mean()) if fits.any() else float(allowed_missing(limits))
        out = _kernel(x[~np.isnan(x)], *_interval(x, limits), n, rng)
        out[rng.random(n) < missing] = np.nan
        return out


def boxed(
    path: Path,
) -> tuple[dict[int, list[tuple[Condition, bool]]], list[tuple[CountTest, bool]]]:
    """What a path says of columns one by one, and the tests of which it does not."""
    box: dict[int, list[tuple[Condition, bool]]] = {}
    rest = []
    for asked, passed in path:
        if asked.m != (len(asked.literals) if passed else 1):
            rest.append((asked, passed))
            continue
        for literal in asked.literals:
            box.setdefault(literal.columns[0], []).append((literal.conditions[0], passed))
    return box, rest


def differs(features: Features, here: Matrix, there: Matrix, path: Path, level: float) -> bool:
    """Whether any column is distributed otherwise at a node than at its nearest modelled ancestor.

    A Kolmogorov-Smirnov test for numbers and a chi-square test for levels, each at ``level`` over
    the number of tests. The ancestor's rows are cut to what the path leaves of their column, since
    that is what would be drawn from them.

    Parameters
    ----------
    features : Features
        The d columns.
    here, there : ndarray of shape (n, d) and (m, d)
        The rows of the node and of the ancestor.
    path : sequence of (CountTest, bool)
        The tests above the node.
    level : float
        Of all tests together.
    """
    if len(here) < 2:
        return False
    box, _ = boxed(path)
    furthest: dict[float, float] = {}  # by the effective number of rows: the least p-value is its
    for j, feature in enumerate(features.columns):
        a, b = here[:, j], there[:, j]
        if j in box:
            b = b[allowed(b, box[j])]
        a, b = a[~np.isnan(a)], b[~np.isnan(b)]
        if len(a) < 2 or len(b) < 2:
            continue
        if feature.kind == "numeric":
            n = float(np.round(len(a) * len(b) / (len(a) + len(b))))
            furthest[n] = max(furthest.get(n, 0.0), _distance(a, b))
            continue
        levels = np.union1d(a, b)
        if len(levels) < 2:
            continue
        counts = np.array([[(x == v).sum() for v in levels] for x in (a, b)])
        if stats.chi2_contingency(counts, correction=False).pvalue < level / len(features):
            return True
    p = stats.kstwo.sf(list(furthest.values()), list(furthest))
    return bool((p < level / len(features)).any())


def _distance(a: Matrix, b: Matrix) -> float:
    """Kolmogorov and Smirnov's, between two samples."""
    a, b = np.sort(a), np.sort(b)
    both = np.concatenate([a, b])
    apart = a.searchsorted(both, "right") / len(a) - b.searchsorted(both, "right") / len(b)
    return float(min(np.abs(apart).max(), 1.0))


def allowed(x: Matrix, limits: Sequence[tuple[Condition, bool]]) -> NDArray[np.bool_]:
    """Which values of a column (n,) satisfy conditions, or fail them.

    Parameters
    ----------
    x : ndarray of shape (n,)
        Encoded values.
    limits : sequence of (Condition, bool)
        The conditions, and whether they hold.
    """
    out = np.ones(len(x), dtype=np.bool_)
    for condition, passed in limits:
        out &= test(condition, x) == passed
    return out


def allowed_missing(limits: Sequence[tuple[Condition, bool]]) -> bool:
    """Whether a missing value passes."""
    return bool(allowed(np.array([np.nan]), limits)[0])


def _continuous(x: Matrix) -> bool:
    x = x[~np.isnan(x)]
    return len(np.unique(x[:1000])) > 2 and bool((x != np.rint(x)).any())


def _interval(x: Matrix, limits: Sequence[tuple[Condition, bool]]) -> tuple[float, float]:
    """The range of a column within what conditions on its numbers leave."""
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    least, most = low, high
    for c, passed in limits:
        if math.isfinite(c.high):
            low, high = (low, min(high, c.high)) if passed else (max(low, c.high), high)
        if math.isfinite(c.low):
            low, high = (max(low, c.low), high) if passed else (low, min(high, c.low))
    if low < high:
        return low, high
    return (least, most) if least < most else (least, least + 1.0)


def _kernel(x: Matrix, low: float, high: float, n: int, rng: np.random.Generator) -> Matrix:
    """N draws from a Gaussian kernel density of values, cut to low < x <= high."""
    if len(x) > _MOST_CENTRES:
        x = rng.choice(x, _MOST_CENTRES, replace=False)
    width = max(float(x.std()), 1e-300) / math.sqrt(len(x))
    below, above = special.ndtr((low - x) / width), special.ndtr((high - x) / width)
    mass = np.maximum(above - below, 0.0)
    if not mass.sum() > 1e-12:  # no kernel reaches so far: evenly
        return rng.uniform(low, high, n)
    share = np.cumsum(mass / mass.sum())  # as Generator.choice draws, without its checks
    at = np.searchsorted(share / share[-1], rng.random(n), side="right")
    u = below[at] + rng.random(n) * (above[at] - below[at])
    out = x[at] + width * special.ndtri(np.clip(u, 1e-16, 1 - 1e-16))
    return np.asarray(np.clip(out, np.nextafter(low, np.inf), high))
