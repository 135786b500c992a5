"""What services have in common as teachers: store, budget, rows without an answer."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.evidence import first
from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, InvalidInput, TeacherFailed, plural, whole_number
from limbeck.core.progress import Progress, quiet, shown
from limbeck.core.task import Task
from limbeck.teachers.answer_store import AnswerStore, question_key
from limbeck.teachers.closed import Closed
from limbeck.teachers.endpoints.client import Client, Job
from limbeck.teachers.endpoints.json_rows import whole_as_int
from limbeck.teachers.endpoints.paid_answers import PaidAnswers, RowWithoutAnswer
from limbeck.teachers.endpoints.repeatability import (
    Repeatability,
    better_than_chance,
    repeatability_of,
)
from limbeck.teachers.endpoints.spending import CostEstimate, Spending, Usage

__all__ = ["Asked", "OutsideAnswer", "PaidTeacher", "ScoredAnswer", "no_queries"]

_TESTED = 100  # labelled rows by which a teacher is compared with chance
_FEWEST = 10


class OutsideAnswer(Exception):
    """An answer that is none of the classes; limbeck's own signal, never shown to users."""


@dataclass(frozen=True)
class Asked:
    """One question: its key in the store, and what is asked.

    Parameters
    ----------
    key : bytes
        See `limbeck.teachers.answer_store.question_key`.
    content : JSON value
        The row, or the text about it.
    """

    key: bytes
    content: Any


@dataclass(frozen=True)
class ScoredAnswer:
    """What a stored answer says: scores of k outputs, and between what they lie.

    Parameters
    ----------
    scores, low, high : sequence of float, k each
        See `PaidAnswers`.
    """

    scores: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]

    @classmethod
    def exactly(cls, scores: Sequence[float]) -> ScoredAnswer:
        """Scores that are known as they are.

        Parameters
        ----------
        scores : sequence of float
            k of them.
        """
        return cls(scores, scores, scores)


