"""Dense and L1-penalised fits of soft answers by all columns at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.students.sparse_sum.refit import refit
from limbeck.students.sparse_sum.terms import FilledColumns, SumTerm, TermTest

__all__ = ["dense", "l1_supports", "linear_terms"]

Vector = NDArray[np.float64]
RIDGE = 1.0
"""That of scikit-learn's LogisticRegression and Ridge, on standardised columns."""
NEWTON = 800  # weights; more are fitted by L-BFGS
PATH, STEPS = 25, 60


def linear_terms(features: Features, columns: FilledColumns) -> tuple[SumTerm, ...]:
    """A term for each number, boolean, level that occurs, and column with missing values.

    Parameters
    ----------
    features : Features
        The d columns.
    columns : FilledColumns
        Of n rows.
    """
    terms: list[SumTerm] = []
    for j, feature in enumerate(features.columns):
        raw = columns.values[:, j]
        lacking = np.isnan(raw)
        if feature.kind == "categorical":
            seen = np.unique(raw[~lacking])
            terms += [SumTerm("all", tests=(TermTest(j, "is", float(c)),)) for c in seen]
        elif feature.kind == "boolean":
            terms.append(SumTerm("all", tests=(TermTest(j, "is", 1.0),)))
        else:
            terms.append(SumTerm("column", j))
        if lacking.any() and not lacking.all():
            terms.append(SumTerm("all", tests=(TermTest(j, "missing"),)))
    return tuple(terms)


def dense(
    design: Vector,
    soft: Vector,
    weight: Vector,
    classifies: bool,
    signs: Vector | None = None,
) -> tuple[Vector, Vector]:
    """A ridge fit of all terms: weights of shape (t, k) and intercepts of shape (k,).

    Parameters
    ----------
    design : ndarray of shape (n, t)
        The value of each term on each row.
    soft : ndarray of shape (n, classes) or (n, 1)
        Probabilities, or values.
    weight : ndarray of shape (n,)
        How much each row counts.
    classifies : bool
        Whether these are classes.
    signs : ndarray of shape (t,), optional
        Those that weights must have; see `limbeck.students.sparse_sum.signs.signs_of`.
    """
    k = soft.shape[1] if classifies and soft.shape[1] > 2 else 1
    used = np.ones((design.shape[1], k), dtype=np.bool_)
    used[np.ptp(design, axis=0) == 0] = False
    if not classifies or used.sum() <= NEWTON or signs is not None:
        return refit(
            design, used, np.ones(k, dtype=np.bool_), soft, weight, classifies, RIDGE, signs
        )
    return _lbfgs(design, soft, weight)


def _lbfgs(design: Vector, soft: Vector, weight: Vector) -> tuple[Vector, Vector]:
    from scipy.optimize import minimize

    x, mean, spread = _standard(design, weight)
    share = weight * (len(weight) / weight.sum())
    target = soft[:, 1:] if soft.shape[1] == 2 else soft
    shape = (x.shape[1] + 1, target.shape[1])

    def loss(flat: Vector) -> tuple[float, Vector]:
        beta = flat.reshape(shape)
        value, p = _smooth(x @ beta[1:] + beta[0], target, share)
        rest = (p - target) * share[:, None]
        slope = np.vstack([rest.sum(axis=0), x.T @ rest + RIDGE * beta[1:]])
        return value + RIDGE / 2 * float((beta[1:] ** 2).sum()), slope.ravel()

    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B",
                     options={"maxiter": 100}).x.reshape(shape)  # fmt: skip
    weights = found[1:] / spread[:, None]
    return weights, found[0] - mean @ weights


def l1_supports(
    design: Vector,
    soft: Vector,
    weight: Vector,
    classifies: bool,
    budgets: Sequence[int],
    signs: Vector | None = None,
) -> list[NDArray[np.bool_]]:
    """For each budget the largest support on an L1 path whose weights and intercepts fit.

    The path goes from the penalty at which all weights are 0 down to a thousandth of it
    (Friedman, Hastie and Tibshirani 2010), by accelerated proximal gradients with warm starts
    (Beck and Teboulle 2009). Where more weights enter at once than fit, the largest of them do.

    Parameters
    ----------
    design, soft, weight, classifies, signs
        As in :func:`dense`.
    budgets : sequence of int
        Numbers at most, increasing.

    Returns
    -------
    list of ndarray of shape (t, k), bool
    """
    x, _, _ = _standard(design, weight)
    share = weight / weight.sum()
    target, level = soft, np.zeros(0)
    if classifies and soft.shape[1] == 2:
        target = soft[:, 1:]
    if not classifies:
        centred = soft - share @ soft
        scale = np.sqrt(float(share @ centred[:, 0] ** 2)) or 1.0
        target = centred / scale
    k = target.shape[1]
    beta = np.zeros((x.shape[1] + 1, k))
    if classifies:
        mean = np.clip(share @ target, 1e-9, 1 - 1e-9)
        beta[0] = np.log(mean) - (np.log1p(-mean) if k == 1 else np.log(mean).mean())
    level = x @ beta[1:] + beta[0]
    first = x.T @ ((_answers(level, classifies) - target) * share[:, None])
    low = np.where(signs > 0, 0.0, -np.inf)[:, None] if signs is not None else None
    high = np.where(signs < 0, 0.0, np.inf)[:, None] if signs is not None else None
    box = None if low is None or high is None else (low, high)
    enters = -first if box is None else np.clip(-first, *box)
    largest = float(np.abs(enters).max(initial=0.0))
    bound = _curvature(x, share) * (0.25 if classifies and k == 1 else 0.5 if classifies else 1.0)
    out = [np.zeros((x.shape[1], k), dtype=np.bool_) for _ in budgets]
    for penalty in largest * np.geomspace(1.0, 1e-3, PATH)[1:]:
        beta = _proximal(x, target, share, classifies, beta, float(penalty), bound, box)
        used = beta[1:] != 0
        held = _held(used)
        for i, budget in enumerate(budgets):
            if held > budget:
                out[i] = _filled(out[i], beta[1:], budget)
            elif used.sum() >= out[i].sum():
                out[i] = used
        if held > budgets[-1]:
            break
    return out


