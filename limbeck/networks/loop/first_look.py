"""A look at the outputs and layers of one small batch, before anything is trained.

The look leaves no trace: networks are in eval mode, and the random numbers are put back.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from limbeck.networks.capture import modes_kept
from limbeck.networks.loop.engine import Engine
from limbeck.networks.loop.refusals import refuse_outputs
from limbeck.networks.loop.teaching import Ask, heard
from limbeck.networks.network import watched
from limbeck.networks.objective import Needs, Objective
from limbeck.networks.samples.data import Batch
from limbeck.networks.views import Goal, Step

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
) -> list[nn.ModuleDict]:
    """Learned maps of every student.

    Raises
    ------
    InvalidInput
        If outputs or layers do not fit.
    """
    given = None if ask is None else ask(batch)
    if given is not None:
        refuse_outputs(given.logits, goal, "teacher")
    seen = []
    for module in modules:
        with (
            modes_kept(module),
            torch.no_grad(),
            watched(
                module.eval(), needs.student_layers, "The student", context=engine.autocast
            ) as network,
        ):
            seen.append(network(batch.inputs))
        refuse_outputs(seen[-1].logits, goal, "student")
    out = []
    for i, own in enumerate(seen):
        teacher = heard(given, seen, i, goal)
        step = Step(batch.inputs, batch.labels, own, teacher, goal, index=batch.index,
                    labelled=batch.labelled)  # fmt: skip
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            torch.manual_seed(seed + i)
            out.append(objective.maps(step).to(engine.device))
    return out


def unused(module: nn.Module, batch: Batch) -> bool:
    """Whether some weights do not enter the outputs."""
    with modes_kept(module), watched(module.eval(), (), "The student") as network:
        logits = network(batch.inputs).logits
    weights = [p for p in module.parameters() if p.requires_grad]
    return None in torch.autograd.grad(logits.sum(), weights, allow_unused=True)
