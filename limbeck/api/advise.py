"""Does distilling pay here? Short runs of student and control, and a forecast of longer ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.api.prepare.checks import makers_of
from limbeck.api.prepare.network import Prepared, understand
from limbeck.api.prepare.outputs import readings_kept
from limbeck.api.prepare.request import NetworkData, NetworkRequest, read, split
from limbeck.certificates.binomial import check_share
from limbeck.certificates.wording import versions
from limbeck.core.contract import Progress, Task, TaskKind
from limbeck.core.errors import FileRefused, InvalidInput, plural, whole_number
from limbeck.core.measured import Measured
from limbeck.core.progress import shown
from limbeck.core.strict_json import plain, read_json, record, write_json
from limbeck.evaluation.forecast import Place, forecast
from limbeck.evaluation.intervals import gain_over, mean_over
from limbeck.evaluation.networks import ask, right
from limbeck.modules.fingerprint import fingerprint
from limbeck.networks.initialization.widened import parameters_of, widened
from limbeck.networks.losses.filters import Filter
from limbeck.networks.strategies.train_network import TrainNetwork, make
from limbeck.networks.teachers.outside import name_of
from limbeck.reports.numbers import count, duration
from limbeck.results.advice import Advice
from limbeck.results.advice_record import Kind, Outlook, PilotPoint
from limbeck.results.seeds import objective_record, training_record
from limbeck.selection.pilot import (
    Cell,
    Pilot,
    PilotRuns,
    cross,
    design,
    gathered,
    seconds_of,
    smallest,
)

__all__ = ["advise"]

_FORMAT, _COSTS, _VERSION = "limbeck-pilot", "limbeck-pilot-costs", 1
_MOST_SEEDS, _LATER = 5, 3  # of the pilot where time is left, and of the run that is forecast
_RUNGS = (0.25, 0.6, 1.0)  # of the budget
_LARGEST = max(b - a for a, b in pairwise((0.0, *_RUNGS)))  # share of one step, at least
_FEWEST = 30  # rows with a label to measure on
_CHANGES: tuple[tuple[Kind, Place, int, int], ...] = (
    ("these data", Place(0.0, 0.0), 1, 1),
    ("twice the inputs", Place(1.0, 0.0), 2, 1),
    ("four times the epochs", Place(0.0, 2.0), 1, 4),
)


@readings_kept
def advise(
    teacher: Any,
    data: Any,
    y: Any = None,
    *,
    into: Any,
    budget: float | str = "10 min",
    larger: Any = None,
    objective: Any = None,
    filter: Filter | None = None,  # noqa: A002  (the field's word)
    start: Any = None,
    validation: Any = None,
    holdout: float = 0.3,
    seeds: int = 3,
    seed: int = 0,
    task: str | Task | None = None,
    tokenizers: Sequence[Any] | None = None,
    output: Any = None,
    vocabulary: int | None = None,
    classes: Sequence[Any] | None = None,
    delta: float = 0.1,
    out: str | Path | None = None,
    progress: bool | None = None,
    **training: Any,
) -> Advice:
    """Find out by short runs whether distilling pays, and what would make it pay more.

    Student and control (the same student on labels alone) are trained on nested parts of the rows
    and for parts of the training, with several seeds. Their learning curves are continued to a run
    on these data, on twice as many, with four times the epochs, and with a student of twice the
    size; each gain is forecast with an interval, see `limbeck.evaluation.forecast.forecast`.

    Parameters
    ----------
    teacher, data, y, into, objective, filter, start, task, tokenizers, output, vocabulary, classes
        As for a network in :func:`limbeck.distill`. The data must have labels; rows without one
        are learned from the teacher only.
    budget : float or str
        How long it may take: seconds, or a time such as ``"10 min"``. The largest cross of
        learning curves that fits is run, and more seeds (five at most) where time is left.
    larger : nn.Module or callable, optional
        A student of twice the size. By default a chain of layers (``nn.Sequential``) is made
        wider; of other networks, without it, that forecast is left out.
    validation : as data, optional
        Rows to measure on, which no training sees. Without them a share ``holdout`` of the data is
        set aside, and a note says so.
    holdout : float
        That share.
    seeds : int
        Number of training seeds of each part, at least 2.
    seed : int
        The first seed.
    delta : float
        One less the level of each interval.
    out : path, optional
        A folder for finished pairs and the result; the same call goes on with them.
    progress : bool, optional
        A progress bar; by default only on a terminal.
    **training
        Settings of `limbeck.networks.training.settings.Training` of the run that is forecast:
        epochs, batch_size, lr, ... All runs train to their end, without early stopping.

    Returns
    -------
    Advice
        Prints the forecasts, a recommendation, and the line to run next.

    Raises
    ------
    InvalidInput
        If an argument cannot be used, or the budget is too short for one pair of runs; then it
        says how long one takes.

    Examples
    --------
    >>> import torch
    >>> import limbeck
    >>> _ = torch.manual_seed(0)
    >>> X = torch.randn(600, 4)
    >>> y = (X[:, 0] * X[:, 1] > 0).long()
    >>> knows = lambda x: torch.stack([-x[:, 0] * x[:, 1], x[:, 0] * x[:, 1]], 1)
    >>> student = torch.nn.Sequential(
    ...     torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> advice = limbeck.advise(knows, X, y, into=student, budget="20 s", seeds=2, epochs=4)
    >>> [o.name for o in advice.outlooks][:2]
    ['these data', 'twice the inputs']
    """
    seconds = seconds_of(budget)
    check_share("delta", delta)
    seeds, seed = whole_number("seeds", seeds, 2), whole_number("seed", seed)
    if len(makers_of(into)) > 1:
        raise InvalidInput("into names several students.", "Give one: a pilot compares one.")
    folder = None if out is None else Path(out)
    request = NetworkRequest(
        teacher, data, y, into, objective=objective, filter=filter, start=start, validation=0,
        test=validation, holdout=holdout, seed=seed, task=task, tokenizers=tokenizers,
        output=output, vocabulary=vocabulary, classes=classes, training=training,
    )  # fmt: skip
    given, known = _understood(request)
    pilot, notes = _pilot(known, given, larger, request, folder)
    asked = _AdviceRequest(seconds, seeds, seed, delta, dict(training))
    with shown(progress) as tell:
        pairs, costs = _run(pilot, asked, tell)
    if validation is None:
        notes.insert(0, f"No validation rows were given: {holdout:.0%} of the rows"
                     f" ({count(len(known.test))}) were set aside to measure on.")  # fmt: skip
    found = _advice(pilot, known, asked, pairs, costs, (*notes, *known.notes))
    if folder is not None:
        found.save(folder)
    return found


@dataclass(frozen=True)
class _AdviceRequest:
    """What was asked of the pilot: seconds, seeds, level and the settings of the training."""

    budget: float
    seeds: int
    seed: int
    delta: float
    training: Mapping[str, Any]


@dataclass(frozen=True)
class _Costs:
    """Seconds of a pair: ``fixed``, and for each update; a larger student takes twice as many."""

    fixed: float
    update: float

    def of(self, cell: Cell) -> float:
        """Of one pair."""
        return (self.fixed + self.update * cell.updates) * (1 + cell.larger)


def _understood(request: NetworkRequest) -> tuple[NetworkData, Prepared]:
    """Data and networks, checked; errors call the rows to measure on what the user calls them."""
    try:
        given = read(request)
        known = understand(request, given, split(request, given))
    except InvalidInput as error:
        problem, remedy = (
            said.replace("test rows", "validation rows").replace("test=", "validation=")
            for said in (error.problem, error.remedy)
        )
        raise InvalidInput(problem, remedy) from error
    _refuse(known, given)
    return given, known


def _refuse(known: Prepared, given: NetworkData) -> None:
    """Refuse what has no control, nobody to ask, or nothing to measure by."""
    if known.teacher is None:
        raise InvalidInput("There is no teacher.", "Give one: advice is about distilling from it.")
    if not known.comparable:
        why = "The training rows have no labels" if not known.rows.has_labels else (
            "The objective is gold labels alone")  # fmt: skip
        raise InvalidInput(
            f"{why}, so there is no control to compare with.",
            "Give labels, at least of some rows, and an objective that asks the teacher.",
        )
    if given.settings.metrics:
        raise InvalidInput("metrics was given, and a pilot compares scores.", "Leave metrics out.")
    size = known.training.batch_size
    labelled = 0
    for batch in known.test.batches(range(len(known.test)), size):
        if batch.labels is not None:
            there = batch.labelled
            some = None if there is None else there.reshape(len(there), -1).any(1)
            labelled += len(batch) if some is None else int(some.sum())
    if labelled < _FEWEST:
        raise InvalidInput(
            f"{plural(labelled, 'row')} with a label cannot measure a gain.",
            f"Give validation=... with labels, at least {_FEWEST} rows.",
        )


def _pilot(
    known: Prepared,
    given: NetworkData,
    larger: Any,
    request: NetworkRequest,
    folder: Path | None,
) -> tuple[Pilot, list[str]]:
    """What trains pairs, and notes on the larger student."""
    method = TrainNetwork(
        known.makers, request.start, known.teacher, known.teacher, known.rows, None, known.task,
        known.objective, known.training, None, known.filter, known.reads,
    )  # fmt: skip
    first, notes = known.rows.fetch(range(min(len(known.rows), 8))).inputs, []
    maker = larger if larger is not None else widened(known.makers[0], first)
    twice = None
    if maker is None:
        notes.append("No forecast for a student of twice the size: give larger=..., since only a"
                     " chain of layers (nn.Sequential) is made wider by itself.")  # fmt: skip
    elif request.start is not None and larger is None:
        notes.append("No forecast for a student of twice the size: its start is copied from the"
                     " teacher; give larger=...")  # fmt: skip
    else:
        twice = replace(method, makers=[makers_of(maker)[0]])
        ratio = parameters_of(make(maker, 0)) / max(parameters_of(make(known.makers[0], 0)), 1)
        notes.append(f"The larger student has {ratio:.3g} times the parameters.")
    if folder is not None:
        (folder / "pairs").mkdir(parents=True, exist_ok=True)
    settings = replace(given.settings, patience=None)
    pairs = None if folder is None else folder / "pairs"
    pilot = Pilot(method, twice, settings, known.test, pairs)
    if folder is not None:
        _same_run(folder / "pilot.json", pilot, request.seed)
    return pilot, notes


def _same_run(path: Path, pilot: Pilot, seed: int) -> None:
    """Refuse a folder of another pilot; write what this one is."""
    method = pilot.method
    own = plain({
        "objective": objective_record(method.objective),
        "training": training_record(pilot.settings),
        "filter": None if method.filter is None else repr(method.filter),
        "rows": method.rows.fingerprint(), "measured": pilot.measured.fingerprint(),
        "teacher": None if method.teacher is None else fingerprint(method.teacher),
        "student": fingerprint(make(method.makers[0], seed)),
        "larger": None if pilot.larger is None else fingerprint(make(pilot.larger.makers[0], seed)),
        "start": repr(method.start),
    })  # fmt: skip
    if path.is_file():
        before = read_json(path, _FORMAT, _VERSION)["pilot"]
        other = [name for name in own if before.get(name) != own[name]]
        if other:
            raise FileRefused(
                f"{str(path.parent)!r} holds a pilot with other {' and '.join(other)}.",
                "Give another folder, or the arguments that it was begun with.",
            )
        return
    write_json({"format": _FORMAT, "version": _VERSION, "pilot": own}, path)


def _run(
    pilot: Pilot, asked: _AdviceRequest, tell: Progress
) -> tuple[dict[tuple[Cell, int], PilotRuns], _Costs]:
    """The pairs that the budget allows, and what pairs cost."""
    costs = _kept_costs(pilot, asked.seed)
    least = smallest(pilot)
    one = costs.of(least)
    if one > asked.budget:
        raise InvalidInput(
            f"The budget of {duration(asked.budget)} is too short for one pair of runs: student and"
            f" control on {count(least.rows)} rows with {count(least.updates)} updates take about"
            f" {duration(one)}.",
            f'Give at least budget="{np.ceil(_enough(pilot, costs, asked.seeds)):.0f} s".',
        )
    pairs: dict[tuple[Cell, int], PilotRuns] = {}
    own = range(asked.seed, asked.seed + asked.seeds)
    for share in _RUNGS:  # what was learned of the costs plans the next, larger cross
        budget = share * asked.budget
        cells = design(pilot, partial(_left, costs, pairs, own), budget - _spent(pairs))
        jobs = [(c, s) for s in own for c in cells[::-1]]
        costs = _train(pilot, jobs, pairs, costs, budget, tell)
    if not pairs:
        costs = _train(pilot, [(least, s) for s in own], pairs, costs, asked.budget, tell)
    more = range(own.stop, asked.seed + max(asked.seeds, _MOST_SEEDS))
    jobs = [(c, s) for s in more for c in dict.fromkeys(c for c, _ in pairs)]
    return pairs, _train(pilot, jobs, pairs, costs, asked.budget, tell)


def _left(
    costs: _Costs, pairs: Mapping[tuple[Cell, int], PilotRuns], seeds: range, cell: Cell
) -> float:
    """Seconds of the seeds of a cell that are not run yet."""
    return costs.of(cell) * sum((cell, s) not in pairs for s in seeds)


def _spent(pairs: Mapping[Any, PilotRuns]) -> float:
    return sum(p.seconds for p in pairs.values())


def _train(
    pilot: Pilot,
    jobs: Sequence[tuple[Cell, int]],
    pairs: dict[tuple[Cell, int], PilotRuns],
    costs: _Costs,
    budget: float,
    tell: Progress,
) -> _Costs:
    """Run what fits into the budget; returns what pairs cost, as seen so far."""
    slower = 1.0
    for i, (cell, seed) in enumerate(jobs):
        fits = not pairs or _spent(pairs) + slower * costs.of(cell) <= budget
        if (cell, seed) in pairs or not fits:
            continue
        tell(f"{count(cell.rows)} rows, {count(cell.updates)} updates, seed {seed}", i, len(jobs))
        pairs[cell, seed] = pilot.run(cell, seed)
        slower = _spent(pairs) / sum(costs.of(c) for c, _ in pairs)
    return _Costs(slower * costs.fixed, slower * costs.update)


def _kept_costs(pilot: Pilot, seed: int) -> _Costs:
    """What a pair costs; in a folder as it was seen first, so that a resumed pilot plans alike."""
    path = None if pilot.folder is None else pilot.folder / "costs.json"
    if path is not None and path.is_file():
        return record(_Costs, read_json(path, _COSTS, _VERSION))
    found = _costs(pilot, seed)
    if path is not None:
        write_json({"format": _COSTS, "version": _VERSION, **asdict(found)}, path)
    return found


def _costs(pilot: Pilot, seed: int) -> _Costs:
    """What a pair costs, from two very short ones; the first warms up what is done once."""
    few = smallest(pilot)
    alone = replace(pilot, folder=None)
    alone.run(replace(few, updates=1), seed)
    times = [alone.run(replace(few, updates=n), seed).seconds for n in (2, 10)]
    update = max((times[1] - times[0]) / 8, 1e-5)
    return _Costs(max(times[0] - 2 * update, 0.0), update)


def _enough(pilot: Pilot, costs: _Costs, seeds: int) -> float:
    """Seconds of the smallest cross."""
    budget = seeds * costs.of(smallest(pilot))
    most = seeds * sum(map(costs.of, cross(pilot, 1.0, 1.0)))
    while budget < most and not design(pilot, lambda c: seeds * costs.of(c), budget):
        budget *= 1.5
    return budget


def _advice(
    pilot: Pilot,
    known: Prepared,
    asked: _AdviceRequest,
    pairs: Mapping[tuple[Cell, int], PilotRuns],
    costs: _Costs,
    notes: tuple[str, ...],
) -> Advice:
    """All of it as a record."""
    n = len(known.rows)
    tutor = pilot.method.teacher
    assert tutor is not None  # noqa: S101  (refused before)
    teacher = right(ask(tutor, known.test.batches(range(len(known.test)),
                                                                 known.training.batch_size),
                        known.task))  # fmt: skip
    numbers = known.task.kind is TaskKind.REGRESSION
    full = pilot.cell(1.0, 1.0)
    settings = {
        "teacher": name_of(tutor), "student": type(make(known.makers[0], 0)).__name__,
        "objective": [f"{w} x {t}" for _, w, t in objective_record(known.objective)],
        "rows": n, "measured_rows": len(known.test), "seed": asked.seed, "seeds": asked.seeds,
        "later_seeds": _LATER, "budget": asked.budget, "pairs": len(pairs),
        "seconds": sum(p.seconds for p in pairs.values()),
        "updates_per_epoch": full.updates / max(_epochs(pilot, n), 1),
        "enough": asked.seeds * sum(map(costs.of, cross(pilot, 1.0, 1.0))) / _LARGEST,
        "call": {k: v for k, v in asked.training.items() if isinstance(v, int | float | str)},
        "versions": versions("torch", "numpy"),
    }  # fmt: skip
    return Advice(
        tuple(_outlooks(pilot, asked, pairs, costs, bounded=not numbers)),
        tuple(_points(pairs, asked.delta)),
        None if teacher is None else mean_over(teacher[None], asked.delta),
        "R²" if numbers else "accuracy",
        round(1 - asked.delta, 12),
        notes,
        settings,
    )


def _outlooks(
    pilot: Pilot,
    asked: _AdviceRequest,
    pairs: Mapping[tuple[Cell, int], PilotRuns],
    costs: _Costs,
    *,
    bounded: bool,
) -> list[Outlook]:
    own, larger = gathered(pairs, False), gathered(pairs, True)
    n = len(pilot.method.rows)
    told: dict[str, Any] = {"delta": asked.delta, "seeds": _LATER, "bounded": bounded}
    found = []
    for name, place, rows, longer in _CHANGES:
        f = forecast(own, place, **told)
        cell = Cell(n * rows, longer * pilot.updates(n * rows), place)
        epochs = longer * _epochs(pilot, n * rows)
        found.append(Outlook(name, n * rows, epochs, f.student, f.control, f.gain, f.doublings,
                             costs.of(cell)))  # fmt: skip
    if larger:
        f = forecast(own, Place(), start=larger, **told)
        cell = replace(pilot.cell(1.0, 1.0), larger=True)
        found.append(Outlook("a student twice the size", n, _epochs(pilot, n), f.student, f.control,
                             f.gain, f.doublings, costs.of(cell)))  # fmt: skip
    return found


def _epochs(pilot: Pilot, rows: int) -> int:
    return pilot.settings.settled(rows, validated=False).epochs or 1


def _points(pairs: Mapping[tuple[Cell, int], PilotRuns], delta: float) -> list[PilotPoint]:
    """A line for each cell."""
    found = []
    for cell in dict.fromkeys(c for c, _ in pairs):
        own = [p for (c, _), p in pairs.items() if c == cell]
        student = np.stack([p.student for p in own])
        control = np.stack([p.control for p in own])
        gain = gain_over("", student, control, delta)
        found.append(PilotPoint(
            "student of twice the size" if cell.larger else "student", cell.rows, cell.updates,
            len(own), mean_over(student, delta), mean_over(control, delta),
            Measured(gain.value, gain.low, gain.high),
            float(np.mean([p.seconds for p in own])),
        ))  # fmt: skip
    return sorted(found, key=lambda p: (p.model, p.rows, p.updates))
