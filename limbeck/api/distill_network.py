"""The steps of a distillation from a network into a smaller network, and the door to them."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from limbeck.api.prepare.assistants import assistants_of, assisted_notes, early_of
from limbeck.api.prepare.leakage import refuse_few
from limbeck.api.prepare.network import Prepared, understand
from limbeck.api.prepare.outputs import readings_kept
from limbeck.api.prepare.request import NetworkData, NetworkRequest, NetworkSides, read, split
from limbeck.api.steps import Steps, run
from limbeck.certificates.binomial import check_share
from limbeck.certificates.wording import versions
from limbeck.core.contract import Certificate, Progress, Status, Task, TaskKind
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.whole_folder import open_folder
from limbeck.data.duplicates import Rule
from limbeck.evaluation.comparison import Comparison
from limbeck.evaluation.convergence import too_short
from limbeck.evaluation.diagnosis import diagnosis
from limbeck.evaluation.model_facts import ModelFacts
from limbeck.evaluation.network_comparison import Judge
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.calibration import CalibratedNetwork, calibrated, refuse_uncalibrated
from limbeck.networks.losses.filters import Filter
from limbeck.networks.predictor import Certified
from limbeck.networks.strategies.assistants import taught_by_assistants
from limbeck.networks.strategies.together import BornAgain
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.teachers.outside import name_of
from limbeck.networks.training.processes import first
from limbeck.networks.training.train import Trained
from limbeck.results.artifacts import Artifacts
from limbeck.results.network import NetworkDistillation
from limbeck.results.seeds import Runs, objective_record, status_of, training_record
from limbeck.selection.learning_curve import learning_curve

__all__ = ["NetworkSteps", "Trainings", "compress", "under"]


@readings_kept
def compress(
    teacher: Any,
    data: Any,
    y: Any = None,
    *,
    into: Any,
    objective: Any = None,
    recipe: str | None = None,
    mode: BornAgain | None = None,
    filter: Filter | None = None,  # noqa: A002  (the field's word)
    start: Any = None,
    assistants: Any = None,
    early_teacher: Any = None,
    cache: bool | str | Path | TeacherCache | None = None,
    validation: Any = None,
    test: Any = None,
    unlabelled: Any = None,
    holdout: float = 0.3,
    cases: Any = None,
    duplicates: Rule = "auto",
    seeds: int = 1,
    task: str | Task | None = None,
    tokenizers: Sequence[Any] | None = None,
    output: Any = None,
    vocabulary: int | None = None,
    classes: Sequence[Any] | None = None,
    unit: str = "",
    control: bool | str | Path = True,
    calibrate: bool = False,
    baseline: bool = True,
    timing: bool = True,
    epsilon: float = 0.05,
    delta: float = 0.05,
    seed: int = 0,
    out: str | Path | None = None,
    progress: bool | None = None,
    steps: type[NetworkSteps] | None = None,
    **training: Any,
) -> NetworkDistillation:
    """Distil a network into a smaller network, with a control and a certificate.

    Parameters
    ----------
    teacher : nn.Module, sequence of nn.Module, or None
        Never trained, never moved; several are a `limbeck.networks.ModuleEnsemble`. None where
        peers or exits teach.
    data, y : Dataset, DataLoader, arrays or Hugging Face data set
        Training rows, see `limbeck.networks.datasets.data.Samples.of`; y are labels given apart.
    into : nn.Module, function, or list of them
        The student: its weights are the start for every seed. A function without arguments makes
        a fresh one for every seed. A list trains students together, each taught by the others
        (and by the teacher, if there is one); the first is *the* student.
    objective : Loss or Objective
        By default soft targets at temperature 4 (0.9) with gold labels (0.1); for numbers half
        the teacher's values, half the labels.
    recipe : {"patient"}, optional
        Settings where none are given: "patient" (after Beyer et al. 2022) learns from the teacher's
        probabilities alone, in 12,000 updates, with mixup where inputs can be mixed; student and
        teacher see the same rows. The control trains as long, with mixup as well.
    mode : BornAgain, optional
        Generations of students, each taught by the one before.
    filter : Filter, optional
        Learn from the teacher only where it is right, or sure.
    start : str, mapping or sequence, optional
        Copy layers of the teacher first; see `limbeck.networks.init_from_teacher`. The control
        starts there, too.
    assistants : nn.Module, function, or list of them, optional
        Networks between teacher and student, largest first (Mirzadeh et al. 2020): each learns from
        the one before it as long as the student does, and the student from the last. The table
        also has the student that learned from the teacher directly.
    early_teacher : nn.Module, optional
        The teacher with weights of an earlier checkpoint, to learn from in its place (Cho and
        Hariharan 2019). Certificate and agreement stay with the teacher itself.
    cache : bool, path or TeacherCache, optional
        Ask the teacher once and keep its outputs: in this folder, or in ``out``. Where samples are
        augmented, or only the largest logits shall be kept, give a
        ``TeacherCache(folder, views=4, top=32)``.
    validation, test : as data, optional
        Rows to choose by, and rows for table and certificate, which must not be among those that
        teach or choose; without test rows a share ``holdout`` of the data is set aside.
        ``validation`` may be a share of the training rows. Without it a tenth of them (at most
        2,000) is set aside where ``epochs`` is not given, or ``patience`` is; with given epochs
        all rows train, to the end.
    unlabelled : as data, optional
        More inputs, without labels, that the teacher answers and the student learns from. Losses
        on labels skip them; the control trains on the labelled rows alone, with as many updates.
        Test rows among them are refused.
    cases : array-like of shape (n,) or str, optional
        The case that each row belongs to, such as a patient: split, comparison and certificate go
        by case, and the loss of a case is the mean over its rows. A column of a Hugging Face data
        set, or of a mapping of arrays, is taken out of the inputs. With ``test`` an array is of
        the test rows, and a column must be in both.
    duplicates : {"auto", "drop", "keep"}
        What identical rows are. By default they are copies, of which all come to one side and
        each counts once, if they are images, signals, or marked by a value of a continuous input;
        whole numbers, such as tokens, are discrete, and coincide by nature. ``drop`` takes all
        for copies, ``keep`` none.
    seeds : int
        Number of training seeds; with two or more, intervals include seed variance.
    task : str or Task, optional
        classification, multilabel, regression, tokens or language; found from data and student.
    tokenizers : pair, optional
        The teacher's tokenizer and the student's (with ``get_vocab``, as in transformers), to be
        refused if they number tokens differently. Without them only the sizes of the networks'
        vocabularies are compared.
    output : str, int or mapping, optional
        Which tensor is meant where networks return several: its name or position, for both or as
        ``{"teacher": "out", "student": 0}``. Without it the one named ``logits``, or the only one
        that fits labels and classes; two that fit are refused.
    vocabulary : int, optional
        How many outputs teacher and student share, where one has more that were only filled up
        (151,936 of 152,064): the first so many. The rest enters no loss, no score, no cache and
        no certificate. With the same ``tokenizers`` on both sides it is found.
    classes, unit
        Names of the classes; the unit of a number.
    control : bool or path
        Train the same student on gold labels, with the same start, budget, order and seeds; a
        path keeps these runs for other objectives; with other settings it is refused.
    calibrate : bool
        Fit the temperature of the finished student on the validation rows (Guo et al. 2017), and
        that of its control: answers stay, probabilities change.
    baseline : bool
        Train a linear model of the inputs as well.
    timing : bool
        Time all networks side by side, and measure their memory, on a batch of test rows; this
        calls each of them 13 times at most, and is for nothing else.
    epsilon, delta : float
        What is asked of the certificate.
    seed : int
        The first seed; the same seed gives the same student.
    out : path, optional
        Checkpoints, metrics and, in the end, everything `NetworkDistillation.save` writes. A run
        that was cut off goes on when it is called again with the same arguments.
    progress : bool, optional
        A progress bar; by default only on a terminal.
    steps : type, optional
        The steps for another kind of student; `limbeck.distill` chooses them by ``into``.
    **training
        Settings of `limbeck.networks.training.settings.Training`: epochs, batch_size, lr, ...
    holdout : float
        Share of the data that is set aside for table and certificate where ``test`` is not given.

    Raises
    ------
    InvalidInput
        If an argument, the data, or a pair of networks cannot be used, before any work; later,
        if a loss is not finite, which names the term, or layers do not fit each other.
    FileRefused
        If ``out`` cannot be written to, for example since the disk is full; the same call goes on
        from the last checkpoint.

    Notes
    -----
    Under torchrun all processes train together, and the first alone writes files and measures
    times.
    """
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    if not isinstance(calibrate, bool):
        raise InvalidInput(f"calibrate is {calibrate!r}.", "Give True or False.")
    seeds, seed = whole_number("seeds", seeds, 1, _MOST_SEEDS), whole_number("seed", seed)
    request = NetworkRequest(
        teacher, data, y, into, objective=objective, recipe=recipe, mode=mode, filter=filter,
        start=start, assistants=assistants, early_teacher=early_teacher, cache=cache,
        validation=validation, test=test, unlabelled=unlabelled,
        holdout=holdout, cases=cases, duplicates=duplicates, seeds=seeds, task=task,
        tokenizers=tokenizers, output=output,
        vocabulary=vocabulary, classes=classes, unit=unit, control=control,
        calibrate=calibrate, baseline=baseline,
        timing=timing, epsilon=epsilon, delta=delta, seed=seed,
        folder=None if out is None else Path(out), training=training,
    )  # fmt: skip
    return run((steps or NetworkSteps)(request), progress)


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
            refuse_few(known.test, known.task, request.epsilon, request.delta)
        if request.calibrate:
            refuse_uncalibrated(known.validation, known.task)
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


_MOST_SEEDS = 1_000


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
