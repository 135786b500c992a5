"""Callbacks of a training, and the loggers that are built in: a CSV file and TensorBoard.

A callback observes. It is no setting that a checkpoint remembers, so it may be added to a training
that goes on, and what it draws or switches (random numbers, train and eval mode) is put back.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused, InvalidInput, did_you_mean
from limbeck.modules.capture import modes_kept

__all__ = ["CSVLogger", "Callback", "Callbacks", "TensorBoardLogger", "TrainingState", "loggers"]

NAME = "metrics.csv"


@dataclass(frozen=True, eq=False)
class TrainingState:
    """What a callback is told of a training.

    Parameters
    ----------
    run : str
        Which training: "student, seed 0", "control, seed 0"; empty where none was named.
    student : nn.Module
        The network that is trained.
    place : int
        Which of the students that are trained together, from 0.
    step, max_steps : int
        Updates made, and those of the whole training.
    epoch, epochs : int
        The epoch of the last update, from 0, and the number of epochs.
    resumed_from : int
        The step that an interrupted training goes on from; 0 for one that starts.
    history : tuple of mappings
        One row per finished epoch: epoch, step, loss, each loss of the objective, lr, score,
        validation_loss and the metrics.
    columns : tuple of str
        The names of what is logged.
    folder : Path or None
        Where the student's checkpoints and metrics are written.

    Examples
    --------
    >>> from limbeck.networks import Callback, TrainingState
    >>> class Halfway(Callback):
    ...     def on_step_end(self, state):
    ...         if 2 * state.step == state.max_steps:
    ...             print(f"{state.run}: half of {state.max_steps} updates are made")
    >>> state = TrainingState("student, seed 0", None, 0, 50, 100, 0, 2, 0, (), (), None)
    >>> Halfway().on_step_end(state)
    student, seed 0: half of 100 updates are made
    """

    run: str
    student: nn.Module
    place: int
    step: int
    max_steps: int
    epoch: int
    epochs: int
    resumed_from: int
    history: tuple[Mapping[str, Any], ...]
    columns: tuple[str, ...]
    folder: Path | None


class Callback:
    """Base class of callbacks: override the hooks that are needed.

    Every hook is called with the `TrainingState`, in the first process only. Students that are
    trained together are told of one after another. Where a callback raises, the training stops
    with the callback's name, and the same call goes on from the last checkpoint.

    Examples
    --------
    >>> class Printer(Callback):
    ...     def on_epoch_end(self, state):
    ...         print(state.epoch, state.history[-1]["loss"])
    """

    def on_train_begin(self, state: TrainingState) -> None:
        """Before the first update; ``state.resumed_from`` is the step that is gone on from."""

    def on_step_end(self, state: TrainingState) -> None:
        """After every update."""

    def on_log(self, state: TrainingState, row: Mapping[str, float | None]) -> None:
        """For loggers: a row of metrics, by name, every ``log_every`` updates and each epoch.

        Parameters
        ----------
        state : TrainingState
            Where the training is.
        row : mapping
            step, epoch, loss, each loss of the objective and its weight, lr, gradient_norm,
            validation (the score) and the metrics; None where it is not known at that step.
        """

    def on_evaluate(self, state: TrainingState, metrics: Mapping[str, float | None]) -> None:
        """After the validation of an epoch.

        Parameters
        ----------
        state : TrainingState
            Where the training is.
        metrics : mapping
            score, validation_loss and the metrics of one's own.
        """

    def on_epoch_end(self, state: TrainingState) -> None:
        """After an epoch, its validation and its row in ``state.history``."""

    def on_save(self, state: TrainingState) -> None:
        """After a checkpoint was written."""

    def on_train_end(self, state: TrainingState) -> None:
        """After the last update; the student has the weights that are returned."""

    def close(self) -> None:
        """Last, whether a training has ended or failed: close files here."""


HOOKS = tuple(n for n in vars(Callback) if n.startswith("on_"))


def check_callbacks(given: Any) -> tuple[Callback, ...]:
    """Callbacks as a tuple.

    Parameters
    ----------
    given : sequence of Callback
        What the user gave.

    Raises
    ------
    InvalidInput
        If one is no callback, or has a hook that is never called.
    """
    if not isinstance(given, list | tuple):
        raise InvalidInput(
            f"callbacks is a {type(given).__name__}.", "Give a list: callbacks=[MyCallback()]."
        )
    for one in given:
        if isinstance(one, type) and issubclass(one, Callback):
            raise InvalidInput(
                f"The callback {one.__name__} is a class.", f"Give an object: {one.__name__}()."
            )
        if not isinstance(one, Callback):
            raise InvalidInput(
                f"The callback {one!r} is a {type(one).__name__}.",
                "Extend limbeck.networks.Callback.",
            )
        for name in dir(type(one)):
            hook = name.startswith("on_") and callable(getattr(type(one), name))
            if hook and name not in HOOKS:
                raise InvalidInput(
                    f"The callback {type(one).__name__} has a hook {name!r}, which is never"
                    " called.",
                    did_you_mean(name, HOOKS),
                )
    return tuple(given)


class Callbacks:
    """Calls the hooks that callbacks override, and no others.

    Parameters
    ----------
    callbacks : sequence of Callback
        In the order in which they are called.
    device : torch.device
        Whose random numbers are put back.
    """

    def __init__(self, callbacks: Sequence[Callback], device: torch.device) -> None:
        self.every, self._device = tuple(callbacks), device
        self._hooks = {
            hook: [c for c in callbacks if getattr(type(c), hook) is not getattr(Callback, hook)]
            for hook in HOOKS
        }

    def wants(self, hook: str) -> bool:
        """Whether any callback overrides a hook."""
        return bool(self._hooks[hook])

    def call(self, hook: str, state_of: Callable[[], TrainingState], *told: Any) -> None:
        """Call a hook of all callbacks.

        Parameters
        ----------
        hook : str
            Its name.
        state_of : callable
            Says where the training is; not called where no callback has the hook.
        *told
            What else the hook is told.

        Raises
        ------
        InvalidInput
            If a callback raises; names it.
        FileRefused
            If a logger cannot write its file.
        """
        if not self._hooks[hook]:
            return
        state = state_of()
        for one in self._hooks[hook]:
            with untouched(self._device, state.student):
                try:
                    getattr(one, hook)(state, *told)
                except FileRefused:
                    raise
                except Exception as error:
                    raise InvalidInput(
                        f"The callback {type(one).__name__} raised {type(error).__name__} in"
                        f" {hook}, after update {state.step}: {str(error).rstrip('.')}.",
                        "Correct it or leave it out; with a folder (out=...) the same call goes on"
                        " from the last checkpoint.",
                    ) from error


@contextmanager
def untouched(device: torch.device, *modules: nn.Module) -> Iterator[None]:
    """Put random numbers of torch, and modes of modules, back afterwards.

    Parameters
    ----------
    device : torch.device
        Whose generator is put back, beside that of the CPU.
    *modules : nn.Module
        Whose modes, train or eval, are put back.
    """
    with modes_kept(*modules), torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield


class CSVLogger(Callback):
    """Writes ``metrics.csv`` in a training's folder; each row is on the disk at once.

    Rows that an interrupted training wrote after its last checkpoint are taken out, for they come
    again.
    """

    _path: Path
    _columns: list[str]

    def on_train_begin(self, state: TrainingState) -> None:
        """Begin the file, or go on with it."""
        if state.folder is None:
            raise InvalidInput("The training has no folder for metrics.csv.", "Give out=...")
        path = state.folder / NAME
        kept: list[dict[str, str]] = []
        if state.resumed_from and path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                kept = [r for r in csv.DictReader(file) if int(r["step"]) <= state.resumed_from]
        text = io.StringIO()
        columns = list(state.columns)
        writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
        write_bytes(text.getvalue().encode(), path)
        self._path, self._columns = path, columns

    def on_log(self, state: TrainingState, row: Mapping[str, float | None]) -> None:
        """Add a row; what is None stays empty."""
        given = {k: v for k, v in row.items() if v is not None}
        try:
            with self._path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, self._columns, lineterminator="\n").writerow(given)
        except OSError as error:
            raise FileRefused(
                f"{str(self._path)!r} cannot be written: {error.strerror or error}.",
                "Make room on the disk, then start the same training again: it goes on.",
            ) from None


class TensorBoardLogger(Callback):
    """Writes event files to ``tensorboard/`` in a training's folder."""

    _events: Any = None

    def on_train_begin(self, state: TrainingState) -> None:
        """Open the event files."""
        from torch.utils.tensorboard import SummaryWriter

        if state.folder is None:
            raise InvalidInput("The training has no folder for tensorboard/.", "Give out=...")
        purge = state.resumed_from + 1 if state.resumed_from else None
        self._events = SummaryWriter(str(state.folder / "tensorboard"), purge_step=purge)

    def on_log(self, state: TrainingState, row: Mapping[str, float | None]) -> None:
        """Add the numbers that are known."""
        for name, value in row.items():
            if value is not None and name != "step":
                self._events.add_scalar(name, value, state.step)

    def close(self) -> None:
        """Write what is still in memory."""
        if self._events is not None:
            self._events.close()


def loggers(folder: Path | None) -> list[Callback]:
    """The loggers of a training with a folder: CSV, and TensorBoard where it is installed."""
    if folder is None:
        return []
    there: list[Callable[[], Callback]] = [CSVLogger]
    if find_spec("tensorboard") is not None:
        there.append(TensorBoardLogger)
    return [make() for make in there]
