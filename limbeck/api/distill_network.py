"""A network into a smaller network: train, control, compare, certify. The door behind `distill`."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from limbeck.api.prepare.leakage import refuse_few
from limbeck.api.prepare.network import Prepared, prepared
from limbeck.api.prepare.outputs import readings_kept
from limbeck.certificates.binomial import check_share
from limbeck.certificates.wording import versions
from limbeck.core.contract import Certificate, Task, TaskKind
from limbeck.core.errors import whole_number
from limbeck.core.progress import shown
from limbeck.data.duplicates import Rule
from limbeck.evaluation.convergence import too_short
from limbeck.evaluation.network_comparison import Judge
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.losses.filters import Filter
from limbeck.networks.strategies.seeds import Rounds
from limbeck.networks.strategies.together import BornAgain
from limbeck.networks.teachers.outside import name_of
from limbeck.networks.training.processes import first
from limbeck.results.artifacts import Artifacts, open_folder
from limbeck.results.network import NetworkDistillation
from limbeck.results.seeds import Runs, objective_record, status_of, training_record

__all__ = ["compress"]


@readings_kept
def compress(
    teacher: Any,
    data: Any,
    y: Any = None,
    *,
    into: Any,
    objective: Any = None,
    mode: BornAgain | None = None,
    filter: Filter | None = None,  # noqa: A002  (the field's word)
    start: Any = None,
    cache: bool | str | Path | TeacherCache | None = None,
    validation: Any = None,
    test: Any = None,
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
    baseline: bool = True,
    timing: bool = True,
    epsilon: float = 0.05,
    delta: float = 0.05,
    seed: int = 0,
    out: str | Path | None = None,
    progress: bool | None = None,
    **training: Any,
) -> NetworkDistillation:
    """Distil a network into a smaller network, with a control and a certificate.

    Parameters
    ----------
    teacher : nn.Module, sequence of nn.Module, or None
        Never trained, never moved; several are an `limbeck.networks.Ensemble`. None where peers
        or exits teach.
    data, y : Dataset, DataLoader, arrays or Hugging Face data set
        Training rows, see `limbeck.networks.datasets.data.Samples.of`; y are labels given apart.
    into : nn.Module, function, or list of them
        The student: its weights are the start for every seed. A function without arguments makes
        a fresh one for every seed. A list trains students together, each taught by the others
        (and by the teacher, if there is one); the first is *the* student.
    objective : Loss or Objective
        By default soft targets at temperature 4 (0.9) with gold labels (0.1); for numbers half
        the teacher's values, half the labels.
    mode : BornAgain, optional
        Generations of students, each taught by the one before.
    filter : Filter, optional
        Learn from the teacher only where it is right, or sure.
    start : str, mapping or sequence, optional
        Copy layers of the teacher first; see `limbeck.networks.init_from_teacher`. The control
        starts there, too.
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
    began = time.perf_counter()
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    seeds, seed = whole_number("seeds", seeds, 1), whole_number("seed", seed)
    folder = None if out is None else Path(out)
    given = prepared(
        teacher, data, y, into=into, objective=objective, mode=mode, filter=filter, start=start,
        cache=cache, validation=validation, test=test, holdout=holdout, cases=cases,
        duplicates=duplicates, task=task,
        tokenizers=tokenizers, output=output, vocabulary=vocabulary,
        classes=classes, unit=unit, seed=seed, folder=folder,
        training=training,
    )  # fmt: skip
    if given.reference is not None:
        refuse_few(given.test, given.task, epsilon, delta)
    if folder is not None:
        open_folder(folder)
    kept = Path(control) if isinstance(control, str | Path) else folder

    with shown(progress) as tell:
        source: nn.Module | TeacherCache | None = given.teacher
        if given.cache is not None and given.teacher is not None:
            source = given.cache.fill(given.teacher, given.rows, progress=tell)
        rounds = Rounds(
            given.makers, start, given.teacher, source, given.rows, given.validation,
            given.task, given.objective, given.training, mode, given.filter, given.reads,
        )  # fmt: skip
        students, controls = [], []
        for own in range(seed, seed + seeds):
            students.append(rounds.distilled(own, _under(folder, own, "distilled"), tell))
            if control is not False and given.comparable:
                controls.append(rounds.control(own, _under(kept, own, "control"), tell))
        plain = rounds.linear(seed) if baseline else None
        runs = Runs(students, controls, plain, seed, generations=mode is not None)

        tell("asking about the test rows", 0, 1)
        judge = Judge(given.test, given.task, given.reference, delta, timing, duplicates)
        comparison, facts = judge.compare(runs.contestants())
        short = too_short(runs.by_role(), comparison, given.objective, given.training,
                          len(given.rows))  # fmt: skip
        comparison = replace(comparison, untrained=short.message if short else "")
        student = runs.chosen.module
        certificate, certified = judge.certificate(student, given.layout, given.seen, epsilon)

    result = NetworkDistillation(
        student=student,
        students=tuple(t.module for t in runs.chief),
        controls=tuple(t.module for t in controls),
        status=short or status_of(comparison, seeds),
        certificate=certificate,
        comparison=comparison,
        facts=facts,
        history=runs.history(),
        notes=(*given.notes, *runs.remarks(given.rows.has_labels, given.validation is not None),
               *_empty(certificate, given)),
        settings=_record(given, runs)
        | {"epsilon": epsilon, "delta": delta, "out": None if folder is None else str(folder),
           "seconds": round(time.perf_counter() - began, 3)},
        artifacts=Artifacts(certified, given.layout, given.seen, epsilon, delta, duplicates),
    )  # fmt: skip
    return result.kept(folder) if folder is not None and first() else result


def _under(folder: Path | None, seed: int, name: str) -> Path | None:
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
        "test_rows": len(given.test),
        "seeds": [runs.seed + i for i in range(len(runs.students))],
        "chosen_seed": runs.seed + runs.best,
        "versions": {"python": platform.python_version(), **versions("torch", "accelerate")},
    }
