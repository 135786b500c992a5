"""Networks on the same unseen rows: the table, the verdict, the certificate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.certificates.certify import certify
from limbeck.core.certificate import Certificate
from limbeck.core.errors import InvalidInput
from limbeck.core.measured import Measured
from limbeck.core.task import Task, TaskKind
from limbeck.data.cases import units_of
from limbeck.data.duplicates import Rule
from limbeck.evaluation.comparison import (
    Comparison,
    Difference,
    ModelPredictions,
    Yardstick,
    compare,
)
from limbeck.evaluation.cost import profile
from limbeck.evaluation.intervals import gain_over, mean_over
from limbeck.evaluation.model_facts import ModelFacts
from limbeck.evaluation.networks import (
    Said,
    agreement,
    ask,
    by_true_class,
    gaps,
    mistakes,
    reliability,
    right,
)
from limbeck.modules.quantized_tensors import stored_bytes
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.vocabularies import pad_token
from limbeck.networks.predictor import Certified, CertifiedRows, table_of, told_of
from limbeck.networks.teachers.outside import name_of
from limbeck.networks.training.processes import first, quietly
from limbeck.students.onnx.layout import Layout

__all__ = ["Judge", "SeedNetworks", "issue"]

_RESAMPLES = 200
_AT_ONCE = 20_000
"""Places in the draws that are resampled together."""


@dataclass(frozen=True, eq=False)
class SeedNetworks:
    """A model of the table: one network per seed.

    ``alternative`` says whether it is another way to a student of this size.
    """

    role: str
    model: str
    networks: Sequence[nn.Module]
    alternative: bool = False


@dataclass(frozen=True, eq=False)
class Judge:
    """Measures networks on rows that training never saw.

    Parameters
    ----------
    rows : Samples
        Test rows; they are read in their order, in batches of their own size.
    task : Task
        What is predicted, with its classes or the unit of a number.
    teacher : nn.Module or None
        Agreement is with its answers.
    delta : float
        One less the level of all intervals, and the delta of the certificate.
    timing : bool
        Whether the networks are timed, which takes a few more calls of each.
    duplicates : {"auto", "drop", "keep"}
        What identical rows are; see `limbeck.certificates.certify.certify`.
    """

    rows: Samples
    task: Task
    teacher: nn.Module | None
    delta: float
    timing: bool = True
    duplicates: Rule = "auto"

    def compare(
        self, contestants: Sequence[SeedNetworks]
    ) -> tuple[Comparison, dict[str, ModelFacts]]:
        """The table with its verdict, and what each network costs, by role.

        Parameters
        ----------
        contestants : sequence of SeedNetworks
            The one in the role ``student`` is compared with the one in the role ``control``,
            seed by seed; those in the role ``baseline``, and alternatives, with the student.
        """
        taught = None if self.teacher is None else self._heard[0]
        models: dict[str, nn.Module] = {}
        lines: list[ModelPredictions] = []
        if taught is not None and self.teacher is not None:
            lines.append(ModelPredictions("teacher", name_of(self.teacher), "", [taught]))
            models["teacher"] = self.teacher
        for c in contestants:
            said = [ask(m, self._batches(), self.task) for m in c.networks]
            lines.append(
                ModelPredictions(
                    c.role, c.model, "", said, alone=c.role == "baseline",
                    alternative=c.alternative,
                )
            )  # fmt: skip
            models[c.role] = c.networks[0]
        facts = {m.role: self._facts(m.predicted, taught, models[m.role]) for m in lines}
        with quietly():
            if first() and self.timing:
                facts |= self._timed(facts, models)
        numbers, labels = self.task.kind is TaskKind.REGRESSION, None
        if lines[0].predicted[0].labels is not None:
            name = "R² on the labels" if numbers else "accuracy on the labels"
            labels = self._yardstick(name, right)
        close = None
        if taught is not None:
            name = "R² against the teacher" if numbers else "agreement with the teacher"
            close = self._yardstick(name, lambda said: agreement(said, taught))
        seeds = next((len(m.predicted) for m in lines if m.role == "student"), 0)
        return compare(lines, close, labels, self.delta, seeds=seeds), facts

    def _yardstick(self, name: str, score: Callable[[Said], Any]) -> Yardstick:
        """Scores by seed and row; one baseline stands against the students of several seeds."""

        def drawn(said: Sequence[Said]) -> NDArray[np.float64]:
            return self._drawn(np.array([score(s) for s in said]))

        def gain(
            what: str, ours: Sequence[Said], theirs: Sequence[Said], delta: float
        ) -> Difference:
            a, b = np.broadcast_arrays(drawn(ours), drawn(theirs))
            return gain_over(what, a, b, delta)

        # shares are never below 0
        within = (-math.inf if self.task.kind is TaskKind.REGRESSION else 0.0, 1.0)
        return Yardstick(name, lambda said, delta: mean_over(drawn(said), delta, within), gain)

    @cached_property
    def _heard(self) -> tuple[Said, list[NDArray[Any]]]:
        """What the teacher says of the rows, for table and certificate: it is asked once."""
        assert self.teacher is not None  # noqa: S101  (the callers check)
        told: list[NDArray[Any]] = []

        def kept(logits: Tensor, batch: Batch) -> None:
            told.append(told_of(logits, batch, self.task))

        return ask(self.teacher, self._batches(), self.task, kept), told

    @cached_property
    def _cases(self) -> NDArray[np.int64]:
        """The number of the case of each row."""
        return units_of(np.arange(len(self.rows)), self.rows.cases).of

    def _batches(self) -> Iterator[Batch]:
        return self.rows.batches(range(len(self.rows)))

    def _drawn(self, scores: NDArray[Any]) -> NDArray[np.float64]:
        """Scores by seed and row; with cases by seed and case, the mean over its rows."""
        if self.rows.cases is None:
            return scores
        of = self._cases
        if scores.shape[1] != len(of):
            raise InvalidInput(
                f"{len(of) - scores.shape[1]:,} test rows have no label or token that counts, and"
                " scores by case need one in each.",
                "Leave these rows out, or give no cases.",
            )
        sums = np.stack([np.bincount(of, s) for s in scores.astype(np.float64)])
        return np.asarray(sums / np.bincount(of))

    def _facts(self, said: Sequence[Said], taught: Said | None, module: nn.Module) -> ModelFacts:
        parameters = list(module.parameters())
        wrong = [] if taught is None else [asdict(m) for s in said if (m := mistakes(s, taught))]
        return ModelFacts(
            sum(p.numel() for p in parameters),
            sum(stored_bytes(p) for p in parameters),
            calibration=(error := self._calibration(said)),
            reliability=() if error is None else reliability(said),
            mistakes=_means(wrong),
            by_class={} if taught is None else self._classes(said, taught),
        )

    def _classes(self, said: Sequence[Said], taught: Said) -> dict[str, dict[str, float]]:
        names = self.task.classes
        each = [by_true_class(s, taught) for s in said]
        return {
            str(names[c] if c < len(names) else c): _means([found[c] for found in each])
            for c in each[0]
        }

    def _calibration(self, said: Sequence[Said]) -> Measured | None:
        """Expected calibration error, the mean over seeds, with a bootstrap interval over rows.

        The estimate is biased upwards, since absolute values are summed: most where the error is
        small and rows are few. So the lower end takes off what the estimate can be wrong by at
        most, the sum over bins of |gap resampled - gap|; the upper end adds the spread of the
        resampled errors around their own mean.
        """
        if said[0].labels is None or self.task.kind is TaskKind.REGRESSION:
            return None
        rng, last = np.random.default_rng(0), int(said[0].row[-1]) + 1
        of = np.arange(last) if self.rows.cases is None else self._cases[:last]
        n = int(of.max()) + 1
        found = np.array([gaps(s) for s in said])  # (seeds, bins)
        resampled = []
        many = max(1, _AT_ONCE // len(said[0].row))
        for at in range(0, _RESAMPLES, many):
            drawn = rng.integers(0, n, (min(many, _RESAMPLES - at), n))
            drawn += n * np.arange(len(drawn))[:, None]
            counted = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
            times = np.take(counted, of, axis=1)
            resampled.append(np.stack([gaps(s, times) for s in said], axis=1))
        draws = np.concatenate(resampled)  # (resamples, seeds, bins)
        value = float(np.abs(found).sum(axis=1).mean())
        off = np.abs(draws - found).sum(axis=2).mean(axis=1)  # (resamples,)
        errors = np.abs(draws).sum(axis=2).mean(axis=1)
        low = value - np.quantile(off, 1 - self.delta / 2)
        high = value + np.quantile(errors, 1 - self.delta / 2) - errors.mean()
        return Measured(value, max(float(low), 0.0), float(high))

    def _timed(
        self, facts: Mapping[str, ModelFacts], models: Mapping[str, nn.Module]
    ) -> dict[str, ModelFacts]:
        """The same with latency and memory of all, measured side by side."""
        inputs = next(self._batches()).inputs
        return {
            role: replace(
                facts[role],
                milliseconds=Measured(*found.milliseconds),
                batch_size=found.batch_size,
                threads=found.threads,
                timed_calls=found.calls,
                peak_bytes=found.peak_bytes,
            )
            for role, found in profile(models, inputs).items()
        }

    def certified(self, student: nn.Module, layout: Layout) -> Certified | None:
        """The test rows with the teacher's answers, and the student that answers them.

        None without a teacher: there is nothing to certify.

        Parameters
        ----------
        student : nn.Module
            Chosen without a look at these rows.
        layout : Layout
            That of the inputs.
        """
        if self.teacher is None:
            return None
        pad = pad_token(self.teacher)
        told = self._heard[1]
        table = table_of(self._batches(), told, self.task, layout, pad, self.rows.cases)
        return Certified(student, table)

    def certificate(
        self, certified: Certified | None, seen: NDArray[np.uint64] | None, epsilon: float
    ) -> Certificate | None:
        """Certify a student on the test rows.

        Parameters
        ----------
        certified : Certified or None
            What `certified` returned.
        seen : ndarray of uint64, optional
            Hashes of the training rows, `Layout.bare`, in that layout.
        epsilon : float
            What is asked for.

        Raises
        ------
        InvalidInput
            If training saw the rows.
        """
        if certified is None:
            return None
        return issue(certified, certified.table, seen, epsilon, self.delta, self.duplicates)


def _means(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means over seeds, name by name."""
    return {name: float(np.mean([one[name] for one in each])) for name in (each or [{}])[0]}


def issue(
    student: Any,
    table: CertifiedRows,
    seen: NDArray[np.uint64] | None,
    epsilon: float,
    delta: float,
    duplicates: Rule = "auto",
) -> Certificate:
    """The certificate of anything that answers the rows of a table.

    Parameters
    ----------
    student : object with ``predict``
        What is certified.
    table : CertifiedRows
        Test rows with the teacher's answers.
    seen : ndarray of uint64, or None
        Fingerprints of the rows that training saw.
    epsilon, delta : float
        What is asked of the certificate.
    duplicates : {"auto", "drop", "keep"}
        What identical rows are.
    """
    asked: dict[str, Any] = {"delta": delta, "epsilon": epsilon, "seen": seen}
    asked |= {"cases": table.cases, "duplicates": duplicates}
    if table.compared not in ("", "numbers"):
        asked |= {"loss": "absolute", "loss_range": (0.0, 1.0)}
    return certify(student, table.rows, table.answers, **asked)
