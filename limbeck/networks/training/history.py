"""The history of one student's training, and its best weights so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from limbeck.networks.training.checkpoint import cloned
from limbeck.networks.training.validation import Scored

__all__ = ["Record"]


class Record:
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
        """Note an epoch; without a score the last one counts as the best."""
        score, loss = (None, None) if scored is None else scored
        row = {"epoch": epoch, "step": step, **means, "lr": rate, "score": score}
        self.history.append(row | {"validation_loss": loss})
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
