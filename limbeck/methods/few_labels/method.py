"""A student of texts from few labels of a teacher: at random first, then where they teach most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from limbeck.core.columns import Rows
from limbeck.core.contract import MethodResult, Student, Teacher
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress, quiet
from limbeck.core.registry import METHODS
from limbeck.core.status import Status, StatusCode
from limbeck.methods.few_labels.acquisition import next_batch, uncertainty
from limbeck.methods.few_labels.labelling import (
    AskedRows,
    Labelling,
)
from limbeck.methods.soft_answers import soft_of
from limbeck.methods.text_method import AnsweredTexts
from limbeck.methods.text_tournament import DistillTexts
from limbeck.students.text_classifier.fitting import LinearFit, fit_path
from limbeck.students.text_classifier.ngrams import Ngrams, stacked
from limbeck.students.text_classifier.search import CHOICES, ORDERS

__all__ = ["RANDOM", "FewLabels", "TextPool"]

RANDOM = "as many random texts"
"""The baseline: the same student from as many texts chosen by chance."""
_PENALTY = 0.3  # over the number of labels: of the students in between


@METHODS.register("few_labels")
@dataclass(frozen=True)
class FewLabels(Labelling, DistillTexts):  # type: ignore[misc]  # what is asked has no weight
    """Ask about the texts that teach most, and fit students of texts to the answers.

    A random sample is asked about first: a part of it is held out to see how the student grows.
    Then batches follow of texts on which the student is unsure and that are unlike one another,
    until more labels no longer move the agreement on the part held out beyond chance
    (`limbeck.methods.few_labels.stopping`), or the budget ends. The last student learns from all.

    Parameters
    ----------
    among, embedding, width, ngrams, max_terms, min_texts, ordered
        As in `limbeck.methods.text_tournament.DistillTexts`.
    budget, batch, patience, labelling, compare_random
        As in `limbeck.methods.few_labels.labelling.Labelling`.

    Raises
    ------
    InvalidInput
        If a setting is out of range.
    """

    method: ClassVar[str] = "few_labels"
    default: ClassVar[bool] = False
    chosen_by: ClassVar[str] = "budget"
    effort: ClassVar[float] = 2.0
    name: ClassVar[str] = "few labels"
    unit: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        DistillTexts.__post_init__(self)
        Labelling.__post_init__(self)

    def _quick(self, rows: Rows, pool: NDArray[np.int64], seed: int) -> TextPool:
        return TextPool(self, rows, pool)

    def _taught(
        self, teacher: Teacher, rows: Rows, found: AskedRows, seed: int, told: str,
        progress: Progress,
    ) -> MethodResult:  # fmt: skip
        progress("fitting", 0, 1)
        data = self._answered(teacher, rows, found)
        fitted = self.fitted(data, seed, progress)
        return MethodResult(
            fitted.student, Status(StatusCode.COMPLETE, f"{told} {fitted.message}"),
            trace={**found.trace, **fitted.trace},
            rivals=self.taught_hard(data, fitted, seed, progress),
        )  # fmt: skip

    def _again(
        self, teacher: Teacher, rows: Rows, found: AskedRows, seed: int, trace: Mapping[str, Any]
    ) -> Student:
        data = self._answered(teacher, rows, found)
        made: Student = self.method_of(str(trace["kind"])).fitted(data, seed, quiet).student
        return made

    def _answered(self, teacher: Teacher, rows: Rows, found: AskedRows) -> AnsweredTexts:
        few, soft = rows[found.rows], soft_of(found.scores, teacher)
        return AnsweredTexts(few, soft, np.ones(len(few)), teacher.task)


class TextPool:
    """The texts that may be asked about, with n-grams that all of them decide.

    Parameters
    ----------
    method : FewLabels
        Says which n-grams.
    rows : Rows
        All texts.
    pool : ndarray of int
        Positions of those that may be asked about.
    """

    def __init__(self, method: FewLabels, rows: Rows, pool: NDArray[np.int64]) -> None:
        texts = rows.features.texts(rows[pool])
        units = CHOICES["both" if method.ngrams == "auto" else method.ngrams]
        most = method.max_terms // len(units)
        families = [Ngrams.of(texts, u, ORDERS[u], method.min_texts, most) for u in units]
        families = [f for f in families if len(f)]
        if not families:
            raise InvalidInput(
                f"No n-gram occurs in {method.min_texts} of the {len(texts):,} texts.",
                "Give more texts, or min_texts=1.",
            )
        self.design = stacked(families, texts)

    def guesses(
        self, learnt: NDArray[np.int64], soft: NDArray[np.float64], teacher: Teacher
    ) -> NDArray[np.float64]:
        """Probabilities (n, k), or values (n, 1), of a quick student.

        Parameters
        ----------
        learnt, soft, teacher
            As in `limbeck.methods.few_labels.labelling.QuickStudent`.
        """
        if teacher.task.classifies:
            return self.probabilities(learnt, soft)
        return self._fit(learnt, soft, False).scores(self.design)

    def probabilities(
        self, learnt: NDArray[np.int64], soft: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Probabilities (n, k) of all texts, from soft answers to some.

        Parameters
        ----------
        learnt : ndarray of shape (m,)
            Texts that have an answer.
        soft : ndarray of shape (m, k)
            These answers.
        """
        total = self._fit(learnt, soft, True).scores(self.design)
        if total.shape[1] == 1:
            return np.hstack([expit(-total), expit(total)])
        return np.asarray(softmax(total, axis=1))

    def _fit(
        self, learnt: NDArray[np.int64], soft: NDArray[np.float64], classifies: bool
    ) -> LinearFit:
        path = (0.1, min(0.05, _PENALTY / len(learnt)))
        *_, fit = fit_path(self.design[learnt], soft, np.ones(len(learnt)), classifies, path)
        return fit

    def doubt(self, guess: NDArray[np.float64]) -> NDArray[np.float64]:
        """How unsure the student is of each text, shape (n,).

        Parameters
        ----------
        guess : ndarray of shape (n, k)
            As `guesses` returned it.
        """
        return uncertainty(guess) if guess.shape[1] > 1 else np.ones(len(guess))

    def choose(
        self, guess: NDArray[np.float64], free: NDArray[np.int64], size: int, rng: Any
    ) -> NDArray[np.int64]:
        """The next texts.

        Parameters
        ----------
        guess, free, size, rng
            As in `limbeck.methods.few_labels.labelling.QuickStudent`.
        """
        return next_batch(self.design, self.doubt(guess), free, size, rng)
