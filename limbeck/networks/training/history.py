"""The history of one student's training: losses, epochs, best weights so far, and who is told.

Losses stay on their device and are read in one go when a row of metrics is due, so that a GPU
never waits for Python. In one process on the CPU, where reading costs nothing, every total is
looked at at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.networks.training.callbacks import Callbacks, TrainingState, loggers
from limbeck.networks.training.checkpoint import NAME, cloned
from limbeck.networks.training.engine import Engine
from limbeck.networks.training.settings import Training
from limbeck.networks.training.validation import Scored

__all__ = ["History", "Ledger", "Observers"]


class History:
    """One row an epoch; where validation scores them, the weights of the best.

    Of epochs of the same score the one with the smaller validation loss is better: a share of
    few rows is the same in many epochs, of which the first may be one of an untrained student.
    """

    def __init__(self) -> None:
        self.history: list[dict[str, Any]] = []
        self.best_epoch = -1
        self.best: dict[str, Tensor] | None = None
        self._best_score = float("-inf"), float("-inf")

    def add(
        self,
        epoch: int,
        step: int,
        means: dict[str, float],
        rate: float,
        scored: Scored | None,
        weights: Callable[[], dict[str, Tensor]],
    ) -> None:
        """Note an epoch; without a score the last one counts as the best.

        Parameters
        ----------
        epoch, step : int
            From 0, and updates made.
        means : dict of str to float
            Losses, averaged over the epoch.
        rate : float
            The learning rate.
        scored : Scored or None
            What validation found.
        weights : callable
            Gives the student's state dict; called where the epoch is the best so far.
        """
        row = {"epoch": epoch, "step": step, **means, "lr": rate}
        none = {"score": None, "validation_loss": None}
        self.history.append(row | (none if scored is None else scored.row()))
        if scored is None:
            self.best_epoch = epoch
            return
        found = scored.score, -scored.loss
        if found > self._best_score or self.best is None:
            self._best_score, self.best_epoch = found, epoch
            self.best = cloned(weights())

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "history": self.history,
            "best_epoch": self.best_epoch,
            "best": self.best,
            "best_score": self._best_score if self.best is not None else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.history, self.best_epoch = list(state["history"]), state["best_epoch"]
        self.best = state["best"]
        if self.best is not None:
            self._best_score = tuple(state["best_score"])


class Ledger:
    """Means of the raw losses and of their total, over a window and over an epoch.

    Parameters
    ----------
    names : sequence of str
        Of the terms.
    eager : bool
        Whether each total is looked at at once.
    mean : callable
        The mean of a tensor over processes.
    updates : int
        Of one epoch, to say in which a loss went wrong.
    folder : Path or None
        Where the last good checkpoint is.
    fault : callable, optional
        Says what is wrong with the rows of an update, and the remedy; None if all is in order.
    """

    def __init__(
        self,
        names: Sequence[str],
        eager: bool,
        mean: Callable[[Tensor], Tensor],
        updates: int,
        folder: Path | None = None,
        fault: Callable[[int], tuple[str, str] | None] = lambda step: None,
    ) -> None:
        self._updates, self._folder, self._fault = updates, folder, fault
        self.names = ["loss", *names]
        self._eager, self._mean = eager, mean
        self._pending: list[tuple[int, bool, list[Tensor]]] = []
        self._window = [0.0] * (len(self.names) + 1)  # sums, and last the updates in them
        self._epoch = list(self._window)
        self.first: float | None = None
        """The total of the first update."""

    def add(self, step: int, last: bool, losses: dict[str, Tensor], total: Tensor) -> None:
        """Note the losses of one part of an update, which add up to those of the update.

        Parameters
        ----------
        step : int
            The update, from 0.
        last : bool
            Whether the part completes it.
        losses : dict of Tensor
            By term, raw.
        total : Tensor
            The weighted sum.
        """
        if self._eager:
            self._note(step, last, [total.item(), *(x.item() for x in losses.values())])
        else:
            seen = [total.detach(), *(x.detach() for x in losses.values())]
            self._pending.append((step, last, seen))

    def settle(self) -> None:
        """Read what is pending.

        Raises
        ------
        InvalidInput
            If a loss is not finite; names the term and the update.
        """
        pending, self._pending = self._pending, []
        if not pending:
            return
        width = len(self.names)
        table = torch.stack([x for _, _, row in pending for x in row]).double().view(-1, width)
        for (step, last, _), row in zip(pending, self._mean(table).tolist(), strict=True):
            self._note(step, last, row)

    def _note(self, step: int, last: bool, row: list[float]) -> None:
        if not all(map(math.isfinite, row)):
            self._refuse(step, row)
        for sums in (self._window, self._epoch):
            for i, value in enumerate(row):
                sums[i] += value
            sums[-1] += last
        if self.first is None and last:
            self.first = self._epoch[0]

    def _refuse(self, step: int, row: list[float]) -> None:
        bad = [n for n, v in zip(self.names[1:], row[1:], strict=True) if not math.isfinite(v)]
        value = next(v for v in row if not math.isfinite(v))
        what = " and ".join(bad) if bad else "the weighted sum"
        there = self._folder is not None and (self._folder / NAME).exists()
        kept = f" The last good checkpoint is in {str(self._folder)!r}." if there else ""
        told = f"The loss of {what} is {value} in update {step + 1}, in epoch"
        told += f" {step // self._updates + 1}"
        found = self._fault(step)
        if found is not None:
            raise InvalidInput(f"{told}: {found[0]}.", f"{found[1]}{kept}")
        raise InvalidInput(
            f"{told}.", f"Lower lr, give max_grad_norm=1.0, or look at what that term reads.{kept}"
        )

    def window(self) -> dict[str, float]:
        """Means since the last call."""
        self.settle()
        return self._means(self._window)

    def epoch(self) -> dict[str, float]:
        """Means since the last call, which was an epoch ago."""
        self.settle()
        return self._means(self._epoch)

    def _means(self, sums: list[float]) -> dict[str, float]:
        out = {n: s / (sums[-1] or 1.0) for n, s in zip(self.names, sums, strict=False)}
        sums[:] = [0.0] * len(sums)
        return out

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        self.settle()
        return {"window": self._window, "epoch": self._epoch, "first": self.first}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._window, self._epoch = list(state["window"]), list(state["epoch"])
        self.first = state.get("first")


class Observers:
    """The callbacks of a training, called for each of its students.

    Parameters
    ----------
    training : Training
        Whose callbacks and metrics these are; the loggers that are built in come first.
    engine : Engine
        Only its first process calls them.
    students : sequence of nn.Module
        The networks.
    losses : sequence of sequence of str
        By student, the names of what is logged of the objective.
    histories : sequence of History
        By student.
    name : str
        Which training this is.
    folder : Path or None
        Where files are written; several students have a folder in it each.
    total, epochs, updates : int
        Updates and epochs of the whole training, and updates of one epoch.

    Raises
    ------
    InvalidInput
        If a metric has the name of a loss.
    """

    def __init__(
        self,
        training: Training,
        engine: Engine,
        students: Sequence[nn.Module],
        losses: Sequence[Sequence[str]],
        histories: Sequence[History],
        *,
        name: str,
        folder: Path | None,
        total: int,
        epochs: int,
        updates: int,
    ) -> None:
        metrics = training.metrics or {}
        for metric in metrics:
            if any(metric in names for names in losses):
                raise InvalidInput(
                    f"{metric!r} is a loss of the objective, and was given as a metric.",
                    "Give the metric another name.",
                )
        self._students, self._histories, self._folder = students, histories, folder
        self._name, self._total, self._epochs, self._updates = name, total, epochs, updates
        self._columns = [
            ("step", "epoch", *names, *(f"weight/{n}" for n in names[1:]), "lr", "gradient_norm",
             "validation", *metrics)
            for names in losses
        ]  # fmt: skip
        self._callbacks = [
            Callbacks([*loggers(folder), *training.callbacks] if engine.main else [], engine.device)
            for _ in students
        ]
        self.logs = self._callbacks[0].wants("on_log")
        """Whether rows of metrics are asked for."""
        self.resumed_from = 0

    def call(self, hook: str, step: int) -> None:
        """Call a hook for every student.

        Parameters
        ----------
        hook : str
            The name of the hook.
        step : int
            Updates made.
        """
        for i in range(len(self._callbacks)):
            self.tell(i, hook, step)

    def tell(self, i: int, hook: str, step: int, *told: Any) -> None:
        """Call a hook for one student.

        Parameters
        ----------
        i : int
            Which.
        hook : str
            The name of the hook.
        step : int
            Updates made.
        *told
            What else the hook is told.
        """
        self._callbacks[i].call(hook, lambda: self._state(i, step), *told)

    def close(self) -> None:
        """Close all callbacks; those of one's own once."""
        with ExitStack() as stack:
            for one in {id(c): c for each in self._callbacks for c in each.every}.values():
                stack.callback(one.close)

    def _state(self, i: int, step: int) -> TrainingState:
        return TrainingState(
            run=self._name,
            student=self._students[i],
            place=i,
            step=step,
            max_steps=self._total,
            epoch=max(step - 1, 0) // self._updates,
            epochs=self._epochs,
            resumed_from=self.resumed_from,
            history=tuple(self._histories[i].history),
            columns=self._columns[i],
            folder=self._own(i),
        )

    def _own(self, i: int) -> Path | None:
        """The folder of one student."""
        if self._folder is None:
            return None
        one = self._folder if len(self._students) == 1 else self._folder / f"student_{i}"
        one.mkdir(parents=True, exist_ok=True)
        return one
