"""The score against the outcome on the logit scale: is it linear, is it monotone?

Shapes: n rows, b bins of the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import expit, logit, xlogy
from scipy.stats import chi2

from limbeck.audits.results import Calibration
from limbeck.certificates.binomial import interval

__all__ = ["Curve", "calibrate", "fit_curve"]

_FEWEST_BINS, _MOST_BINS = 10, 50
_EVENTS = 20  # of either outcome that a bin beyond the first ten should hold
_DRAWS = 500
_ALPHA = 0.05

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """From a score to log-odds: a line, or a monotone smooth curve through knots.

    ``logged`` says that scores are probabilities, taken as log-odds first.
    """

    method: Literal["linear", "monotone", "none"]
    logged: bool
    intercept: float
    slope: float
    knots: Vector
    heights: Vector

    def __call__(self, score: Vector) -> Vector:
        """Calibrated log-odds of scores (n,); the score itself where there is no outcome."""
        x = self.scale(score)
        if self.method != "monotone":
            return self.intercept + self.slope * x
        inside = np.clip(x, self.knots[0], self.knots[-1])
        out = PchipInterpolator(self.knots, self.heights)(inside)
        return np.asarray(out + (x - inside) * np.where(x < inside, *self._ends()))

    def scale(self, score: Vector) -> Vector:
        """Scores (n,) before calibration: log-odds of probabilities, others as they are."""
        return _scale(score, self.logged)

    def _ends(self) -> tuple[float, float]:
        """The slope of the curve over its outer three knots, at the lower and the upper end."""
        x, z = self.knots, self.heights
        k = min(2, len(x) - 1)
        return (z[k] - z[0]) / (x[k] - x[0]), (z[-1] - z[-1 - k]) / (x[-1] - x[-1 - k])


def calibrate(
    score: Vector, outcome: Vector | None, weight: Vector, level: float, rng: np.random.Generator
) -> tuple[Calibration, Curve]:
    """Compare score and outcome, and fit the curve from one to the other.

    Up to 12 different scores are bins of their own; more are cut into bins of equal weight: 10,
    and with more than 2,000 rows the cube root of half their number, at most 50.
    Linearity is tested by the likelihood ratio of free rates in the bins against a line in the
    score, monotonicity by that of free rates against isotonic ones, with the null drawn from the
    isotonic fit (parametric bootstrap, 500 draws). Where linearity is rejected at 0.05 the curve
    is an isotonic regression of the bins, smoothed by a monotone cubic (Fritsch and Carlson 1980);
    beyond the outer bins' means it goes on as a line, with the slope over the outer three.

    Parameters
    ----------
    score : ndarray of shape (n,)
        The score. Where all lie strictly between 0 and 1 they are taken as probabilities.
    outcome : ndarray of shape (n,) or None
        0 or 1.
    weight : ndarray of shape (n,)
        Weights of the rows.
    level : float
        Of the exact binomial intervals (Clopper and Pearson 1934) of the bins.
    rng : Generator
        For the bootstrap.

    Returns
    -------
    tuple of (Calibration, Curve)
        What was found, and the curve.
    """
    logged = bool((score > 0).all() and (score < 1).all())
    if outcome is None:
        empty = np.empty(0)
        nan = float("nan")
        found = Calibration(
            empty, empty, empty, empty, empty, empty, nan, nan, "none",
            "No outcome was given, so nothing can be said of the score's calibration.",
        )  # fmt: skip
        return found, Curve("none", logged, 0.0, 1.0, empty, empty)
    x = _scale(score, logged)
    at, centre = _bins(x, weight, _number_of_bins(outcome))
    n = _sums(at, weight)
    hits = _sums(at, weight * outcome)
    line = _line(centre, n, hits)
    p_linear = _linear_test(x, outcome, weight, at, n, hits)
    p_monotone = _monotone_test(n, hits, rng)
    method: Literal["linear", "monotone"] = "linear" if p_linear >= _ALPHA else "monotone"
    curve = fit_curve(score, outcome, weight, method)
    shown = np.array([np.average(score[at == b], weights=weight[at == b]) for b in range(len(n))])
    ends = np.array([_ends(h, m, 1 - level) for h, m in zip(hits, n, strict=True)])
    rising = line[1] > 0
    found = Calibration(
        shown, hits / n, ends[:, 0], ends[:, 1], n, curve(shown), p_linear, p_monotone, method,
        _sentence(method, rising, p_linear, p_monotone, curve.slope, logged),
    )  # fmt: skip
    return found, curve


def fit_curve(
    score: Vector, outcome: Vector, weight: Vector, method: Literal["linear", "monotone"]
) -> Curve:
    """The curve of the given kind; also for bags, where weights are redrawn.

    Parameters
    ----------
    score, outcome, weight : ndarray of shape (n,)
        The score, the outcome (0 or 1), and how much each row counts.
    method : {"linear", "monotone"}
        The kind of curve.
    """
    used, bins = weight > 0, _number_of_bins(outcome)  # as many in each bag
    score, outcome, weight = score[used], outcome[used], weight[used]
    logged = bool((score > 0).all() and (score < 1).all())
    x = _scale(score, logged)
    empty = np.empty(0)
    if method == "linear":
        values, at = np.unique(x, return_inverse=True)
        a, b = _line(values, _sums(at, weight), _sums(at, weight * outcome))
        return Curve("linear", logged, a, b, empty, empty)
    at, centre = _bins(x, weight, bins)
    n, hits = _sums(at, weight), _sums(at, weight * outcome)
    sign = 1.0 if _line(centre, n, hits)[1] >= 0 else -1.0
    rate = _isotonic(sign * (hits + 0.5) / (n + 1), n) * sign
    return Curve("monotone", logged, 0.0, 1.0, centre, logit(np.clip(rate, 1e-4, 1 - 1e-4)))


def _scale(score: Vector, logged: bool) -> Vector:
    return np.asarray(logit(np.clip(score, 1e-9, 1 - 1e-9)) if logged else score)


def _number_of_bins(outcome: Vector) -> int:
    rarer = min(float(outcome.sum()), float((1 - outcome).sum()))
    most = int(min((len(outcome) / 2) ** (1 / 3), rarer / _EVENTS))
    return int(np.clip(most, _FEWEST_BINS, _MOST_BINS))


def _bins(x: Vector, weight: Vector, number: int) -> tuple[NDArray[np.int64], Vector]:
    """The bin of each row, and the mean of x in each bin."""
    values, at = np.unique(x, return_inverse=True)
    if len(values) > 12:
        mass = np.cumsum(_sums(at, weight))
        place = np.minimum((mass - mass[0] / 2) / mass[-1] * number, number - 1e-9).astype(np.int64)
        at = np.unique(place, return_inverse=True)[1][at]
    n = _sums(at, weight)
    return at.astype(np.int64), _sums(at, weight * x) / n


def _line(x: Vector, n: Vector, hits: Vector) -> tuple[float, float]:
    """Logistic regression on one number, by Newton steps on standardised x."""
    mean = float(np.average(x, weights=n))
    spread = float(np.sqrt(np.average((x - mean) ** 2, weights=n))) or 1.0
    Z = np.column_stack([np.ones(len(x)), (x - mean) / spread])
    beta = np.array([logit(np.clip(hits.sum() / n.sum(), 1e-6, 1 - 1e-6)), 0.0])
    for _ in range(50):
        p = expit(Z @ beta)
        H = (Z * (n * p * (1 - p))[:, None]).T @ Z + 1e-8 * np.eye(2)
        step = np.linalg.solve(H, Z.T @ (hits - n * p))
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        beta = beta + step
        if np.abs(step).max() < 1e-10 or np.abs(beta).max() > 30:
            break
    return float(beta[0] - beta[1] * mean / spread), float(beta[1] / spread)


def _linear_test(
    x: Vector, outcome: Vector, weight: Vector, at: NDArray[np.int64], n: Vector, hits: Vector
) -> float:
    """Likelihood ratio of a line and free bins against the line; the line is fitted to all x."""
    if len(n) < 3:
        return 1.0
    values, where = np.unique(x, return_inverse=True)
    a, b = _line(values, _sums(where, weight), _sums(where, weight * outcome))
    if len(values) == len(n):
        expected = expit(a + b * values)
        score = 2 * (_likelihood(hits, n, hits / n) - _likelihood(hits, n, expected))
    else:  # bins hold a range of scores: compare hits with those that the line expects
        p = expit(a + b * x)
        mean = _sums(at, weight * p)
        var = _sums(at, weight * p * (1 - p))
        score = float((((hits - mean) ** 2) / np.maximum(var, 1e-12)).sum())
    return float(chi2.sf(score, len(n) - 2))


def _monotone_test(n: Vector, hits: Vector, rng: np.random.Generator) -> float:
    rate = hits / n
    fitted = _isotonic(rate, n)
    seen = _likelihood(hits, n, rate) - _likelihood(hits, n, fitted)
    if seen <= 1e-12:
        return 1.0
    whole = np.maximum(np.round(n), 1.0)
    more = 0
    for _ in range(_DRAWS):
        drawn = rng.binomial(whole.astype(np.int64), np.clip(fitted, 0, 1)).astype(np.float64)
        free = drawn / whole
        more += bool(
            _likelihood(drawn, whole, free) - _likelihood(drawn, whole, _isotonic(free, whole))
            >= seen - 1e-12
        )
    return (1 + more) / (1 + _DRAWS)


def _sums(at: NDArray[Any], v: Vector) -> Vector:
    return np.asarray(np.bincount(at, v), dtype=np.float64)


def _likelihood(hits: Vector, n: Vector, rate: Vector) -> float:
    return float((xlogy(hits, rate) + xlogy(n - hits, 1 - rate)).sum())


def _isotonic(rate: Vector, n: Vector) -> Vector:
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(rate, weights=n).x, dtype=np.float64)


def _ends(hits: float, n: float, delta: float) -> tuple[float, float]:
    total = max(round(n), 1)
    return interval(min(round(hits), total), total, delta)


def _sentence(
    method: str, rising: bool, p_linear: float, p_monotone: float, slope: float, logged: bool
) -> str:
    way = "higher scores go with more outcomes" if rising else (
        "higher scores go with fewer outcomes, so the score runs against the outcome"
    )  # fmt: skip
    scale = "the score's own log-odds" if logged else "the score"
    if p_monotone < 0.05:
        order = f"The outcome's rate falls somewhere as the score rises (p = {p_monotone:.2g})"
        if rising:
            order += ", as it does where a score acts on its outcome or hides it"
        else:
            order = f"The outcome's rate does not rise with the score (p = {p_monotone:.2g})"
    else:
        order = "The outcome's rate never falls as the score rises, as far as can be told"
        order += f" (p = {p_monotone:.2g})"
    if method == "linear":
        unit = f"{slope:.3g} log-odds a unit of {scale}"
        line = f"The log-odds of the outcome are a line in {scale} as far as can be told"
        return f"{line} (p = {p_linear:.2g}): {unit}; {way}. {order}."
    line = f"The log-odds of the outcome are no line in {scale} (p = {p_linear:.2g})"
    return f"{line}, so a monotone curve was fitted; {way}. {order}."
