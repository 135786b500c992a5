"""Which rows are asked about: some at random, then batches of those that teach most."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import MethodResult, Student, Teacher
from limbeck.core.errors import InvalidInput, did_you_mean, plural, whole_number
from limbeck.core.progress import Progress
from limbeck.core.task import TaskKind
from limbeck.methods.few_labels.questions import CountedQuestions, answered
from limbeck.methods.few_labels.stopping import LearningCurve
from limbeck.methods.soft_answers import soft_of

__all__ = [
    "AskedRows",
    "Labelling",
    "QuickStudent",
    "ask_in_batches",
    "compared",
    "different_rows",
    "random_sample",
]

_POOL = 20_000
_HELD_OUT = (50, 500)


@dataclass(frozen=True, kw_only=True)
class Labelling:
    """A method that asks about some of the rows: settings, and the way from them to a student.

    Parameters
    ----------
    budget : int
        Questions at most, with those of the certificate.
    batch : int
        Labels between two looks.
    patience : int
        Looks without a move after which labelling ends.
    labelling : {"active", "random"}
        Which rows follow the random sample.
    compare_random : bool, optional
        Also ask about as many rows chosen by chance, for a baseline, beyond the budget; by default
        where the teacher is no service that costs.

    Raises
    ------
    InvalidInput
        If a setting is out of range.
    """

    unit: ClassVar[str] = "row"

    budget: int = 3_000
    batch: int = 100
    patience: int = 3
    labelling: str = "active"
    compare_random: bool | None = None

    def __post_init__(self) -> None:
        whole_number("budget", self.budget, 1)
        whole_number("batch", self.batch, 1)
        whole_number("patience", self.patience, 1)
        if self.labelling not in ("active", "random"):
            raise InvalidInput(
                f"labelling is {self.labelling!r}.",
                did_you_mean(str(self.labelling), ["active", "random"]),
            )

    def distill(
        self, teacher: Teacher, rows: Rows, rng: np.random.Generator, progress: Progress
    ) -> MethodResult:
        """Ask about some of the rows, and make the student; none of them has a weight.

        Parameters
        ----------
        teacher, rows, rng, progress
            As in `limbeck.core.contract.Method.distill`.
        """
        questions = CountedQuestions(teacher, self.budget)
        return self.labelled(questions, rows, rng, progress, self.budget)[0]

    def labelled(
        self,
        questions: CountedQuestions,
        rows: Rows,
        rng: np.random.Generator,
        progress: Progress,
        most: int,
    ) -> tuple[MethodResult, AskedRows]:
        """The student, and what was asked for it.

        Parameters
        ----------
        questions : CountedQuestions
            The teacher, and what it was asked.
        rows, rng, progress
            As in `limbeck.core.contract.Method.distill`.
        most : int
            Answers at most; the rest of the budget is the certificate's.
        """
        order = different_rows(rows, rng)
        seed = int(rng.integers(2**31))
        found = ask_in_batches(
            self, questions, rows, order, most, rng, progress,
            lambda pool: self._quick(rows, pool, seed),
        )  # fmt: skip
        told = (
            f"{plural(len(found.rows), self.unit)} of {len(order):,} are labelled,"
            f" {min(found.random, len(found.rows)):,} of them at random. {found.stopped}"
        )
        return self._taught(questions.teacher, rows, found, seed, told, progress), found

    def random_rows(
        self,
        teacher: Teacher,
        rows: Rows,
        found: AskedRows,
        rng: np.random.Generator,
        trace: Mapping[str, Any],
    ) -> tuple[Student, int]:
        """The same student from as many rows chosen by chance, and how many questions were new.

        Parameters
        ----------
        teacher : Teacher
            It is asked beyond the budget.
        rows : Rows
            All rows.
        found : AskedRows
            What was asked, whose beginning was chosen by chance.
        rng : numpy.random.Generator
            As it was given to `labelled`.
        trace : mapping
            Of the student, which says what is made again.
        """
        order = different_rows(rows, rng)
        seed = int(rng.integers(2**31))
        own, scores, asked = random_sample(teacher, rows, order, found)
        few = replace(found, rows=own, scores=scores)
        return self._again(teacher, rows, few, seed, trace), asked

    @abstractmethod
    def _quick(self, rows: Rows, pool: NDArray[np.int64], seed: int) -> QuickStudent:
        """What is trained between two batches, of the rows of the pool."""

    @abstractmethod
    def _taught(
        self, teacher: Teacher, rows: Rows, found: AskedRows, seed: int, told: str,
        progress: Progress,
    ) -> MethodResult:  # fmt: skip
        """The student of the answers; ``told`` is how they came about, in sentences."""

    @abstractmethod
    def _again(
        self, teacher: Teacher, rows: Rows, found: AskedRows, seed: int, trace: Mapping[str, Any]
    ) -> Student:
        """The student of other answers, made as the trace says."""


class QuickStudent(Protocol):
    """What is trained between two batches, and says which rows follow; rows by their place."""

    def guesses(
        self, learnt: NDArray[np.int64], soft: NDArray[np.float64], teacher: Teacher
    ) -> NDArray[np.float64]:
        """Probabilities (n, k), or values (n, 1), of all rows, from the answers to some.

        Parameters
        ----------
        learnt : ndarray of shape (m,)
            Rows that have an answer.
        soft : ndarray of shape (m, k)
            These answers.
        teacher : Teacher
            Whose they are.
        """
        ...

    def choose(
        self, guess: NDArray[np.float64], free: NDArray[np.int64], size: int, rng: Any
    ) -> NDArray[np.int64]:
        """The next rows, of those that are free.

        Parameters
        ----------
        guess : ndarray of shape (n, k)
            As `guesses` returned it.
        free : ndarray of shape (f,)
            Rows that have no answer yet.
        size : int
            How many follow, at most.
        rng : Generator
            Draws what is random.
        """
        ...


@dataclass(frozen=True, eq=False)
class AskedRows:
    """What was asked about, in the order of the questions.

    Parameters
    ----------
    rows : ndarray of shape (m,)
        Positions of the rows with an answer.
    scores : ndarray of shape (m, k)
        The teacher's answers.
    random : int
        How many questions at the beginning were chosen by chance.
    curve : LearningCurve
        The students in between, on rows held out.
    stopped : str
        Why labelling ended.
    held : int
        How many of the answers, at the beginning, were held out to see how the student grows.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    random: int
    curve: LearningCurve
    stopped: str
    held: int = 0

    @property
    def trace(self) -> dict[str, Any]:
        """What a result tells of the questions."""
        return {
            "labels": len(self.rows),
            "labelled_at_random": self.random,
            "learning_curve": [[r.labels, r.agreement, r.moved] for r in self.curve.rounds],
        }


