"""What must be right before a student learns from assistants, or from an earlier teacher."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from limbeck.api.prepare.network import Prepared
from limbeck.api.prepare.request import NetworkRequest
from limbeck.core.errors import InvalidInput, plural
from limbeck.modules.capture import evaluated, placed
from limbeck.modules.outputs import OutputReader, answer, read_by, reading_of
from limbeck.networks.initialization.widened import parameters_of
from limbeck.networks.pruning.pruned import Pruned
from limbeck.networks.quantization.quantized import Quantized
from limbeck.networks.strategies.train_network import make

__all__ = ["assistants_of", "assisted_notes", "early_of"]

_EXAMPLE = "Give networks or functions that make them, as for into: assistants=[medium]."


def assistants_of(request: NetworkRequest) -> list[Any]:
    """The assistants as a list, from the teacher's size down; empty where none are asked for.

    Parameters
    ----------
    request : NetworkRequest
        The arguments.

    Raises
    ------
    InvalidInput
        If they are no networks.
    """
    given = request.assistants
    if given is None:
        return []
    found = list(given) if isinstance(given, list | tuple) else [given]
    if not found:
        raise InvalidInput("assistants holds no network.", "Leave it out, or name one.")
    for one in found:
        if not isinstance(one, nn.Module) and not callable(one):
            raise InvalidInput(f"assistants holds {one!r}.", _EXAMPLE)
    return found


def early_of(request: NetworkRequest, teacher: nn.Module | None) -> nn.Module | None:
    """A copy of the earlier teacher, whose outputs are read as those of the teacher are.

    Parameters
    ----------
    request : NetworkRequest
        The arguments.
    teacher : nn.Module or None
        The teacher.

    Raises
    ------
    InvalidInput
        If it is no torch module.
    """
    given = request.early_teacher
    if given is None:
        return None
    if not isinstance(given, nn.Module):
        raise InvalidInput(
            f"early_teacher is a {type(given).__name__}.",
            "Give a torch module: the teacher with the weights of an earlier checkpoint.",
        )
    return read_by(copy.deepcopy(given), reading_of(teacher))


def assisted_notes(request: NetworkRequest, known: Prepared) -> list[str]:
    """Check assistants and the earlier teacher; what is said of them.

    Parameters
    ----------
    request : NetworkRequest
        The arguments.
    known : Prepared
        Networks, rows, objective.

    Raises
    ------
    InvalidInput
        Where a student cannot learn from them; names the argument and the remedy.
    """
    makers, early = assistants_of(request), early_of(request, known.teacher)
    if not makers and early is None:
        return []
    name = "assistants" if makers else "early_teacher"
    _refuse(request, known, name)
    between = [make(maker, request.seed) for maker in makers]
    first = known.rows.fetch(range(min(len(known.rows), 4))).inputs
    student = make(known.makers[0], request.seed)
    reading = known.reads[0] if known.reads else OutputReader()
    wanted = _shape(read_by(student, reading), first, "The student")
    for what, net in [*((f"assistant {i + 1}", n) for i, n in enumerate(between)),
                      *([("early_teacher", early)] if early is not None else [])]:  # fmt: skip
        found = _shape(net, first, what)
        if found != wanted:
            raise InvalidInput(
                f"{what} answers {found} for {wanted[0]} rows, and the student {wanted}.",
                "Give a network with the student's outputs.",
            )
    notes = []
    if early is not None:
        who = "first assistant" if makers else "student"
        notes.append(
            f"The {who} learned from early_teacher, an earlier checkpoint (Cho and Hariharan 2019),"
            " not from the teacher itself."
        )
    if makers:
        sizes = ", ".join(f"{parameters_of(net):,}" for net in between)
        notes.append(
            f"The student learned from the last of {plural(len(makers), 'assistant')} ({sizes}"
            " parameters; Mirzadeh et al. 2020), each trained as long as the student by the one"
            " before it:"
            f" {len(makers) + 1} trainings to the control's one."
        )
    notes.append(
        "Agreement and certificate are with the teacher itself. The direct student learned from"
        " it without anything in between."
    )
    return notes


def _refuse(request: NetworkRequest, known: Prepared, name: str) -> None:
    """Refuse what does not go together with a teacher in between."""
    both = {
        "mode": request.mode is not None, "cache": bool(request.cache),
        "several students": len(known.makers) > 1, "Pruned(...)": isinstance(request.into, Pruned),
        "Quantized(...)": isinstance(request.into, Quantized),
    }  # fmt: skip
    for other, given in both.items():
        if given:
            raise InvalidInput(f"{name} was given with {other}.", f"Leave {name} or that out.")
    if known.teacher is None:
        raise InvalidInput(f"{name} was given without a teacher.", f"Leave {name} out.")
    needs = known.objective.needs
    if known.filter is not None:
        needs = needs | known.filter.needs
    if needs.teacher_layers:
        raise InvalidInput(
            f"{name} was given with an objective that reads the layers {needs.teacher_layers} of"
            " the teacher.",
            "Take an objective on outputs, such as SoftTargets: an assistant has other layers.",
        )


def _shape(net: nn.Module, inputs: Any, what: str) -> tuple[int, ...]:
    """The shape of what a network answers."""
    with torch.no_grad(), evaluated(net):
        return tuple(answer(net, placed(inputs, net), what).shape)
