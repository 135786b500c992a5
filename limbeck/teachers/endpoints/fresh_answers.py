"""Rows in random order with a teacher's answers, asked a few at a time, for a certificate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binom

from limbeck.certificates.binomial import smallest_n
from limbeck.certificates.evidence import count, take
from limbeck.core.answers import answers
from limbeck.core.certificate import Certificate
from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput, plural, whole_number
from limbeck.teachers.endpoints.paid_answers import RowWithoutAnswer
from limbeck.teachers.endpoints.paid_teacher import PaidTeacher

__all__ = ["FreshAnswers", "QuestionsSaved", "fresh_answers", "rows_planned"]


@dataclass(frozen=True)
class QuestionsSaved:
    """What stopping early saved, against a number of rows that is fixed beforehand.

    Parameters
    ----------
    asked : int
        Rows that were asked about.
    fixed : int or None
        See `rows_planned`, at the rate of errors seen; None where losses are no counts, no
        number below a million would do, or what was asked for is not reached.
    cost, saved_cost : float
        What was paid, and what the questions saved would have cost at the same price each.
    currency : str
        In what.
    note : str
        What else must be known: rows without an answer, answers that change.
    """

    asked: int
    fixed: int | None
    cost: float
    saved_cost: float
    currency: str
    note: str

    def __str__(self) -> str:
        money = f" for {self.cost:.4g} {self.currency}" if self.cost else ""
        out = f"{plural(self.asked, 'question')}{money}."
        if self.fixed is not None:
            less = self.fixed - self.asked
            out += (
                f" A number fixed beforehand would be {self.fixed:,}, to reach it with 95% chance"
                " at this rate of errors: "
            )
            out += f"{less:,} saved" if less >= 0 else f"{-less:,} more"
            out += f", {self.saved_cost:.4g} {self.currency}." if self.cost and less > 0 else "."
        return " ".join(part for part in (out, self.note) if part)


class FreshAnswers(Iterator[tuple[Any, Any]]):
    """Batches of rows with a teacher's answers, drawn without replacement in random order.

    The order depends on the seed alone, never on rows or answers: what was asked about until one
    stops is a plain random sample of the rows. Rows without an answer are left out, and counted.

    Parameters
    ----------
    teacher : Teacher
        Whom to ask.
    rows : table of n rows
        Fresh rows, independent draws from the inputs that the student will meet.
    batch : int
        Rows asked about at once.
    seed : int
        Of the order.
    """

    def __init__(self, teacher: Teacher, rows: Any, batch: int = 8, seed: int = 0) -> None:
        n = count(rows)
        if n < 1:
            raise InvalidInput("There is no row.", "Give fresh rows.")
        self.teacher, self.rows, self.batch = teacher, rows, whole_number("batch", batch, 1)
        self.order = np.random.default_rng(seed).permutation(n)
        self.asked = 0
        self.cost = 0.0
        self.missing: list[RowWithoutAnswer] = []

    def __iter__(self) -> FreshAnswers:
        """Itself."""
        return self

    def __next__(self) -> tuple[Any, Any]:
        """The next rows and their answers."""
        task = self.teacher.task
        while self.asked < len(self.order):
            places = self.order[self.asked : self.asked + self.batch]
            some = take(self.rows, places)
            if isinstance(self.teacher, PaidTeacher):
                found = self.teacher.answers(some)
                self.cost += found.cost
                self.missing += [
                    RowWithoutAnswer(int(places[m.row]), m.reason, m.outside) for m in found.missing
                ]
                some, scores = take(some, found.answered), found.scores[found.answered]
            else:
                scores = self.teacher.scores(some)
            self.asked += len(places)
            if len(scores):
                told = answers(scores, task)
                return some, task.labels[told] if task.classifies else told
        raise StopIteration

    def saved(self, certificate: Certificate) -> QuestionsSaved:
        """Questions and money saved against a number of rows that is fixed beforehand.

        Parameters
        ----------
        certificate : Certificate
            What `limbeck.certify` made of these draws.
        """
        level = certificate.delta / certificate.settings.get("candidates", 1)
        asked_for = certificate.asked
        fixed = None
        counts = certificate.loss in ("disagreement", "exceeds")
        if asked_for is not None and certificate.reached and counts:
            fixed = rows_planned(certificate.mean_loss, asked_for, level)
        each = self.cost / self.asked if self.asked else 0.0
        less = 0 if fixed is None else max(0, fixed - self.asked)
        price = getattr(getattr(self.teacher, "spending", None), "price", None)
        currency = "" if price is None else str(price.currency)
        note = self._note()
        if not certificate.reached:
            note = f"What was asked for is not reached, so nothing was saved. {note}".strip()
        return QuestionsSaved(self.asked, fixed, self.cost, each * less, currency, note)

    def _note(self) -> str:
        out = ""
        if self.missing:
            out = (
                f"{plural(len(self.missing), 'row')} had no answer: the certificate is about rows"
                " that the teacher answers."
            )
        repeated = self.teacher.repeated if isinstance(self.teacher, PaidTeacher) else None
        if repeated is not None and not repeated.is_function:
            out += f" {repeated}"
        return out.strip()


def rows_planned(rate: float, epsilon: float, delta: float, chance: float = 0.95) -> int | None:
    """The number of rows to fix beforehand, so that a certificate is reached with some chance.

    The smallest n for which the exact binomial bound (Clopper and Pearson 1934) reaches epsilon
    in spite of as many errors as a binomial variable has at most with that chance.

    Parameters
    ----------
    rate : float
        The rate of errors, in [0, 1].
    epsilon, delta : float
        The bound that is wanted, and the probability that it is wrong.
    chance : float
        The probability that it is reached.

    Returns
    -------
    int or None
        None where a million rows would not do.

    Examples
    --------
    >>> rows_planned(0.0, 0.05, 0.05), rows_planned(0.01, 0.05, 0.05)
    (59, 181)
    """
    errors, n = 0, smallest_n(epsilon, delta)
    while n <= 1_000_000 and rate < epsilon:
        if binom.cdf(errors, n, rate) >= chance:
            return n
        errors += max(1, errors // 50)
        n = smallest_n(epsilon, delta, errors)
    return None


def fresh_answers(teacher: Teacher, rows: Any, *, batch: int = 8, seed: int = 0) -> FreshAnswers:
    """Rows with a teacher's answers, asked a few at a time until a certificate needs no more.

    Parameters
    ----------
    teacher : Teacher
        A service, or what `limbeck.as_teacher` made of a model.
    rows : table of n rows
        Fresh rows, independent draws from the inputs that the student will meet.
    batch : int
        Rows asked about at once: at most ``batch - 1`` answers more than needed are paid for.
    seed : int
        Of the order in which rows are asked about.

    Returns
    -------
    FreshAnswers
        For ``limbeck.certify(student, until=0.05, draws=...)``; its `FreshAnswers.saved` then
        says what stopping early saved.

    Raises
    ------
    InvalidInput
        If there is no row, or the teacher is none.

    Examples
    --------
    >>> import numpy as np
    >>> import limbeck
    >>> from limbeck.students import Tree
    >>> X = np.random.default_rng(0).random((2000, 1))
    >>> student = Tree(max_leaves=2).fit(X[:500], X[:500, 0] > 0.5)
    >>> teacher = limbeck.as_teacher(lambda rows: rows[:, 0] > 0.5, classes=(False, True))
    >>> draws = limbeck.fresh_answers(teacher, X[500:])
    >>> certificate = limbeck.certify(student, until=0.05, draws=draws)
    >>> certificate.reached, draws.asked
    (True, 72)
    """
    if not isinstance(teacher, Teacher):
        raise InvalidInput(
            f"A {type(teacher).__name__} is not yet a teacher.", "Give limbeck.as_teacher(model)."
        )
    return FreshAnswers(teacher, rows, batch, seed)
