"""The control: is the student any better than the same student without a teacher?

All are measured on the rows of the certificate, which none of them saw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import interval, paired_interval
from limbeck.certificates.bounded import betting_interval
from limbeck.core.contract import Task
from limbeck.core.measured import Measured
from limbeck.data.cases import units_of
from limbeck.evaluation.by_class import ClassAgreement, by_class

__all__ = [
    "Comparison",
    "Difference",
    "ModelPredictions",
    "ModelResult",
    "Verdict",
    "compare",
    "score",
]

Verdict = Literal["helped", "no evidence", "hurt", "no control", "trained too short"]
_RESAMPLES = 1000


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
        """Whether the interval excludes zero, and on which side."""
        return "helped" if self.low > 0 else "hurt" if self.high < 0 else "no evidence"


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
    """

    entries: tuple[ModelResult, ...]
    differences: tuple[Difference, ...]
    level: float
    rivals: tuple[Difference, ...] = ()
    seeds: int | None = None
    behind: tuple[Difference, ...] = ()
    untrained: str = ""
    classes: tuple[ClassAgreement, ...] = ()

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
            numbers = f"{d.value:+.3f} ({self.level:.0%} interval {d.low:+.3f} to {d.high:+.3f})"
            if self.untrained:
                parts.append(f"{d.what} {numbers}")
                continue
            start = {
                "helped": f"Distilling helped {d.what}",
                "hurt": f"Distilling hurt {d.what}",
            }.get(d.verdict, f"No evidence that distilling helped {d.what}")
            parts.append(
                f"{start}{only}: {numbers} against the same student trained without the teacher."
            )
        if self.untrained:
            parts = [f"No verdict on distilling. So far the student less its control{only}:"
                     f" {'; '.join(parts)}."]  # fmt: skip
        return " ".join([*parts, self.warning]).rstrip()

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
            f" {r.low:+.3f} to {r.high:+.3f}): prefer it, unless it is this kind of student that is"
            " wanted."
            for r in self.rivals
        )
        return " ".join([*weak, *closer])


@dataclass(frozen=True)
class ModelPredictions:
    """A model to compare: its predictions are class indices (n,) or values (n,)."""

    role: str
    model: str
    size: str
    predicted: NDArray[Any]


def compare(
    contenders: list[ModelPredictions],
    teacher: NDArray[Any],
    y: NDArray[Any] | None,
    task: Task,
    delta: float,
    cases: NDArray[Any] | None = None,
) -> Comparison:
    """Measure all contenders against the teacher's answers and the labels.

    Parameters
    ----------
    contenders : list of ModelPredictions
        The first is the teacher; the one in the role ``student`` is compared with the one in
        the role ``control``, if there is one.
    teacher : ndarray of shape (n,)
        The teacher's class indices or values.
    y : ndarray of shape (n,) or None
        Labels, as class indices or values; -1 where a row has no label of a class. Such rows
        count for agreement only.
    task : Task
        Classes, or regression.
    delta : float
        One less the level of the intervals.
    cases : ndarray of shape (n,), optional
        The case of each row. Shares are then means over cases of the share of their rows.

    Notes
    -----
    For classes the intervals are exact (Clopper and Pearson 1934; McNemar 1947), with cases those
    of `limbeck.certificates.bounded.betting_interval`. For R^2 they are percentile bootstrap
    intervals over rows, or over cases, 1,000 resamples from a fixed seed.
    """
    of = _numbers(cases)
    known = np.arange(len(teacher)) if y is None or not task.classifies else np.flatnonzero(y >= 0)
    of_known = None if cases is None else _numbers(cases[known])
    measure = _shares if task.classifies else _explained
    entries = tuple(
        ModelResult(
            c.role,
            c.model,
            c.size,
            measure(c.predicted, teacher, delta, of),
            None if y is None else measure(c.predicted[known], y[known], delta, of_known),
        )
        for c in contenders
    )
    by_role = {c.role: c.predicted for c in contenders}
    differences = []
    gain = _paired_shares if task.classifies else _paired_explained
    if "student" in by_role and "control" in by_role:
        pair = by_role["student"], by_role["control"]
        differences.append(gain("agreement with the teacher", *pair, teacher, delta, of))
        if y is not None:
            name = "accuracy on the labels" if task.classifies else "R² on the labels"
            a, b = (predicted[known] for predicted in pair)
            differences.append(gain(name, a, b, y[known], delta, of_known))
    baselines = [c for c in contenders if c.role == "baseline"]
    rivals = []
    if "student" in by_role:
        for c in baselines:
            shared = delta / len(baselines)
            found = gain(c.model, by_role["student"], c.predicted, teacher, shared, of)
            rivals += [found] if found.high < 0 else []
    others = [(_key(c), c.predicted) for c in contenders if c.role != "teacher"]
    classes = by_class(others, teacher, task, delta)
    return Comparison(
        entries, tuple(differences), round(1 - delta, 12), tuple(rivals), classes=classes
    )


