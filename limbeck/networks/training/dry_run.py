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
            _try_losses(objective, step, out[-1], modules[i])
    return out


def _try_losses(objective: Objective, step: Step, maps: nn.ModuleDict, student: nn.Module) -> None:
    """Refuse losses that cannot be minimised: no scalars, or without a gradient in the student."""
    trained = [p for p in student.parameters() if p.requires_grad]  # without any: refused later
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
        if trained and part.weight != 0.0 and not _reaches(loss, trained):
            raise InvalidInput(
                f"No gradient of {name} reaches the student, so that it would train nothing.",
                "Compute it from step.student without detach(), item() or torch.no_grad(); of"
                " layers, name some with weights that may change (requires_grad).",
            )


def _reaches(loss: Tensor, weights: Sequence[Tensor]) -> bool:
    """Whether a gradient of a loss passes to any of the weights, by a walk over what made it.

    Checkpoints that compute again (``torch.utils.checkpoint``) hide what is in them: taken for yes.
    """
    wanted = {id(w) for w in weights}
    left, seen = [loss.grad_fn], set()
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if id(getattr(node, "variable", None)) in wanted or "Checkpoint" in node.name():
            return True
        left += [parent for parent, _ in node.next_functions]
    return False


def unused(module: nn.Module, batch: Batch) -> bool:
    """Whether some weights do not enter the outputs."""
    with modes_kept(module), watched(module.eval(), (), "The student") as network:
        logits = network(batch.inputs).logits
    weights = [p for p in module.parameters() if p.requires_grad]
    return None in torch.autograd.grad(logits.sum(), weights, allow_unused=True)
