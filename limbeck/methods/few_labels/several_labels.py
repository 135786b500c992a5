"""Few questions to a teacher that gives texts several labels at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.columns import Rows
from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import AccessDenied, plural
from limbeck.core.progress import Progress
from limbeck.core.task import Task
from limbeck.methods.few_labels.labelling import AskedRows, ask_in_batches, different_rows
from limbeck.methods.few_labels.method import FewLabels, TextPool
from limbeck.methods.few_labels.questions import CountedQuestions
from limbeck.teachers.closed import Closed

__all__ = ["SeveralLabels", "ask_for_labels"]


class SeveralLabels(Closed):
    """A function from n texts to the probability of each of k labels, (n, k).

    Parameters
    ----------
    ask : callable
        The function, which checks what it returns.
    labels : sequence of k str
        In the order of the columns.
    name : str
        For messages.
    """

    access = Access.SCORES | Access.QUERIES
    score_kind = ScoreKind.PROBABILITY

    def __init__(self, ask: Callable[[Any], Any], labels: list[str], name: str) -> None:
        self._ask, self.name = ask, name
        self.task = Task(tuple(labels), kind="multilabel")  # type: ignore[arg-type]

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of n texts, shape (n, k)."""
        return np.asarray(self._ask(X), dtype=np.float64)

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(f"{self.name} has no {what}.", "Ask for scores only.")


class _EachLabel(TextPool):
    """The student in between: a linear model for each label."""

    def guesses(
        self, learnt: NDArray[np.int64], soft: NDArray[np.float64], teacher: Teacher
    ) -> NDArray[np.float64]:
        """The probability of each label of all texts, shape (n, k)."""
        each = [self.probabilities(learnt, np.column_stack([1 - p, p]))[:, 1] for p in soft.T]
        return np.column_stack(each)

    def doubt(self, guess: NDArray[np.float64]) -> NDArray[np.float64]:
        """How unsure the least sure label is: one less the distance of its two answers."""
        return np.asarray(1 - np.abs(2 * guess - 1).min(axis=1))


def ask_for_labels(
    method: FewLabels,
    teacher: Teacher,
    rows: Rows,
    rng: np.random.Generator,
    most: int,
    progress: Progress,
) -> tuple[AskedRows, str]:
    """A random sample, then the texts on which any label is in doubt; as `FewLabels` does.

    Parameters
    ----------
    method : FewLabels
        The settings.
    teacher : Teacher
        Of several labels, with probabilities.
    rows : Rows
        The texts that may be asked about.
    rng : numpy.random.Generator
        The source of chance.
    most : int
        Questions at most.
    progress : Progress
        Told how many are labelled.

    Returns
    -------
    found : AskedRows
        The texts with their probabilities, (m, k).
    note : str
        How many, and why labelling ended.
    """
    order = different_rows(rows, rng)
    found = ask_in_batches(
        method, CountedQuestions(teacher, most), rows, order, most, rng, progress,
        lambda pool: _EachLabel(method, rows, pool),
    )  # fmt: skip
    note = (
        f"{plural(len(found.rows), 'text')} of {len(order):,} are labelled,"
        f" {min(found.random, len(found.rows)):,} of them at random. {found.stopped}"
    )
    return found, note