def _held(used: NDArray[np.bool_]) -> int:
    """The numbers of a support (t, k): its weights and intercepts."""
    return int(used.sum()) + max(1, int(used.any(axis=0).sum()))


def _filled(used: NDArray[np.bool_], weights: Vector, budget: int) -> NDArray[np.bool_]:
    """A support with the largest other weights (t, k) that fit into a budget beside it."""
    out = used.copy()
    others = np.where(used, 0.0, np.abs(weights))
    for flat in np.argsort(-others, axis=None, kind="stable")[: budget + 1]:
        term, output = np.unravel_index(flat, out.shape)
        if not others[term, output]:
            break
        out[term, output] = True
        if _held(out) > budget:
            out[term, output] = False
    return out


def _proximal(
    x: Vector,
    target: Vector,
    share: Vector,
    classifies: bool,
    beta: Vector,
    penalty: float,
    bound: float,
    box: tuple[Vector, Vector] | None = None,
) -> Vector:
    """Accelerated proximal gradient steps at one penalty, from ``beta`` on."""
    ahead, momentum, each = beta, 1.0, share[:, None]
    step, across, slope = penalty / bound, x.T, np.empty_like(beta)
    for _ in range(STEPS):
        rest = _answers(x @ ahead[1:] + ahead[0], classifies)
        rest = (rest - target) * each
        rest.sum(axis=0, out=slope[0])
        np.matmul(across, rest, out=slope[1:])
        new = ahead - slope / bound
        weights = new[1:]
        weights -= np.minimum(np.maximum(weights, -step), step)
        if box is not None:
            new[1:] = np.clip(weights, *box)
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        moved = new - beta
        if np.abs(moved).max(initial=0.0) < 1e-5:
            return new
        ahead, beta, momentum = new + (momentum - 1) / following * moved, new, following
    return beta


def _curvature(x: Vector, share: Vector) -> float:
    """The largest eigenvalue of the weighted second moments, by power steps; a bit above."""
    v = np.ones(x.shape[1] + 1)
    size = 1.0
    for _ in range(20):
        total = (x @ v[1:] + v[0]) * share
        v = np.concatenate([[total.sum()], x.T @ total])
        size = float(np.linalg.norm(v)) or 1.0
        v = v / size
    return 1.05 * size


def _answers(z: Vector, classifies: bool) -> Vector:
    """Probabilities (n, k) of classes, or the values; what `_smooth` returns, without the loss."""
    if not classifies:
        return z
    if z.shape[1] == 1:
        e = np.abs(z)
        np.exp(np.negative(e, out=e), out=e)
        share = np.where(z >= 0, 1.0, e)
        share /= np.add(e, 1.0, out=e)
        return share
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _smooth(z: Vector, target: Vector, share: Vector) -> tuple[float, Vector]:
    """Cross-entropy summed over rows, and probabilities (n, k)."""
    if z.shape[1] == 1:
        e = np.exp(-np.abs(z))
        each = np.maximum(z, 0.0) + np.log1p(e) - target * z
        return float(share @ each[:, 0]), np.where(z >= 0, 1.0, e) / (1.0 + e)
    top = z.max(axis=1, keepdims=True)
    e = np.exp(z - top)
    total = e.sum(axis=1, keepdims=True)
    each = (top + np.log(total))[:, 0] * target.sum(axis=1) - (target * z).sum(axis=1)
    return float(share @ each), e / total


def _standard(design: Vector, weight: Vector) -> tuple[Vector, Vector, Vector]:
    mean = np.average(design, axis=0, weights=weight)
    spread = np.sqrt(np.average((design - mean) ** 2, axis=0, weights=weight))
    spread = np.where(spread > 1e-12, spread, 1.0)
    return (design - mean) / spread, mean, spread
