"""The steps of a distillation of a language model."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limbeck.api.prepare.language import read_language, split_language, understand_language
from limbeck.api.prepare.language_request import (
    LanguageData,
    LanguageKnown,
    LanguageRequest,
    LanguageSides,
)
from limbeck.api.steps import Steps
from limbeck.certificates.texts import CHUNK_LOSS, LOSS, certify_texts
from limbeck.certificates.wording import versions
from limbeck.core.certificate import Certificate
from limbeck.core.errors import plural
from limbeck.core.progress import Progress
from limbeck.core.status import Status, StatusCode
from limbeck.evaluation.comparison import Comparison, Difference
from limbeck.evaluation.text_comparison import (
    TextFacts,
    compare_texts,
    differences_of_texts,
    facts_of_texts,
)
from limbeck.language.certified_texts import TEXTS, CertifiedTexts
from limbeck.language.judge import JudgedModel, TextJudge
from limbeck.language.prompts import Prompts
from limbeck.language.train_texts import Bill, TextTraining, TrainedText
from limbeck.modules.fingerprint import fingerprint
from limbeck.networks.training.processes import first
from limbeck.results.language import LanguageDistillation
from limbeck.results.language_record import SideBySide
from limbeck.results.seeds import training_record

__all__ = ["JudgedTexts", "LanguageSteps", "TaughtTexts", "sum_of_bills"]


@dataclass(frozen=True, eq=False)
class TaughtTexts:
    """The students of all seeds, the texts that they were trained on, and the judge."""

    method: TextTraining
    prompts: Prompts
    students: list[TrainedText]
    judge: TextJudge
    judged: list[JudgedModel]
    writing: tuple[float, int]
    """Seconds and tokens of the teacher, where it wrote the texts."""


@dataclass(frozen=True, eq=False)
class JudgedTexts:
    """The table of all models, the second comparison, and the bill."""

    table: Comparison
    facts: Mapping[str, TextFacts]
    second: tuple[Difference, ...]
    bill: Mapping[str, Bill]
    history: tuple[Mapping[str, Any], ...]
    by_role: Mapping[str, Sequence[JudgedModel]]


@dataclass(frozen=True, eq=False)
class LanguageSteps(
    Steps[LanguageData, LanguageSides, LanguageKnown, TaughtTexts, JudgedTexts,
          LanguageDistillation]
):  # fmt: skip
    """The steps for language models; see `limbeck.api.steps`."""

    request: LanguageRequest

    def read(self) -> LanguageData:
        """Models, prompts and settings."""
        return read_language(self.request)

    def split(self, data: LanguageData) -> LanguageSides:
        """Training prompts and test prompts."""
        return split_language(self.request, data)

    def understand(self, data: LanguageData, sides: LanguageSides) -> LanguageKnown:
        """Whether models and prompts fit each other: the pre-flight.

        Parameters
        ----------
        data : LanguageData
            What was given.
        sides : LanguageSides
            Training prompts and test prompts.
        """
        return understand_language(self.request, data, sides)

    def teach(self, known: LanguageKnown, tell: Progress) -> TaughtTexts:
        """The students of all seeds, once the teacher wrote the texts that are lacking.

        Parameters
        ----------
        known : LanguageKnown
            Models, prompts and settings.
        tell : Progress
            Told how far the training is.
        """
        request = self.request
        prompts, writing = known.given(request.seed, tell)
        method = self.training(known)
        students = [
            method.student(prompts, s, request.under(s, "distilled"), tell) for s in request.all
        ]
        judge = known.judge(request)
        tell("judging", 0, 1)
        judged = [judge.judged(s.model) for s in students]
        return TaughtTexts(method, prompts, students, judge, judged, writing)

    def training(self, known: LanguageKnown) -> TextTraining:
        """What trains students and controls.

        Parameters
        ----------
        known : LanguageKnown
            Models, prompts and settings.
        """
        return TextTraining(
            known.teacher, known.start, known.objective, known.task, known.training,
            known.sampling, known.recorded, known.bridge,
        )  # fmt: skip

    def certify(self, known: LanguageKnown, found: TaughtTexts, tell: Progress) -> Certificate:
        """How far the first student's distributions are from its teacher's, on test prompts.

        Parameters
        ----------
        known : LanguageKnown
            Models and prompts.
        found : TaughtTexts
            The students, judged.
        tell : Progress
            Told that this is done.
        """
        tell("certificate", 0, 1)
        one, request = found.judged[0], self.request
        return certify_texts(
            _losses(one), delta=request.delta, asked=request.epsilon,
            student=fingerprint(one.model.module),
            rows=known.test.fingerprint(),
            loss=LOSS if known.bridge is None else CHUNK_LOSS,
            settings={"max_new_tokens": known.sampling.max_new_tokens, "seed": request.seed,
                      "teacher": fingerprint(known.teacher.module)},
        )  # fmt: skip

    def compare(self, known: LanguageKnown, found: TaughtTexts, tell: Progress) -> JudgedTexts:
        """Teacher, start, students and controls on the test prompts.

        Parameters
        ----------
        known : LanguageKnown
            Models and prompts.
        found : TaughtTexts
            The students, judged.
        tell : Progress
            Told how far the training of the controls is.
        """
        request, method = self.request, found.method
        trained = {"student": found.students}
        writing: dict[str, tuple[float, int]] = {}
        if not known.complete:
            writing |= {"student": found.writing, "control": found.writing}
        if request.control:
            trained["control"] = [
                method.control(found.prompts, s, request.under(s, "control"), tell)
                for s in request.all
            ]
        if request.control and known.writes and known.complete:
            texts, cost = known.written(request.seed, tell)
            writing[SECOND] = cost
            trained[SECOND] = [
                method.control(texts, s, request.under(s, "control-teacher"), tell)
                for s in request.all
            ]
        others = self.alternatives(known, found, tell)
        trained |= {role: list(each) for role, each in others.items()}
        tell("judging", 0, 1)
        judge = found.judge
        by_role = {"teacher": [judge.judged(known.teacher)], "student": found.judged}
        by_role |= {
            role: [judge.judged(t.model) for t in each]
            for role, each in trained.items()
            if role != "student"
        }
        by_role["start"] = [judge.judged(known.start)]
        facts = {
            role: facts_of_texts(models, request.delta, request.distinct_n)
            for role, models in by_role.items()
        }
        table = compare_texts(by_role, facts, request.delta, request.seeds, tuple(others))
        second: tuple[Difference, ...] = ()
        if SECOND in by_role:
            second = differences_of_texts(by_role["student"], by_role[SECOND], request.delta)
        bill = {
            role: sum_of_bills([t.bill for t in each], *writing.get(role, (0.0, 0)))
            for role, each in trained.items()
        }
        return JudgedTexts(table, facts, second, bill, _history(trained, request), by_role)

    def alternatives(
        self, known: LanguageKnown, found: TaughtTexts, tell: Progress
    ) -> Mapping[str, Sequence[TrainedText]]:
        """Other ways to a student of its size, by role; none unless a kind of student has some.

        Parameters
        ----------
        known : LanguageKnown
            Models and prompts.
        found : TaughtTexts
            The students.
        tell : Progress
            Told how far their training is.
        """
        return {}

    def result(
        self,
        known: LanguageKnown,
        found: TaughtTexts,
        certificate: Certificate | None,
        compared: JudgedTexts,
        seconds: float,
    ) -> LanguageDistillation:
        """All of it as a record that prints, draws and saves itself.

        Parameters
        ----------
        known, found, certificate, compared
            What the steps returned.
        seconds : float
            How long they took.
        """
        request, one = self.request, found.judged[0]
        updates = found.students[0].bill.updates
        result = LanguageDistillation(
            student=one.model,
            students=tuple(s.model for s in found.students),
            status=Status(StatusCode.COMPLETE, f"Trained for {plural(updates, 'update')}."),
            certificate=certificate,
            comparison=compared.table,
            second=compared.second,
            facts=compared.facts,
            bill=compared.bill,
            generations=_generations(known, found, compared),
            history=compared.history,
            preflight=known.checks,
            notes=(*known.notes, *_remarks(known, compared)),
            settings=_record(known, request) | {"seconds": seconds},
            judged=CertifiedTexts.of(_losses(one), known.test, one.ids, found.judge.teachers_texts),
        )
        result = result.with_card()
        return result.kept(request.folder) if request.folder is not None and first() else result


SECOND = "control on the teacher's texts"


def sum_of_bills(bills: Sequence[Bill], seconds: float = 0.0, tokens: int = 0) -> Bill:
    """One bill for the trainings of all seeds.

    Parameters
    ----------
    bills : sequence of Bill
        One for each seed.
    seconds : float
        That the teacher wrote beforehand.
    tokens : int
        That it wrote then.
    """
    return Bill(
        sum(b.training for b in bills),
        sum(b.teacher for b in bills),
        sum(b.sampling for b in bills) + seconds,
        sum(b.updates for b in bills),
        sum(b.tokens for b in bills),
        sum(b.written for b in bills) + tokens,
    )


def _history(
    trained: Mapping[str, Sequence[TrainedText]], request: LanguageRequest
) -> tuple[Mapping[str, Any], ...]:
    """A row for each epoch of each training."""
    return tuple(
        {"seed": seed, "role": role, **row}
        for role, each in trained.items()
        for seed, one in zip(request.all, each, strict=True)
        for row in one.trained.history
    )


def _generations(
    known: LanguageKnown, found: TaughtTexts, compared: JudgedTexts
) -> tuple[SideBySide, ...]:
    """Test prompts with the texts of teacher and student."""
    teachers = compared.by_role["teacher"][0].texts
    one = found.judged[0]
    test = known.test
    rows = zip(test.texts, teachers, one.texts, test.references, one.own.overlap, strict=True)
    return tuple(SideBySide(p, t, s, real, float(o)) for p, t, s, real, o in rows)


def _losses(one: JudgedModel) -> Mapping[str, Any]:
    """What the certificate is computed of."""
    scores = [one.own, one.teachers, one.real]
    return {n: 1 - s.overlap for n, s in zip(TEXTS, scores, strict=True) if s is not None}


def _remarks(known: LanguageKnown, compared: JudgedTexts) -> list[str]:
    """What must be known before the numbers are believed."""
    out = []
    lost, start = compared.facts["student"].measured, compared.facts["start"].measured
    for name, what in (("forward_kl", "KL(teacher || student) on the teacher's texts"),
                       ("cross_entropy", "cross-entropy on real texts")):  # fmt: skip
        if name in lost and lost[name].value > start[name].value:
            out.append(
                f"Coverage was lost: {what} rose from {start[name].value:.3f} at the start to"
                f" {lost[name].value:.3f}. A higher likelihood of what the student writes does"
                " not show that."
            )
    if not known.test.complete:
        out.append("Real texts after the test prompts are not known: nothing is certified there.")
    return out


def _record(known: LanguageKnown, request: LanguageRequest) -> dict[str, Any]:
    """What it was made from, ready for JSON."""
    folder = request.folder
    return {
        "teacher": known.teacher.name,
        "student": known.start.name,
        "objective": repr(known.objective),
        "training": training_record(known.training),
        "prompts": len(known.train),
        "test_prompts": len(known.test),
        "max_new_tokens": known.sampling.max_new_tokens,
        "seeds": list(request.all),
        "distinct_n": request.distinct_n,
        "epsilon": request.epsilon,
        "delta": request.delta,
        "lora": None if request.lora is None else str(request.lora),
        "out": None if folder is None else str(folder),
        "versions": {"python": platform.python_version(), **versions("torch", "transformers")},
    }
