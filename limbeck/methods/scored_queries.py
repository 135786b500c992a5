"""Queries with the teacher's scores, from the sampler whose students are best on rows left out.

As for trees (:mod:`limbeck.methods.search_and_stitch.queries`): each sampler that is tried gets a
fifth of the queries, and the best of them the rest, or none where the rows alone do better. The
method says how well its students agree on rows that they were trained without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import Sampler, Teacher
from limbeck.core.progress import Progress
from limbeck.data.splits import FOLDS
from limbeck.methods.search_and_stitch.queries import FEWEST, draw
from limbeck.samplers.named import TRIED

__all__ = ["ScoredQueries", "ask_scores"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScoredQueries:
    """Queries with the teacher's scores.

    Parameters
    ----------
    rows : Rows
        Of q queries.
    scores : ndarray of shape (q, k)
        What the teacher said.
    sources : ndarray of shape (q, s), int
        The rows of the data that each was made from; s = 0 where the sampler does not say.
    sampler : str
        Its name, or ``none``.
    total : int
        How many the teacher answered, trials included.
    trials : dict
        Agreement on rows left out (R² for values) by the samplers tried, ``none`` among them.
    """

    rows: Rows
    scores: Vector
    sources: NDArray[np.int64]
    sampler: str
    total: int
    trials: dict[str, float] = field(default_factory=dict)

    @classmethod
    def none(cls, rows: Rows, outputs: int) -> ScoredQueries:
        """No queries about rows with these columns.

        Parameters
        ----------
        rows : Rows
            Any rows.
        outputs : int
            Columns of the scores.
        """
        return cls(rows[:0], np.zeros((0, outputs)), np.zeros((0, 0), dtype=np.int64), "none", 0)

    def touched(self, fold: NDArray[np.int64], at: int) -> NDArray[np.bool_]:
        """Which were made from a row of a fold, shape (q,).

        Parameters
        ----------
        fold : ndarray of int, shape (n,)
            The fold of each row.
        at : int
            The fold.
        """
        return np.asarray((fold[self.sources] == at).any(axis=1))


def ask_scores(
    teacher: Teacher,
    rows: Rows,
    n: int,
    sampler: str | Sampler,
    agreement: Callable[[ScoredQueries], float],
    outputs: int,
    rng: np.random.Generator,
    progress: Progress,
    tries: Sequence[str] = TRIED,
) -> ScoredQueries:
    """Draw queries and ask the teacher.

    Parameters
    ----------
    teacher : Teacher
        It answers queries.
    rows : Rows
        The user's own.
    n : int
        Queries at most, trials included.
    sampler : str or Sampler
        A sampler or its name; ``"none"``; or ``"auto"``, which tries some.
    agreement : callable
        From queries to how well students agree on rows left out, the larger the better.
    outputs : int
        Columns of the teacher's scores.
    rng : numpy.random.Generator
        The source of chance.
    progress : Progress
        Told of every trial.
    tries : sequence of str
        What ``"auto"`` tries beside no queries; the first of them where there are too few queries
        or rows to try any.
    """
    nothing = ScoredQueries.none(rows, outputs)
    if n == 0 or sampler == "none":
        return nothing
    if sampler != "auto" or n < FEWEST or len(rows) < 2 * FOLDS:
        return _asked(teacher, rows, tries[0] if sampler == "auto" else sampler, n, rng)
    tried = [nothing]
    for i, name in enumerate(tries):
        progress("trying samplers", i, len(tries))
        tried.append(_asked(teacher, rows, name, n // (len(tries) + 2), rng))
    found = {t.sampler: agreement(t) for t in [*tried[1:], nothing]}
    best = max(found, key=lambda name: found[name])  # the first of equals
    total = sum(t.total for t in tried)
    chosen = next(t for t in tried if t.sampler == best)
    if best != "none":
        more = _asked(teacher, rows, best, n - total, rng)
        chosen = ScoredQueries(
            Rows(rows.features, np.vstack([chosen.rows.values, more.rows.values])),
            np.vstack([chosen.scores, more.scores]),
            np.vstack([chosen.sources, more.sources]),
            best,
            n,
        )
        total = n
    return replace(chosen, total=total, trials=found)


def _asked(
    teacher: Teacher, rows: Rows, sampler: str | Sampler, n: int, rng: np.random.Generator
) -> ScoredQueries:
    name = sampler if isinstance(sampler, str) else type(sampler).__name__
    drawn, made_of = draw(rows, sampler, n, rng)
    return ScoredQueries(drawn, teacher.scores(drawn.native()), made_of, name, n)
