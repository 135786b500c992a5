"""The steps of a distillation from few labels; the certificate asks no more than it must."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.api.distill_table import TableSteps, Taught
from limbeck.api.prepare.table import Known, LabelledRows
from limbeck.certificates.certify import certify
from limbeck.certificates.sequential import AnytimeBound
from limbeck.core.answers import answers
from limbeck.core.certificate import Certificate
from limbeck.core.columns import Features
from limbeck.core.contract import MethodResult, Student, Teacher
from limbeck.core.errors import InvalidInput, plural
from limbeck.core.progress import Progress
from limbeck.evaluation.comparison import Comparison
from limbeck.evaluation.holdout import Apart
from limbeck.methods.few_labels.few_rows import FewRows
from limbeck.methods.few_labels.labelling import AskedRows, different_rows
from limbeck.methods.few_labels.method import RANDOM, FewLabels
from limbeck.methods.few_labels.questions import CountedQuestions, answered
from limbeck.results.distillation import Distillation
from limbeck.teachers.endpoints.paid_teacher import PaidTeacher
from limbeck.teachers.endpoints.repeatability import better_than_chance
from limbeck.teachers.order import check_order

__all__ = ["FewLabelsSteps", "fewest_questions"]

_SHARE = 4  # a quarter of the budget is kept for the certificate
_FEWEST = 20  # labels that are worth learning from
_TESTED, _BATCH = 100, 8


@dataclass(frozen=True, eq=False)
class TaughtByFew(Taught):
    """The student, with the rows that were asked about alone, and the certificate."""

    known: Known
    certificate: Certificate
    random: Student | None
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FewLabelsSteps(TableSteps):
    """The steps for texts, or rows of a table, of which only some are asked about."""

    looked_at: ClassVar[tuple[int, int]] = (16, 32)
    keeps_answers: ClassVar[bool] = False  # each counts

    @property
    def method(self) -> FewLabels | FewRows:
        """The method, with its budget."""
        assert isinstance(self.request.method, FewLabels | FewRows)  # noqa: S101
        return self.request.method

    @property
    def reserve(self) -> int:
        """CountedQuestions that are kept for the certificate."""
        clean = fewest_questions(self.request.epsilon, self.request.delta)
        return max(2 * clean, self.method.budget // _SHARE)

    def read(self) -> LabelledRows:
        """What the rows are; a budget that cannot do is refused first.

        Raises
        ------
        InvalidInput
            With the smallest budget that can do.
        """
        clean = fewest_questions(self.request.epsilon, self.request.delta)
        fewest = 2 * clean + _FEWEST
        if self.method.budget < fewest:
            raise InvalidInput(
                f"The budget of {plural(self.method.budget, 'question')} is too small for"
                f" epsilon={self.request.epsilon:g}: {clean:,} are needed for the certificate"
                " where no error is seen, twice as many are kept for it, and"
                f" {_FEWEST} to learn from.",
                f"Give budget={fewest:,} or more, or a larger epsilon.",
            )
        return super().read()

    def tested(
        self, teacher: Teacher, sides: Apart, features: Features, fit_y: NDArray[Any] | None
    ) -> list[str]:
        """The bill before the first question; then the first random rows against their labels.

        Parameters
        ----------
        teacher, sides, features, fit_y
            As for `TableSteps`.
        """
        order = different_rows(sides.fit_rows, self.request.chance(0))
        notes = []
        if isinstance(teacher, PaidTeacher):
            some = sides.fit_rows[order[: self.method.budget]]
            estimate = teacher.estimate(some.native())
            teacher.spending.check(estimate)
            notes.append(
                f"Before the first question, of at most {self.method.budget:,}: {estimate}"
            )
        if fit_y is None or not teacher.task.classifies:
            return notes
        first = order[: min(self.method.batch, _TESTED)]
        first = first[fit_y[first] >= 0]
        if len(first) < 10:
            return notes
        questions = CountedQuestions(teacher, len(first))
        scores = questions.ask(sides.fit_rows[first])
        good = answered(scores)
        told, codes = answers(scores[good], teacher.task), fit_y[first][good]
        test = better_than_chance(told, codes, teacher.task.outputs)
        if not test.better and not getattr(teacher, "force", False):
            raise InvalidInput(
                f"{teacher.name} is no better than chance on the first labels: {test}.",
                "Improve the prompt, check classes and labels, or leave the labels out.",
            )
        notes += [f"{teacher.name}: {test}."]
        kept = sides.fit_rows[first[good]].native()
        return [*notes, check_order(teacher, kept, codes)]

    def teach(self, known: Known, tell: Progress) -> TaughtByFew:
        """The student from few answers, then the certificate on rows that nobody asked about.

        Parameters
        ----------
        known, tell
            As for `TableSteps`.
        """
        method, apart = self.method, known.apart
        questions = CountedQuestions(known.teacher, method.budget)
        most = method.budget - self.reserve
        result, labelled = method.labelled(
            questions, apart.fit_rows, self.request.chance(0), tell, most
        )
        result.student.measured(apart.fit_rows.values)
        learnt = questions.asked
        tell("certificate", 0, 1)
        rounds = labelled.curve.rounds
        agreed = result.trace.get("held_out_agreement", rounds[-1].agreement if rounds else None)
        certificate, places, told = self._certified(known, result.student, agreed, questions)
        bill = questions.bill(
            {"to learn from": learnt, "for the certificate": questions.asked - learnt}
        )
        random, more = self._random(known, labelled, questions, result, tell)
        if more:
            unit = method.unit
            bill += f" {plural(more, f'more {unit}')} for the baseline of random {unit}s."
        notes = (bill, *_never(labelled, known.teacher))
        few = _asked_alone(known, labelled.rows, places)
        return TaughtByFew(result, told, few, certificate, random, notes)

    def certify(self, known: Known, found: Taught, tell: Progress) -> Certificate:
        """What `teach` found.

        Parameters
        ----------
        known, found, tell
            As for `TableSteps`.
        """
        assert isinstance(found, TaughtByFew)  # noqa: S101
        return found.certificate

    def compare(self, known: Known, found: Taught, tell: Progress) -> Comparison:
        """The table, on the rows of the certificate; the control learns from as many labels.

        Parameters
        ----------
        known, found, tell
            As for `TableSteps`.
        """
        assert isinstance(found, TaughtByFew)  # noqa: S101
        return super().compare(found.known, found, tell)

    def more_baselines(self, found: Taught) -> Mapping[str, Student]:
        """The student from as many random rows, where they were asked about.

        Parameters
        ----------
        found : Taught
            What `teach` returned.
        """
        assert isinstance(found, TaughtByFew)  # noqa: S101
        name = RANDOM.replace("text", self.method.unit)
        return {} if found.random is None else {name: found.random}

    def result(
        self,
        known: Known,
        found: Taught,
        certificate: Certificate | None,
        compared: Comparison,
        seconds: float,
    ) -> Distillation:
        """All of it, with the bill.

        Parameters
        ----------
        known, found, certificate, compared, seconds
            As for `TableSteps`.
        """
        assert isinstance(found, TaughtByFew)  # noqa: S101
        own = replace(found.known, notes=(*known.notes, *found.notes))
        return super().result(own, found, certificate, compared, seconds)

    def _certified(
        self, known: Known, student: Any, agreed: float | None, questions: CountedQuestions
    ) -> tuple[Certificate, NDArray[np.int64], NDArray[Any]]:
        """The certificate, the rows set aside that it used, and the teacher's answers on them.

        Where the student was near enough on the rows held out (``agreed``), rows are asked about
        until the bound suffices; where not, about a number of rows fixed now. The choice depends
        on no row of the certificate.
        """
        request, apart, teacher = self.request, known.apart, known.teacher
        order = request.chance(1).permutation(apart.once)
        near = agreed is not None and 1 - agreed <= request.epsilon
        stops = (
            near and teacher.task.classifies and not request.by_class
            and apart.test.groups is None and apart.test.cases is None
        )  # fmt: skip
        used: list[tuple[NDArray[np.int64], NDArray[Any]]] = []

        def asked(places: NDArray[np.int64]) -> tuple[Any, NDArray[Any]]:
            scores = questions.ask(apart.test_rows[places])
            good = answered(scores)
            places, told = places[good], answers(scores[good], teacher.task)
            used.append((places, told))
            named = teacher.task.labels[told] if teacher.task.classifies else told
            return apart.test_rows[places], named

        def draws() -> Iterator[tuple[Any, NDArray[Any]]]:
            for start in range(0, len(order), _BATCH):
                batch = order[start : start + min(_BATCH, questions.left)]
                if not len(batch):
                    return
                yield asked(batch)

        shared: dict[str, Any] = {
            "delta": request.delta, "seen": apart.seen, "duplicates": apart.duplicates,
            "candidates": request.candidates,
        }  # fmt: skip
        if stops:
            certificate = certify(
                student, until=request.epsilon, draws=draws(), max_rows=questions.left, **shared
            )
        else:
            rows, named = asked(order[: min(self.reserve, questions.left)])
            places, told = used[0]
            groups = None if apart.test.groups is None else apart.test.groups[places]
            if request.by_class:
                groups = np.array([str(label) for label in named])
            cases = None if apart.test.cases is None else apart.test.cases[places]
            certificate = certify(
                student, rows, named, epsilon=request.epsilon, groups=groups, cases=cases, **shared
            )
            return certificate, places, told
        n = certificate.n
        return (
            certificate,
            np.concatenate([p for p, _ in used])[:n],
            np.concatenate([t for _, t in used])[:n],
        )

    def _random(
        self,
        known: Known,
        labelled: AskedRows,
        questions: CountedQuestions,
        result: MethodResult,
        tell: Progress,
    ) -> tuple[Student | None, int]:
        """The baseline from random rows, and how many were asked about for it."""
        wanted = self.method.compare_random
        if wanted is None:
            wanted = not isinstance(known.teacher, PaidTeacher)
        if not wanted or self.method.labelling == "random":
            return None, 0
        tell(f"as many random {self.method.unit}s", 0, 1)
        rows, chance = known.apart.fit_rows, self.request.chance(0)
        return self.method.random_rows(questions.teacher, rows, labelled, chance, result.trace)


def fewest_questions(epsilon: float, delta: float) -> int:
    """Rows after which a student without an error is certified, by the bound that may stop.

    Parameters
    ----------
    epsilon, delta : float
        What is asked for, and the probability that it is wrong.

    Examples
    --------
    >>> fewest_questions(0.05, 0.05)
    66
    """
    bound = AnytimeBound(epsilon, delta)
    while not bound.update(np.zeros(1024)):
        pass
    return bound.n


def _asked_alone(known: Known, labelled: NDArray[np.int64], places: NDArray[np.int64]) -> Known:
    """What is known of the rows that were asked about; ``seen`` still holds all of the method's."""
    apart = known.apart
    few = replace(
        apart,
        fit=apart.fit.take(labelled),
        fit_rows=apart.fit_rows[labelled],
        test=apart.test.take(places),
        test_rows=apart.test_rows[places],
        once=np.arange(len(places)),
    )
    fit_y = None if known.fit_y is None else known.fit_y[labelled]
    test_y = None if known.test_y is None else known.test_y[places]
    return replace(known, apart=few, fit_y=fit_y, test_y=test_y)


def _never(labelled: AskedRows, teacher: Teacher) -> list[str]:
    """A note on classes that no answer named."""
    task = teacher.task
    if not task.classifies:
        return []
    told = answers(labelled.scores, task)
    never = [c for i, c in enumerate(task.classes) if not (told == i).any()]
    if not never:
        return []
    names = ", ".join(map(repr, never[:5]))
    return [
        f"{teacher.name} never answered {names} in {plural(len(told), 'label')}: the student"
        " cannot learn what that looks like. Check the teacher, or give rows of that class."
    ]