def ask_in_batches(
    settings: Labelling,
    questions: CountedQuestions,
    rows: Rows,
    order: NDArray[np.int64],
    most: int,
    rng: np.random.Generator,
    progress: Progress,
    make: Any,
) -> AskedRows:
    """Batches of questions, until more labels do not pay or there are no more.

    Parameters
    ----------
    settings : Labelling
        How.
    questions : CountedQuestions
        The teacher, and what it was asked.
    rows : Rows
        All rows.
    order : ndarray of int
        The different rows, in random order.
    most : int
        Answers at most.
    rng : numpy.random.Generator
        The source of chance.
    progress : Progress
        Told how many are labelled.
    make : callable
        From positions of rows to the `QuickStudent` of these rows.
    """
    pool = order[:_POOL]
    most = min(most, len(pool))
    held = int(np.clip(most // 6, *_HELD_OUT)) if most >= 2 * _HELD_OUT[0] else 0
    first = min(held + settings.batch, most)
    work: QuickStudent = make(pool)
    curve, taken = LearningCurve(settings.patience), list(range(first))
    scores = questions.ask(rows[pool[:first]])
    stopped, units = "All of the budget for labels is used.", f"{settings.unit}s"
    several = questions.teacher.task.kind is TaskKind.MULTILABEL
    while held:
        progress(_stage(questions), len(taken), most)
        at = np.array(taken)
        good = answered(scores)
        soft = np.zeros_like(scores)
        soft[good] = soft_of(scores[good], questions.teacher)
        learnt, test = at[held:][good[held:]], at[:held][good[:held]]
        if len(learnt) < 2 or len(test) < 2:
            stopped = f"Too few {units} had an answer to go on."
            break
        guess = work.guesses(learnt, soft[held:][good[held:]], questions.teacher)
        if not curve.add(len(learnt), *compared(guess[test], soft[:held][good[:held]], several)):
            stopped = (
                f"The last {settings.patience * settings.batch:,} labels did not move the"
                f" agreement on {plural(len(test), settings.unit)} held out beyond chance."
            )
            break
        free = np.setdiff1d(np.arange(len(pool)), at)
        size = min(settings.batch, most - len(taken))
        if not size or not len(free):
            stopped = stopped if len(free) else f"All {units} are labelled."
            break
        batch = (
            work.choose(guess, free, size, rng)
            if settings.labelling == "active"
            else free[np.argsort(rng.permutation(len(free)))][:size]
        )
        scores = np.vstack([scores, questions.ask(rows[pool[batch]])])
        taken += batch.tolist()
    good = answered(scores)
    return AskedRows(
        pool[np.array(taken)][good], scores[good], first, curve, stopped, int(good[:held].sum())
    )


def random_sample(
    teacher: Teacher, rows: Rows, order: NDArray[np.int64], found: AskedRows
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """As many rows chosen by chance, with their answers; what is known is not asked again.

    Parameters
    ----------
    teacher : Teacher
        It is asked beyond the budget.
    rows : Rows
        All rows.
    order : ndarray of int
        As `ask_in_batches` got it.
    found : AskedRows
        What was asked, whose beginning was chosen by chance.

    Returns
    -------
    rows : ndarray of int
        Their positions.
    scores : ndarray of shape (m, k)
        The answers.
    asked : int
        How many questions were new.
    """
    known = dict(zip(found.rows.tolist(), found.scores, strict=True))
    own = order[: len(found.rows)]
    new = np.array([i for i in own.tolist() if i not in known], dtype=np.int64)
    more = CountedQuestions(teacher, len(new)).ask(rows[new]) if len(new) else ()
    known |= dict(zip(new.tolist(), more, strict=True))
    scores = np.array([known[i] for i in own.tolist()])
    good = answered(scores)
    return own[good], scores[good], len(new)


def different_rows(rows: Rows, rng: np.random.Generator) -> NDArray[np.int64]:
    """Positions of the different rows, in random order.

    Parameters
    ----------
    rows : Rows
        The rows.
    rng : numpy.random.Generator
        Of the order.
    """
    values = np.ascontiguousarray(rows.values + 0.0)  # -0.0 is 0.0; as bytes NaN equals itself
    whole = values.view(f"V{values.itemsize * values.shape[1]}")[:, 0]
    first = np.unique(whole, return_index=True)[1]
    return rng.permutation(np.sort(first))


def compared(
    guess: NDArray[np.float64], soft: NDArray[np.float64], several: bool = False
) -> tuple[NDArray[np.float64], float]:
    """Errors on rows, and the agreement there, or the share of variance that is explained.

    Parameters
    ----------
    guess, soft : ndarray of shape (n, k)
        Probabilities or values, of the student and of the teacher.
    several : bool
        Whether these are several labels at once, all of which must be the same.
    """
    if several:
        wrong = ((guess > 0.5) != (soft > 0.5)).any(axis=1).astype(float)
        return wrong, float(1 - wrong.mean())
    if soft.shape[1] > 1:
        wrong = (guess.argmax(axis=1) != soft.argmax(axis=1)).astype(float)
        return wrong, float(1 - wrong.mean())
    off = np.abs(guess[:, 0] - soft[:, 0])
    return off, float(1 - (off**2).mean() / max(soft.var(), 1e-300))


def _stage(questions: CountedQuestions) -> str:
    cost = f", cost {questions.cost:.4g}" if questions.cost else ""
    return f"labelling ({questions.asked:,} questions{cost})"
