"""Rows that agree in every audited feature: do their scores differ, and does the outcome follow?

Identical cases that differ in score prove, with no model, that the score uses something else or is
noisy. Permuting the outcome among identical cases is an exact test of whether that something
carries information on the outcome (conditional randomisation: Fisher 1935; Rosenbaum 2002). Where
they are too few, matched pairs of near-identical cases stand in, and the test is approximate.
Shapes: n rows, d features.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import rankdata

from limbeck.audits.results import MatchedPairsTest
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress, quiet

__all__ = [
    "CALIPER",
    "FEWEST_IDENTICAL",
    "identical_groups",
    "informative_rows",
    "matched_pairs_test",
    "near_pairs",
    "squares_at_zero",
]

FEWEST_IDENTICAL = 100
"""Rows in groups with both outcomes below which identical cases are too few."""
CALIPER = 0.05
"""Near-identical cases differ by at most this share of all ranks, in every number."""
_FEW = 12
_CELLS = 2**21
_MOST_ROWS = 50_000
_POWER = 1.96 + 0.84  # normal quantiles: 5% on two sides, power 80%

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Groups = NDArray[np.int64]


def identical_groups(values: Matrix) -> Groups:
    """The group of each row (n,); rows are in one group where they agree in every column.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Audited features; missing equals missing.
    """
    out = np.zeros(len(values), dtype=np.int64)
    for column in values.T:
        codes = np.unique(column, return_inverse=True)[1].astype(np.int64)
        out = np.unique(out * (codes.max() + 1) + codes, return_inverse=True)[1].astype(np.int64)
    return out


def informative_rows(groups: Groups, outcome: Vector) -> NDArray[np.bool_]:
    """Rows (n,) in groups that hold both outcomes: only they can be permuted to any effect.

    Parameters
    ----------
    groups : ndarray of int, shape (n,)
        The group of identical rows that each belongs to.
    outcome : ndarray of shape (n,)
        0 or 1.
    """
    size = np.bincount(groups)
    ones = np.bincount(groups, weights=outcome)
    out: NDArray[np.bool_] = ((ones > 0) & (ones < size))[groups]
    return out


def matched_pairs_test(
    values: Matrix,
    score: Vector,
    outcome: Vector | None,
    *,
    score_fit: Vector | None = None,
    outcome_fit: Vector | None = None,
    categorical: Collection[int] = (),
    permutations: int = 2000,
    seed: int = 0,
    progress: Progress = quiet,
) -> MatchedPairsTest:
    """Spread of the score among identical cases, and whether the outcome goes with it.

    Identical cases serve where at least `FEWEST_IDENTICAL` rows are in groups with both outcomes.
    Then the statistic is the within-group covariance of the score's rank with the outcome, and its
    p-value is exact at any sample size: given the features and under the null hypothesis, all
    orders of the outcomes within a group are equally likely. Of more than 50,000 such rows as
    many are drawn at random, which keeps the test exact.

    Otherwise near-identical cases are tried: pairs of rows that are nearest to each other, equal in
    all categories and columns of few values, and within `CALIPER` in the rank of every number. As
    they are not identical, ``score_fit`` is subtracted from the score, and the chance that the one
    row of a pair had the outcome rather than the other is taken from ``outcome_fit`` instead of
    1/2. What the fits miss may still make the innocent look guilty. So the squared difference in
    score is followed down to distance 0: the share that vanishes there (its upper 90% bound)
    is laid to the features, and is allowed to act on the outcome as strongly as the fitted score
    does. The test is approximate, and takes the worse of with and without this allowance.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Audited features: numbers, codes of categories, NaN for missing.
    score : ndarray of shape (n,)
        The score.
    outcome : ndarray of shape (n,) or None
        0 or 1; None for an audit of scores alone, which tells the spread only.
    score_fit, outcome_fit : ndarray of shape (n,) or None
        Out-of-fold predictions of score and outcome (a probability) from the features;
        near-identical cases are not used without them.
    categorical : collection of int
        The columns that hold codes.
    permutations : int
        p is at least 1 / (permutations + 1).
    seed : int
        Of the permutations.
    progress : Progress
        Called with the stage, what is done, and the total.

    Raises
    ------
    InvalidInput
        If there are fewer than 2,000 permutations, which make p too coarse to rest on.
    """
    if permutations < 2000:
        raise InvalidInput(
            f"{permutations:,} permutations make too coarse a p-value.", "Ask for 2,000 or more."
        )
    rng = np.random.default_rng(seed)
    groups = identical_groups(values)
    rows, number, spread = _spread(groups, score)
    spread_all = float(np.std(score, ddof=1))
    if outcome is None:
        return MatchedPairsTest(
            "exact" if rows else "none", rows, number, spread, spread_all, float("nan"), 0,
            _spread_sentence(rows, number, spread, spread_all),
        )  # fmt: skip
    use = informative_rows(groups, outcome)
    if use.sum() >= FEWEST_IDENTICAL:
        some = np.flatnonzero(use)
        if len(some) > _MOST_ROWS:
            some = np.sort(rng.choice(some, _MOST_ROWS, replace=False))
        ranks = rankdata(score)[some]
        p, sign = _permuted(groups[some], ranks, outcome[some], permutations, rng, progress)
        words = _spread_sentence(rows, number, spread, spread_all) + _p_sentence("exact", p, sign)
        seen = _detectable(groups[some], ranks, score[some], outcome[some], spread)
        return MatchedPairsTest(
            "exact", rows, number, spread, spread_all, p, permutations, words, sign, seen
        )
    if score_fit is not None and outcome_fit is not None:
        pairs, distance = near_pairs(values, categorical)
        mixed = pairs[outcome[pairs[:, 0]] != outcome[pairs[:, 1]]]
        if 2 * len(mixed) >= FEWEST_IDENTICAL:
            residual = score - score_fit
            gap = residual[pairs[:, 0]] - residual[pairs[:, 1]]
            near = float(np.sqrt(np.mean(gap**2) / 2))
            odds = logit(np.clip(outcome_fit, 0.005, 0.995))
            left = squares_at_zero(gap**2, distance) / max(float(np.mean(gap**2)), 1e-300)
            push = _slope(score_fit, odds) * float(np.clip(1 - left, 0, 1))
            p, sign = _swapped(mixed, residual, outcome, odds, push, permutations, rng)
            words = _near_sentence(len(pairs), near, spread_all) + _p_sentence("near", p, sign)
            n = len(pairs)
            return MatchedPairsTest(
                "near", 2 * n, n, near, spread_all, p, permutations, words, sign
            )
    few = f"Only {int(use.sum()):,} rows have" if use.any() else "No row has"
    words = (
        f"{few} an identical case with the other outcome, and near-identical cases are too few as"
        " well: no test by matched pairs was made."
    )
    return MatchedPairsTest("none", rows, number, spread, spread_all, float("nan"), 0, words)


def _spread(groups: Groups, score: Vector) -> tuple[int, int, float]:
    """Rows with an identical case, their groups, and the pooled standard deviation within them."""
    size = np.bincount(groups)
    shared = size > 1
    rows, number = int(size[shared].sum()), int(shared.sum())
    if not rows:
        return 0, 0, float("nan")
    means = np.bincount(groups, weights=score) / size
    squares = float((((score - means[groups]) ** 2)[shared[groups]]).sum())
    spread = float(np.sqrt(squares / (rows - number)))
    return rows, number, spread if spread > 1e-9 * float(np.std(score)) else 0.0


def _permuted(
    groups: Groups,
    ranks: Vector,
    outcome: Vector,
    permutations: int,
    rng: np.random.Generator,
    progress: Progress,
) -> tuple[float, int]:
    """Two-sided exact p-value and the sign: outcomes permuted within groups, in blocks."""
    order = np.argsort(groups, kind="stable")
    g = np.unique(groups[order], return_inverse=True)[1]
    size = np.bincount(g)
    r = ranks[order] - (np.bincount(g, weights=ranks[order]) / size)[g]
    r[np.abs(r) < 1e-9] = 0.0
    o = outcome[order].astype(np.float64)
    signed = float(r @ o)
    observed = abs(signed)
    base, block, hits = g.astype(np.float64), max(1, _CELLS // len(g)), 0
    for start in range(0, permutations, block):
        progress("permuting identical cases", start, permutations)
        b = min(block, permutations - start)
        shuffled = o[np.argsort(base + rng.random((b, len(g))), axis=1)]  # stays within groups
        hits += int((np.abs(shuffled @ r) >= observed * (1 - 1e-12)).sum())
    return (1 + hits) / (1 + permutations), int(np.sign(signed))


def _detectable(
    groups: Groups, ranks: Vector, score: Vector, outcome: Vector, spread: float
) -> float:
    """The effect that 80% of such tests find at 5%, by the normal approximation of both sides."""
    g = np.unique(groups, return_inverse=True)[1]
    size = np.bincount(g)
    share = np.bincount(g, weights=outcome) / size
    r = ranks - (np.bincount(g, weights=ranks) / size)[g]
    z = score - (np.bincount(g, weights=score) / size)[g]
    variance = share * (1 - share)
    null = float((variance * size / (size - 1) * np.bincount(g, weights=r * r)).sum())
    gain = float((variance * np.bincount(g, weights=r * z)).sum()) / max(spread, 1e-300)
    if spread <= 0 or gain <= 0:
        return float("nan")
    found = _POWER * float(np.sqrt(null)) / gain
    return found if found <= 3 else float("nan")


def near_pairs(
    values: Matrix, categorical: Collection[int] = (), caliper: float = CALIPER
) -> tuple[NDArray[np.int64], Vector]:
    """Disjoint pairs of rows that are each other's nearest.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Audited features; missing equals missing.
    categorical : collection of int
        The columns that hold codes: pairs agree in them, and in columns of few values.
    caliper : float
        Pairs differ by at most this share of all ranks, in every number.

    Returns
    -------
    ndarray of shape (p, 2), ndarray of shape (p,)
        Row numbers, and the largest difference in ranks as a share of the caliper.
    """
    from scipy.spatial import cKDTree

    exact, scaled = [], []
    for j, x in enumerate(values.T):
        gone = np.isnan(x)
        if j in categorical or len(np.unique(x[~gone])) <= _FEW:
            exact.append(x)
            continue
        u = np.zeros(len(x))
        u[~gone] = rankdata(x[~gone]) / max(1, (~gone).sum())
        exact.append(gone.astype(np.float64))
        scaled.append(u / caliper)
    cells = identical_groups(np.column_stack(exact)) * 4.0 if exact else np.zeros(len(values))
    points = np.column_stack([cells, *scaled])  # cells are farther apart than any caliper
    distance, nearest = cKDTree(points).query(
        points, k=2, p=np.inf, distance_upper_bound=1.0, workers=-1
    )
    me = np.arange(len(points))
    near = np.isfinite(distance[:, 1])
    other = np.where(nearest[:, 0] == me, nearest[:, 1], nearest[:, 0])
    other = np.where(near, other, me)
    mutual = near & (other[other] == me) & (me < other)
    pairs = np.column_stack([me[mutual], other[mutual]]).astype(np.int64)
    return pairs, distance[mutual, 1]


def _slope(x: Vector, y: Vector) -> float:
    centred = x - x.mean()
    return float(centred @ y / max(float(centred @ centred), 1e-300))


def squares_at_zero(squares: Vector, distance: Vector) -> float:
    """Lower 90% bound for the mean square at distance 0, by a straight line through pairs (p,).

    Parameters
    ----------
    squares : ndarray of shape (p,)
        Squared differences in score of pairs of rows.
    distance : ndarray of shape (p,)
        How far apart the two rows of each pair are.
    """
    X = np.column_stack([np.ones_like(distance), distance])
    inverse = np.linalg.pinv(X)  # (2, p)
    coef = inverse @ squares
    error = float(np.sqrt(((inverse[0] * (squares - X @ coef)) ** 2).sum()))  # White 1980
    return max(0.0, float(coef[0]) - 1.28 * error)


def _swapped(
    pairs: NDArray[np.int64],
    residual: Vector,
    outcome: Vector,
    odds: Vector,
    push: float,
    permutations: int,
    rng: np.random.Generator,
) -> tuple[float, int]:
    """Two-sided p-value, and the sign.

    Which row of a pair had the outcome is drawn by its odds, pushed or not.
    """
    a, b = pairs.T
    ranks = rankdata(residual)
    gap, plain = ranks[a] - ranks[b], odds[a] - odds[b]
    first = expit(plain)  # chance that row a is the one, given that one of them is
    observed = float(gap @ (outcome[a] - first))
    u = rng.random((permutations, len(a)))
    low = ((u < first) - first) @ gap
    high = ((u < expit(plain + push * (residual[a] - residual[b]))) - first) @ gap
    if push < 0:
        low, high = high, low
    above = (1 + int((high >= observed - 1e-9).sum())) / (1 + permutations)
    below = (1 + int((low <= observed + 1e-9).sum())) / (1 + permutations)
    return min(1.0, 2 * min(above, below)), int(np.sign(observed))


def _spread_sentence(rows: int, groups: int, spread: float, spread_all: float) -> str:
    if not rows:
        return "No two rows agree in every audited feature: the score's spread is not known."
    known = f"{rows:,} rows in {groups:,} groups agree in every audited feature."
    if spread == 0:
        return f"{known} Their scores agree as well."
    return (
        f"{known} Their scores differ, by a standard deviation of {spread:.3g} within groups"
        f" ({spread_all:.3g} in all): the score uses something else, or is noisy."
    )


def _near_sentence(pairs: int, spread: float, spread_all: float) -> str:
    return (
        f"{pairs:,} pairs of near-identical cases (within {CALIPER:.0%} of the ranks in every"
        " number). Less what the features explain, their scores differ by a standard deviation of"
        f" {spread:.3g} ({spread_all:.3g} in all)."
    )


def _p_sentence(kind: str, p: float, sign: int) -> str:
    how = "exact" if kind == "exact" else "approximate, as the cases differ a little"
    if p <= 0.05:
        way = "more" if sign > 0 else "fewer"
        return f" Among them higher scores go with {way} outcomes (p = {p:.2g}, {how})."
    few = (
        ""
        if kind == "exact"
        else " Near-identical cases find few hidden influences: the model test carries the verdict."
    )
    none = f" Among them the score does not demonstrably go with the outcome (p = {p:.2g}, {how})."
    return none + few
