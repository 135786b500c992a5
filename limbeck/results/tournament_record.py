"""What a tournament was and came to: its fields, and what they say in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from limbeck.certificates.wording import upward
from limbeck.core.certificate import Certificate
from limbeck.core.contract import Student
from limbeck.core.errors import plural
from limbeck.core.measured import Measured
from limbeck.results.distillation import Distillation

__all__ = ["Candidate", "StudentStatement", "TournamentRecord", "Unfinished", "certified_bound"]


@dataclass(frozen=True)
class Candidate:
    """One student of one size.

    Parameters
    ----------
    into, method : str
        The student and how it was made.
    numbers : int
        What a reader must hold.
    size : str
        The same in the student's own unit, such as ``5 leaves``.
    left_out : Measured
        Agreement with the teacher (R², for regression) on training rows that were left out in
        turn, and, where these are few, on queries made from them; 95%, for itself. Lowered where
        the student does worse on the rows that it learnt from.
    seconds : float
        What all sizes of this way took together, cross-fitting included.
    front : bool
        Whether nothing as small agrees better.
    columns : mapping from str to int
        For those on the front: in how many of its fits, on all rows and without each fold, a
        column changes any prediction.
    """

    into: str
    method: str
    numbers: int
    size: str
    left_out: Measured
    seconds: float
    front: bool
    columns: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Unfinished:
    """A way that came to nothing, and why."""

    into: str
    method: str
    reason: str


@dataclass(frozen=True)
class StudentStatement:
    """What the recommended student says, and how often it is said.

    Parameters
    ----------
    text : str
        The statement.
    refits : Measured
        In which share of the refits it holds; 95% (Clopper and Pearson 1934).
    near : int
        In how many near-equal students it holds.
    """

    text: str
    refits: Measured
    near: int


@dataclass(frozen=True, eq=False, repr=False)
class TournamentRecord:
    """The fields of a tournament.

    Parameters
    ----------
    candidates : tuple of Candidate
        All students, by size.
    finalists : tuple of Distillation
        Those on the front, smallest first, each with certificate and control. All are judged on
        the same holdout rows and share delta, so that their certificates hold together.
    recommended : int
        Position of the finalist to take.
    unfinished : tuple of Unfinished
        Ways that were not done in time, or refused.
    settings : mapping
        Everything needed to run it again.
    students : tuple of Student
        Of all candidates, in their order.
    statements : tuple of StudentStatement
        What the recommended student says, and how often refits and near-equal students say it.
    refits, near : int
        How many refits and near-equal students there are.
    """

    candidates: tuple[Candidate, ...]
    finalists: tuple[Distillation, ...] = field(repr=False)
    recommended: int
    unfinished: tuple[Unfinished, ...]
    settings: Mapping[str, Any]
    students: tuple[Student, ...] = field(default=(), repr=False)
    statements: tuple[StudentStatement, ...] = ()
    refits: int = 0
    near: int = 0

    @property
    def fronted(self) -> tuple[Candidate, ...]:
        """The candidates that the finalists are, in their order."""
        return tuple(c for c in self.candidates if c.front)

    @property
    def judged_on(self) -> str:
        """What students were chosen by: rows left out in turn, and queries where these are few."""
        queries = " and queries made from them" if self.settings.get("judged_queries") else ""
        return f"rows left out{queries}"

    @property
    def steadiness(self) -> str:
        """Which columns the recommended student uses however it is fitted, and which by chance."""
        if self.statements and self.refits:
            return self._shared
        fits = int(self.settings["folds"]) + 1
        counts = self.fronted[self.recommended].columns
        always = [name for name, n in counts.items() if n == fits]
        some = [f"{name} ({n})" for name, n in counts.items() if n < fits]
        if not counts:
            return "The recommended student uses no column: it answers every row alike."
        out = f"Fitted {fits} times, it used {_listed(always) or 'no column'} each time"
        return f"{out}; in fewer fits: {_listed(some)}." if some else f"{out}, and no other."

    @property
    def _shared(self) -> str:
        """What all refits and near-equal students say, what half of them say, and the rest."""
        every = [s.text for s in self.statements if s.refits.value == 1 and s.near == self.near]
        always = [s.text for s in self.statements if s.refits.value == 1 and s.near < self.near]
        half = [s for s in self.statements if 0.5 <= s.refits.value < 1]
        rare = [s for s in self.statements if s.refits.value < 0.5]
        low = f"{min(s.refits.low for s in self.statements if s.refits.value == 1):.0%}" if (
            every or always
        ) else ""  # fmt: skip
        parts = [
            f"Fitted again {plural(self.refits, 'time')} on bags of the rows, and beside"
            f" {plural(self.near, 'student')} that agree as well within the margin."
        ]
        if every:
            parts.append(f"All of them say: {_joined(every)}.")
        if always:
            parts.append(f"All refits, but not all of those students, say: {_joined(always)}.")
        if low:
            parts.append(f"(With 95% confidence such a statement returns in {low} or more.)")
        if half:
            said = [f"{s.text} ({round(s.refits.value * self.refits)})" for s in half]
            parts.append(f"In half of the refits or more: {_joined(said)}.")
        if rare:
            said = [f"{s.text} ({round(s.refits.value * self.refits)})" for s in rare]
            parts.append(f"Not to be relied on, in fewer: {_joined(said)}.")
        return " ".join(parts)

    @property
    def sentence(self) -> str:
        """Which student to take, and what it is worth; or that none is good enough."""
        chosen, own = self.finalists[self.recommended], self.fronted[self.recommended]
        asked, certificate = self.settings["epsilon"], chosen.certificate
        name = f"{own.into} of {plural(own.numbers, 'number')} (by {own.method})"
        if certificate.tolerance is not None or certificate.loss != "disagreement":
            return f"Take the {name}. {certificate.statement}"
        bound = f"{upward(100 * certificate.epsilon)}%"
        if certificate.epsilon <= asked:
            return (
                f"Take the {name}: with {100 * (1 - certificate.delta):g}% confidence it differs"
                f" from the teacher on at most {bound} of inputs."
            )
        best = min(self.finalists, key=lambda f: f.certificate.epsilon)
        at = self.finalists.index(best)
        if best.certificate.epsilon <= asked:
            better = self.fronted[at]
            return (
                f"Take the {better.into} of {plural(better.numbers, 'number')} (by"
                f" {better.method}), which is certified to differ on at most"
                f" {upward(100 * best.certificate.epsilon)}% of inputs; smaller ones are not"
                f" certified for {100 * asked:g}%."
            )
        most = self.settings["max_numbers"]
        least = f"{upward(100 * best.certificate.epsilon)}%"
        return (
            f"No readable student within {most} numbers reaches {100 * asked:g}%; the best reaches"
            f" {least} (certified). Nearest for its size is the {name}."
        )


def certified_bound(certificate: Certificate) -> float:
    """By what students of a front are compared: the tolerance of numbers, the share of labels."""
    return float(certificate.epsilon if certificate.tolerance is None else certificate.tolerance)


def _listed(names: list[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _joined(texts: list[str], most: int = 8) -> str:
    more = f"; and {len(texts) - most} more" if len(texts) > most else ""
    return "; ".join(texts[:most]) + more
