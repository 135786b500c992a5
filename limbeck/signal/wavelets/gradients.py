"""The teacher's gradients at the signals, asked for once; by queries where it grants none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.columns import Rows
from limbeck.core.contract import Access, Teacher
from limbeck.core.progress import Progress

__all__ = ["InputGradients", "ask"]

_STEP = 0.01  # of a column's standard deviation
_LABEL_STEP = 1.0  # labels change in jumps
_BLOCK = 4096  # rows per call


@dataclass(frozen=True)
class InputGradients:
    """Gradients of the winning score.

    Parameters
    ----------
    at : ndarray of shape (m,)
        The rows that were asked about, in order.
    gradients : ndarray of shape (m, d)
        By input column; zeros where the score does not respond.
    queries : int
        New rows for which scores were asked.
    """

    at: NDArray[np.int64]
    gradients: NDArray[np.float64]
    queries: int = 0


def ask(
    teacher: Teacher,
    rows: Rows,
    winners: NDArray[np.int64],
    most: int,
    max_queries: int,
    differences: bool,
    rng: np.random.Generator,
    progress: Progress,
) -> InputGradients:
    """Gradients at some rows.

    Parameters
    ----------
    teacher : Teacher
        Asked for ``gradient`` where it grants that.
    rows : Rows of n rows and d columns
        The signals, flat.
    winners : ndarray of shape (n,)
        The output to differentiate, row by row.
    most : int
        Rows at most, drawn at random.
    max_queries : int
        For central differences, which take 2 d new rows for each row.
    differences : bool
        Take differences even where the teacher grants gradients.
    rng : numpy Generator
        Draws the rows.
    progress : Progress
        Called with the stage, what is done, and the total.
    """
    by_queries = differences or Access.GRADIENTS not in teacher.access
    if by_queries:
        most = min(most, max(1, max_queries // (2 * len(rows.features))))
    at = np.sort(rng.permutation(len(rows))[:most])
    found = np.empty((len(at), len(rows.features)))
    if by_queries:
        return InputGradients(
            at, _differences(teacher, rows, at, winners[at], found, progress), 2 * found.size
        )
    done = 0
    for output in np.unique(winners[at]):
        of = np.flatnonzero(winners[at] == output)
        for start in range(0, len(of), _BLOCK):
            progress("gradients", done, len(at))
            part = of[start : start + _BLOCK]
            found[part] = teacher.gradient(rows[at[part]].native(), int(output))
            done += len(part)
    return InputGradients(at, found)


def _differences(
    teacher: Teacher,
    rows: Rows,
    at: NDArray[np.int64],
    winners: NDArray[np.int64],
    found: NDArray[np.float64],
    progress: Progress,
) -> NDArray[np.float64]:
    """(f(x + s e_j) - f(x - s e_j)) / 2 s for each column j, with s in proportion to its spread."""
    d = len(rows.features)
    spread = rows.values.std(axis=0)
    spread = np.where(spread > 0, spread, spread.max() or 1.0)
    step = spread * (_LABEL_STEP if teacher.score_kind is ScoreKind.LABEL else _STEP)
    moves = np.concatenate([np.diag(step), -np.diag(step)])  # (2 d, d)
    block = max(1, _BLOCK // (2 * d))
    for start in range(0, len(at), block):
        progress("differences", start, len(at))
        part = slice(start, start + block)
        moved = (rows.values[at[part], None] + moves).reshape(-1, d)
        scores = teacher.scores(Rows(rows.features, moved).native())
        scores = scores.reshape(-1, 2, d, scores.shape[1])
        own = scores[np.arange(len(scores)), :, :, winners[part]]  # (rows, 2, d)
        found[part] = (own[:, 0] - own[:, 1]) / (2 * step)
    return found
