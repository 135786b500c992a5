"""Questions to a teacher: counted, asked once, or repeated where its answers are noisy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from limbeck.certificates.binomial import upper_bound
from limbeck.core.answers import answers
from limbeck.core.columns import Rows
from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput

__all__ = ["NoisyAnswer", "Questions", "repeats_needed"]

Answers = NDArray[Any]
"""Class indices or values, shape (n,)."""

_MOST_NOISE = 0.45
_TWICE = 400


class NoisyAnswer(Exception):
    """The same row was answered in two ways."""


class Questions:
    """What a teacher was asked, and what it said.

    Parameters
    ----------
    teacher : Teacher
        Asked about rows and about mixtures of them.
    rows : Rows
        The user's own, n of them; each is asked about once, and only when it is needed.
    tolerance : float
        Values differ when farther apart than this many standard deviations of the teacher's
        answers on the rows, all of which are asked about then. Classes differ or not.

    Attributes
    ----------
    count, queries : int
        Answers taken from the teacher; those which are no first answer to one of the rows.
    repeats : int
        Answers that are taken to each question: the most frequent one counts, of values the
        median.
    """

    def __init__(self, teacher: Teacher, rows: Rows, tolerance: float) -> None:
        self.teacher, self.rows, self.repeats = teacher, rows, 1
        self.count = self.queries = 0
        self._forget()
        self.apart = 0.0
        if not teacher.task.classifies:
            self.apart = tolerance * float(self.own(np.arange(len(rows))).std())

    def own(self, at: NDArray[np.int64]) -> Answers:
        """Answers to some of the user's rows, shape (len(at),)."""
        new = np.unique(at[~self.known[at]])
        if len(new):
            self._own[new] = self._ask(self.rows.values[new], own=True)
            self.known[new] = True
        return self._own[at]

    def new(self, values: NDArray[np.float64], *, keep: bool = False) -> Answers:
        """Answers to new encoded rows (m, d); ``keep`` for those that may fill a table.

        Parameters
        ----------
        values : ndarray of shape (m, d)
            Encoded rows.
        keep : bool
            Whether the answers may fill a table.
        """
        told = self._ask(values)
        if keep:
            self._kept.append((values, told))
        return told

    @property
    def kept(self) -> tuple[NDArray[np.float64], Answers]:
        """The new rows that were kept, and their answers."""
        values = [self.rows.values[:0], *(v for v, _ in self._kept)]
        return np.concatenate(values), np.concatenate([self._own[:0], *(a for _, a in self._kept)])

    def differ(self, a: Answers, b: Answers) -> NDArray[np.bool_]:
        """Where answers are not the same.

        Parameters
        ----------
        a, b : ndarray of shape (m,)
            Answers of the teacher.
        """
        return np.asarray(np.abs(a - b) > self.apart)

    def again(self, values: NDArray[np.float64], told: Answers) -> None:
        """Ask the same once more.

        Parameters
        ----------
        values : ndarray of shape (m, d)
            Encoded rows.
        told : ndarray of shape (m,)
            The teacher's earlier answers.

        Raises
        ------
        NoisyAnswer
            If an answer is another one now. Never where questions are repeated already.
        """
        if self.repeats == 1 and self.differ(self._ask(values), told).any():
            raise NoisyAnswer

    def measure_noise(
        self, rng: np.random.Generator, delta: float, questions: int
    ) -> tuple[float, int]:
        """Ask about random rows twice, and from then on repeat every question often enough.

        Every answer is taken to be wrong with the same probability at most, independently of
        the others (random classification noise: Angluin and Laird 1988). Two answers to a row
        then differ with probability 2 p (1 - p) or more, of which half of ``delta`` gives an
        upper bound.

        Parameters
        ----------
        rng : numpy.random.Generator
            Chooses the rows.
        delta : float
            Probability that any of the repeated questions gets a wrong answer.
        questions : int
            How many there will be at most.

        Returns
        -------
        rate : float
            An upper bound for the probability that one answer is wrong.
        repeats : int
            The answers to each question from now on.

        Raises
        ------
        InvalidInput
            If answers are hardly better than chance.
        """
        values = self.rows.values[rng.integers(len(self.rows), size=_TWICE)]
        self.repeats = 1
        wrong = int(self.differ(self._ask(values), self._ask(values)).sum())
        twice = upper_bound(wrong, _TWICE, delta / 2)
        rate = (1 - math.sqrt(max(1 - 2 * twice, 0.0))) / 2
        if rate > _MOST_NOISE:
            raise InvalidInput(
                f"The teacher gave two answers to {wrong} of {_TWICE} rows that it was asked about"
                " twice.",
                "Give a teacher whose answers depend on the row, such as a network in evaluation"
                " mode.",
            )
        self.repeats = repeats_needed(rate, delta / 2 / questions)
        self._forget()
        return rate, self.repeats

    def _forget(self) -> None:
        kind = np.int64 if self.teacher.task.classifies else np.float64
        self._own: NDArray[Any] = np.zeros(len(self.rows), dtype=kind)
        self.known = np.zeros(len(self.rows), dtype=np.bool_)
        self._kept: list[tuple[NDArray[np.float64], Answers]] = []

    def _ask(self, values: NDArray[np.float64], own: bool = False) -> Answers:
        task, n, t = self.teacher.task, len(values), self.repeats
        self.count += n * t
        self.queries += n * t - (n if own else 0)
        rows = Rows(self.rows.features, np.repeat(values, t, axis=0) if t > 1 else values)
        told = answers(self.teacher.scores(rows.native()), task)
        if t == 1:
            return told
        if not task.classifies:
            return np.asarray(np.median(told.reshape(n, t), axis=1))
        k = len(task.classes)
        cells = np.arange(n).repeat(t) * k + told
        return np.asarray(np.bincount(cells, minlength=n * k).reshape(n, k).argmax(axis=1))


def repeats_needed(rate: float, delta: float) -> int:
    """Answers to a question whose majority is wrong with probability at most delta.

    The smallest odd t with P[Binomial(t, rate) > t / 2] <= delta.

    Parameters
    ----------
    rate : float
        Probability that one answer is wrong, below 1/2.
    delta : float
        In (0, 1).
    """
    t = 1
    while binom.sf(t // 2, t, rate) > delta:
        t += 2
    return t
