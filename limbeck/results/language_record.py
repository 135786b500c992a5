"""The fields of a language model's distillation: student, certificate, control, texts, bill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from limbeck.certificates.wording import in_percent
from limbeck.core.certificate import Certificate
from limbeck.core.status import Status
from limbeck.evaluation.comparison import Comparison, Difference
from limbeck.evaluation.text_comparison import TextFacts
from limbeck.language.certified_texts import CertifiedTexts
from limbeck.language.preflight_check import Check
from limbeck.language.train_texts import Bill

__all__ = ["LanguageRecord", "SideBySide"]


@dataclass(frozen=True)
class SideBySide:
    """A test prompt, and what was written after it.

    Parameters
    ----------
    prompt, teacher, student : str
        The prompt, and the texts of both models, drawn at temperature 1.
    real : str or None
        The real text, if it is known.
    overlap : float
        Mean overlap (1 - TV) of the two models' distributions on the student's text.
    """

    prompt: str
    teacher: str
    student: str
    real: str | None
    overlap: float


@dataclass(frozen=True, eq=False, repr=False)
class LanguageRecord:
    """What one distillation of a language model was and came to.

    Parameters
    ----------
    student : LanguageModel
        The student of the first seed; ``save_pretrained(folder)`` writes it.
    students : tuple of LanguageModel
        Of all seeds.
    status : Status
        How the training ended.
    certificate : Certificate or None
        How far the student's next-token distributions are from the teacher's, on its own texts,
        the teacher's and real ones, all at once.
    comparison : Comparison
        Teacher, student, control and start; the student less its control.
    second : tuple of Difference
        The student less the control on the teacher's texts, where there is one.
    facts : mapping of str to TextFacts
        By role.
    bill : mapping of str to Bill
        What student and controls cost.
    generations : tuple of SideBySide
        Test prompts with both models' texts.
    history : tuple of mapping
        A row an epoch, with ``seed`` and ``role``.
    preflight : tuple of Check
        What was checked before any work.
    notes : tuple of str
        What must be known before the numbers are believed.
    settings : mapping
        Everything needed to run it again, versions included.
    judged : CertifiedTexts
        What the certificate is computed of: test prompts, texts after them, and their losses.
    """

    student: Any
    students: tuple[Any, ...]
    status: Status
    certificate: Certificate | None
    comparison: Comparison
    second: tuple[Difference, ...]
    facts: Mapping[str, TextFacts]
    bill: Mapping[str, Bill]
    generations: tuple[SideBySide, ...]
    history: tuple[Mapping[str, Any], ...]
    preflight: tuple[Check, ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    judged: CertifiedTexts = field(repr=False)

    @property
    def losses(self) -> Mapping[str, Any]:
        """A loss for each test prompt, by kind of text."""
        return self.judged.losses

    @property
    def verdict(self) -> str:
        """What came out, in a few sentences."""
        statement = self.certificate.statement if self.certificate else "There is no certificate."
        return f"{statement} {self.comparison.sentence} {self.second_sentence}".rstrip()

    @property
    def second_sentence(self) -> str:
        """What the control on the teacher's texts says; empty where there is none."""
        parts = []
        words = {"helped": "More", "hurt": "Less", "no evidence": "No evidence of more"}
        for d in self.second:
            value, low, high = d.numbers
            level = f"{in_percent(self.comparison.level)} interval {low} to {high}"
            parts.append(f"{words[d.verdict]} {d.what}{d.slight}: {value} ({level})")
        if not parts:
            return ""
        return (
            "Against the same student trained with cross-entropy on the teacher's own texts: "
            + "; ".join(parts)
            + "."
        )