def _key(contender: ModelPredictions) -> str:
    return contender.model if contender.role == "baseline" else contender.role


def score(predicted: NDArray[Any], truth: NDArray[Any], task: Task) -> float:
    """Share of equal class indices, or R^2.

    Parameters
    ----------
    predicted, truth : ndarray of shape (n,)
        Class indices, or values.
    task : Task
        Whether they are classes.
    """
    return float((predicted == truth).mean()) if task.classifies else _r2(predicted, truth)


Cases = NDArray[np.int64] | None
"""The number of the case of each row, from 0; None where rows are what was drawn."""


def _numbers(cases: NDArray[Any] | None) -> Cases:
    return None if cases is None else units_of(np.arange(len(cases)), cases).of


def _by_case(values: NDArray[Any], of: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean over the rows of each case."""
    return np.asarray(np.bincount(of, values.astype(np.float64)) / np.bincount(of))


def _shares(predicted: NDArray[Any], truth: NDArray[Any], delta: float, of: Cases) -> Measured:
    if of is not None:
        shares = _by_case(predicted == truth, of)
        return Measured(float(shares.mean()), *betting_interval(shares, delta))
    right, n = int((predicted == truth).sum()), len(truth)
    return Measured(right / n, *interval(right, n, delta))


def _paired_shares(
    what: str, a: NDArray[Any], b: NDArray[Any], truth: NDArray[Any], delta: float, of: Cases
) -> Difference:
    if of is not None:
        gains = _by_case((a == truth).astype(int) - (b == truth), of)
        return Difference(what, float(gains.mean()), *betting_interval(gains, delta, -1.0, 1.0))
    only_a = int(((a != truth) & (b == truth)).sum())
    only_b = int(((a == truth) & (b != truth)).sum())
    low, high = paired_interval(only_b, only_a, len(truth), delta)
    return Difference(what, (only_b - only_a) / len(truth), low, high)


def _explained(predicted: NDArray[Any], truth: NDArray[Any], delta: float, of: Cases) -> Measured:
    return Measured(*_bootstrap(lambda i: _r2(predicted[i], truth[i]), len(truth), delta, of))


def _paired_explained(
    what: str, a: NDArray[Any], b: NDArray[Any], truth: NDArray[Any], delta: float, of: Cases
) -> Difference:
    def gain(i: Any) -> float:
        return _r2(a[i], truth[i]) - _r2(b[i], truth[i])

    return Difference(what, *_bootstrap(gain, len(truth), delta, of))


def _r2(predicted: NDArray[Any], truth: NDArray[Any]) -> float:
    spread = float(((truth - truth.mean()) ** 2).sum())
    missed = float(((truth - predicted) ** 2).sum())
    return 1.0 - missed / spread if spread > 0 else float(missed == 0)


def _bootstrap(
    statistic: Callable[[Any], float], n: int, delta: float, of: Cases
) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    if of is None:
        draws = [statistic(rng.integers(0, n, n)) for _ in range(_RESAMPLES)]
    else:  # whole cases are drawn again
        rows = np.split(np.argsort(of, kind="stable"), np.cumsum(np.bincount(of))[:-1])
        m = len(rows)
        draws = [
            statistic(np.concatenate([rows[c] for c in rng.integers(0, m, m)]))
            for _ in range(_RESAMPLES)
        ]
    low, high = np.quantile(draws, [delta / 2, 1 - delta / 2])
    return statistic(slice(None)), float(low), float(high)
