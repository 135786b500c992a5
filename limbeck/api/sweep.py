"""Trials of a search: short trainings that are scored on validation rows, the best go on."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import joblib

from limbeck.api.prepare.sweep_settings import OF_BOTH, changed, shown_settings
from limbeck.core.errors import InvalidInput, LimbeckError
from limbeck.core.progress import Progress, quiet
from limbeck.core.strict_json import plain, read_json, write_json
from limbeck.core.threads import one_thread
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.training.gradient_accumulation import Plan
from limbeck.networks.training.train import Trained
from limbeck.results.tune_record import Trial
from limbeck.selection.halving import Rung, rungs, survivors
from limbeck.selection.search_space import SearchSpace

__all__ = ["Sweep", "Winner"]

_FORMAT, _VERSION = "limbeck-trial", 1
_SEEDS = 10_000  # from the seed of the sweep to that of its first trial


@dataclass(frozen=True)
class Winner:
    """The settings that did best, what trains with them, and all trials in their order."""

    values: Mapping[str, Any]
    method: TrainNetwork
    trials: tuple[Trial, ...]


@dataclass(frozen=True, eq=False)
class Sweep:
    """How settings are searched for, the same for student and control.

    Parameters
    ----------
    space : SearchSpace
        Settings and their choices.
    trials : int
        How many settings are tried.
    seed : int
        Of the settings; trial i trains from a seed of its own.
    search : {"random", "bayesian"}
        How they are drawn.
    eta : int
        One of so many goes on, for so many times the updates.
    n_jobs : int or None
        Processes, as in scikit-learn.
    folder : Path or None
        Where trials that are done are kept.
    """

    space: SearchSpace
    trials: int
    seed: int = 0
    search: str = "random"
    eta: int = 3
    n_jobs: int | None = None
    folder: Path | None = None

    def plan(self, method: TrainNetwork) -> tuple[Rung, ...]:
        """The rounds: one where lengths are searched over, else successive halving.

        Parameters
        ----------
        method : TrainNetwork
            Its settings say how long the longest training is.
        """
        count = int(min(self.trials, self.space.size))
        updates = updates_of(method)
        if "epochs" in self.space.over:
            return (Rung(count, updates),)
        return rungs(count, updates, self.eta)

    def checked(self, method: TrainNetwork) -> list[dict[str, Any]]:
        """The settings of random trials; all choices are tried on, so that bad ones are refused.

        Parameters
        ----------
        method : TrainNetwork
            With the settings that are not searched over.

        Raises
        ------
        InvalidInput
            Names the setting.
        """
        for name, given in self.space.over.items():
            if not hasattr(given, "rvs"):
                for choice in given:
                    _tried(method, {name: choice})
        drawn = self.space.drawn(self.trials, self.seed)
        for values in drawn:
            _tried(method, values)
        if self.search == "bayesian":
            self.space.check_bayesian()
        return drawn

    def run(self, role: str, method: TrainNetwork, tell: Progress = quiet) -> Winner:
        """Try settings, and give those that did best on the validation rows.

        Parameters
        ----------
        role : {"student", "control"}
            Who learns; the control has the settings that both have, in as many trials.
        method : TrainNetwork
            With the settings that are not searched over.
        tell : Progress
            Told of the trials that are done.

        Raises
        ------
        InvalidInput
            If all trials failed, with what the first one said.
        """
        plan = self.plan(method)
        own = self.space.over if role == "student" else self.space.only(OF_BOTH)
        if self.search == "bayesian" and own:
            jobs, first = self._proposed(role, method, SearchSpace(own), plan[0], tell)
        else:
            drawn = self.space.drawn(self.trials, self.seed)
            kept = [{n: v for n, v in values.items() if n in own} for values in drawn]
            jobs = [self._job(role, method, i, values) for i, values in enumerate(kept)]
            first = self._ran(jobs, 0, plan[0], tell)
        found: dict[int, list[_Score]] = {i: [score] for i, score in enumerate(first)}
        left = list(range(len(jobs)))
        for rung, step in enumerate(plan[1:], 1):
            left = _best(found, left, step.trials)
            scores = self._ran([jobs[i] for i in left], rung, step, tell)
            for i, score in zip(left, scores, strict=True):
                found[i].append(score)
        best = _best(found, left, 1)
        if not best:
            raise InvalidInput(
                f"No trial of the {role} came to an end ({len(jobs)} failed):"
                f" {found[0][-1].failed}",
                "Search over smaller learning rates, or give max_grad_norm=1.",
            )
        chosen = jobs[best[0]]
        told = tuple(
            _trial(jobs[i], scores, chosen is jobs[i]) for i, scores in sorted(found.items())
        )
        return Winner(chosen.values, changed(method, chosen.values), told)

    def _job(self, role: str, method: TrainNetwork, i: int, values: Mapping[str, Any]) -> _TrialRun:
        folder = None if self.folder is None else self.folder / f"{role}-{i:03d}"
        return _TrialRun(
            role, i, dict(values), changed(method, values), self.seed + _SEEDS + i, folder
        )

    def _proposed(
        self, role: str, method: TrainNetwork, space: SearchSpace, step: Rung, tell: Progress
    ) -> tuple[list[_TrialRun], list[_Score]]:
        """The first round of a search that learns from its trials, one after the other."""
        jobs: list[_TrialRun] = []
        scores: list[_Score] = []
        asked = space.proposals(step.trials, self.seed)
        values = next(asked, None)
        while values is not None:
            jobs.append(self._job(role, method, len(jobs), values))
            tell(f"trials of the {role}", len(scores), step.trials)
            scores.append(jobs[-1].run(0, step.updates))
            failed = bool(scores[-1].failed)
            try:
                values = asked.send(None if failed else scores[-1].score)  # type: ignore[attr-defined]
            except StopIteration:
                values = None
        return jobs, scores

    def _ran(
        self, jobs: Sequence[_TrialRun], rung: int, step: Rung, tell: Progress
    ) -> list[_Score]:
        """One round, in one process or in several."""
        if joblib.effective_n_jobs(self.n_jobs) == 1 or len(jobs) < 2:
            scores: list[_Score] = []
            for job in jobs:
                tell(f"trials of the {job.role}", len(scores), len(jobs))
                scores.append(job.run(rung, step.updates))
            return scores
        tell(f"trials of the {jobs[0].role}", 0, len(jobs))
        parallel = joblib.Parallel(n_jobs=self.n_jobs, batch_size=1, pre_dispatch="2*n_jobs")
        return list(parallel(joblib.delayed(_alone)(job, rung, step.updates) for job in jobs))


def updates_of(method: TrainNetwork) -> int:
    """Updates of a whole training with the settings of a method."""
    training = method.training
    assert training.epochs is not None  # noqa: S101  (settled before)
    whole = training.epochs * _per_epoch(method)
    return whole if training.max_steps is None else min(whole, training.max_steps)


def _per_epoch(method: TrainNetwork) -> int:
    return Plan(
        len(method.rows), method.training.batch_size, drop_last=method.rows.drop_last
    ).updates


@dataclass(frozen=True)
class _Score:
    """What came of one training: the best epoch on validation rows, or why there is nothing."""

    updates: int
    score: float = math.nan
    loss: float = math.nan
    failed: str = ""

    @property
    def key(self) -> tuple[float, ...] | None:
        return None if self.failed else (self.score, -self.loss)


@dataclass(frozen=True, eq=False)
class _TrialRun:
    """One trial: who learns, with which settings, from which seed."""

    role: str
    place: int
    values: Mapping[str, Any]
    method: TrainNetwork
    seed: int
    folder: Path | None = field(default=None)

    def run(self, rung: int, updates: int) -> _Score:
        """Train for some updates, or read what came of it."""
        if "epochs" in self.values:
            updates = updates_of(self.method)
        told = {"values": shown_settings(self.values), "seed": self.seed, "updates": updates}
        file = None if self.folder is None else self.folder / f"rung-{rung}.json"
        if file is not None and file.exists():
            known = read_json(file, _FORMAT, _VERSION)
            if {name: known.get(name) for name in told} != plain(told):
                raise InvalidInput(
                    f"{str(file)!r} is of a search with other settings.", "Choose another out=."
                )
            score, loss = (math.nan if known[n] is None else known[n] for n in ("score", "loss"))
            return _Score(updates, score, loss, known["failed"])
        work = None if self.folder is None else self.folder / f"rung-{rung}"
        found = self._trained(updates, work)
        if file is not None and work is not None:
            kept = {"score": found.score, "loss": found.loss, "failed": found.failed}
            write_json(plain({"format": _FORMAT, "version": _VERSION, **told, **kept}), file)
            shutil.rmtree(work, ignore_errors=True)  # its checkpoint is of no more use
        return found

    def _trained(self, updates: int, folder: Path | None) -> _Score:
        method = self.method
        training = replace(
            method.training, max_steps=updates, epochs=math.ceil(updates / _per_epoch(method)),
            patience=None, callbacks=(), metrics=None,
        )  # fmt: skip
        own = replace(method, training=training)
        try:
            if self.role == "student":
                made: Trained = own.distill(self.seed, folder, quiet)[0]
            else:
                made = own.learn(self.seed, folder, quiet)
        except LimbeckError as error:
            return _Score(updates, failed=str(error))
        best = made.history[made.best_epoch]
        score, loss = float(best["score"]), float(best["validation_loss"])
        if not (math.isfinite(score) and math.isfinite(loss)):
            return _Score(updates, failed="Its validation loss is not finite.")
        return _Score(updates, score, loss)


def _alone(job: _TrialRun, rung: int, updates: int) -> _Score:
    """A trial in a process of its own, on one thread."""
    with one_thread():
        return job.run(rung, updates)


def _best(found: Mapping[int, Sequence[_Score]], left: Sequence[int], kept: int) -> list[int]:
    return [left[place] for place in survivors([found[i][-1].key for i in left], kept)]


def _trial(job: _TrialRun, scores: Sequence[_Score], chosen: bool) -> Trial:
    last = scores[-1]
    return Trial(
        job.role, job.place, shown_settings(job.values), job.seed, len(scores),
        sum(s.updates for s in scores), last.updates, last.score, last.loss, last.failed, chosen,
    )  # fmt: skip


def _tried(method: TrainNetwork, values: Mapping[str, Any]) -> None:
    """Refuse settings that cannot be trained with."""
    made = changed(method, values)
    made.objective.check(method.task)
    _per_epoch(made)
