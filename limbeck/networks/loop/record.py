"""The history of one student's training, and its best weights so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from limbeck.networks.loop.checkpoint import cloned

__all__ = ["Record"]


class Record:
    """One row an epoch; where validation scores them, the weights of the best."""

    def __init__(self) -> None:
        self.history: list[dict[str, Any]] = []
        self.best_epoch = -1
        self.best: dict[str, Tensor] | None = None
        self._best_score = float("-inf")

    def add(
        self,
        epoch: int,
        step: int,
        means: dict[str, float],
        rate: float,
        score: float | None,
        weights: Callable[[], dict[str, Tensor]],
    ) -> None:
        """Note an epoch; without a score the last one counts as the best."""
        self.history.append({"epoch": epoch, "step": step, **means, "lr": rate, "score": score})
        if score is None:
            self.best_epoch = epoch
        elif score > self._best_score or self.best is None:
            self._best_score, self.best_epoch = score, epoch
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
            self._best_score = state["best_score"]
