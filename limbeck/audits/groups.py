"""The audit by groups of rows: fidelity, calibration and differences, at a shared level."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.bands import Resampled, critical_value
from limbeck.audits.calibration import Curve
from limbeck.audits.differences import Scaled
from limbeck.audits.fidelity import bootstrap, weighted_mean
from limbeck.audits.fitting import Models
from limbeck.audits.results import Estimate, GroupFinding
from limbeck.certificates.binomial import interval
from limbeck.certificates.wording import in_percent

__all__ = ["by_groups"]

_FEWEST = 30
_MOST_GROUPS = 30
_MOST_SAID = 3
_SMALLEST = 0.005  # log-odds: what would be printed as 0.00 is not told

Vector = NDArray[np.float64]


def by_groups(
    table: AuditTable,
    models: Models,
    on: Scaled,
    curve: Curve,
    level: float,
    rng: np.random.Generator,
) -> tuple[GroupFinding, ...]:
    """What is found in each group of each column.

    Of g groups of a column each interval has level ``1 - (1 - level) / g``, so that one kind of
    interval holds in all groups of the column at once (Bonferroni). The calibration gap is the
    outcome's rate less the one that the calibrated score expects, in probability: above 0 the
    score is too low for the group. Sentences tell what one feature's difference between score and
    outcome adds, on average over the group's rows, with bands that are simultaneous (max-t) over
    the groups and features of the column.

    Parameters
    ----------
    table : AuditTable
        The rows and their labels.
    models : Models
        Both models.
    on : Scaled
        Their contributions on one scale.
    curve : Curve
        From score to log-odds.
    level : float
        At which the groups of a column hold together.
    rng : Generator
        For the bootstrap of the RMSE.

    Returns
    -------
    tuple of GroupFinding
        Groups in the order of their names; those of fewer than 30 rows have no intervals.
    """
    out: list[GroupFinding] = []
    for column, labels in table.groups.items():
        names, of = np.unique(labels, return_inverse=True)
        counts = np.bincount(of, None if table.frequency is None else table.frequency)
        if len(names) > _MOST_GROUPS:
            largest = np.sort(np.argsort(-counts, kind="stable")[:_MOST_GROUPS])
            names, counts = names[largest], counts[largest]
        enough = [str(v) for v, n in zip(names, counts, strict=True) if n >= _FEWEST]
        share = 1 - (1 - level) / max(len(enough), 1)
        said = _sentences(table, models, on, column, labels, enough, level)
        for name in names:
            here = labels == name
            out.append(
                _finding(table, models, curve, f"{column} {name}", here, share, rng,
                         said.get(str(name), ()))
            )  # fmt: skip
    return tuple(out)


def _finding(
    table: AuditTable,
    models: Models,
    curve: Curve,
    name: str,
    here: NDArray[np.bool_],
    level: float,
    rng: np.random.Generator,
    said: tuple[str, ...],
) -> GroupFinding:
    w, score = table.evidence[here], table.score[here]
    missed = (score - models.score_out[here]) ** 2
    n = int(here.sum() if table.frequency is None else table.frequency[here].sum())
    if n < _FEWEST:
        few = f"Nothing can be told of {name}: it has {n} rows, and {_FEWEST} are needed."
        blank = None if table.outcome is None else _unknown(level)
        return GroupFinding(name, n, _unknown(level), blank, _unknown(level), blank, (few,))
    mean, rmse = bootstrap(
        [
            lambda v: weighted_mean(score, v),
            lambda v: float(np.sqrt(weighted_mean(missed, v))),
        ],
        table, level, rng, here,
    )  # fmt: skip
    if table.outcome is None:
        return GroupFinding(name, n, mean, None, rmse, None, said)
    o = table.outcome[here]
    rate = _rate(o, w, _size(table, here), level)
    gap = _gap(o, expit(curve(score)), table, here, level)
    return GroupFinding(name, n, mean, rate, rmse, gap, said)


def _size(table: AuditTable, here: NDArray[np.bool_]) -> float:
    """The number of independent cases that the rows of a group are worth."""
    if table.frequency is not None:
        return float(table.frequency[here].sum())
    total = np.bincount(table.cases[here], weights=table.mass[here])
    return float(total.sum() ** 2 / (total**2).sum())


def _rate(o: Vector, w: Vector, cases: float, level: float) -> Estimate:
    """The outcome's rate; exact binomial ends, at the effective number of cases."""
    size = max(round(cases), 1)
    value = float(np.average(o, weights=w))
    low, high = interval(min(round(value * size), size), size, 1 - level)
    return Estimate(value, min(low, value), max(high, value), level)


def _gap(
    o: Vector, expected: Vector, table: AuditTable, here: NDArray[np.bool_], level: float
) -> Estimate:
    """Outcome less expected; the error from sums over cases, or over people."""
    w = table.mass[here]
    value = float(np.average(o - expected, weights=w))
    off = o - expected - value
    if table.frequency is not None:
        squares = float((w * off**2).sum())
    else:
        squares = float((np.bincount(table.cases[here], weights=w * off) ** 2).sum())
    half = float(norm.ppf((1 + level) / 2)) * float(np.sqrt(squares)) / float(w.sum())
    return Estimate(value, value - half, value + half, level)


def _unknown(level: float) -> Estimate:
    nan = float("nan")
    return Estimate(nan, nan, nan, level)


def _sentences(
    table: AuditTable,
    models: Models,
    on: Scaled,
    column: str,
    labels: NDArray[Any],
    names: list[str],
    level: float,
) -> dict[str, tuple[str, ...]]:
    """For each group what stands out: a feature's mean difference on the group's rows."""
    if table.outcome is None or not on.told or not names:
        return {}
    starts, d = models.design.starts, len(table.features)
    rows = [labels == name for name in names]
    main, bags = [], []
    for here in rows:
        shares = models.design.sums(np.where(here, table.mass, 0.0)) / table.mass[here].sum()
        for j in range(d):
            at = slice(starts[j], starts[j + 1])
            main.append(on.difference[at] @ shares[at])
            bags.append(on.bag_difference[:, at] @ shares[at])
    value, drawn = np.array(main), np.array(bags).T
    resampled = Resampled(value, drawn)
    half = critical_value([resampled.worst], level) * resampled.spread
    out = {}
    for g, name in enumerate(names):
        sure = [i for i in range(g * d, (g + 1) * d) if abs(value[i]) - half[i] >= _SMALLEST]
        sure.sort(key=lambda i: float(half[i] - abs(value[i])))
        out[name] = tuple(
            f"For {column} {name}, {table.features.columns[i - g * d].label}"
            f" {'raises' if value[i] > 0 else 'lowers'} the score by {abs(value[i]):.2f} more than"
            f" the outcome on average; {in_percent(level)} band {abs(value[i]) - half[i]:.2f} to"
            f" {abs(value[i]) + half[i]:.2f} log-odds."
            for i in sure[:_MOST_SAID]
        )
    return out
