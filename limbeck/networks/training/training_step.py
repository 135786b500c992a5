"""One student and what teaches it: objective, learned maps, optimizer, and one update of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from limbeck.core.errors import InvalidInput
from limbeck.modules.batch import Over, Step
from limbeck.modules.runner import Network
from limbeck.networks.losses.loss import Objective
from limbeck.networks.training.balance import Balance
from limbeck.networks.training.engine import Engine, sharded_like, whole
from limbeck.networks.training.optimizers import Scheduler, needs_closure
from limbeck.networks.training.settings import Training

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
    average : AveragedModel, optional
        The moving average of the student's weights and buffers.
    """

    def __init__(
        self,
        student: nn.Module,
        network: Network,
        objective: Objective,
        maps: nn.ModuleDict,
        training: Training,
        engine: Engine,
        average: AveragedModel | None = None,
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
        self.average = average
        self.optimizer = training.optimizer_of(student, self._kinds, maps)
        self.closes = needs_closure(self.optimizer)
        self._rates = [g["lr"] for g in self.optimizer.param_groups]
        self._rate = float(self._rates[0])
        self._sum: Tensor | None = None  # of the losses of an update, where its step asks for it
        self.scheduler: Scheduler | None = None
        self.scaler = engine.scaler()
        if self.closes and self.scaler is not None:
            raise InvalidInput(
                f"{type(self.optimizer).__name__} computes the loss again, which precision='fp16'"
                " does not allow.",
                "Choose 'bf16' or 'fp32', or another optimizer.",
            )
        self.balance = (
            Balance(own, engine.mean, self._maps, engine.sharded) if objective.balanced else None
        )
        constant = training.schedule == "constant" and training.warmup_ratio == 0
        self._steady = constant or training.by_scheduler
        self._many = engine.processes > 1
        self._together = self._many and not engine.sharded

    def plan(self, updates: int, epochs: int) -> None:
        """Be told how long the training is, which schedulers of torch ask for.

        Parameters
        ----------
        updates, epochs : int
            Of the whole training.
        """
        self.scheduler = self._training.scheduler_of(self.optimizer, updates, epochs)

    def learn(self, step: Step, last: bool) -> tuple[dict[str, Tensor], Tensor]:
        """Add the gradient of one part of an update; gives its part of the losses and their total.

        Parameters
        ----------
        step : Step
            The part, as seen by the student and its teacher, with its shares of the update; see
            `limbeck.networks.training.gradient_accumulation`.
        last : bool
            Whether it is the last part.
        """
        losses = self.objective.losses(step, self.maps)
        if self._many:  # replicas and shards meet where gradients pass the outputs
            nothing = 0.0 * step.student.logits.reshape(-1)[:1].clamp(-1, 1).sum()
            losses = {name: loss + nothing for name, loss in losses.items()}
        if self.balance is None:
            total = self.objective.total(losses, step.done)
        else:
            share = step.share(Over.OUTPUTS)  # norms are of a batch as a whole
            total = self.balance.total(losses, self.objective.weights(step.done), share)
        if self.closes:
            seen = total.detach()
            self._sum = seen if self._sum is None else self._sum + seen
        given: Tensor = total if self.scaler is None else self.scaler.scale(total)
        if self._together:
            with self._engine.alone(self.network.module, not last):
                given.backward()  # type: ignore[no-untyped-call]
        else:
            given.backward()  # type: ignore[no-untyped-call]
        return losses, total

    def update(
        self, step: int, total: int, measured: bool, again: Callable[[], None] | None = None
    ) -> Tensor | None:
        """Change the weights; gives the norm of the gradient where it was asked for, or clipped.

        Parameters
        ----------
        step, total : int
            The update, from 0, and their number.
        measured : bool
            Whether the norm is asked for.
        again : callable, optional
            Learns the parts of the update once more, for optimizers that ask for the loss.
        """
        if not self._steady:
            factor = self._training.factor(step, total)
            for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
                group["lr"] = rate * factor
        self._rate = float(self.optimizer.param_groups[0]["lr"])
        norm = self._ready(measured)
        if again is not None and self.closes:
            self.optimizer.step(self._closure(again))
            self._sum = None
        elif self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.student)
        if self.scheduler is not None:
            self.scheduler.updated()
        return norm

    def _closure(self, again: Callable[[], None]) -> Callable[[], float]:
        """The loss of the update and its gradient: first what was learned, then learned again."""
        known = True

        def loss() -> float:
            nonlocal known
            if not known:
                self.optimizer.zero_grad()
                self._sum = None
                again()
                self._ready(measured=False)
            known = False
            assert self._sum is not None  # noqa: S101  (see learn)
            return float(self._engine.mean(self._sum))

        return loss

    def _ready(self, measured: bool) -> Tensor | None:
        """Make the gradient that of all processes, and clip it; its norm where it is known."""
        if self._maps and self._many:
            for p in self._maps:
                if p.grad is not None:
                    p.grad = self._engine.mean(p.grad)
        max_grad_norm = self._training.max_grad_norm
        norm = None
        if max_grad_norm is not None or measured:
            if self.scaler is not None:
                self.scaler.unscale_(self.optimizer)
            norm = self._norm()
            if max_grad_norm is not None:
                for kind in self._kinds:
                    torch.nn.utils.clip_grads_with_norm_(kind, max_grad_norm, norm)
        return norm

    @property
    def rate(self) -> float:
        """The learning rate of the last update."""
        return self._rate

    @property
    def judged(self) -> nn.Module:
        """What is validated: the student, or the average of its weights."""
        return self.student if self.average is None else self.average.module

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
        """The weights and buffers of what is validated and returned."""
        state: dict[str, Tensor] = whole(self.judged.state_dict())
        return state

    def finish(self, best: dict[str, Tensor] | None) -> None:
        """Take over the weights of the best epoch, else the average of the last."""
        if best is not None:
            self.load(best)
        elif self.average is not None:
            self.load(self.student_state())

    def load(self, weights: dict[str, Tensor]) -> None:
        """Take weights and buffers over."""
        own = self.student.state_dict()
        self.student.load_state_dict({k: sharded_like(v, own[k]) for k, v in weights.items()})

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "student": whole(self.student.state_dict()),
            "average": None if self.average is None else self.average.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state(),
            "rate": self._rate,
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
        weights = [p for group in self.optimizer.param_groups for p in group["params"]]
        for i, of_one in given["state"].items():
            for name, value in of_one.items():
                if isinstance(value, Tensor):
                    of_one[name] = sharded_like(value, weights[i])
        self.optimizer.load_state_dict(given)
        self._rate = state["rate"]
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        if self.scheduler is not None:
            self.scheduler.restore(state["scheduler"])
        if self.scaler is not None:
            self.scaler.load_state_dict(state["scaler"])
        if self.balance is not None:
            self.balance.restore(state["balance"])
