"""The fields of a network's distillation: students, certificate, control, history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from limbeck.core.certificate import Certificate
from limbeck.core.status import Status
from limbeck.evaluation.comparison import Comparison
from limbeck.evaluation.model_facts import ModelFacts

__all__ = ["NetworkRecord"]


@dataclass(frozen=True, eq=False, repr=False)
class NetworkRecord:
    """What one distillation of a network into a network was and came to.

    Parameters
    ----------
    student : torch.nn.Module
        The student of the seed that did best on validation rows (the first without them); it
        holds no teacher.
    students, controls : tuple of torch.nn.Module
        The students and their controls of all seeds.
    status : Status
        How the training ended, and what to do about it.
    certificate : Certificate or None
        How far the student is from the teacher, on rows that training never saw; None where
        there is no teacher.
    comparison : Comparison
        Teacher, student, control and baseline on those rows; means over seeds, with intervals
        that cover other seeds and other rows where there are several seeds.
    facts : mapping
        Size, calibration, latency and mistakes, by role.
    history : tuple of mapping
        A row a logged update, with ``seed`` and ``role``: raw losses of the terms, their weights,
        scores on the validation rows.
    notes : tuple of str
        What must be known before the numbers are believed: what was copied from the teacher,
        how labels and outputs were understood, what was not measured.
    settings : mapping
        Everything needed to run it again, versions included.
    artifacts : Artifacts
        What :meth:`save` writes so that a third party can verify.
    diagnosis : tuple of str
        What holds the student back, each in a sentence with a remedy; empty where nothing was
        found. See `limbeck.evaluation.diagnosis`.
    """

    student: Any
    students: tuple[Any, ...]
    controls: tuple[Any, ...]
    status: Status
    certificate: Certificate | None
    comparison: Comparison
    facts: Mapping[str, ModelFacts]
    history: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    artifacts: Any = field(repr=False)
    diagnosis: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """What came out, in a few sentences; first that the training was too short, if it was."""
        statement = self.certificate.statement if self.certificate else "There is no certificate."
        short = f"{self.status} " if self.comparison.untrained else ""
        return f"{short}{statement} {self.comparison.sentence}"
