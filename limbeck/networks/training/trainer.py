"""The training itself: epochs of updates, validation, metrics and checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress
from limbeck.core.task import Task
from limbeck.modules.batch import Step
from limbeck.modules.runner import Network
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.finite import fault_of
from limbeck.networks.datasets.mixing import Mixing
from limbeck.networks.losses.filters import Filter
from limbeck.networks.training import checkpoint
from limbeck.networks.training.callbacks import untouched
from limbeck.networks.training.engine import Engine
from limbeck.networks.training.gradient_accumulation import Part, Plan, parts_of
from limbeck.networks.training.history import History, Ledger, Observers
from limbeck.networks.training.settings import Training
from limbeck.networks.training.teacher_outputs import Ask, heard
from limbeck.networks.training.training_step import Learner
from limbeck.networks.training.validation import Validation

__all__ = ["Trainer"]

TOLD_EVERY = 0.2
"""Seconds from one report of progress to the next, at least."""


class Trainer:
    """One training, of one student or of several that teach each other.

    Parameters
    ----------
    learners : sequence of Learner
        The students.
    ask : callable or None
        Gives the teacher's view of a batch.
    teacher : Network or None
        For objectives that run the teacher again.
    samples : Samples
        Training rows.
    task : Task
        What is predicted.
    training : Training
        Settings.
    engine : Engine
        Processes and precision.
    seed, augment_seed : int
        Of the order and what students and objectives draw; of the augmentation.
    views : int or None
        Augmented views of each sample; None means a new one every epoch.
    validation : Validation or None
        Scores the students after each epoch.
    filter : Filter or None
        Weighs what is learned from the teacher.
    folder : Path or None
        Where checkpoints and metrics are written.
    settings : mapping
        What must be the same for a checkpoint to be taken up.
    name : str
        What callbacks are told of which training this is.
    mixing : Mixing, optional
        How rows of a batch are mixed.
    """

    def __init__(
        self,
        learners: Sequence[Learner],
        ask: Ask | None,
        teacher: Network | None,
        samples: Samples,
        task: Task,
        training: Training,
        engine: Engine,
        *,
        seed: int,
        augment_seed: int,
        views: int | None,
        validation: Validation | None,
        filter: Filter | None,  # noqa: A002  (the word of the design)
        folder: Path | None,
        settings: dict[str, Any],
        name: str = "",
        mixing: Mixing | None = None,
    ) -> None:
        self._learners, self._ask, self._teacher = list(learners), ask, teacher
        self._samples, self._task, self._engine = samples, task, engine
        self._seed, self._augment_seed, self._views = seed, augment_seed, views
        self._validation, self._filter = validation, filter
        self._folder, self._settings, self._mixing = folder, settings, mixing
        self._plan = Plan(len(samples), training.batch_size, engine.processes,
                          training.gradient_accumulation_steps, samples.drop_last)  # fmt: skip
        training = training.settled(len(samples), validation is not None)
        assert training.epochs is not None  # noqa: S101  (settled)
        self._training, self._epochs = training, training.epochs
        self._total = self._plan.updates * self._epochs
        if training.max_steps is not None:
            self._total = min(self._total, training.max_steps)
            self._epochs = math.ceil(self._total / self._plan.updates)
        for learner in learners:
            learner.plan(self._total, self._epochs)
        self._generator = torch.Generator(engine.device).manual_seed(seed)
        eager = engine.device.type == "cpu" and engine.processes == 1
        self._ledgers = [
            Ledger(x.objective.names, eager, engine.mean, self._plan.updates, folder, self._fault)
            for x in learners
        ]
        self.records = [History() for _ in learners]
        self._kept = torch.zeros((), device=engine.device)
        self._step = self._epoch = self._update = 0  # _update: within the epoch
        self._finished = False
        self._seconds = 0.0
        self._observers = Observers(
            training, engine, [x.student for x in learners], [x.names for x in self._ledgers],
            self.records, name=name, folder=folder, total=self._total, epochs=self._epochs,
            updates=self._plan.updates,
        )  # fmt: skip
        self._ending: tuple[list[Tensor | None], float] = [], 0.0  # of the epoch's last update

    @property
    def steps(self) -> int:
        """Updates made."""
        return self._step

    def began(self, student: int) -> dict[str, float]:
        """Losses before anything was learned; see `limbeck.networks.training.train.Trained`."""
        own = {"loss": self._ledgers[student].first}
        if self._validation is not None:
            own["validation_loss"] = self._validation.constant
        return {name: value for name, value in own.items() if value is not None}

    @property
    def seconds(self) -> float:
        """Of training, over all its parts."""
        return self._seconds

    def run(self, progress: Progress) -> None:
        """Train to the end, from the start or from the folder's checkpoint."""
        self._resume()
        began = time.perf_counter() - self._seconds
        trains = not self._finished
        with ExitStack() as stack:
            if trains:
                stack.callback(self._observers.close)
                self._begin()
            while not self._finished:
                self._train(progress)
                self._seconds = time.perf_counter() - began
                self._close_epoch()
            for learner, record in zip(self._learners, self.records, strict=True):
                learner.finish(record.best)
            if trains:
                self._observers.call("on_train_end", self._step)

    def _begin(self) -> None:
        """Try the metrics before anything is trained, and begin."""
        if self._validation is not None and self._training.metrics and not self._step:
            student = self._learners[0].judged
            with untouched(self._engine.device, student):
                self._validation(student)
        self._observers.call("on_train_begin", self._step)

    def _train(self, progress: Progress) -> None:
        """The rest of one epoch."""
        plan, training, engine = self._plan, self._training, self._engine
        for learner in self._learners:
            learner.network.module.train()
        view = self._epoch if self._views is None else self._epoch % self._views
        order = self._samples.order(self._epoch, self._seed)
        rows = plan.order(order, engine.rank, self._update)
        batches = self._samples.batches(
            rows, plan.sizes_from(self._update), seed=self._augment_seed, view=view,
            device=engine.device,
        )  # fmt: skip
        if self._mixing is not None:
            batches = self._mixing.over(batches, self._augment_seed, self._epoch)
        told = 0.0
        held: list[list[Step]] = [[] for _ in self._learners]  # where a step asks for the loss
        for part in parts_of(
            batches, plan, self._update, self._task, engine, self._ask, self._filter
        ):
            batch, done = part.batch, self._step / self._total
            seen = [x.network(batch.inputs) for x in self._learners]
            for i, (learner, own) in enumerate(zip(self._learners, seen, strict=True)):
                taught = heard(part.taught, seen, i, self._task)
                step = self._step_of(part, learner, own, taught, done)
                if learner.closes:
                    held[i].append(step)
                self._ledgers[i].add(self._step, part.last, *learner.learn(step, part.last))
            if not part.last:
                continue
            self._step += 1
            self._update += 1
            ending = self._update == plan.updates or self._step == self._total
            logging = ending or self._step % training.log_every == 0
            norms = [
                x.update(self._step - 1, self._total, logging, partial(_again, x, steps))
                for x, steps in zip(self._learners, held, strict=True)
            ]
            held = [[] for _ in self._learners]
            if logging and not ending:
                self._log(norms, done)
            self._observers.call("on_step_end", self._step)
            every = training.checkpoint_every
            if every is not None and self._step % every == 0 and not ending:
                self._save()
            if ending or time.perf_counter() - told > TOLD_EVERY:
                told = time.perf_counter()
                progress("training", self._step, self._total)
            if ending:
                break
        self._ending = norms, done

    def _step_of(self, part: Part, learner: Learner, own: Any, taught: Any, done: float) -> Step:
        """What the losses of a student see of a part of an update."""
        batch = part.batch
        step = Step(
            batch.inputs,
            batch.labels,
            own,
            taught,
            self._task,
            done=done,
            index=batch.index,
            generator=self._generator,
            run_student=learner.network.run,
            run_teacher=None if self._teacher is None else self._teacher.run,
            labelled=batch.labelled,
            shares=part.shares,
        )
        if self._filter is None:
            return step
        return replace(step, weight=self._weight(step, part, self._filter))

    def _weight(self, step: Step, part: Part, given: Filter) -> Tensor:
        """What the filter says of a part of an update; it was asked where there are several."""
        weight = given(step).detach() if part.weight is None else part.weight
        if self._epoch == 0:
            self._kept += weight.sum()
        return weight

    def _close_epoch(self) -> None:
        """Validate, note, decide whether to stop, and keep a checkpoint."""
        norms, done = self._ending
        for ledger in self._ledgers:  # before validation, so that a loss that is none stops here
            ledger.settle()
        if self._filter is not None and self._epoch == 0 and not self._engine.mean(self._kept) > 0:
            raise self._filter.nothing_passed()
        for i, (learner, ledger, record) in enumerate(
            zip(self._learners, self._ledgers, self.records, strict=True)
        ):
            scored = None if self._validation is None else self._validation(learner.judged)
            means = ledger.epoch()
            record.add(self._epoch, self._step, means, learner.rate, scored, learner.student_state)
            if learner.scheduler is not None:
                score, loss = (None, means["loss"]) if scored is None else scored[:2]
                learner.scheduler.ended(loss, score)
            if scored is not None:
                self._observers.tell(i, "on_evaluate", self._step, scored.row())
        self._log(norms, done, ended=True)
        self._observers.call("on_epoch_end", self._step)
        self._epoch += 1
        self._update = 0
        patience = self._training.patience
        waited = min(self._epoch - 1 - r.best_epoch for r in self.records)
        self._finished = self._step >= self._total or (patience is not None and waited >= patience)
        every = self._training.checkpoint_every
        if every is None or self._step % every == 0 or self._finished:
            self._save()

    def _fault(self, step: int) -> tuple[str, str] | None:
        """What is wrong with the rows of an update, over all processes, and the remedy."""
        epoch, update = divmod(step, self._plan.updates)
        size, device = self._training.batch_size, self._engine.device
        rows = self._samples.order(epoch, self._seed)[update * size : (update + 1) * size]
        view = epoch if self._views is None else epoch % self._views
        batches = self._samples.batches(rows, self._plan.micro, seed=self._augment_seed, view=view,
                                        device=device)  # fmt: skip
        answered = ((b, None if self._ask is None else self._ask(b).logits) for b in batches)
        return fault_of(self._samples, answered)

    def _log(self, norms: list[Tensor | None], done: float, ended: bool = False) -> None:
        """A row of metrics of every student."""
        for i, (learner, ledger) in enumerate(zip(self._learners, self._ledgers, strict=True)):
            means = ledger.window()
            if not self._observers.logs:
                continue
            norm, last = norms[i], self.records[i].history[-1] if ended else {}
            row = {
                "step": self._step,
                "epoch": self._epoch,
                **means,
                **{f"weight/{n}": w for n, w in learner.weights(done).items()},
                "lr": learner.rate,
                "gradient_norm": None if norm is None else float(norm),
                "validation": last.get("score"),
                **{name: last.get(name) for name in self._training.metrics or ()},
            }
            self._observers.tell(i, "on_log", self._step, row)

    def _save(self) -> None:
        """Keep a checkpoint; refuse one of weights that are no numbers."""
        if self._folder is None:
            return
        for ledger in self._ledgers:
            ledger.settle()
        sound = [x.sound() for x in self._learners]  # of all: processes must ask alike
        if not all(sound):
            epoch = (self._step - 1) // self._plan.updates + 1  # the next has begun at its end
            raise InvalidInput(
                f"Weights are not finite after update {self._step}, in epoch {epoch}.",
                "Lower lr or give max_grad_norm=1.0; the last good checkpoint is in"
                f" {str(self._folder)!r}.",
            )
        engine = self._engine
        state = {
            "settings": self._settings,
            "step": self._step,
            "epoch": self._epoch,
            "update": self._update,
            "finished": self._finished,
            "seconds": self._seconds,
            "kept": self._kept,
            "constant": None if self._validation is None else self._validation.constant,
            "random": engine.gathered(checkpoint.random_state(self._generator)),
            "samples": self._samples.state(),
            **{k: [x.state() for x in parts] for k, parts in self._parts().items()},
        }
        if engine.main:
            checkpoint.write(self._folder, state)
        engine.wait()
        self._observers.call("on_save", self._step)

    def _resume(self) -> None:
        if self._folder is None:
            return
        state = checkpoint.read(self._folder)
        if state is None:
            return
        checkpoint.same(state["settings"], self._settings, self._folder)
        self._step, self._epoch, self._update = (state[k] for k in ("step", "epoch", "update"))
        self._observers.resumed_from = self._step
        self._finished, self._seconds = state["finished"], state["seconds"]
        self._kept.copy_(state["kept"])
        if self._validation is not None:
            self._validation.constant = state.get("constant", math.nan)
        self._samples.restore(state.get("samples", {}))
        for name, parts in self._parts().items():
            for part, own in zip(parts, state[name], strict=True):
                part.restore(own)
        checkpoint.restore_random(state["random"][self._engine.rank], self._generator)

    def _parts(self) -> dict[str, Sequence[Any]]:
        """What has a state of its own."""
        return {"learners": self._learners, "ledgers": self._ledgers, "records": self.records}


def _again(learner: Learner, steps: Sequence[Step]) -> None:
    """Learn the parts of an update once more, with the weights as they are now."""
    for i, step in enumerate(steps):
        own = learner.network(step.inputs)
        learner.learn(replace(step, student=own), i + 1 == len(steps))
