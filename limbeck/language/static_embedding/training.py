"""A table of tokens whose mean over a text points where the teacher's vector does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

from limbeck.language.static_embedding.margins import Margins, margin_loss

__all__ = ["OBJECTIVES", "TableData", "cosine_loss", "relation_loss", "train_table"]

Matrix = NDArray[np.float64]
OBJECTIVES = ("cosine", "relations", "both", "margin")
PENALTIES: tuple[float, ...] = (1e-3, 1e-4, 1e-5)
_OF_MARGINS: tuple[float, ...] = (1e-1, 1e-2, *PENALTIES)  # a margin says less than a vector
LEFT_OUT = 0.2
_PAIRS, _STEPS, _FEWEST = 2, 30, 20
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class TableData:
    """Texts as the tokens that they hold, and the teacher's vectors.

    Parameters
    ----------
    bags : sparse array of shape (n, V)
        The share of each token among those of a text.
    targets : ndarray of shape (n, d)
        The teacher's vectors in the d dimensions of the table.
    vectors : ndarray of shape (n, D)
        The same in the dimensions of the teacher, of length 1: what similarities are of.
    margins : Margins, optional
        What a cross-encoder says of triples of them.
    """

    bags: csr_array
    targets: Matrix
    vectors: Matrix
    margins: Margins | None = None

    def take(self, rows: NDArray[np.int64]) -> TableData:
        """Only some of the texts.

        Parameters
        ----------
        rows : ndarray of int
            Their positions.
        """
        margins = None if self.margins is None else self.margins.take(rows)
        return TableData(self.bags[rows], self.targets[rows], self.vectors[rows], margins)


def units(vectors: Matrix) -> Matrix:
    """Vectors of length 1; zeros stay zeros.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        Vectors.
    """
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _TINY))


def cosine_loss(means: Matrix, targets: Matrix) -> tuple[float, Matrix]:
    """One less the mean cosine, and its slope in the means.

    Parameters
    ----------
    means, targets : ndarray of shape (n, d)
        Vectors of the student, and of the teacher.
    """
    length = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), _TINY)
    u, t = means / length, units(targets)
    cosine = (u * t).sum(axis=1, keepdims=True)
    return float(1 - cosine.mean()), -(t - cosine * u) / length / len(means)


def relation_loss(means: Matrix, vectors: Matrix, pairs: NDArray[np.int64]) -> tuple[float, Matrix]:
    """Mean squared difference of the cosines of pairs of texts, and its slope in the means.

    Relational distillation of similarities (Park et al. 2019), on cosines.

    Parameters
    ----------
    means : ndarray of shape (n, d)
        Vectors of the student.
    vectors : ndarray of shape (n, D)
        The teacher's, of length 1.
    pairs : ndarray of shape (r, n), int64
        Permutations: text i is compared with text ``pairs[j, i]``.
    """
    length = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), _TINY)
    u = means / length
    slope, total = np.zeros_like(u), 0.0
    for other in pairs:
        off = (u * u[other]).sum(axis=1) - (vectors * vectors[other]).sum(axis=1)
        total += float((off**2).mean())
        slope += 2 * off[:, None] * u[other]
        back = np.argsort(other)  # text i is the partner of text back[i]
        slope += 2 * off[back][:, None] * u[back]
    slope /= len(pairs) * len(means)
    return total / len(pairs), (slope - (slope * u).sum(axis=1, keepdims=True) * u) / length


def train_table(
    data: TableData,
    start: Matrix,
    objective: str,
    rng: np.random.Generator,
    tell: Callable[[str, float, float], Any],
) -> tuple[Matrix, dict[str, float]]:
    """The table with the smallest loss on a fifth of the texts; trained on all of them.

    Minimises the objective plus a penalty times the squared distance from the start, by L-BFGS
    (Nocedal and Wright 2006, algorithm 7.5), over tokens that occur; the others stay.

    Parameters
    ----------
    data : TableData
        Texts and the teacher's vectors.
    start : ndarray of shape (V, d)
        The table to begin with.
    objective : {"cosine", "relations", "both", "margin"}
        What is minimised.
    rng : numpy.random.Generator
        Chooses the texts that are left out, and pairs.
    tell : callable
        Told of the penalties.

    Returns
    -------
    table : ndarray of shape (V, d)
        The trained table.
    losses : mapping from str to float
        Of each penalty, the loss on the texts left out; of ``start``, that of the start.
    """
    seen = np.unique(data.bags.indices)
    data = TableData(data.bags[:, seen], data.targets, data.vectors, data.margins)
    n = data.bags.shape[0]
    order = rng.permutation(n)
    cut = round(LEFT_OUT * n) if n >= _FEWEST else 0
    rest, out = np.sort(order[cut:]), np.sort(order[:cut])
    if cut and objective == "margin" and data.margins is not None:
        rest, out = np.flatnonzero(~data.margins.apart), np.flatnonzero(data.margins.apart)
    losses: dict[str, float] = {}
    penalties = _OF_MARGINS if objective == "margin" else PENALTIES
    used: Sequence[float] = penalties[:2]
    if cut:
        part = data.take(out)
        losses["start"] = _value(part, start[seen], objective, np.random.default_rng(0))
        at, best = start[seen], np.inf
        for i, penalty in enumerate(penalties):
            tell("training the table", i, len(penalties) + 1)
            at = _fitted(data.take(rest), start[seen], at, penalty, objective, rng)
            losses[f"{penalty:g}"] = now = _value(part, at, objective, np.random.default_rng(0))
            if now >= best:
                break
            best, used = now, penalties[: i + 1]
        if min(losses.values()) == losses["start"]:
            return start, losses
    at = start[seen]
    tell("training the table", len(penalties), len(penalties) + 1)
    for penalty in used:
        at = _fitted(data, start[seen], at, penalty, objective, rng)
    table = start.copy()
    table[seen] = at
    return table, losses


def _value(data: TableData, table: Matrix, objective: str, rng: np.random.Generator) -> float:
    return _loss(data, objective, rng)(np.asarray(data.bags @ table))[0]


def _loss(
    data: TableData, objective: str, rng: np.random.Generator
) -> Callable[[Matrix], tuple[float, Matrix]]:
    n = data.bags.shape[0]
    pairs = np.array([rng.permutation(n) for _ in range(_PAIRS)])

    def value(means: Matrix) -> tuple[float, Matrix]:
        total, slope = 0.0, np.zeros_like(means)
        if objective == "margin":
            assert data.margins is not None  # noqa: S101  (the method asked for them)
            return margin_loss(means, data.margins)
        if objective != "relations":
            total, slope = cosine_loss(means, data.targets)
        if objective != "cosine":
            more, its = relation_loss(means, data.vectors, pairs)
            total, slope = total + more, slope + its
        return total, slope

    return value


def _fitted(
    data: TableData,
    start: Matrix,
    at: Matrix,
    penalty: float,
    objective: str,
    rng: np.random.Generator,
) -> Matrix:
    loss, turned = _loss(data, objective, rng), csr_array(data.bags.T)

    def value(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        table = flat.reshape(start.shape)
        total, slope = loss(np.asarray(data.bags @ table))
        away = table - start
        total += penalty / 2 * float(np.vdot(away, away))
        return total, np.asarray(turned @ slope + penalty * away).ravel()

    found = minimize(
        value,
        at.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _STEPS, "maxcor": 5},
    )
    return np.asarray(found.x).reshape(start.shape)
