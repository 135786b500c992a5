"""What a single column tells of the outcome and of the score, on rows that it was not learnt from.

A column that was recorded after the outcome, or is another form of it, tells the outcome alone; so
may the mere fact that its value is missing (an end date that only those have who came back). The
strength is measured out of fold: rates of levels that include the row itself flatter every column
with many levels, and rates that leave out the one row punish every column with few. Shapes: n rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.results import Caveat
from limbeck.core.columns import Features

__all__ = ["copied_columns", "looks_strange", "out_of_fold_auc", "out_of_fold_r2"]

_SOFT, _STRONG, _CERTAIN = 0.8, 0.9, 0.97
_SAME_SCORE = 0.55
_OFTEN_MISSING = 0.5
_FOLDS = 5
_BINS = 30
_PRIOR = 10.0
_MOST_ROWS = 20_000
_FEW_VALUES = 50

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


def looks_strange(
    features: Features,
    values: Vector,
    score: Vector,
    outcome: Vector | None,
    case: Codes,
    mass: Vector | None = None,
) -> list[Caveat]:
    """Caveats on features that stay: they may tell the outcome or the score, or are often missing.

    Parameters
    ----------
    features : Features
        The d features.
    values : ndarray of shape (n, d)
        Encoded, NaN for missing.
    score, outcome : ndarray of shape (n,)
        The outcome may be None.
    case : ndarray of shape (n,)
        Rows of one case stay in one fold.
    mass : ndarray of shape (n,), optional
        Weights of the rows; ones by default. Rows that were drawn by score and outcome tell more
        of the outcome than the population does.
    """
    rng = np.random.default_rng(0)
    unit = np.unique(case, return_inverse=True)[1]
    fold = (rng.permutation(int(unit.max()) + 1) % _FOLDS)[unit]
    some = np.arange(len(score))
    if len(some) > _MOST_ROWS:
        some = np.sort(rng.choice(some, _MOST_ROWS, replace=False))
    fold, s = fold[some], score[some]
    w = np.ones(len(some)) if mass is None else mass[some] / mass[some].mean()
    o = None if outcome is None else outcome[some]
    out: list[Caveat] = []
    for j, column in enumerate(features.columns):
        v = values[some, j]
        codes = _codes(v, column.kind == "categorical")
        out += _often_missing(column.name, values[:, j])
        if o is not None:
            out += _tells_outcome(column.name, v, codes, o, fold, w)
        out += _tells_score(column.name, codes, v, s, fold, w)
    return out


def copied_columns(names: list[str], values: Vector) -> dict[str, str]:
    """For each column that says the same as an earlier one, that one's name.

    Parameters
    ----------
    names : list of str
        Of the d columns.
    values : ndarray of shape (n, d)
        Encoded. Two columns say the same where each value of either goes with one value of the
        other; columns with many values also in the same or the opposite order.
    """
    seen: dict[bytes, str] = {}
    out = {}
    for name, v in zip(names, values.T, strict=True):
        _, first, at = np.unique(v, return_index=True, return_inverse=True)
        if len(first) > min(_FEW_VALUES, len(v) / 5):
            # with a value a row, or a person, any two columns go one to one
            down = (int(at.max()) - at).astype(np.int32).tobytes()
            key = min(at.astype(np.int32).tobytes(), down)
        else:
            key = np.argsort(np.argsort(first))[at].astype(np.int32).tobytes()
        if key in seen:
            out[name] = seen[key]
        else:
            seen[key] = name
    return out


def out_of_fold_auc(
    codes: Codes, outcome: Vector, fold: Codes, weight: Vector | None = None
) -> float:
    """AUC of the outcome by the rates of a column's levels in the other folds, mean over folds.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        The level of each row.
    outcome : ndarray of shape (n,)
        0 or 1.
    fold : ndarray of shape (n,)
        The fold of each row.
    weight : ndarray of shape (n,), optional
        Weights of the rows, of mean 1; ones by default.

    Returns
    -------
    float
        About 0.5 for a column that says nothing, however many levels it has: levels with few rows
        are shrunk to the overall rate, and folds are not compared with each other.
    """
    found, weights = [], []
    w = np.ones(len(codes)) if weight is None else weight
    for k in np.unique(fold):
        test = fold == k
        o = outcome[test]
        if np.ptp(o) == 0:
            continue
        at = np.unique(_rates(codes, outcome, ~test, w)[codes[test]], return_inverse=True)[1]
        ones, zeros = (np.bincount(at, weights=w[test] * part) for part in (o, 1 - o))
        below = np.cumsum(zeros) - zeros / 2  # ties count half
        found.append(float(ones @ below / (ones.sum() * zeros.sum())))
        weights.append(float(w[test].sum()))
    return float(np.average(found, weights=weights)) if found else float("nan")


def out_of_fold_r2(codes: Codes, score: Vector, fold: Codes, weight: Vector | None = None) -> float:
    """Share of the score's variance that the means of a column's levels explain, out of fold.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        The level of the column in each row.
    score : ndarray of shape (n,)
        The score.
    fold : ndarray of int, shape (n,)
        The fold of each row.
    weight : ndarray of shape (n,), optional
        How much each row counts.
    """
    guess = np.empty(len(score))
    w = np.ones(len(codes)) if weight is None else weight
    for k in np.unique(fold):
        test = fold == k
        guess[test] = _rates(codes, score, ~test, w)[codes[test]]
    mean = np.average(score, weights=w)
    return float(1 - (w @ (score - guess) ** 2) / (w @ (score - mean) ** 2))


def _rates(codes: Codes, target: Vector, train: NDArray[np.bool_], weight: Vector) -> Vector:
    m, w = int(codes.max()) + 1, weight[train]
    n = np.bincount(codes[train], weights=w, minlength=m)
    total = np.bincount(codes[train], weights=w * target[train], minlength=m)
    return np.asarray((total + _PRIOR * np.average(target[train], weights=w)) / (n + _PRIOR))


def _codes(v: Vector, categorical: bool) -> Codes:
    """Levels, or bins of a number of about equal size; missing is the last."""
    gone = np.isnan(v)
    levels = np.unique(v[~gone])
    out = np.zeros(len(v), dtype=np.int64)
    if categorical or len(levels) <= _BINS:
        out[~gone] = np.searchsorted(levels, v[~gone])
        last = len(levels)
    else:
        cuts = np.unique(np.quantile(v[~gone], np.arange(1, _BINS) / _BINS))
        out[~gone] = np.searchsorted(cuts, v[~gone], side="right")
        last = len(cuts) + 1
    out[gone] = last
    return out


def _often_missing(name: str, v: Vector) -> list[Caveat]:
    share = float(np.isnan(v).mean())
    if share <= _OFTEN_MISSING:
        return []
    return [
        Caveat(
            name,
            f"{share:.0%} of {name} is missing; missing is one of its levels.",
            "Ask why it is missing: that may tell more than the values.",
        )
    ]


def _tells_outcome(
    name: str, v: Vector, codes: Codes, o: Vector, fold: Codes, w: Vector
) -> list[Caveat]:
    auc = out_of_fold_auc(codes, o, fold, w)
    if not auc >= _SOFT:
        return []
    gone = np.isnan(v)
    of_missing = out_of_fold_auc(gone.astype(np.int64), o, fold, w) if gone.any() else 0.5
    known = f"Whether {name} is missing" if of_missing >= auc - 0.02 else name
    strength = f"(AUC {max(auc, of_missing):.3f} on rows that this was not learnt from)"
    drop = f"Leave it out with drop=({name!r},)"
    if auc >= _CERTAIN:
        words = (
            f"Leak? {known} alone tells the outcome nearly without error {strength}. Hardly"
            " anything that is known beforehand does: it was probably recorded after the outcome,"
            " and the numbers below then say little."
        )
        remedy = f"{drop} unless the score's maker could know it."
    elif auc >= _STRONG:
        words = (
            f"Leak? {known} alone tells much of the outcome {strength}. It may have been recorded"
            " after the outcome, or follow from it."
        )
        remedy = f"Ask when it is recorded. {drop} if that is after the outcome."
    else:
        words = (
            f"{known} alone tells a good part of the outcome {strength}. Strong features do that,"
            " and so do columns that were recorded afterwards."
        )
        remedy = f"Ask when it is recorded. {drop} if that is after the outcome."
    return [Caveat(name, words, remedy, "leak" if auc >= _STRONG else "outcome")]


def _tells_score(
    name: str, codes: Codes, v: Vector, score: Vector, fold: Codes, w: Vector
) -> list[Caveat]:
    """Columns that stand so near to the score that they may have been made from it."""
    r2 = out_of_fold_r2(codes, score, fold, w)
    decided = _follows(v, score)
    if not (decided or r2 >= _SAME_SCORE):
        return []
    if decided:
        known = f"{name} follows from the score: rows of equal score agree in it."
    else:
        known = (
            f"{name} alone explains {r2:.0%} of the score's variance, on rows that this was not"
            " learnt from."
        )
    return [
        Caveat(
            name,
            f"{known} Either it was made from the score, or is another output of the same system;"
            " or it is a main input of the score. These rows cannot tell which.",
            f"Leave it out with drop=({name!r},) in the first two cases: it explains the score"
            " without telling why. Keep it in the third.",
            "score",
        )
    ]


def _follows(v: Vector, s: Vector) -> bool:
    """Whether the score decides the feature, where scores repeat often enough to tell."""
    code = np.unique(np.nan_to_num(v, nan=np.inf), return_inverse=True)[1]
    at = np.unique(s, return_inverse=True)[1]
    low = np.full(int(at.max()) + 1, code.max() + 1)
    high = np.full(int(at.max()) + 1, -1)
    np.minimum.at(low, at, code)
    np.maximum.at(high, at, code)
    counts = np.bincount(code)
    rare = len(counts) == 2 and counts.min() < 5
    return len(s) >= 5 * len(low) and bool((low == high).all()) and not rare
