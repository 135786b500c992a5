"""A fair search for settings: student and control get the same trials and the same updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from limbeck.api.network_steps import Judged, NetworkSteps, Trainings
from limbeck.api.prepare.network import Prepared
from limbeck.api.prepare.outputs import readings_kept
from limbeck.api.prepare.request import NetworkData, NetworkRequest, NetworkSides
from limbeck.api.prepare.sweep_settings import check_names, shown_settings
from limbeck.api.steps import run
from limbeck.api.sweep import Sweep, updates_of
from limbeck.certificates.binomial import check_share
from limbeck.certificates.wording import versions
from limbeck.core.certificate import Certificate
from limbeck.core.errors import InvalidInput, did_you_mean, whole_number
from limbeck.core.progress import Progress
from limbeck.core.strict_json import plain, read_json, write_json
from limbeck.core.whole_folder import open_folder
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.training.processes import first
from limbeck.results.network import NetworkDistillation
from limbeck.results.tune import Tuning
from limbeck.results.tune_record import Trial
from limbeck.selection.search_space import SearchSpace

__all__ = ["tune"]

_SHARE = 0.2  # of the training rows, to choose by where no validation rows are given
_SEARCHES = ("random", "bayesian")
_FORMAT, _VERSION, _PLAN = "limbeck-search", 1, "search.json"
_NOT_SEARCHED = ("mode", "control", "progress")


@readings_kept
def tune(
    teacher: Any,
    data: Any,
    y: Any = None,
    *,
    into: Any,
    over: Mapping[str, Any],
    trials: int = 30,
    search: str = "random",
    eta: int = 3,
    seeds: int = 3,
    seed: int = 0,
    validation: Any = None,
    test: Any = None,
    holdout: float = 0.3,
    epsilon: float = 0.05,
    delta: float = 0.05,
    n_jobs: int | None = None,
    out: str | Path | None = None,
    progress: bool | None = None,
    **settings: Any,
) -> Tuning:
    """Search for the settings of a student, and as long for those of its control.

    A student whose settings were searched for, against a control with default settings, shows what
    the search brings. Here both get as many trials with as many updates: the control has the
    settings that concern it (learning rate, batch size, augmentation, start, ...), and where none
    does, as many seeds. Trials are scored on validation rows; by successive halving (Jamieson
    and Talwalkar 2016) one of ``eta`` goes on and trains ``eta`` times as long, from its start. The
    best settings of either side are trained again at full length from fresh seeds and judged once,
    on test rows that chose nothing.

    Parameters
    ----------
    teacher, data, y, into, validation, test, holdout, epsilon, delta
        As for a network in :func:`limbeck.distill`. Without validation rows a fifth of the
        training rows is set aside to choose by.
    over : mapping of str to list or distribution
        What is searched over: settings of `limbeck.networks.training.settings.Training` such as
        ``lr``, ``batch_size``, ``weight_decay`` or ``epochs``, and ``start``, ``filter``,
        ``objective``, ``temperature``, ``teacher_weight`` (the share of the terms on the
        teacher; gold labels have the rest) or ``weights`` (one for each term). A list of choices,
        or a distribution of scipy such as ``loguniform(1e-4, 1e-1)``. With ``epochs`` all
        trials run to their end, without halving.
    trials : int
        How many settings are tried on either side; fewer where there are fewer combinations.
    search : {"random", "bayesian"}
        Random search (Bergstra and Bengio 2012), or optuna's tree-structured Parzen estimator
        in the first round, one trial after the other (``pip install "limbeck[tune]"``).
    eta : int
        One of so many trials goes on to the next round; at least 2.
    seeds, seed : int
        Trainings with the best settings, and the first seed; trials have seeds of their own.
    n_jobs : int, optional
        Trials at the same time, by joblib, as in scikit-learn.
    out : path, optional
        A folder for trials that are done and, in the end, for everything `Tuning.save` writes. A
        search that was cut off goes on when it is called again with the same arguments.
    progress : bool, optional
        A progress bar; by default only on a terminal.
    **settings
        Everything else that :func:`limbeck.distill` takes for a network: ``objective``,
        ``unlabelled``, ``epochs`` (the longest training), ...

    Returns
    -------
    Tuning
        Prints table, verdict and trials; ``tuning.result`` is the student's own result.

    Raises
    ------
    InvalidInput
        If an argument cannot be used, or there is nothing to search over; before any work. Later,
        if all trials fail; those of which some fail are listed, and no choice.
    MissingExtra
        If optuna is needed and not installed.

    Examples
    --------
    >>> import torch
    >>> import limbeck
    >>> _ = torch.manual_seed(0)
    >>> X = torch.randn(200, 4)
    >>> teacher = torch.nn.Linear(4, 2)
    >>> found = limbeck.tune(
    ...     teacher, X, teacher(X).argmax(1), into=torch.nn.Linear(4, 2), trials=4, epochs=4,
    ...     over={"lr": [0.001, 0.01, 0.1], "temperature": [1.0, 4.0]}, seeds=1, progress=False)
    >>> len(found.of("student")), len(found.of("control"))
    (4, 4)
    """
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    seeds, seed = whole_number("seeds", seeds, 1), whole_number("seed", seed)
    trials, eta = whole_number("trials", trials, 1), whole_number("eta", eta, 2)
    if n_jobs is not None and (not isinstance(n_jobs, int) or n_jobs == 0):
        raise InvalidInput(
            f"n_jobs is {n_jobs!r}.",
            "Give a number of processes, -1 for all cores, or leave it out.",
        )
    if search not in _SEARCHES:
        raise InvalidInput(f"search is {search!r}.", did_you_mean(str(search), _SEARCHES))
    for name in _NOT_SEARCHED:
        if settings.get(name) is not None:
            raise InvalidInput(f"{name} was given to a search.", f"Leave {name} out.")
    if isinstance(into, list | tuple):
        raise InvalidInput(
            f"into holds {len(into)} students, and settings are searched for one.", "Give one."
        )
    space = SearchSpace(over)
    check_names(space, settings)
    folder = None if out is None else Path(out)
    sweep = Sweep(space, trials, seed, search, eta, n_jobs, folder and folder / "trials")
    given = {name: settings.pop(name) for name in list(settings) if name in _OF_REQUEST}
    request = NetworkRequest(
        teacher, data, y, into, validation=_SHARE if validation is None else validation, test=test,
        holdout=holdout, seeds=seeds, epsilon=epsilon, delta=delta, seed=seed, folder=folder,
        training=settings, **given,
    )  # fmt: skip
    steps = TunedSteps(request, sweep)
    result = run(steps, progress)
    found = Tuning(result, tuple(steps.trials), steps.told, tuple(steps.notes(validation is None)))
    if folder is not None and first():
        found.kept(folder)
    return found


_OF_REQUEST = (
    "objective", "recipe", "filter", "start", "cache", "unlabelled", "cases", "duplicates", "task",
    "tokenizers", "output", "vocabulary", "classes", "unit", "calibrate", "baseline", "timing",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class TunedSteps(NetworkSteps):
    """A distillation whose settings, and those of its control, are searched for first.

    Parameters
    ----------
    request : NetworkRequest
        What was asked for.
    sweep : Sweep
        How settings are searched for.
    """

    sweep: Sweep
    trials: list[Trial] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)

    def understand(self, data: NetworkData, sides: NetworkSides) -> Prepared:
        """As for every distillation; all settings that are searched over are tried on.

        Parameters
        ----------
        data : NetworkData
            What was given.
        sides : NetworkSides
            Training rows and test rows.
        """
        known = super().understand(data, sides)
        if known.validation is None:
            raise InvalidInput(
                "There are no validation rows to choose settings by.",
                "Give validation=..., rows or a share of the training rows.",
            )
        # the cache is filled later: what is checked needs no answers
        method = self.method(replace(known, cache=None), lambda *told: None)
        self.sweep.checked(method)
        plan = self.sweep.plan(method)
        self.told.update(
            over=shown_settings(self.sweep.space.over), search=self.sweep.search,
            eta=self.sweep.eta, seed=self.sweep.seed, updates=updates_of(method),
            rounds=[[step.trials, step.updates] for step in plan],
            validation_rows=len(known.validation), versions=versions("torch", "accelerate"),
        )  # fmt: skip
        self._begin(known)
        return known

    def teach(self, known: Prepared, tell: Progress) -> Trainings:
        """The students of all seeds with the best settings.

        Parameters
        ----------
        known : Prepared
            Networks, rows and settings.
        tell : Progress
            Told how far the search is.
        """
        won = self.sweep.run("student", self.method(known, tell), tell)
        self.trials.extend(won.trials)
        self.told["student"] = shown_settings(won.values)
        return self.trained(known, won.method, tell)

    def control_method(self, known: Prepared, found: Trainings, tell: Progress) -> TrainNetwork:
        """What trains the controls: with their own best settings, after as many trials.

        Parameters
        ----------
        known : Prepared
            Networks, rows and settings.
        found : Trainings
            The students.
        tell : Progress
            Told how far the search is.
        """
        base = replace(found.method, objective=known.objective, training=known.training,
                       start=self.request.start, filter=known.filter)  # fmt: skip
        won = self.sweep.run("control", base, tell)
        self.trials.extend(won.trials)
        self.told["control"] = shown_settings(won.values)
        return won.method

    def compare(self, known: Prepared, found: Trainings, tell: Progress) -> Judged:
        """Teacher, tuned students, tuned controls and the linear model on the test rows.

        Parameters
        ----------
        known : Prepared
            Networks, rows and settings before the search.
        found : Trainings
            The students.
        tell : Progress
            Told how far the search for the control is.
        """
        judged = super().compare(known, found, tell)
        self.trials.sort(key=lambda t: (t.role != "student", t.place))
        return judged

    def result(
        self,
        known: Prepared,
        found: Trainings,
        certificate: Certificate | None,
        compared: Judged,
        seconds: float,
    ) -> NetworkDistillation:
        """The record of the tuned student; see `NetworkSteps.result`.

        Parameters
        ----------
        known, found, certificate, compared
            What the steps returned.
        seconds : float
            How long they took.
        """
        tuned = replace(known, objective=found.method.objective, training=found.method.training)
        return super().result(tuned, found, certificate, compared, seconds)

    def notes(self, shared: bool) -> list[str]:
        """What must be known of the search.

        Parameters
        ----------
        shared : bool
            Whether the validation rows were taken from the training rows unasked.
        """
        notes = []
        if shared:
            notes.append(
                f"No validation rows were given: {_SHARE:.0%} of the training rows"
                f" ({self.told['validation_rows']:,}) chose."
            )
        rounds = ", then ".join(f"{n:,} of {u:,} updates" for n, u in self.told["rounds"])
        notes.append(f"Trials of either side: {rounds}.")
        if "epochs" in self.sweep.space.over:
            notes[-1] = "Epochs were searched over: every trial ran to its end, without halving."
        if self.told["rounds"][0][0] < self.sweep.trials:
            notes.append(f"There are only {self.told['rounds'][0][0]} combinations of settings.")
        return notes

    def _begin(self, known: Prepared) -> None:
        """Note what is searched in the folder, or refuse a folder of another search."""
        folder = self.sweep.folder
        if folder is None:
            return
        own = {k: v for k, v in self.told.items() if k != "versions"}
        own |= {"rows": known.rows.fingerprint(), "validation": known.validation.fingerprint()}  # type: ignore[union-attr]
        told = plain({"format": _FORMAT, "version": _VERSION, **own})
        file = folder / _PLAN
        if file.exists():
            held = read_json(file, _FORMAT, _VERSION)
            for name, value in told.items():
                if held.get(name) != value:
                    raise InvalidInput(
                        f"{str(folder.parent)!r} holds a search with another {name}.",
                        "Call it with the same arguments, or choose another out=.",
                    )
            return
        open_folder(folder)
        write_json(told, file)
