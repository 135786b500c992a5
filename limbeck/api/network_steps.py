"""The steps of a distillation from a network into a smaller network."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from limbeck.api.prepare.assistants import assistants_of, assisted_notes, early_of
from limbeck.api.prepare.leakage import check_enough
from limbeck.api.prepare.network import Prepared, understand
from limbeck.api.prepare.request import NetworkData, NetworkRequest, NetworkSides, read, split
from limbeck.api.steps import Steps
from limbeck.certificates.wording import versions
from limbeck.core.certificate import Certificate
from limbeck.core.progress import Progress
from limbeck.core.status import Status
from limbeck.core.task import TaskKind
from limbeck.core.whole_folder import open_folder
from limbeck.evaluation.comparison import Comparison
from limbeck.evaluation.convergence import too_short
from limbeck.evaluation.diagnosis import diagnosis
from limbeck.evaluation.model_facts import ModelFacts
from limbeck.evaluation.network_comparison import Judge
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.calibration import CalibratedNetwork, calibrated, check_calibrated
from limbeck.networks.predictor import Certified
from limbeck.networks.strategies.assistants import taught_by_assistants
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.teachers.outside import name_of
from limbeck.networks.training.processes import first
from limbeck.networks.training.train import Trained
from limbeck.results.artifacts import Artifacts
from limbeck.results.network import NetworkDistillation
from limbeck.results.seeds import Runs, objective_record, status_of, training_record
from limbeck.selection.learning_curve import learning_curve

__all__ = ["Judged", "NetworkSteps", "Trainings", "under"]


@dataclass(frozen=True, eq=False)
class Trainings:
    """The method with the students of all seeds, and the judge of all networks on the test rows."""

    method: TrainNetwork
    runs: Runs
    judge: Judge
    certified: Certified | None


@dataclass(frozen=True, eq=False)
class Judged:
    """All trainings, the table of their networks, and why it says nothing, if so."""

    runs: Runs
    table: Comparison
    facts: Mapping[str, ModelFacts]
    short: Status | None
    diagnosis: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class NetworkSteps(
    Steps[NetworkData, NetworkSides, Prepared, Trainings, Judged, NetworkDistillation]
):
    """The steps for the data sets of networks; see `limbeck.api.steps`."""

    request: NetworkRequest

    def read(self) -> NetworkData:
        """What was given; see `limbeck.api.prepare.request.read`."""
        return read(self.request)

    def split(self, data: NetworkData) -> NetworkSides:
        """Training rows and test rows."""
        return split(self.request, data)

    def understand(self, data: NetworkData, sides: NetworkSides) -> Prepared:
        """All that the training works with; see `limbeck.api.prepare.network.understand`.

        Parameters
        ----------
        data : NetworkData
            What was given.
        sides : NetworkSides
            Training rows and test rows.
        """
        request = self.request
        known = understand(request, data, sides)
        if known.reference is not None:
            check_enough(known.test, known.task, request.epsilon, request.delta)
        if request.calibrate:
            check_calibrated(known.validation, known.task)
        between = assisted_notes(request, known)
        if request.folder is not None:
            open_folder(request.folder)
        return replace(known, notes=(*known.notes, *between)) if between else known

    def teach(self, known: Prepared, tell: Progress) -> Trainings:
        """The students of all seeds, once the teacher's outputs are stored, if they are.

        Parameters
        ----------
        known : Prepared
            Networks, rows and settings.
        tell : Progress
            Told how far the training is.
        """
        return self.trained(known, self.method(known, tell), tell)

    def method(self, known: Prepared, tell: Progress) -> TrainNetwork:
        """What trains the students and their controls, once the teacher's outputs are stored.

        Parameters
        ----------
        known : Prepared
            Networks, rows and settings.
        tell : Progress
            Told how far the storing is, if outputs are stored.
        """
        source: nn.Module | TeacherCache | None = known.teacher
        if known.cache is not None and known.teacher is not None:
            source = known.cache.fill(known.teacher, known.rows, progress=tell)
        return TrainNetwork(
            known.makers, self.request.start, known.teacher, source, known.rows, known.validation,
            known.task, known.objective, known.training, self.request.mode, known.filter,
            known.reads,
            known.labelled,
        )  # fmt: skip

    def trained(self, known: Prepared, method: TrainNetwork, tell: Progress) -> Trainings:
        """The students of all seeds, and the judge of all networks.

        Parameters
        ----------
        known : Prepared
            Networks, rows and settings.
        method : TrainNetwork
            What trains them.
        tell : Progress
            Told how far the training is.
        """
        request = self.request
        students, assistants = [], []
        for seed in self._seeds:
            own, between = self._assisted(known, method, seed, tell)
            made = own.distill(seed, under(request.folder, seed, "distilled"), tell)
            students.append(self._finished(known, made))
            assistants.append(between)
        runs = Runs(students, [], {}, request.seed, generations=request.mode is not None,
                    assistants=assistants if assistants[0] else ())  # fmt: skip
        judge = Judge(
            known.test, known.task, known.reference, request.delta, request.timing,
            request.duplicates,
        )  # fmt: skip
        tell("asking about the test rows", 0, 1)
        return Trainings(method, runs, judge, judge.certified(runs.chosen.module, known.layout))

    def certify(self, known: Prepared, found: Trainings, tell: Progress) -> Certificate | None:
        """How far the chosen student is from the teacher, if there is one, on the test rows.

        Parameters
        ----------
        known : Prepared
            Networks and rows.
        found : Trainings
            The students.
        tell : Progress
            Told that this is done.
        """
        tell("certificate", 0, 1)
        return found.judge.certificate(found.certified, known.seen, self.request.epsilon)

    def compare(self, known: Prepared, found: Trainings, tell: Progress) -> Judged:
        """Teacher, students, controls and the linear model on the test rows.

        Parameters
        ----------
        known : Prepared
            Networks and rows.
        found : Trainings
            The students.
        tell : Progress
            Told how far the training of the controls is.
        """
        request = self.request
        folder = request.folder
        if isinstance(request.control, str | Path):
            folder = Path(request.control)
        controls = []
        if request.control is not False and known.comparable:
            method = self.control_method(known, found, tell)
            controls = [
                method.learn(seed, under(folder, seed, "control"), tell) for seed in self._seeds
            ]
            controls = self._finished(known, controls)
        plain = found.method.baselines(request.seed) if request.baseline else {}
        others = self.alternatives(known, found, tell) if request.baseline else {}
        runs = replace(found.runs, controls=controls, baselines=plain, alternatives=others)
        table, facts = found.judge.compare(runs.contestants())
        own = {r: t for r, t in runs.by_role().items() if r not in others}
        short = too_short(own, table, known.objective, known.training, len(known.rows))
        table = replace(table, untrained=short.message if short else "")
        close = next((e.agreement for e in table.entries if e.role == "student"), None)
        told = () if close is None else diagnosis(
            runs.chosen.module, known.reference, known.rows, known.task, known.objective,
            1 - close.value, request.epsilon, known.training.batch_size,
        )  # fmt: skip
        if close is not None and close.value < 1 - request.epsilon and not short:
            told = (*told, *self._curve(known, found, runs, tell))
        return Judged(runs, table, facts, short, told)

    def _curve(
        self, known: Prepared, found: Trainings, runs: Runs, tell: Progress
    ) -> tuple[str, ...]:
        """Whether more inputs would help, where that is cheap to find out."""
        if runs.assistants or self.request.early_teacher is not None or self.request.calibrate:
            return ()
        whole = sum(t.steps for made in runs.by_role().values() for t in made)
        labelled = None if known.labelled is None else len(known.rows) - known.unlabelled
        curve = learning_curve(found.method, runs.chief, whole, known.test, labelled,
                               self.request.seed, tell)  # fmt: skip
        return () if curve is None else (curve.sentence(self.request.epsilon),)

    def alternatives(
        self, known: Prepared, found: Trainings, tell: Progress
    ) -> Mapping[str, Sequence[Trained]]:
        """Other ways to a student of this size: with assistants, the one that has none.

        Parameters
        ----------
        known : Prepared
            Networks and rows.
        found : Trainings
            The students.
        tell : Progress
            Told how far their training is.
        """
        if self.request.assistants is None and self.request.early_teacher is None:
            return {}
        made = [
            found.method.distill(seed, under(self.request.folder, seed, "direct"), tell)[0]
            for seed in self._seeds
        ]
        return {"direct student": self._finished(known, made)}

    def control_method(self, known: Prepared, found: Trainings, tell: Progress) -> TrainNetwork:
        """What trains the controls: as the students were trained.

        Parameters
        ----------
        known : Prepared
            Networks, rows and settings.
        found : Trainings
            The students.
        tell : Progress
            Told how far the work is, if there is any.
        """
        return found.method

    def result(
        self,
        known: Prepared,
        found: Trainings,
        certificate: Certificate | None,
        compared: Judged,
        seconds: float,
    ) -> NetworkDistillation:
        """All of it as a record that prints, draws and saves itself.

        Parameters
        ----------
        known, found, certificate, compared
            What the steps returned.
        seconds : float
            How long they took.
        """
        request, runs, folder = self.request, compared.runs, self.request.folder
        epsilon, delta = request.epsilon, request.delta
        labels, validated = known.rows.has_labels, known.validation is not None
        result = NetworkDistillation(
            student=runs.chosen.module,
            students=tuple(t.module for t in runs.chief),
            controls=tuple(t.module for t in runs.controls),
            status=compared.short or status_of(compared.table, request.seeds),
            certificate=certificate,
            comparison=compared.table,
            facts=compared.facts,
            history=runs.history(),
            notes=(*known.notes, *runs.remarks(labels, validated), *_empty(certificate, known),
                   *_temperatures(runs, known)),
            settings=_record(known, runs)
            | {"epsilon": epsilon, "delta": delta, "out": None if folder is None else str(folder),
               "seconds": seconds},
            artifacts=Artifacts(
                found.certified, known.layout, known.seen, epsilon, delta, request.duplicates
            ),
            diagnosis=compared.diagnosis,
        )  # fmt: skip
        return result.kept(folder) if folder is not None and first() else result

    def _assisted(
        self, known: Prepared, method: TrainNetwork, seed: int, tell: Progress
    ) -> tuple[TrainNetwork, list[Trained]]:
        """What trains the student of a seed, and its trained assistants, if there are any."""
        request = self.request
        makers, early = assistants_of(request), early_of(request, known.teacher)
        if not makers and early is None:
            return method, []
        folder = None if request.folder is None else request.folder / f"seed-{seed}"
        return taught_by_assistants(method, makers, early, seed, folder, tell)

    def _finished(self, known: Prepared, made: Sequence[Trained]) -> list[Trained]:
        """Trainings with their networks calibrated, if that was asked for."""
        rows, size = known.validation, known.training.batch_size
        if not self.request.calibrate or rows is None:
            return list(made)
        return [replace(t, module=calibrated(t.module, rows, known.task, size)) for t in made]

    @property
    def _seeds(self) -> range:
        return range(self.request.seed, self.request.seed + self.request.seeds)


def _temperatures(runs: Runs, known: Prepared) -> list[str]:
    """What the logits of calibrated networks are divided by."""
    found = {
        role: [float(t.module.temperature) for t in made
               if isinstance(t.module, CalibratedNetwork)]
        for role, made in runs.by_role().items()
    }  # fmt: skip
    told = [
        f"of the {role} by {', '.join(f'{t:.3g}' for t in each)}"
        for role, each in found.items()
        if each
    ]
    if not told or known.validation is None:
        return []
    return [
        f"Calibrated on {len(known.validation):,} validation rows: logits are divided,"
        f" {'; '.join(told)}. Answers are the same as without."
    ]


def under(folder: Path | None, seed: int, name: str) -> Path | None:
    """The folder of one training of a seed; None where nothing is kept.

    Parameters
    ----------
    folder : Path or None
        Of the run.
    seed : int
        The seed.
    name : str
        Of the training.
    """
    return None if folder is None else folder / f"seed-{seed}" / name


def _empty(certificate: Certificate | None, given: Prepared) -> list[str]:
    """A note on sequences that say nothing about a network."""
    if certificate is None or not given.task.sequential or certificate.settings.get("cases"):
        return []  # there fewer draws than rows are cases, or copies
    lost = len(given.test) - certificate.n
    return [f"{lost:,} test rows have no token that counts, and were left out."] if lost else []


def _record(given: Prepared, runs: Runs) -> dict[str, Any]:
    """What it was made from, ready for JSON."""
    return {
        "teacher": None if given.teacher is None else name_of(given.teacher),
        "student": type(runs.chosen.module).__name__,
        "objective": objective_record(given.objective),
        "balanced": given.objective.balanced,
        "task": str(given.task.kind),
        "classifies": given.task.kind is not TaskKind.REGRESSION,
        "training": training_record(given.training),
        "rows": len(given.rows),
        "unlabelled": given.unlabelled,
        "test_rows": len(given.test),
        "seeds": [runs.seed + i for i in range(len(runs.students))],
        "chosen_seed": runs.seed + runs.best,
        "versions": {"python": platform.python_version(), **versions("torch", "accelerate")},
    }
