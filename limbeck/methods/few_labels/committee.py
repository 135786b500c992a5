"""A forest of the answers so far: which rows it is unsure of, and what it says of all others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from limbeck.core.answers import ScoreKind
from limbeck.core.columns import Features, Rows
from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import AccessDenied
from limbeck.methods.few_labels.acquisition import next_batch, uncertainty
from limbeck.teachers.closed import Closed

__all__ = ["Committee", "CommitteeTeacher"]

_TREES, _LEAF = 60, 2


class Committee:
    """Extremely randomized trees (Geurts, Ernst and Wehenkel 2006) on the answers to some rows.

    Its trees are the committee: rows on which they disagree, that are unlike one another, are
    asked about next (query by committee, Seung, Opper and Sompolinsky 1992).

    Parameters
    ----------
    rows : Rows
        All rows that may be asked about.
    seed : int
        Of the trees.
    """

    def __init__(self, rows: Rows, seed: int) -> None:
        self.rows, self.seed = rows, seed
        self._values = _filled(rows.values)
        self._design: csr_array | None = None
        self.forest: Any = None

    def guesses(
        self, learnt: NDArray[np.int64], soft: NDArray[np.float64], teacher: Teacher
    ) -> NDArray[np.float64]:
        """Probabilities (n, k), or values (n, 1): the mean over the trees.

        Parameters
        ----------
        learnt : ndarray of int
            Places of the rows with an answer.
        soft : ndarray of shape (m, k)
            The answers, as probabilities or values.
        teacher : Teacher
            Not needed.
        """
        from sklearn.ensemble import ExtraTreesRegressor

        self.forest = ExtraTreesRegressor(
            _TREES, min_samples_leaf=_LEAF, random_state=self.seed
        ).fit(self._values[learnt], soft[:, 0] if soft.shape[1] == 1 else soft)
        return self.soft(self.rows.values)

    def soft(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What it says of rows, of shape (n, k).

        Parameters
        ----------
        values : ndarray of shape (n, d)
            Encoded rows.
        """
        found = np.asarray(self.forest.predict(_filled(values)), dtype=np.float64)
        found = found.reshape(len(values), -1)
        if found.shape[1] == 1:
            return found
        shares = np.clip(found, 0, None)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def choose(
        self, guess: NDArray[np.float64], free: NDArray[np.int64], size: int, rng: Any
    ) -> NDArray[np.int64]:
        """The next rows: those on which the trees disagree, and that are unlike one another.

        Parameters
        ----------
        guess : ndarray of shape (n, k)
            As `guesses` returned it.
        free : ndarray of int
            Rows that may be chosen.
        size : int
            How many, at most.
        rng : numpy.random.Generator
            Decides between equal doubts.
        """
        if self._design is None:
            self._design = _directions(self.rows)
        doubt = uncertainty(guess) if guess.shape[1] > 1 else self._spread()
        return next_batch(self._design, doubt, free, size, rng)

    def _spread(self) -> NDArray[np.float64]:
        """Of values, the standard deviation over the trees."""
        each = [tree.predict(self._values.astype(np.float32)) for tree in self.forest.estimators_]
        return np.asarray(np.std(each, axis=0))


class CommitteeTeacher(Closed):
    """The teacher's answers where it was asked, and those of the committee for all other rows.

    Parameters
    ----------
    teacher : Teacher
        Whose answers were learned.
    features : Features
        The columns.
    committee : Committee
        It has learned them.
    values : ndarray of shape (m, d)
        Encoded rows with an answer.
    soft : ndarray of shape (m, k)
        The answers, as probabilities or values.
    """

    def __init__(
        self, teacher: Teacher, features: Features, committee: Committee,
        values: NDArray[np.float64], soft: NDArray[np.float64],
    ) -> None:  # fmt: skip
        self.task, self.name = teacher.task, f"{teacher.name} and a forest of its answers"
        self.access = Access.SCORES | Access.QUERIES
        kind = ScoreKind.PROBABILITY if teacher.task.classifies else ScoreKind.VALUE
        self.score_kind: ScoreKind = kind
        self._features, self._committee = features, committee
        self._known = {v.tobytes(): s for v, s in zip(values, soft, strict=True)}

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Probabilities or values, of shape (n, k).

        Parameters
        ----------
        X : table of n rows
            The rows.
        """
        values = np.ascontiguousarray(self._features.encode(X))
        out = self._committee.soft(values)
        for i, row in enumerate(values):
            known = self._known.get(row.tobytes())
            if known is not None:
                out[i] = known
        return out

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(
            f"{self.name} has no {what}.", "Use a method that asks for scores, or leave budget out."
        )


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Missing values as a number below all others, so that trees tell them apart."""
    return np.where(np.isnan(values), -1e6, values) if np.isnan(values).any() else values


def _directions(rows: Rows) -> csr_array:
    """Columns on one scale, categories one by one; rows of length 1."""
    parts = []
    for column, v in zip(rows.features.columns, rows.values.T, strict=True):
        if column.kind == "categorical":
            parts += [(v == code).astype(float) for code in range(len(column.levels))]
            continue
        known = v[~np.isnan(v)]
        middle, spread = (known.mean(), known.std()) if len(known) else (0.0, 1.0)
        parts.append(np.nan_to_num((v - middle) / (spread or 1.0)))
    design = np.column_stack(parts)
    return csr_array(design / np.maximum(np.linalg.norm(design, axis=1, keepdims=True), 1e-12))
