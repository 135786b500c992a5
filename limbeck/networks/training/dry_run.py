"""A look at outputs, layers and losses of one small batch, before anything is trained.

The look leaves no trace: networks are in eval mode, and the random numbers are put back.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.batch import Goal, Step
from limbeck.modules.capture import modes_kept
from limbeck.modules.runner import Network, watched
from limbeck.networks.datasets.data import Batch
from limbeck.networks.losses.filters import Filter
from limbeck.networks.losses.loss import Needs, Objective
from limbeck.networks.training.checks import refuse_outputs
from limbeck.networks.training.engine import Engine
from limbeck.networks.training.teacher_outputs import Ask, heard

__all__ = ["maps_of", "unused"]


def maps_of(
    modules: Sequence[nn.Module],
    batch: Batch,
    objective: Objective,
    goal: Goal,
    ask: Ask | None,
    needs: Needs,
    seed: int,
    engine: Engine,
    teacher: Network | None = None,
    filter: Filter | None = None,  # noqa: A002  (the word of the design)
) -> list[nn.ModuleDict]:
    """Learned maps of every student.

    Raises
    ------
    InvalidInput
        If outputs or layers do not fit, or a loss is no scalar, or trains nothing; names the term.
    """
    given = None if ask is None else ask(batch)
    if given is not None and needs.compares:
        refuse_outputs(given.logits, goal, "teacher")
    with ExitStack() as stack:
        stack.enter_context(modes_kept(*modules))
        stack.enter_context(torch.random.fork_rng(range(torch.cuda.device_count())))
        networks = [
            stack.enter_context(
                watched(m.eval(), needs.student_layers, "The student", context=engine.autocast)
            )
            for m in modules
        ]
        seen = [network(batch.inputs) for network in networks]
        for own in seen:
            refuse_outputs(own.logits, goal, "student")
        out = []
        for i, own in enumerate(seen):
            step = Step(batch.inputs, batch.labels, own, heard(given, seen, i, goal), goal,
                        index=batch.index, labelled=batch.labelled,
                        generator=torch.Generator(engine.device).manual_seed(seed),
                        run_student=networks[i].run,
                        run_teacher=None if teacher is None else teacher.run)  # fmt: skip
            torch.manual_seed(seed + i)
            out.append(objective.maps(step).to(engine.device))
            if filter is not None:
                step = replace(step, weight=filter(step).detach())
            frozen = not any(p.requires_grad for p in modules[i].parameters())  # refused later
            _try_losses(objective, step, out[-1], frozen)
    return out


def _try_losses(objective: Objective, step: Step, maps: nn.ModuleDict, frozen: bool) -> None:
    """Refuse losses that cannot be minimised: no scalars, or without a gradient."""
    for name, part in zip(objective.names, objective.parts, strict=True):
        own = maps[name] if name in maps else None  # noqa: SIM401
        try:
            loss = part.term.loss(step, own)
        except InvalidInput:
            raise
        except Exception as error:
            raise InvalidInput(
                f"The loss of {name} raised {type(error).__name__} on {len(step.student.logits)}"
                f" rows: {str(error).rstrip('.')}.",
                "Call its loss(step, maps) by hand on such a batch.",
            ) from error
        if not isinstance(loss, Tensor) or loss.ndim:
            what = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
            raise InvalidInput(
                f"The loss of {name} is of {what}, not one number.",
                "Return the mean over rows, such as step.mean(losses, step.aligned.weight).",
            )
        if not (loss.requires_grad or frozen or part.weight == 0.0):
            raise InvalidInput(
                f"No gradient of {name} reaches the student, so that it would train nothing.",
                "Compute it from step.student without detach(), item() or torch.no_grad(); of"
                " layers, name some with weights that may change (requires_grad).",
            )


def unused(module: nn.Module, batch: Batch) -> bool:
    """Whether some weights do not enter the outputs."""
    with modes_kept(module), watched(module.eval(), (), "The student") as network:
        logits = network(batch.inputs).logits
    weights = [p for p in module.parameters() if p.requires_grad]
    return None in torch.autograd.grad(logits.sum(), weights, allow_unused=True)
