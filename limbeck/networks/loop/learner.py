"""One student and what teaches it: objective, learned maps, optimizer, and one update of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from limbeck.errors import InvalidInput
from limbeck.networks.loop.balance import Balance
from limbeck.networks.loop.engine import Engine
from limbeck.networks.loop.shards import sharded_like, whole
from limbeck.networks.loop.training import Training
from limbeck.networks.network import Network
from limbeck.networks.objective import Objective
from limbeck.networks.views import Over, Step

__all__ = ["Learner"]


class Learner:
    """A student in training.

    Parameters
    ----------
    student : nn.Module
        Its own module.
    network : Network
        What is called.
    objective : Objective
        What it learns from.
    maps : nn.ModuleDict
        Learned maps of the objective; trained beside the student, and no part of it.
    training : Training
        Settings.
    engine : Engine
        Processes and precision.
    """

    def __init__(
        self,
        student: nn.Module,
        network: Network,
        objective: Objective,
        maps: nn.ModuleDict,
        training: Training,
        engine: Engine,
    ) -> None:
        self.student, self.network, self.objective, self.maps = student, network, objective, maps
        self._training, self._engine = training, engine
        own = [p for p in student.parameters() if p.requires_grad]
        if not own:
            raise InvalidInput(
                f"The student {type(student).__name__} has no weights that may be trained.",
                "Set requires_grad of those that shall learn.",
            )
        self._maps = [p for p in maps.parameters() if p.requires_grad]
        # What lies in shards and what does not cannot be handled in one go.
        apart = engine.sharded and self._maps
        self._kinds = [own, self._maps] if apart else [own + self._maps]
        self.optimizer = training.optimizer_of(self._kinds)
        self._rates = [g["lr"] for g in self.optimizer.param_groups]
        self.scaler = engine.scaler()
        self.balance = (
            Balance(own, engine.mean, self._maps, engine.sharded) if objective.balanced else None
        )
        self._steady = training.schedule == "constant" and training.warmup == 0
        self._together = engine.processes > 1 and not engine.sharded

    def learn(self, step: Step, last: bool) -> tuple[dict[str, Tensor], Tensor]:
        """Add the gradient of one part of an update; gives its part of the losses and their total.

        Parameters
        ----------
        step : Step
            The part, as seen by the student and its teacher, with its shares of the update; see
            `limbeck.networks.loop.shares`.
        last : bool
            Whether it is the last part.
        """
        losses = self.objective.losses(step, self.maps)
        if self._engine.processes > 1:  # replicas and shards meet where gradients pass the outputs
            nothing = 0.0 * step.student.logits.reshape(-1)[:1].clamp(-1, 1).sum()
            losses = {name: loss + nothing for name, loss in losses.items()}
        if self.balance is None:
            total = self.objective.total(losses, step.done)
        else:
            share = step.share(Over.OUTPUTS)  # norms are of a batch as a whole
            total = self.balance.total(losses, self.objective.weights(step.done), share)
        given: Tensor = total if self.scaler is None else self.scaler.scale(total)
        if self._together:
            with self._engine.alone(self.network.module, not last):
                given.backward()  # type: ignore[no-untyped-call]
        else:
            given.backward()  # type: ignore[no-untyped-call]
        return losses, total

    def update(self, step: int, total: int, measured: bool) -> Tensor | None:
        """Change the weights; gives the norm of the gradient where it was asked for, or clipped."""
        if not self._steady:
            factor = self._training.factor(step, total)
            for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
                group["lr"] = rate * factor
        if self._maps and self._engine.processes > 1:
            for p in self._maps:
                if p.grad is not None:
                    p.grad = self._engine.mean(p.grad)
        clip = self._training.clip
        norm = None
        if clip is not None or measured:
            if self.scaler is not None:
                self.scaler.unscale_(self.optimizer)
            norm = self._norm()
            if clip is not None:
                for kind in self._kinds:
                    torch.nn.utils.clip_grads_with_norm_(kind, clip, norm)
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self.optimizer.zero_grad()
        return norm

    @property
    def rate(self) -> float:
        """The learning rate of the last update."""
        return float(self.optimizer.param_groups[0]["lr"])

    def weights(self, done: float) -> dict[str, float]:
        """The factor of each term's loss at this time."""
        weights = self.objective.weights(done)
        return weights if self.balance is None else self.balance.factors(weights)

    def sound(self) -> bool:
        """Whether all weights are finite."""
        with torch.no_grad():
            norms = [n for kind in self._kinds for n in torch._foreach_norm([*kind])]
            return bool(torch.stack([whole(n) for n in norms]).isfinite().all())

    def _norm(self) -> Tensor:
        """The norm of the whole gradient."""
        grads = [[p.grad for p in kind if p.grad is not None] for kind in self._kinds]
        norms: list[Tensor] = [whole(torch.nn.utils.get_total_norm(g)) for g in grads]
        return norms[0] if len(norms) == 1 else torch.stack(norms).norm()

    def student_state(self) -> dict[str, Tensor]:
        """The student's weights and buffers."""
        state: dict[str, Tensor] = whole(self.student.state_dict())
        return state

    def load(self, weights: dict[str, Tensor]) -> None:
        """Take weights and buffers over."""
        own = self.student.state_dict()
        self.student.load_state_dict({k: sharded_like(v, own[k]) for k, v in weights.items()})

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "student": self.student_state(),
            "maps": self.maps.state_dict(),
            "optimizer": whole(self.optimizer.state_dict()),
            "scaler": None if self.scaler is None else self.scaler.state_dict(),
            "balance": None if self.balance is None else self.balance.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.load(state["student"])
        self.maps.load_state_dict(state["maps"])
        given = state["optimizer"]
        weights = [p for kind in self._kinds for p in kind]
        for i, of_one in given["state"].items():
            for name, value in of_one.items():
                if isinstance(value, Tensor):
                    of_one[name] = sharded_like(value, weights[i])
        self.optimizer.load_state_dict(given)
        if self.scaler is not None:
            self.scaler.load_state_dict(state["scaler"])
        if self.balance is not None:
            self.balance.restore(state["balance"])
