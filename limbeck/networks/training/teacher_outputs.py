"""What a student is taught by: a network that is asked, stored outputs, its peers, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.batch import View
from limbeck.modules.capture import modes_kept
from limbeck.modules.runner import Network, watched
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.training.engine import Engine, device_of, in_shards

if TYPE_CHECKING:
    from limbeck.networks.cache.teacher_cache import TeacherCache

__all__ = ["Ask", "asked", "consensus", "heard"]

Ask = Callable[[Batch], View]


@contextmanager
def asked(
    teacher: nn.Module | TeacherCache | None,
    layers: Sequence[str],
    engine: Engine,
    moved: bool,
    head: nn.Linear | None = None,
) -> Iterator[tuple[Ask | None, Network | None]]:
    """What gives the teacher's view of a batch, and the teacher's network if there is one.

    The teacher is in eval mode and computes no gradients; its modes, its device and whether its
    weights ask for gradients are afterwards as they were. Where the student is in shards a copy of
    the teacher is, too, apart from it and without gradients; a teacher that the user put into
    shards is asked as it is.

    Parameters
    ----------
    teacher : nn.Module, TeacherCache or None
        Who is asked.
    layers : sequence of str
        The layers that are read.
    engine : Engine
        Where the training runs.
    moved : bool
        Whether the teacher may be moved there.
    head : nn.Linear, optional
        The teacher's last layer, where that is left out.

    Raises
    ------
    InvalidInput
        If the teacher lies elsewhere and may not be moved.
    """
    if not isinstance(teacher, nn.Module):
        yield (None if teacher is None else teacher.view), None
        return
    home = device_of(teacher)
    if home is not None and home != engine.device and not moved:
        raise InvalidInput(
            f"The teacher is on {home} and the student on {engine.device}.",
            "Move one of them, or give device='auto', which moves both for the training.",
        )
    if engine.sharded and not in_shards(teacher):
        copied = engine.frozen(teacher)
        with watched(copied, layers, "The teacher", context=_silent(engine)) as network:
            yield (lambda batch: network(batch.inputs)), network
        return
    with modes_kept(teacher):
        try:
            teacher.to(engine.device)
            teacher.eval()
            with watched(
                teacher, layers, "The teacher", context=_silent(engine), head=head
            ) as network:
                yield (lambda batch: network(batch.inputs)), network
        finally:
            if home is not None:
                teacher.to(home)


def _silent(engine: Engine) -> Callable[[], AbstractContextManager[Any]]:
    """Makes the context of the teacher's calls."""
    if not engine.mixed:
        return torch.no_grad

    def context() -> ExitStack:
        stack = ExitStack()
        stack.enter_context(torch.no_grad())
        stack.enter_context(engine.autocast())
        return stack

    return context


def heard(given: View | None, seen: Sequence[View], i: int, task: Task) -> View | None:
    """What student i learns from: the teacher; among peers the consensus of the others and it.

    Parameters
    ----------
    given : View or None
        The teacher's outputs.
    seen : sequence of View
        The outputs of all students.
    i : int
        Which of them learns.
    task : Task
        What is predicted.
    """
    others = [v for j, v in enumerate(seen) if j != i]
    if not others:
        return given
    return consensus(others if given is None else [*others, given], task)


def consensus(views: Sequence[View], task: Task) -> View:
    """The mean prediction of several networks, as the logits of one; without gradients.

    Means of probabilities (Anil et al. 2018, section 2), or of numbers. What is returned are
    log-probabilities, which are logits of these probabilities at temperature 1.

    Parameters
    ----------
    views : sequence of View
        The outputs of each network, of the same rows.
    task : Task
        What is predicted.
    """
    logits = [v.logits.detach() for v in views]
    if len(logits) == 1:
        return View(logits[0])
    if task.kind is TaskKind.REGRESSION:
        return View(torch.stack(logits).mean(0))
    if task.kind is TaskKind.MULTILABEL:
        yes, no = (
            _mean(torch.stack([nn.functional.logsigmoid(s * z) for z in logits])) for s in (1, -1)
        )
        return View(yes - no)
    return View(_mean(torch.stack([z.log_softmax(-1) for z in logits])))


def _mean(logs: Tensor) -> Tensor:
    """The logarithm of the mean of exp(logs), over the first axis."""
    return logs.logsumexp(0) - torch.tensor(float(len(logs))).log()
