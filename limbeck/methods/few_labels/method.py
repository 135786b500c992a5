"""A student of texts from few labels of a teacher: at random first, then where they teach most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from limbeck.core.columns import Rows
from limbeck.core.contract import MethodResult, Teacher
from limbeck.core.errors import InvalidInput, plural
from limbeck.core.progress import Progress
from limbeck.core.registry import METHODS
from limbeck.core.status import Status, StatusCode
from limbeck.methods.few_labels.acquisition import next_batch, uncertainty
from limbeck.methods.few_labels.labelling import (
    AskedRows,
    Labelling,
    ask_in_batches,
    different_rows,
    random_sample,
)
from limbeck.methods.few_labels.questions import CountedQuestions
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

    def labelled(
        self,
        questions: CountedQuestions,
        rows: Rows,
        rng: np.random.Generator,
        progress: Progress,
        most: int,
    ) -> tuple[MethodResult, AskedRows]:
        """The student, and what was asked for it: see `Labelling`."""
        teacher, order = questions.teacher, different_rows(rows, rng)
        choice = int(rng.integers(2**31))
        found = ask_in_batches(
            self,
            questions,
            rows,
            order,
            most,
            rng,
            progress,
            lambda pool: TextPool(self, rows, pool),
        )
        progress("fitting", 0, 1)
        task, few = teacher.task, rows[found.rows]
        data = AnsweredTexts(few, soft_of(found.scores, teacher), np.ones(len(few)), task)
        fitted = self.fitted(data, choice, progress)
        message = (
            f"{plural(len(found.rows), 'text')} of {len(order):,} are labelled,"
            f" {min(found.random, len(found.rows)):,} of them at random. {found.stopped}"
            f" {fitted.message}"
        )
        trace = {**found.trace, **fitted.trace}
        result = MethodResult(
            fitted.student, Status(StatusCode.COMPLETE, message), trace=trace,
            rivals=self.taught_hard(data, fitted, choice, progress),
        )  # fmt: skip
        return result, found

    def random_texts(
        self,
        teacher: Teacher,
        rows: Rows,
        found: AskedRows,
        rng: np.random.Generator,
        kind: str,
    ) -> tuple[Any, int]:
        """The same kind of student from as many texts chosen by chance.

        Parameters
        ----------
        teacher : Teacher
            It is asked beyond the budget.
        rows : Rows
            All texts.
        found : AskedRows
            What was asked, whose beginning was chosen by chance.
        rng : numpy.random.Generator
            As it was given to `labelled`.
        kind : str
            The kind of the student.

        Returns
        -------
        student : Student
            The baseline.
        asked : int
            Texts that were asked about for it.
        """
        order, task = different_rows(rows, rng), teacher.task
        choice = int(rng.integers(2**31))
        own, scores, asked = random_sample(teacher, rows, order, found)
        few, soft = rows[own], soft_of(scores, teacher)
        data = AnsweredTexts(few, soft, np.ones(len(few)), task)
        return self.method_of(kind).fitted(data, choice, lambda *_: None).student, asked


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
