"""What is refused before a student is trained, and a look at one small batch.

The look leaves no trace: networks are in eval mode, and the random numbers are put back.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.modules.batch import Step
from limbeck.modules.capture import modes_kept
from limbeck.modules.runner import Network, watched
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.seeding import seed_torch
from limbeck.networks.losses.filters import Filter
from limbeck.networks.losses.loss import Needs, Objective
from limbeck.networks.training.engine import Engine
from limbeck.networks.training.settings import Training
from limbeck.networks.training.teacher_outputs import Ask, heard

if TYPE_CHECKING:
    from limbeck.networks.cache.teacher_cache import TeacherCache

__all__ = [
    "check_outputs",
    "check_scored",
    "check_settings",
    "check_shared",
    "check_validation",
    "maps_of",
    "unused",
]


def check_settings(
    objective: Objective,
    task: Task,
    samples: Samples,
    teacher: nn.Module | TeacherCache | None,
    filter: Filter | None,  # noqa: A002  (the word of the design)
    peers: bool,
) -> None:
    """Refuse terms, and a filter, that read what is not there, or have no meaning for the task.

    Parameters
    ----------
    objective : Objective
        The weighted losses.
    task : Task
        What is predicted.
    samples : Samples
        What is trained on.
    teacher : nn.Module, TeacherCache or None
        What is learned from.
    filter : Filter or None
        Which samples use the teacher's signal.
    peers : bool
        Whether several students teach each other.

    Raises
    ------
    InvalidInput
        Names the term.
    """
    objective.check(task)
    readers = [(p.term.name, p.term.needs) for p in objective.parts]
    if filter is not None:
        filter.check(task, len(samples))
        readers.append(
            (type(filter).__name__, filter.needs | Needs(teacher=True, same_outputs=False))
        )
    stored = teacher is not None and not isinstance(teacher, nn.Module)
    for name, needs in readers:
        if needs.labels and not samples.has_labels:
            raise InvalidInput(
                f"{name} reads labels, and the samples have none.",
                "Leave it out and learn from the teacher alone, or give the labels.",
            )
        if needs.teacher and teacher is None and not peers:
            raise InvalidInput(f"{name} needs a teacher, and there is none.", "Give one.")
        if peers and (needs.runs or needs.teacher_layers):
            raise InvalidInput(
                f"{name} reads a teacher's layers, and students that teach each other share only"
                " their predictions.",
                "Use terms on predictions, such as SoftTargets, there.",
            )
        if stored and needs.runs:
            raise InvalidInput(
                f"{name} runs the teacher again, which stored outputs cannot.",
                "Give the teacher itself.",
            )


def check_validation(training: Training, validation: Samples | None) -> None:
    """Refuse to stop early by, or to measure, rows that were not set aside.

    Parameters
    ----------
    training : Training
        Its patience and its metrics.
    validation : Samples or None
        Rows set aside.

    Raises
    ------
    InvalidInput
        With the number of epochs, or the names of the metrics.
    """
    if validation is not None:
        return
    if training.patience is not None:
        raise InvalidInput(
            f"patience is {training.patience}, and there are no validation rows.",
            "Give validation rows, or no patience: early stopping needs rows that do not train.",
        )
    if training.metrics:
        named = ", ".join(sorted(training.metrics))
        raise InvalidInput(
            f"metrics names {named}, and there are no validation rows.",
            "Give validation rows, or a share of the training rows: validation=0.1.",
        )


def check_scored(validation: Samples | None, teacher: object) -> None:
    """Refuse validation rows without labels that no teacher can be asked about.

    Parameters
    ----------
    validation : Samples or None
        Rows to choose by.
    teacher : nn.Module, TeacherCache or None
        Stored outputs are of the training rows only.

    Raises
    ------
    InvalidInput
        With the remedy.
    """
    if validation is not None and not validation.has_labels and not isinstance(teacher, nn.Module):
        why = "there is no teacher" if teacher is None else "stored outputs are of training rows"
        raise InvalidInput(
            f"The validation rows have no labels, and {why}.",
            "Give their labels, or the teacher itself without a cache.",
        )


def check_outputs(shape: Sequence[int], task: Task, who: str) -> None:
    """Refuse a network that does not answer what is predicted.

    Parameters
    ----------
    shape : sequence of int
        Of what it returned for a few rows.
    task : Task
        What is predicted.
    who : str
        "teacher" or "student".

    Raises
    ------
    InvalidInput
        With both numbers of outputs.
    """
    dimensions = 3 if task.sequential else 2
    if len(shape) != dimensions or shape[-1] != task.outputs:
        wanted = "(n, t, k)" if task.sequential else "(n, k)"
        raise InvalidInput(
            f"The {who} returned shape {tuple(shape)}; {task.kind} with {task.outputs}"
            f" outputs needs {wanted} with k = {task.outputs}.",
            "Give teacher and student the same classes or vocabulary: exchange the student's last"
            " layer, or select the teacher's outputs in a module around it.",
        )


def check_shared(teacher: nn.Module, student: nn.Module) -> None:
    """Refuse a student that is trained inside its own teacher.

    Parameters
    ----------
    teacher, student : nn.Module
        Which must have no weight in common.

    Raises
    ------
    InvalidInput
        Names a weight that both have.
    """
    own = {id(p) for p in teacher.parameters()}
    shared = [n for n, p in student.named_parameters() if id(p) in own]
    if shared:
        raise InvalidInput(
            f"Student and teacher share the weight {shared[0]!r}.",
            "Give the student a copy: copy.deepcopy(teacher.layer).",
        )


def maps_of(
    modules: Sequence[nn.Module],
    batch: Batch,
    objective: Objective,
    task: Task,
    ask: Ask | None,
    needs: Needs,
    seed: int,
    engine: Engine,
    teacher: Network | None = None,
    filter: Filter | None = None,  # noqa: A002  (the word of the design)
    heads: Sequence[nn.Linear | None] | None = None,
) -> list[nn.ModuleDict]:
    """Learned maps of every student.

    Parameters
    ----------
    modules : sequence of nn.Module
        The students.
    batch : Batch
        A batch to try the losses on.
    objective : Objective
        The weighted losses.
    task : Task
        What is predicted.
    ask : callable or None
        From a batch to the teacher's outputs of it.
    needs : Needs
        What the losses and the filter read.
    seed : int
        Of the weights of the maps.
    engine : Engine
        Devices and precision.
    teacher : Network or None
        Whose layers are compared.
    filter : Filter or None
        Which samples use the teacher's signal.
    heads : sequence of (nn.Linear or None), optional
        The last layer of each student that is left out.

    Raises
    ------
    InvalidInput
        If outputs or layers do not fit, or a loss is no scalar, or trains nothing; names the term.
    """
    given = None if ask is None else ask(batch)
    if given is not None and needs.compares:
        check_outputs(given.shape, task, "teacher")
    with ExitStack() as stack:
        stack.enter_context(modes_kept(*modules))
        stack.enter_context(torch.random.fork_rng(range(torch.cuda.device_count())))
        networks = [
            stack.enter_context(
                watched(
                    m.eval(), needs.student_layers, "The student", context=engine.autocast, head=h
                )
            )
            for m, h in zip(modules, heads or [None] * len(modules), strict=True)
        ]
        seen = [network(batch.inputs) for network in networks]
        for own in seen:
            check_outputs(own.shape, task, "student")
        out = []
        for i, own in enumerate(seen):
            step = Step(batch.inputs, batch.labels, own, heard(given, seen, i, task), task,
                        index=batch.index, labelled=batch.labelled,
                        generator=torch.Generator(engine.device).manual_seed(seed),
                        run_student=networks[i].run,
                        run_teacher=None if teacher is None else teacher.run)  # fmt: skip
            seed_torch(seed + i)
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
    """Whether some weights do not enter the outputs.

    Parameters
    ----------
    module : nn.Module
        The network.
    batch : Batch
        What it is tried on.
    """
    with modes_kept(module), watched(module.eval(), (), "The student") as network:
        logits = network(batch.inputs).logits
    weights = [p for p in module.parameters() if p.requires_grad]
    return None in torch.autograd.grad(logits.sum(), weights, allow_unused=True)
