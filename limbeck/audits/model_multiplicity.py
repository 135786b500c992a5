"""Students of near-equal fidelity, and what all of them say of the score (model multiplicity).

Different additive students can follow a score equally well and rank its features differently
(Breiman 2001a on the multiplicity of good models; Fisher, Rudin, Dominici 2019). A statement that
holds in all of them rests on the score, not on the student. All students here follow the score in
its own units: on a calibrated scale, the bends of the calibration would look like effects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.bands import Resampled, critical_value
from limbeck.audits.fitting import Models
from limbeck.audits.refit import Design
from limbeck.audits.results import ModelMultiplicity, Statement
from limbeck.audits.smooth_students import (
    Equations,
    Smoothing,
    choose_smoothing,
    equations,
    reduced,
    without,
)
from limbeck.core.progress import Progress

__all__ = ["model_multiplicity"]

_MARGIN = 0.01
_LEAST = 0.05
"""The least effect that a statement is made of, in standard deviations of the score."""
_TOLD = 12
"""Features that statements are made of, at most."""
_ALONE = 60
"""Features that are left out one by one, at most; less important ones only together."""
_BAGS = 20
"""Bags with a student of their own: more hardly change what all of them say."""
_LEVEL = 0.95

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _NearEqual:
    """One student: contributions (p,), and which features it was given."""

    theta: Vector
    used: tuple[bool, ...]
    importance: Vector


@dataclass(frozen=True)
class _Claim:
    """A statement of feature ``j``, true of a student whose ``effect`` is positive."""

    j: int
    text: str
    effect: Callable[[_NearEqual], float]

    def holds(self, s: _NearEqual) -> bool:
        return s.used[self.j] and self.effect(s) > 0


def model_multiplicity(
    table: AuditTable, models: Models, tell: Progress, margin: float = _MARGIN
) -> ModelMultiplicity:
    """Collect near-equal students, and see in which of them each statement holds.

    Statements are those of the student of all rows whose effect is at least 5% of a standard
    deviation of the score, and more than refitting on 20 bags moves it (all at once, at 95%).
    They are held against the students of the bags, whose R squared on the rows left out by
    their bag is within ``margin`` of the median bag's or better, and against students that lack
    features: each of the 60 most important alone, and then more and more of all of them
    together, least harmful first, as long as R squared on a fifth of the rows that none of them
    saw falls by at most ``margin``.

    Parameters
    ----------
    table : AuditTable
        The rows.
    models : Models
        With the bags.
    tell : Progress
        Told of each student.
    margin : float
        The loss of R squared that counts as near-equal.

    Returns
    -------
    ModelMultiplicity
        Statements with the share of students in which they hold, in falling order, and the
        features of which nothing is stated.
    """
    weight, design = table.evidence, models.design
    test = models.folds.of == 0
    nominal = tuple(c.kind == "categorical" for c in table.features.columns)
    whole, train = equations(design, table.score, [weight, np.where(test, 0.0, weight)])
    smoothing = choose_smoothing(
        design, table.score, Smoothing.of(design, nominal, float(weight.sum())), train,
        np.where(test, table.mass, 0.0),
    )  # fmt: skip
    own = _near_equal(models, whole.student(design, smoothing).theta)
    bags, r2 = _students_of_bags(table, models, smoothing, tell)
    claims = _certain(_claims(table, models, own), own, bags, _spread(table))
    near = r2 >= np.nanmedian(r2) - margin if np.isfinite(r2).any() else r2 == r2
    students = [own, *(s for s, good in zip(bags, near, strict=True) if good)]
    students += _subsets(table, models, train, smoothing, own, margin, tell)
    statements = [Statement(c.text, float(np.mean([c.holds(s) for s in students]))) for c in claims]
    statements.sort(key=lambda s: -s.share)
    names = table.features.names
    rankings = tuple(
        tuple(names[j] for j in np.argsort(-s.importance, kind="stable") if s.used[j])
        for s in students
    )
    told = {c.j for c in claims}
    silent = tuple(name for j, name in enumerate(names) if j not in told)
    return ModelMultiplicity(len(students), margin, tuple(statements), rankings, silent)


def _near_equal(models: Models, theta: Vector, out: Iterable[int] = ()) -> _NearEqual:
    starts, mass, left = models.design.starts, models.mass, set(out)
    importance = np.array(
        [np.abs(theta[a:b]) @ mass[a:b] / max(mass[a:b].sum(), 1e-300) for a, b in pairwise(starts)]
    )
    used = tuple(j not in left for j in range(len(importance)))
    return _NearEqual(theta, used, importance)


def _spread(table: AuditTable) -> float:
    mean = np.average(table.score, weights=table.mass)
    return float(np.sqrt(np.average((table.score - mean) ** 2, weights=table.mass)))


def _students_of_bags(
    table: AuditTable, models: Models, smoothing: Smoothing, tell: Progress
) -> tuple[list[_NearEqual], Vector]:
    """Students of bags, and how much of the score each explains on the rows its bag left out."""
    number = min(len(models.bags), _BAGS)
    tell("students of bags", 0, number)
    weights = [models.drawn(i) for i in range(number)]
    students, r2 = [], np.full(number, np.nan)
    for i, found in enumerate(equations(models.design, table.score, weights)):
        student, out = found.student(models.design, smoothing), weights[i] == 0
        if out.sum() > 20 and np.ptp(table.score[out]) > 0:
            missed = (table.score - student.add_up(models.design))[out]
            r2[i] = 1 - float(np.mean(missed**2) / np.var(table.score[out]))
        students.append(_near_equal(models, student.theta))
        tell("students of bags", i + 1, number)
    return students, r2


def _certain(
    claims: list[_Claim], own: _NearEqual, bags: list[_NearEqual], spread: float
) -> list[_Claim]:
    """Claims that are no crumbs: large enough, and larger than refitting would move them."""
    claims = [c for c in claims if c.effect(own) >= _LEAST * spread]
    if not claims or len(bags) < 3:
        return claims
    value = np.array([c.effect(own) for c in claims])
    found = Resampled(value, np.array([[c.effect(s) for c in claims] for s in bags]))
    factor = critical_value([found.worst], min(_LEVEL, len(bags) / (len(bags) + 1)))
    sure = value > factor * found.spread
    return [c for c, kept in zip(claims, sure, strict=True) if kept]


def _subsets(
    table: AuditTable,
    models: Models,
    train: Equations,
    smoothing: Smoothing,
    own: _NearEqual,
    margin: float,
    tell: Progress,
) -> list[_NearEqual]:
    """Students without some features that lose at most ``margin``."""
    d, design = len(table.features), models.design
    if d < 2:
        return []
    test = models.folds.of == 0
    variance = max(_spread(table) ** 2, 1e-300)
    aside = Design(design.at[test], design.starts)
    at = [slice(a, b) for a, b in pairwise(design.starts)]

    def loss(theta: Vector) -> tuple[float, Vector]:
        student = train.centred(design, theta)
        missed = (table.score[test] - student.add_up(aside)) ** 2
        return float(np.average(missed, weights=table.mass[test])) / variance, student.theta

    inverse = train.inverse(smoothing)
    full = inverse @ train.push
    base, _ = loss(full)
    order = [int(j) for j in np.argsort(own.importance, kind="stable")]
    crumbs, alone = order[: max(d - _ALONE, 0)], order[max(d - _ALONE, 0) :]
    tell("students without a feature", 0, len(alone))
    singles = [loss(without(inverse, at[j], full)) for j in alone]
    more = {j: missed - base for j, (missed, _) in zip(alone, singles, strict=True)}
    found = [
        _near_equal(models, theta, {j})
        for j, (_, theta) in zip(alone, singles, strict=True)
        if more[j] <= margin
    ]
    out: set[int] = set()
    for j in crumbs:
        inverse, out = reduced(inverse, at[j]), out | {j}
    steps = [j for j in sorted(alone, key=lambda j: more[j]) if more[j] <= margin]
    for i, j in enumerate(steps):
        inverse, out = reduced(inverse, at[j]), out | {j}
        if len(out) == 1:
            continue  # one of the singles
        if len(out) == d:
            break
        tell("students without features", i, len(steps))
        missed, theta = loss(inverse @ train.push)
        if missed - base > margin:
            break
        found.append(_near_equal(models, theta, out))
    return found


def _claims(table: AuditTable, models: Models, own: _NearEqual) -> list[_Claim]:
    """Statements that the student of all rows makes of its most important features."""
    order = [int(j) for j in np.argsort(-own.importance, kind="stable")]
    names = table.features.names
    out: list[_Claim] = []
    for place, j in enumerate(order[:_TOLD]):
        if place == 0 and len(order) > 1:
            text = f"{names[j]} matters most to the score."
            out.append(_Claim(j, text, _above(j, order[1:])))
        if place + 1 < len(order):
            k = order[place + 1]
            text = f"{names[j]} matters more to the score than {names[k]}."
            out.append(_Claim(j, text, _above(j, [k])))
        out += _direction(table, models, own, j)
    return out


def _above(j: int, others: list[int]) -> Callable[[_NearEqual], float]:
    return lambda s: float(s.importance[j] - s.importance[others].max())


def _direction(table: AuditTable, models: Models, own: _NearEqual, j: int) -> list[_Claim]:
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
    side = 1.0 if up @ own.theta[a : b - 1] > 0 else -1.0
    if column.kind == "categorical":
        first, second = (words[high], words[low]) if side > 0 else (words[low], words[high])
        text = f"The score is higher for {column.label} {first} than for {second}."
    elif column.kind == "boolean":
        text = f"The score is {'higher' if side > 0 else 'lower'} where {column.label} holds."
    else:
        text = f"The score is {'higher' if side > 0 else 'lower'} for high {column.label}."
    return [_Claim(j, text, lambda s: side * float(up @ s.theta[a : b - 1]))]


def _end(mass: Vector) -> Vector:
    """Weights of the bins that make up the first fifth of the rows; they sum to 1."""
    before = np.cumsum(mass) - mass
    part = np.clip(0.2 * mass.sum() - before, 0, mass)
    return np.asarray(part / part.sum())
