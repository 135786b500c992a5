"""Whether the networks can read the rows: tried on a few, before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.modules.batch import Step, View
from limbeck.modules.capture import asking, placed, run
from limbeck.modules.outputs import answer, reading_of
from limbeck.modules.runner import watched
from limbeck.networks.datasets.collate import LABELS
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.vocabularies import vocabulary
from limbeck.networks.losses.loss import Objective

__all__ = ["called", "check_all_read", "check_layers", "looked_at", "unread_inputs", "unread_note"]


_LIKE_LABELS = (*LABELS, "class", "classes", "category", "gold", "ground_truth", "output", "answer")


def looked_at(
    role: str, module: nn.Module, inputs: Any, where: str = "the first rows"
) -> tuple[View, set[int]]:
    """A network's outputs for a few rows and the size of its vocabulary, or why it cannot read.

    Parameters
    ----------
    role : {"teacher", "student"}
        What the network is called in messages.
    module : nn.Module
        The network.
    inputs : Tensor, tuple or mapping
        The inputs of a few rows.
    where : str
        What these rows are called in messages.

    Raises
    ------
    InvalidInput
        With what the network raised.
    """
    with asking(module), vocabulary(module, inputs) as known:
        output = called(role, module, inputs, where)
        return View(reading_of(module).outputs(output, type(module).__name__)), known


def called(role: str, module: nn.Module, inputs: Any, where: str = "the first rows") -> Any:
    """What a network returns for a few rows, or why it cannot read them.

    Parameters
    ----------
    role : str
        What it is called in errors.
    module : nn.Module
        The network, in the mode that it is in.
    inputs : Any
        As in `limbeck.modules.capture.run`.
    where : str
        What the rows are called.

    Raises
    ------
    InvalidInput
        With what the network raised.
    """
    try:
        return run(module, placed(inputs, module))
    except InvalidInput:
        raise
    except Exception as error:
        raise InvalidInput(
            f"The {role} {type(module).__name__} raised {type(error).__name__} on {where}:"
            f" {str(error).rstrip('.')}.",
            "Call it on these rows by hand; both networks must take the same inputs.",
        ) from error


def check_all_read(rows: Samples | None, what: str, networks: Mapping[str, nn.Module]) -> None:
    """Refuse rows for later that networks cannot read; both are known by what they are called.

    Parameters
    ----------
    rows : Samples or None
        Validation or test rows; None checks nothing.
    what : str
        What they are called in messages, such as ``validation``.
    networks : mapping of str to nn.Module
        The networks by role.
    """
    if rows is not None:
        inputs = rows.fetch(range(min(len(rows), 2))).inputs
        for role, module in networks.items():
            looked_at(role, module, inputs, f"the first {what} rows")


def check_layers(
    objective: Objective, task: Task, rows: Samples, teacher: nn.Module, student: nn.Module
) -> None:
    """Refuse layers that are not there or do not fit each other, before a cache is filled.

    Parameters
    ----------
    objective : Objective
        Its losses name the layers.
    task : Task
        What is predicted.
    rows : Samples
        The training rows; the first two are looked at.
    teacher, student : nn.Module
        The two networks.
    """
    batch, needs, seen = rows.fetch(range(min(len(rows), 2))), objective.needs, []
    for module, layers, name in (
        (teacher, needs.teacher_layers, "The teacher"),
        (student, needs.student_layers, "The student"),
    ):
        with asking(module), watched(module, layers, name) as network:
            seen.append(network(placed(batch.inputs, module)))
    step = Step(batch.inputs, batch.labels, seen[1], seen[0], task, index=batch.index,
                labelled=batch.labelled)  # fmt: skip
    with torch.random.fork_rng():
        objective.maps(step)


def unread_inputs(rows: Samples, networks: Sequence[nn.Module]) -> list[str]:
    """Named inputs that no network reads, such as a column of row numbers.

    No ``forward`` names them, and no answer to a few rows follows a change of them: networks of
    transformers take any name.

    Parameters
    ----------
    rows : Samples
        The training rows; the first four are looked at.
    networks : sequence of nn.Module
        Teacher and students.
    """
    given = rows.fetch(range(min(len(rows), 4))).inputs
    if not isinstance(given, Mapping):
        return []
    named = {n for m in networks for n in signature(type(m).forward).parameters}
    others = [n for n in given if n not in named]
    found = [n for n in others if not any(_follows(m, given, n) for m in networks)]
    return [] if len(found) == len(given) else found


def unread_note(unread: Sequence[str], labelled: bool) -> str:
    """What is said of inputs that no network reads; of one named as labels are, a question.

    Where the rows have labels already there is nothing to ask.

    Parameters
    ----------
    unread : sequence of str
        Names of the inputs that no network reads.
    labelled : bool
        Whether the rows have labels.
    """
    note = f"No network reads {', '.join(unread)}: rows were compared without."
    for name in () if labelled else unread:
        if name.lower() in _LIKE_LABELS:
            note += f" Is {name!r} the label? Then name it 'label', or give it as y."
    return note


def _follows(module: nn.Module, inputs: Mapping[str, Tensor], name: str) -> bool:
    """Whether a network's answers change with an input, or it refuses another."""
    changed = {**inputs, name: ~inputs[name] if inputs[name].dtype is torch.bool
               else inputs[name] + 1}  # fmt: skip
    with asking(module):
        try:
            one, two = (answer(module, placed(x, module)) for x in (inputs, changed))
        except Exception:
            return True
    return not torch.equal(one, two)
