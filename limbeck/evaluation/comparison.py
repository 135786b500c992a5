"""The control: is the student any better than the same student without a teacher?

All are measured on the rows of the certificate, which none of them saw: trees by their answers
(`predictions`), networks by what they say at every place (`network_comparison`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from limbeck.certificates.wording import in_percent
from limbeck.core.measured import ROUNDING, Measured, signed
from limbeck.evaluation.by_class import ClassAgreement
from limbeck.evaluation.inherited import InheritedMistakes

__all__ = [
    "Alternative",
    "Comparison",
    "Difference",
    "ModelPredictions",
    "ModelResult",
    "Verdict",
    "Yardstick",
    "compare",
]

_KEPT = {"linear model": " (into='linear')"}
"""How a baseline that is closer than the student is had as a student."""

Verdict = Literal["helped", "no evidence", "hurt", "no control", "trained too short"]
_SLIGHT = 0.001
_UNKNOWN = Measured(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class ModelResult:
    """One line of the table: a model, its size, and how it does on the holdout rows.

    ``agreement`` is with the teacher, ``accuracy`` with the labels (None where there are none).
    """

    role: str
    model: str
    size: str
    agreement: Measured
    accuracy: Measured | None


@dataclass(frozen=True)
class Difference:
    """Student less control, with an interval for the paired difference."""

    what: str
    value: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """Whether the interval excludes zero, by more than rounding, and on which side."""
        above, below = self.low > ROUNDING, self.high < -ROUNDING
        return "helped" if above else "hurt" if below else "no evidence"

    @property
    def numbers(self) -> tuple[str, str, str]:
        """Value, low and high as text, with digits enough; see `limbeck.core.measured.signed`."""
        return signed(self.value, self.low, self.high)

    @property
    def slight(self) -> str:
        """A clause for a difference that is there, and too small for three decimals; or empty."""
        found = self.verdict in ("helped", "hurt") and abs(self.value) < _SLIGHT
        return ", by less than 0.001" if found else ""


@dataclass(frozen=True)
class Alternative:
    """Student less another way to a student of its size, on the teacher's answers and on labels.

    Each interval is at its share of one less the level: those of a column hold together.
    """

    role: str
    agreement: Difference | None
    labels: Difference | None

    @property
    def decisive(self) -> Difference:
        """The difference that the sentence speaks of: agreement, or labels without a teacher."""
        found = self.agreement or self.labels
        assert found is not None  # noqa: S101  (`compare` has at least one yardstick)
        return found


@dataclass(frozen=True)
class Comparison:
    """Teacher, student, control and baselines on the same holdout rows.

    Parameters
    ----------
    entries : tuple of ModelResult
        Teacher first, then student, control, baselines.
    differences : tuple of Difference
        Student less control: agreement with the teacher, then accuracy on the labels; empty
        where no control could be trained.
    level : float
        Level of all intervals.
    rivals : tuple of Difference
        Baselines that agree with the teacher more than the student does, beyond doubt: student
        less baseline, each at its share of the level.
    seeds : int or None
        Number of training seeds; with one the sentence speaks of that seed only, since another
        start or order of rows may turn the verdict. None where training draws nothing.
    behind : tuple of Difference
        Teacher, student and control, by role, where a linear model does better beyond doubt: the
        role less the linear model, each at a third of one less the level.
    untrained : str
        Why no verdict can be given: student or control were trained too short. Empty where they
        were not.
    classes : tuple of ClassAgreement
        Agreement with the teacher, class by class; empty for regression.
    alternatives : tuple of Alternative
        The student against other ways to a student of its size, such as a random cut.
    inherited : tuple of InheritedMistakes
        Which of the teacher's mistakes on the labels a student of texts makes too: of all rows,
        then class by class.
    """

    entries: tuple[ModelResult, ...]
    differences: tuple[Difference, ...]
    level: float
    rivals: tuple[Difference, ...] = ()
    seeds: int | None = None
    behind: tuple[Difference, ...] = ()
    untrained: str = ""
    classes: tuple[ClassAgreement, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    inherited: tuple[InheritedMistakes, ...] = ()

    def with_best_of(self, models: Sequence[str]) -> Comparison:
        """The same with one line for several baselines of one kind: the one closest to the teacher.

        All were compared with the student, each at its share of the level; only the best is shown,
        which is the hardest for the student.

        Parameters
        ----------
        models : sequence of str
            The names of those baselines.
        """
        kind = [e for e in self.entries if e.role == "baseline" and e.model in models]
        if len(kind) < 2:
            return self
        best = max(kind, key=lambda e: e.agreement.value)
        beaten = {e.model for e in kind} - {best.model}
        return replace(
            self,
            entries=tuple(e for e in self.entries if e not in kind or e is best),
            rivals=tuple(r for r in self.rivals if r.what not in beaten),
        )

    @property
    def verdict(self) -> Verdict:
        """Helped if any difference is above zero and none is below; see ``sentence``.

        Where student or control were trained too short there is no verdict on distilling.

        Each interval holds at the level for itself: two differences of no effect at all give a
        verdict other than "no evidence" with probability up to twice one less the level.
        """
        found = {d.verdict for d in self.differences}
        if not found:
            return "no control"
        if self.untrained:
            return "trained too short"
        if "hurt" in found:
            return "hurt"
        return "helped" if "helped" in found else "no evidence"

    @property
    def sentence(self) -> str:
        """The verdict in words, with the numbers it rests on."""
        if not self.differences:
            start = "No control was trained; without labels there can be none."
            return f"{start} {self.warning}".rstrip()
        parts = []
        only = " with this seed" if self.seeds == 1 else ""
        for d in self.differences:
            value, low, high = d.numbers
            numbers = f"{value} ({in_percent(self.level)} interval {low} to {high})"
            if self.untrained:
                parts.append(f"{d.what} {numbers}")
                continue
            start = {
                "helped": f"Distilling helped {d.what}",
                "hurt": f"Distilling hurt {d.what}",
            }.get(d.verdict, f"No evidence that distilling helped {d.what}")
            parts.append(
                f"{start}{d.slight}{only}: {numbers} against the same student trained without the"
                " teacher."
            )
        if self.untrained:
            parts = [f"No verdict on distilling. So far the student less its control{only}:"
                     f" {'; '.join(parts)}."]  # fmt: skip
        return " ".join([*parts, self.against, self.warning]).replace("  ", " ").rstrip()

    @property
    def against(self) -> str:
        """How the student stands against other ways to its size; empty where there are none."""
        if not self.alternatives:
            return ""
        words = {"helped": "ahead of", "hurt": "behind", "no evidence": "not apart from"}
        told = []
        for a in self.alternatives:
            d = a.decisive
            value, low, high = d.numbers
            numbers = f"{value}, interval {low} to {high}"
            told.append(f"{words[d.verdict]} {a.role} ({numbers})")
        so_far = " so far" if self.untrained else ""
        what = self.alternatives[0].decisive.what
        return f"In {what} the student is{so_far} {', '.join(told)}."

    @property
    def warning(self) -> str:
        """That the teacher is behind, and which baselines are closer to it than the student."""
        weak = [
            "The teacher itself is behind the linear model on the labels"
            f" ({d.value:+.3f}, interval {d.low:+.3f} to {d.high:+.3f}), and a student learns what"
            " its teacher knows: train the teacher further, or take another."
            for d in self.behind
            if d.what == "teacher"
        ]
        closer = (
            f"The {r.what} is closer to the teacher than the student ({r.value:+.3f}, interval"
            f" {r.low:+.3f} to {r.high:+.3f}): prefer it{_KEPT.get(r.what, '')}, unless it is this"
            " kind of student that is wanted."
            for r in self.rivals
        )
        return " ".join([*weak, *closer])


@dataclass(frozen=True, eq=False)
class ModelPredictions:
    """A model to compare.

    Parameters
    ----------
    role : str
        ``teacher``, ``student``, ``control``, ``baseline``, or one of its own, such as ``peer 1``.
    model, size : str
        What it is called in the table.
    predicted : ndarray of shape (n,), or sequence by seed
        What it answers, as the yardsticks read it: class indices or values of a table's rows, or
        for each seed what a network said.
    alone : bool
        Whether it is a baseline that learned from labels, with no teacher: then teacher, student
        and control may be behind it.
    alternative : bool
        Whether it is another way to a student of this size, which the student is compared with.
    """

    role: str
    model: str
    size: str
    predicted: Any
    alone: bool = False
    alternative: bool = False


@dataclass(frozen=True, eq=False)
class Yardstick:
    """One column of the table: a mean over rows, and the paired difference of two models.

    Parameters
    ----------
    name : str
        What is measured, such as ``agreement with the teacher``.
    mean : callable
        ``mean(predicted, delta)`` gives the mean with its interval at level 1 - delta.
    gain : callable
        ``gain(what, a, b, delta)`` gives the difference of two models' means, named ``what``.
    """

    name: str
    mean: Callable[[Any, float], Measured]
    gain: Callable[[str, Any, Any, float], Difference]


def compare(
    models: Sequence[ModelPredictions],
    agreement: Yardstick | None,
    labels: Yardstick | None,
    delta: float,
    *,
    seeds: int | None = None,
    classes: tuple[ClassAgreement, ...] = (),
) -> Comparison:
    """The table of all models, and what it says of the student.

    Parameters
    ----------
    models : sequence of ModelPredictions
        The teacher first; the one in the role ``student`` is compared with the one in the role
        ``control``, and those in the role ``baseline`` with the student.
    agreement : Yardstick or None
        Agreement with the teacher; None where there is none.
    labels : Yardstick or None
        Right answers; None where rows have no labels.
    delta : float
        One less the level of the intervals; baselines share it.
    seeds : int, optional
        Number of training seeds; None where training draws nothing.
    classes : tuple of ClassAgreement
        Agreement class by class.
    """
    entries = tuple(
        ModelResult(
            m.role,
            m.model,
            m.size,
            _UNKNOWN if agreement is None else agreement.mean(m.predicted, delta),
            None if labels is None else labels.mean(m.predicted, delta),
        )
        for m in models
    )
    by_role = {m.role: m.predicted for m in models}
    yardsticks = [y for y in (agreement, labels) if y is not None]
    differences: list[Difference] = []
    if "student" in by_role and "control" in by_role:
        pair = by_role["student"], by_role["control"]
        differences = [y.gain(y.name, *pair, delta) for y in yardsticks]
    baselines = [m for m in models if m.role == "baseline"]
    rivals = []
    if "student" in by_role and agreement is not None:
        for m in baselines:
            shared = delta / len(baselines)
            found = agreement.gain(m.model, by_role["student"], m.predicted, shared)
            rivals += [found] if found.high < 0 else []
    return Comparison(
        entries,
        tuple(differences),
        round(1 - delta, 12),
        tuple(rivals),
        seeds,
        _behind(by_role, [m.predicted for m in baselines if m.alone], yardsticks, delta / 3),
        classes=classes,
        alternatives=_against(by_role, models, agreement, labels, delta),
    )


def _against(
    by_role: Mapping[str, Any],
    models: Sequence[ModelPredictions],
    agreement: Yardstick | None,
    labels: Yardstick | None,
    delta: float,
) -> tuple[Alternative, ...]:
    """Student less each alternative, at equal shares of delta."""
    others = [m for m in models if m.alternative]
    if "student" not in by_role or (agreement is None and labels is None):
        return ()

    def gain(y: Yardstick | None, other: Any) -> Difference | None:
        if y is None:
            return None
        return y.gain(y.name, by_role["student"], other, delta / len(others))

    return tuple(
        Alternative(m.role, gain(agreement, m.predicted), gain(labels, m.predicted)) for m in others
    )


def _behind(
    by_role: Mapping[str, Any], alone: Sequence[Any], yardsticks: Sequence[Yardstick], delta: float
) -> tuple[Difference, ...]:
    """Teacher, student and control where a linear model does better beyond doubt, by role.

    On the labels, or where the rows have none by agreement with the teacher. The student of a
    teacher that is behind must be so in both: it is as wrong as what it was taught.
    """
    found: list[Difference] = []
    for role in ("teacher", "student", "control"):
        if role not in by_role or not alone or (role == "teacher" and len(yardsticks) < 2):
            continue
        each = [y.gain(role, by_role[role], alone[0], delta) for y in yardsticks]
        if not (role == "student" and found):  # its teacher is not behind
            each = each[-1:]
        if each and all(d.high < 0 for d in each):
            found.append(each[-1])
    return tuple(found)
