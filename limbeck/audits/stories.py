"""Students of near-equal fidelity, and what all of them say of the score.

Different additive students can follow a score equally well and rank its features differently
(Breiman 2001 on the multiplicity of good models; Fisher, Rudin, Dominici 2019). A statement that
holds in all of them rests on the score, not on the student.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.fitting import Models, mains, some_rows
from limbeck.audits.results import Statement, Stories
from limbeck.contract import Progress
from limbeck.students.boosting import boost

__all__ = ["tell_stories"]

_MARGIN = 0.01
_TRIED = 12
_BAGS = 20
"""Bags with a boosted student of their own: more hardly change what all of them say."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Story:
    """One student: contributions (p,), and which features it was given."""

    theta: Vector
    used: tuple[bool, ...]
    importance: Vector


Claim = Callable[[_Story], bool]
"""Whether a statement holds in a student."""


def tell_stories(
    table: AuditTable, models: Models, tell: Progress, margin: float = _MARGIN
) -> Stories:
    """Collect near-equal students, and see in which of them each statement holds.

    Students are those of the first 20 bags, whose R squared on the rows left out by their bag is
    within ``margin`` of the median bag's or better, and students that lack features: each of the
    twelve least important alone, then more and more of them together, least harmful first, as
    long as R squared on a fifth of the rows that none of them saw falls by at most ``margin``.

    Parameters
    ----------
    table : AuditTable
        The rows.
    models : Models
        With the bags.
    tell : Progress
        Told of each subset of features.
    margin : float
        The loss of R squared that counts as near-equal.

    Returns
    -------
    Stories
        Statements with the share of students in which they hold, in falling order.
    """
    fitted = []
    for i in range(min(len(models.bags), _BAGS)):
        tell("students of bags", i, min(len(models.bags), _BAGS))
        fitted.append(models.boosted(i))
    r2 = np.array([found for _, found in fitted])
    good = np.ones(len(r2), dtype=bool)
    if np.isfinite(r2).any():
        good = r2 >= np.nanmedian(r2) - margin
    every = (True,) * len(table.features)
    stories = [
        _story(models, theta, every) for (theta, _), near in zip(fitted, good, strict=True) if near
    ]
    stories += _subsets(table, models, margin, tell)
    names = table.features.names
    statements = [
        Statement(text, float(np.mean([holds(s) for s in stories])))
        for text, holds in _claims(table, models)
    ]
    statements.sort(key=lambda s: -s.share)
    rankings = tuple(
        tuple(names[j] for j in np.argsort(-s.importance, kind="stable") if s.used[j])
        for s in stories
    )
    return Stories(len(stories), margin, tuple(statements), rankings)


def _story(models: Models, theta: Vector, used: tuple[bool, ...]) -> _Story:
    starts, mass = models.design.starts, models.mass
    importance = np.array(
        [np.abs(theta[a:b]) @ mass[a:b] / max(mass[a:b].sum(), 1e-300) for a, b in pairwise(starts)]
    )
    return _Story(theta, used, importance)


def _subsets(table: AuditTable, models: Models, margin: float, tell: Progress) -> list[_Story]:
    """Students without some features that lose at most ``margin``."""
    d = len(table.features)
    if d < 2:
        return []
    test = models.folds.of == 0
    counts = models.bins.counts
    nominal = tuple(c.kind == "categorical" for c in table.features.columns)
    weight = np.where(test, 0.0, table.mass)
    mean = float(np.average(table.score[test], weights=table.mass[test]))
    spread = float(np.average((table.score[test] - mean) ** 2, weights=table.mass[test]))

    def fit(out: set[int]) -> tuple[float, Vector]:
        codes = models.codes.copy()
        codes[:, sorted(out)] = 0  # a column of one value says nothing
        terms = boost(
            codes, counts, nominal, table.score, some_rows(weight), classifies=False, rounds=200
        )
        missed = (table.score[test] - terms.add_up(codes[test])) ** 2
        return float(np.average(missed, weights=table.mass[test])) / spread, mains(terms)

    base, _ = fit(set())
    importance = _story(models, mains(models.student), (True,) * d).importance
    tried = [int(j) for j in np.argsort(importance, kind="stable")[:_TRIED]]
    loss, found = {}, []
    for i, j in enumerate(tried):
        tell("students without a feature", i, 2 * len(tried))
        missed, theta = fit({j})
        loss[j] = missed - base
        if loss[j] <= margin:
            found.append(_story(models, theta, tuple(k != j for k in range(d))))
    out: set[int] = set()
    for j in sorted(tried, key=lambda j: loss[j]):
        out = out | {j}
        if len(out) == 1:
            continue
        if len(out) == d:
            break
        tell("students without features", len(tried) + len(out), 2 * len(tried))
        missed, theta = fit(out)
        if missed - base > margin:
            break
        found.append(_story(models, theta, tuple(k not in out for k in range(d))))
    return found


def _claims(table: AuditTable, models: Models) -> list[tuple[str, Claim]]:
    """Statements that the student of all rows makes, each with its test on another student."""
    d = len(table.features)
    own = _story(models, mains(models.student), (True,) * d)
    order = [int(j) for j in np.argsort(-own.importance, kind="stable")]
    names = table.features.names
    out: list[tuple[str, Claim]] = []
    for place, j in enumerate(order[:12]):
        if own.importance[j] <= 0:
            continue
        if place == 0:
            out.append((f"{names[j]} matters most to the score.", _above(j, order[1:])))
        if place + 1 < len(order):
            k = order[place + 1]
            text = f"{names[j]} matters more to the score than {names[k]}."
            out.append((text, _above(j, [k])))
        out += _direction(table, models, own, j)
    return out


def _above(j: int, others: list[int]) -> Claim:
    def holds(s: _Story) -> bool:
        return bool(s.used[j] and (s.importance[j] > s.importance[others]).all())

    return holds


def _direction(table: AuditTable, models: Models, own: _Story, j: int) -> list[tuple[str, Claim]]:
    """Whether the score is higher at the high end of a number, or in the commoner of two levels."""
    a, b = models.design.starts[j], models.design.starts[j + 1]
    column, mass = table.features.columns[j], models.mass[a : b - 1]
    if mass.sum() <= 0 or (mass > 0).sum() < 2:
        return []
    words = models.bins.words(j, column)
    if column.kind == "categorical":
        high, low = (int(i) for i in np.argsort(-mass, kind="stable")[:2])
        up = np.zeros(len(mass))
        up[high], up[low] = 1.0, -1.0
    else:  # the upper fifth of the rows less the lower fifth
        up = _end(mass[::-1])[::-1] - _end(mass)
    side = float(np.sign(up @ own.theta[a : b - 1]))
    if side == 0:
        return []

    def holds(s: _Story) -> bool:
        return bool(s.used[j] and side * float(up @ s.theta[a : b - 1]) > 0)

    if column.kind == "categorical":
        first, second = (words[high], words[low]) if side > 0 else (words[low], words[high])
        text = f"The score is higher for {column.label} {first} than for {second}."
    elif column.kind == "boolean":
        text = f"The score is {'higher' if side > 0 else 'lower'} where {column.label} holds."
    else:
        text = f"The score is {'higher' if side > 0 else 'lower'} for high {column.label}."
    return [(text, holds)]


def _end(mass: Vector) -> Vector:
    """Weights of the bins that make up the first fifth of the rows; they sum to 1."""
    before = np.cumsum(mass) - mass
    part = np.clip(0.2 * mass.sum() - before, 0, mass)
    return np.asarray(part / part.sum())
