"""Does distilling pay here? Short runs of student and control, and a forecast of longer ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from limbeck.api.pilot_advice import pilot_advice
from limbeck.api.prepare.checks import makers_of
from limbeck.api.prepare.network import Prepared, understand
from limbeck.api.prepare.outputs import readings_kept
from limbeck.api.prepare.recipes import by_recipe
from limbeck.api.prepare.request import NetworkData, NetworkRequest, read, split
from limbeck.certificates.binomial import check_share
from limbeck.core.errors import InvalidInput, plural, whole_number
from limbeck.core.progress import shown
from limbeck.core.task import Task
from limbeck.networks.initialization.widened import parameters_of, widened
from limbeck.networks.losses.filters import Filter
from limbeck.networks.strategies.train_network import TrainNetwork, make
from limbeck.reports.numbers import count
from limbeck.results.advice import Advice
from limbeck.selection.pilot import Pilot
from limbeck.selection.pilot_budget import PilotRequest, run_pilot, seconds_of
from limbeck.selection.pilot_folder import same_pilot

__all__ = ["advise"]

_FEWEST = 30  # rows with a label to measure on


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
    recipe: str | None = None,
    filter: Filter | None = None,  # noqa: A002  (the field's word)
    start: Any = None,
    validation: Any = None,
    unlabelled: Any = None,
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
    recipe : {"patient"}, optional
        As in :func:`limbeck.distill`: settings where none are given. The run that is forecast, its
        control and the pairs of the pilot all follow it.
    budget : float or str
        How long it may take: seconds, or a time such as ``"10 min"``. The largest cross of
        learning curves that fits is run, and more seeds (five at most) where time is left.
    larger : nn.Module or callable, optional
        A student of twice the size. By default a chain of layers (``nn.Sequential``) is made
        wider; of other networks, without it, that forecast is left out.
    validation : as data, optional
        Rows to measure on, which no training sees. Without them a share ``holdout`` of the data is
        set aside, and a note says so.
    unlabelled : as data, optional
        More inputs, without labels, as in :func:`limbeck.distill`: the student learns from them,
        its control from the labelled rows alone. A part of the rows is a part of both, and so are
        twice the inputs. Rows that are measured on are refused among them.
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
        teacher, data, y, into, objective=objective, recipe=recipe, filter=filter,
        start=start, validation=0,
        test=validation, unlabelled=unlabelled, holdout=holdout, seed=seed, task=task,
        tokenizers=tokenizers, output=output, vocabulary=vocabulary, classes=classes,
        training=training,
    )  # fmt: skip
    given, known = _understood(request)
    pilot, notes = _pilot(known, given, larger, request, folder)
    call = dict(training) | ({} if recipe is None else {"recipe": recipe})
    asked = PilotRequest(seconds, seeds, seed, delta, call)
    with shown(progress) as tell:
        pairs, costs = run_pilot(pilot, asked, tell)
    if validation is None:
        notes.insert(0, f"No validation rows were given: {holdout:.0%} of the rows"
                     f" ({count(len(known.test))}) were set aside to measure on.")  # fmt: skip
    found = pilot_advice(pilot, known, asked, pairs, costs, (*notes, *known.notes))
    if folder is not None:
        found.save(folder)
    return found


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
        known.objective, known.training, None, known.filter, known.reads, known.labelled,
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
    settings = by_recipe(request.recipe, settings, known.rows, known.task)[0]
    pairs = None if folder is None else folder / "pairs"
    labelled = None if known.labelled is None else len(known.rows) - known.unlabelled
    pilot = Pilot(method, twice, settings, known.test, pairs, labelled)
    if folder is not None:
        same_pilot(folder / "pilot.json", pilot, request.seed)
    return pilot, notes
