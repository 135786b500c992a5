"""Networks that return probabilities: a teacher's become logits again, a student's are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.data.scores import sums_to_one
from limbeck.modules.capture import asking, modes_kept, placed, run
from limbeck.modules.outputs import read_by, reading_of
from limbeck.teachers.last_operation import ends_in_sigmoid

__all__ = ["probability_notes", "read_probabilities"]

_ENDS = {"softmax": "rows sum to one", "sigmoid": "they come out of a sigmoid"}


def read_probabilities(
    inputs: Any, task: Task, teachers: Sequence[nn.Module], students: Sequence[nn.Module]
) -> None:
    """Find networks that return probabilities; mark teachers, so that they are read as logits.

    Parameters
    ----------
    inputs : Any
        A few rows.
    task : Task
        What is predicted; numbers are left alone.
    teachers, students : sequence of nn.Module
        The networks.

    Raises
    ------
    InvalidInput
        If a student returns probabilities: losses are computed from logits.
    """
    if task.kind is TaskKind.REGRESSION:
        return
    for module in teachers:
        reading = reading_of(module)
        if not reading.scale and (scale := _scale(module, inputs, task)):
            read_by(module, replace(reading, scale=scale))
    for module in students:
        scale = "" if reading_of(module).scale else _scale(module, inputs, task)
        if scale:
            raise InvalidInput(
                f"The student {type(module).__name__} returns probabilities, since"
                f" {_ENDS[scale]}, and the losses take logits.",
                f"Leave its last {scale} out: the losses apply it.",
            )


def probability_notes(teachers: Sequence[nn.Module]) -> list[str]:
    """Which teachers were found to return probabilities.

    Parameters
    ----------
    teachers : sequence of nn.Module
        After `read_probabilities`.
    """
    found = {type(m).__name__: reading_of(m).scale for m in teachers if reading_of(m).scale}
    return [
        f"The outputs of the teacher {name} were read as probabilities, since {_ENDS[scale]}: their"
        f" {'logarithms' if scale == 'softmax' else 'log-odds'} are its logits."
        for name, scale in found.items()
    ]


def _scale(module: nn.Module, inputs: Any, task: Task) -> str:
    reading, name = reading_of(module), type(module).__name__
    if task.classifies:
        with asking(module):
            outputs = reading.outputs(run(module, placed(inputs, module)), name)
        numbers = outputs.float() if outputs.dtype is torch.bfloat16 else outputs
        return "softmax" if sums_to_one(numbers.cpu().numpy()) else ""
    with modes_kept(module), torch.enable_grad():
        module.eval()
        found = reading.raw(run(module, _tracked(placed(inputs, module))), name)
    return "sigmoid" if ends_in_sigmoid(found) else ""


def _tracked(inputs: Any) -> Any:
    """Inputs that leave a graph behind, also in a network without trainable weights."""
    if isinstance(inputs, Mapping):
        return {name: _tracked(value) for name, value in inputs.items()}
    if isinstance(inputs, tuple | list):
        return tuple(_tracked(value) for value in inputs)
    tracked = isinstance(inputs, Tensor) and inputs.is_floating_point()
    return inputs.detach().clone().requires_grad_() if tracked else inputs
