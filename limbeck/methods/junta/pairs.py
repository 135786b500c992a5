"""The variables on which a teacher depends, by pairs of rows and binary search.

Two rows that agree on all variables found so far and get different answers show that another
variable matters; with half of the columns taken from either row, and half of those, the column
itself is found in log2 d questions. Where m pairs in a row get equal answers, all other
variables together matter little: after Blais, Testing juntas nearly optimally (STOC 2009).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import smallest_n
from limbeck.core.progress import Progress
from limbeck.methods.junta.questions import Answers, NoisyAnswer, Questions

__all__ = ["FOR_RANKING", "Relevant", "most_questions", "relevant"]

FOR_RANKING = 0.1
"""Of delta, what is left for intervals where more columns matter than a table can hold."""
_FOR_NOISE = 0.05  # and for a search that must begin again because answers are noisy


@dataclass(frozen=True)
class Relevant:
    """What was found.

    Parameters
    ----------
    columns : list of int
        Each of them alone changed an answer.
    pairs : int
        Pairs in a row that agreed on these columns and got equal answers.
    level : float
        Probability that so many pairs agree though the other columns matter more than the bound
        at this level says.
    done : bool
        Whether the pairs were enough. Otherwise there are more than k columns, or the questions
        came to their end.
    noise : dict or None
        The bound for the rate of wrong answers and the answers taken to each question, where the
        teacher gave two answers to one row.
    interrupted : bool
        Whether the user ended the search.
    """

    columns: list[int]
    pairs: int
    level: float
    done: bool
    noise: dict[str, float] | None = None
    interrupted: bool = False


def most_questions(k: int, d: int, pairs: int) -> int:
    """2 m (k + 1) + (k + 1) (ceil(log2 d) + 2): pairs, binary searches and answers confirmed.

    Parameters
    ----------
    k, d, pairs : int
        The most variables, all columns, and the equal pairs m that end the search.
    """
    return 2 * pairs * (k + 1) + (k + 1) * (math.ceil(math.log2(max(d, 2))) + 2)


def relevant(
    questions: Questions,
    k: int,
    epsilon: float,
    delta: float,
    limit: int,
    rng: np.random.Generator,
    progress: Progress,
    held: Sequence[int] = (),
) -> Relevant:
    """Find columns until m pairs are equal, more than k are found, or questions end.

    If the joint influence of the columns left out were above epsilon, m equal pairs would have
    probability (1 - epsilon)^m, and there are at most k + 1 occasions; so with
    (1 - epsilon)^m <= delta / (k + 1) it is at most epsilon with probability 1 - delta, for any
    teacher, whatever its answers are.

    Parameters
    ----------
    questions : Questions
        The teacher and the rows.
    k : int
        The most columns that are wanted.
    epsilon, delta : float
        As above, in (0, 1).
    limit : int
        Queries at most.
    rng : numpy.random.Generator
        Draws the pairs.
    progress : Progress
        Told after every batch of pairs.
    held : sequence of int
        Columns that are not looked for: both rows of a pair agree on them, and the bound speaks of
        the other columns alone.

    Returns
    -------
    Relevant
        The columns in the order in which they were found.

    Raises
    ------
    InvalidInput
        If answers are hardly better than chance.
    """
    level = delta * (1 - _FOR_NOISE - FOR_RANKING) / (k + 1)
    try:
        m = smallest_n(epsilon, level)
        return _search(questions, k, m, level, None, limit, rng, progress, held)
    except NoisyAnswer:
        pass
    level = delta * _FOR_NOISE / 2 / (k + 1)
    m = smallest_n(epsilon, level)
    most = most_questions(k, len(questions.rows.features), m)
    rate, repeats = questions.measure_noise(rng, delta * _FOR_NOISE / 2, most)
    noise = {"rate": rate, "repeats": repeats}
    return _search(questions, k, m, level, noise, limit, rng, progress, held)


def _search(
    questions: Questions,
    k: int,
    m: int,
    level: float,
    noise: dict[str, float] | None,
    limit: int,
    rng: np.random.Generator,
    progress: Progress,
    held: Sequence[int],
) -> Relevant:
    values = questions.rows.values
    steps = math.ceil(math.log2(max(values.shape[1], 2))) + 2
    found: list[int] = []
    equal, batch = 0, 2
    try:
        while equal < m and len(found) <= k:
            progress("variables", len(found), k + 1)
            n = min(batch, m - equal)
            if questions.queries + (2 * n + steps) * questions.repeats > limit:
                return Relevant(found, equal, level, False, noise)
            at, other = rng.integers(len(values), size=(2, n))
            x, z = values[at], values[other]
            same = [*held, *found]
            z[:, same] = x[:, same]
            a = questions.own(at)
            b, apart = a.copy(), np.flatnonzero(_unequal(x, z).any(axis=1))
            if len(apart):
                b[apart] = questions.new(z[apart], keep=True)
            pairs = np.flatnonzero(questions.differ(a, b))
            if len(pairs):  # the first one; batches are small where differences are frequent
                i = int(pairs[0])
                found.append(_bisect(questions, x[i], z[i], a[i : i + 1], b[i : i + 1]))
                equal, batch = 0, 2
            else:
                equal, batch = equal + n, 2 * batch
    except KeyboardInterrupt:
        return Relevant(found, equal, level, False, noise, interrupted=True)
    return Relevant(found, equal, level, len(found) <= k, noise)


def _bisect(
    questions: Questions, x: NDArray[np.float64], z: NDArray[np.float64], a: Answers, b: Answers
) -> int:
    """A column in which two rows (d,) with different answers differ, and which matters."""
    columns = np.flatnonzero(_unequal(x, z))
    while len(columns) > 1:
        half, rest = np.split(columns, [len(columns) // 2])
        middle = x.copy()
        middle[half] = z[half]
        c = questions.new(middle[None])
        if _apart(c, a, questions) >= _apart(c, b, questions):
            z, b, columns = middle, c, half
        else:
            x, a, columns = middle, c, rest
    questions.again(np.stack([x, z]), np.concatenate([a, b]))
    return int(columns[0])


def _apart(a: Answers, b: Answers, questions: Questions) -> float:
    """How far apart two answers are; of classes, whether they differ."""
    classifies = questions.teacher.task.classifies
    return float(a[0] != b[0]) if classifies else abs(float(a[0] - b[0]))


def _unequal(x: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where entries differ; missing is equal to missing."""
    return np.asarray((x != z) & ~(np.isnan(x) & np.isnan(z)))