class PaidTeacher(Closed):
    """A service that answers rows; subclasses say what a request is and how a reply is read.

    It grants scores of the rows that are given; with ``allow_queries`` also of rows that methods
    make up, each of which is a question that costs.

    Parameters
    ----------
    client : Client
        How the service is called.
    task : Task
        What is predicted.
    name : str
        For reports.
    batch : int
        Rows in one request.
    spending : Spending
        The budget.
    store : AnswerStore, path or None
        Where answers are kept.
    allow_queries : bool
        Whether methods may ask about rows of their own.
    progress : bool or None
        A bar with the cost so far; None shows it on a terminal only.
    """

    score_kind: ScoreKind
    force: bool = False
    """Whether to ask on where answers are no better than chance."""
    repeated: Repeatability | None = None
    """What `repeatability` found; None before it."""

    def __init__(
        self,
        client: Client,
        task: Task,
        name: str,
        *,
        batch: int,
        spending: Spending,
        store: AnswerStore | str | os.PathLike[str] | None,
        allow_queries: bool,
        progress: bool | None,
    ) -> None:
        self.client, self.task, self.name = client, task, name
        self.batch, self.spending, self.progress = batch, spending, progress
        self.store = store if isinstance(store, AnswerStore) else AnswerStore(store)
        self.access = Access.SCORES | (Access.QUERIES if allow_queries else Access.SCORES)

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """All that may change an answer, beside the row: a part of the key of every answer."""

    @abstractmethod
    def _contents(self, X: Any) -> list[Any]:
        """What is asked about each row, as JSON."""

    @abstractmethod
    def _body(self, questions: Sequence[Asked]) -> Any:
        """The JSON of a request."""

    @abstractmethod
    def _usage(self, contents: Sequence[Any]) -> Usage:
        """Tokens of a request, about."""

    @abstractmethod
    def _replies(self, reply: Any, n: int, probing: bool = False) -> tuple[list[Any], Usage]:
        """What is stored of a reply to n questions, and its tokens; raises `UnusableReply`."""

    @abstractmethod
    def _scored(self, stored: Any) -> ScoredAnswer:
        """What a stored answer says; raises `OutsideAnswer` where it is none of the classes."""

    def _ready(self, X: Any) -> None:
        """What is found out of the service before the first question, if anything."""

    def estimate(self, X: Any, *, draw: int = 0) -> CostEstimate:
        """What it will take to answer rows; nothing is asked.

        Parameters
        ----------
        X : table of n rows
            The rows.
        draw : int
            As for `answers`.
        """
        return self._estimate(*self._questions_of([X], draw))

    def answers(self, X: Any, *, draw: int = 0) -> PaidAnswers:
        """Ask about rows; what is stored, or asked twice, costs nothing.

        Every answer is stored as it comes, so that work that was cut off goes on where it was.

        Parameters
        ----------
        X : table of n rows
            The rows.
        draw : int
            Further draws are further questions: the same rows asked again, to see whether the
            answers stay.

        Returns
        -------
        PaidAnswers
            Rows without an answer are listed with the reason, and are asked again next time.

        Raises
        ------
        InvalidInput
            If the budget does not cover it; nothing is asked then.
        TeacherFailed
            If the service refuses all questions.
        """
        self._ready(X)
        return self._answers(*self._questions_of([X], draw))

    def _answers(self, questions: Sequence[Asked], known: dict[bytes, Any]) -> PaidAnswers:
        self.spending.check(self._estimate(questions, known))
        before = self.spending.requests, self.spending.cost
        open_ = _without_repeats(questions, known)
        failed = self._ask(open_) if open_ else {}
        if open_:
            known |= self.store.get([q.key for q in open_])
        return self._read(questions, known, failed, len(open_), before)

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Scores of shape (n, k).

        Parameters
        ----------
        X : table of n rows
            The rows.

        Raises
        ------
        InvalidInput
            If the budget does not cover it; nothing is asked then.
        TeacherFailed
            If a row has no answer; all others are stored.
        """
        return self._complete(self.answers(X))

    def _complete(self, found: PaidAnswers) -> NDArray[np.float64]:
        """The scores; refused where a row has no answer."""
        if found.missing:
            rows = [m.row for m in found.missing]
            shown_rows = ", ".join(map(str, rows[:10])) + (", ..." if len(rows) > 10 else "")
            raise TeacherFailed(
                f"{self.name} gave no usable answer to {plural(len(rows), 'row')} of"
                f" {len(found.scores):,} (positions {shown_rows}): {found.missing[0].reason}.",
                "The answers to all others are stored. Ask again, or leave these rows out:"
                " X[teacher.answers(X).answered].",
            )
        return found.scores

    def repeatability(self, X: Any, times: int = 5) -> Repeatability:
        """Ask the same questions several times, and count which answers changed.

        Parameters
        ----------
        X : table of n rows
            The rows; each is asked ``times`` times, but for answers that are stored.
        times : int
            How often, 2 or more.
        """
        whole_number("times", times, 2)
        scores = [self.answers(X, draw=draw).scores for draw in range(times)]
        self.repeated = repeatability_of(np.stack(scores))
        return self.repeated

    def check_before(self, parts: Sequence[Any], labelled: Any, codes: Any) -> str:
        """Refuse what the budget does not cover, and a teacher no better than chance; ask the rest.

        Parameters
        ----------
        parts : sequence of tables
            All rows that will be asked about.
        labelled : table of m rows, or None
            Those with a label; about the first hundred are asked about before the others.
        codes : ndarray of int, shape (m,), or None
            Their labels as positions of classes.

        Returns
        -------
        str
            What was found, in a sentence.

        Raises
        ------
        InvalidInput
            If the budget does not cover it, or answers are no better than chance.
        TeacherFailed
            If a row has no answer.
        """
        self._ready(parts[0])
        estimate = self._estimate(*self._questions_of(parts, 0))
        self.spending.check(estimate)
        said = str(estimate)
        if labelled is not None and self.task.classifies and len(codes) >= _FEWEST:
            said += f" {self._tested(labelled, codes)}"
        self._complete(self._answers(*self._questions_of(parts, 0)))
        return said

    def _tested(self, labelled: Any, codes: NDArray[Any]) -> str:
        """A comparison with chance on some labelled rows; refused where it is no better."""
        found = self.answers(first(labelled, self.batch * -(-_TESTED // self.batch)))
        if not found.answered.any():
            self._complete(found)
        told = found.scores[found.answered].argmax(axis=1)
        test = better_than_chance(
            told, codes[: len(found.scores)][found.answered], self.task.outputs
        )
        if not test.better and not self.force:
            raise InvalidInput(
                f"{self.name} is no better than chance on the labels: {test}.",
                "Improve the prompt, check classes and labels, or give force=True to the teacher.",
            )
        return f"{self.name}: {test}."

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(
            f"{self.name} is a service without {what}.", "Use a method that asks for scores only."
        )

    def _questions_of(
        self, parts: Sequence[Any], draw: int
    ) -> tuple[list[Asked], dict[bytes, Any]]:
        """A question for each row of all parts, and the answers that are stored."""
        own = self.identity()
        questions = [
            self._question(own, content, draw) for X in parts for content in self._contents(X)
        ]
        return questions, self.store.get([q.key for q in questions])

    @staticmethod
    def _question(own: Mapping[str, Any], content: Any, draw: int) -> Asked:
        return Asked(question_key({**own, "content": whole_as_int(content), "draw": draw}), content)

    def _estimate(self, questions: Sequence[Asked], known: dict[bytes, Any]) -> CostEstimate:
        open_ = _without_repeats(questions, known)
        usages = [self._usage([q.content for q in job.questions]) for job in self._jobs(open_)]
        return CostEstimate(
            rows=len(questions),
            stored=sum(q.key in known for q in questions),
            questions=len(open_),
            requests=len(usages),
            input_tokens=sum(u.input_tokens for u in usages),
            output_tokens=sum(u.output_tokens for u in usages),
            cost=sum(self.spending.price.of(u) for u in usages),
            currency=self.spending.price.currency,
            store=str(self.store.path),
            kept=len(self.store),
        )

    def _jobs(self, questions: Sequence[Asked]) -> list[Job[Asked]]:
        parts = [questions[i : i + self.batch] for i in range(0, len(questions), self.batch)]
        price = self.spending.price
        return [Job(part, price.of(self._usage([q.content for q in part]))) for part in parts]

    def _ask(self, questions: Sequence[Asked], probing: bool = False) -> dict[bytes, str]:
        """Ask, store what comes, and return why the rest has no answer."""
        done = 0
        with ExitStack() as stack:
            tell = self._shown(stack)

            def keep(job: Job[Asked], reply: Any) -> float:
                nonlocal done
                stored, usage = self._replies(reply, len(job.questions), probing)
                cost = self.spending.price.of(usage)
                keys = [q.key for q in job.questions]
                self.store.add(self.name, zip(keys, stored, strict=True), cost)
                done += len(keys)
                tell(self._stage(cost), done, len(questions))
                return cost

            failed = self.client.ask(
                self._jobs(questions), self._body, keep, self.spending, self._still_open
            )
        return {question.key: reason for question, reason in failed}

    def _shown(self, stack: ExitStack) -> Progress:
        """A bar, unless another one is on the terminal already."""
        from rich.errors import LiveError

        try:
            return stack.enter_context(shown(self.progress))
        except LiveError:
            return quiet

    def _stage(self, cost: float) -> str:
        spent = self.spending.cost + cost
        money = f", {spent:.4g} {self.spending.price.currency}" if spent else ""
        return f"asking {self.name} ({self.spending.requests:,} requests{money})"

    def _still_open(self, job: Job[Asked]) -> Job[Asked] | None:
        """What another process has not answered meanwhile."""
        known = self.store.get([q.key for q in job.questions])
        left = [q for q in job.questions if q.key not in known]
        return Job(left, job.reserve) if left else None

    def _read(
        self,
        questions: Sequence[Asked],
        known: dict[bytes, Any],
        failed: dict[bytes, str],
        asked: int,
        before: tuple[int, float],
    ) -> PaidAnswers:
        """The answers row by row; NaN where there is none."""
        shape = (len(questions), self.task.outputs)
        scores, low, high = (np.full(shape, np.nan) for _ in range(3))
        missing = []
        for row, question in enumerate(questions):
            if question.key not in known:
                reason = failed.get(question.key, "it was not asked")
                missing.append(RowWithoutAnswer(row, reason))
                continue
            try:
                found = self._scored(known[question.key])
            except OutsideAnswer as error:
                missing.append(RowWithoutAnswer(row, str(error), outside=True))
                continue
            scores[row], low[row], high[row] = found.scores, found.low, found.high
        return PaidAnswers(
            scores, low, high, tuple(missing), asked,
            self.spending.requests - before[0], self.spending.cost - before[1],
            self.spending.price.currency,
        )  # fmt: skip


def _without_repeats(questions: Sequence[Asked], known: dict[bytes, Any]) -> list[Asked]:
    """The questions that no stored answer and no earlier row answers."""
    once = {q.key: q for q in questions if q.key not in known}
    return list(once.values())


def no_queries(name: str) -> str:
    """The sentence that methods ask no questions of their own.

    Parameters
    ----------
    name : str
        Of the teacher.
    """
    return (
        f"{name} is asked about the given rows only, since questions cost; allow_queries=True lets"
        " methods ask about fresh rows."
    )
