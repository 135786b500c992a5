"""Whether a teacher's outputs stand for the classes of the labels, seen before training."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.api.prepare.labels import ClassNames
from limbeck.api.prepare.scrambled import looks_trained
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.data.class_order import Reordering, better_order
from limbeck.modules.capture import asking, placed
from limbeck.modules.outputs import answer
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.labels import labelled
from limbeck.networks.datasets.sources import Arrays
from limbeck.networks.teachers.outside import name_of

__all__ = ["check_class_order"]

_ROWS, _FEW = 1000, 256
_SHOWN = 8


def check_class_order(
    rows: Samples, teacher: nn.Module, task: Task, named: ClassNames | None, size: int
) -> list[str]:
    """Refuse a teacher that is worse than chance, and right in another order of the classes.

    At most 1,000 labelled training rows are looked at; see `limbeck.data.class_order`. A network
    that was never trained is often worse than chance, too, since random features tell classes
    apart. So the teacher must know more than the same weights in random places do, on 256 of these
    rows (see `limbeck.api.prepare.scrambled`); of one that does not a note is given instead.

    Parameters
    ----------
    rows : Samples
        Training rows, aimed at the task.
    teacher : nn.Module
        Its outputs are those of the task.
    task : Task
        Only one class per row, or one label of 0 and 1, has an order of classes.
    named : ClassNames or None
        The classes, where labels were names.
    size : int
        Rows that are asked about at once.

    Returns
    -------
    list of str
        A note on a teacher that seems not to be trained.

    Raises
    ------
    InvalidInput
        With the order that fits, and what can be done.
    """
    single = task.kind is TaskKind.MULTILABEL and task.outputs == 1
    if not rows.has_labels or not (task.kind is TaskKind.CLASSIFICATION or single):
        return []
    k, places = 2 if single else task.outputs, _places(rows, task)
    told = _answers(rows.batches(places, size), teacher, task)
    found = None if told is None else better_order(*told, k)
    if found is None:
        return []
    few = list(rows.batches(places[_spread(len(places), _FEW)], size))  # read once for all copies

    def of(module: nn.Module) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        own = _answers(few, module, task)
        assert own is not None  # noqa: S101  (the same shapes as above)
        return own

    if looks_trained(teacher, of, k):
        _refuse(found, name_of(teacher), named, single)
    return [
        f"The teacher {name_of(teacher)} agrees with the labels on {found.right / found.rows:.1%}"
        f" of {found.rows:,} training rows, less than by chance, and shuffled weights know as much"
        " of the labels: it seems not to be trained."
    ]


def _answers(
    batches: Iterable[Batch], teacher: nn.Module, task: Task
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Labels and answers of rows as places in the classes; None where outputs do not fit."""
    single = task.kind is TaskKind.MULTILABEL
    truth, answers = [], []
    with asking(teacher):
        for batch in batches:
            assert batch.labels is not None  # noqa: S101  (the rows have labels)
            logits = answer(teacher, placed(batch.inputs, teacher)).detach().cpu()
            if logits.shape != (len(batch), task.outputs):
                return None
            known = _known(batch) & torch.isfinite(logits).all(1)
            labels = batch.labels.cpu()
            truth.append((labels[:, 0] if single else _hard(labels))[known].long())
            answers.append((logits[:, 0] > 0 if single else logits.argmax(1))[known].long())
    y, said = (torch.cat(part).numpy() for part in (truth, answers))
    return y, said


def _refuse(found: Reordering, name: str, named: ClassNames | None, single: bool) -> None:
    what = (
        f"The teacher {name} agrees with the labels on {found.right / found.rows:.1%} of"
        f" {found.rows:,} training rows, significantly less than by chance (p = {found.p:.1g});"
    )
    then = f"on {found.right_then / found.rows:.1%}"
    names = range(len(found.order)) if named is None else named.names
    turned = [names[place] for place in found.order]
    if named is not None and not named.fixed:
        guess = f" The order {list(names)} was a guess." * named.guessed
        raise InvalidInput(
            f"{what} with the classes in the order {turned}, {then}.{guess}",
            f"Give classes={turned}. Labels that are wrong can be left out.",
        )
    moved = [(k, turned[k]) for k, place in enumerate(found.order) if place != k]
    pairs = " and ".join(f"output {k} stands for label {j!r}" for k, j in moved[:_SHOWN])
    more = " and so on" * (len(moved) > _SHOWN)
    inverse = np.argsort(found.order).tolist()
    if single:
        pairs = (
            f"its output, a single logit, stands for label {names[0]!r} rather than {names[1]!r}"
        )
        mend = "Relabel y, as 1 - y; or turn the sign of the teacher's logit"
    elif named is not None:
        mend = f"Relabel y, or reorder the teacher's outputs: outputs[:, {inverse}]"
    else:
        mend = (
            f"Relabel y, as np.array({inverse})[y]; or reorder the teacher's outputs:"
            f" outputs[:, {inverse}]"
        )
    raise InvalidInput(
        f"{what} {then} if {pairs}{more}.",
        f"{mend}. Labels that are wrong can be left out.",
    )


def _places(rows: Samples, task: Task) -> Tensor:
    """At most 1,000 rows, evenly spread; of arrays among those with a label."""
    source, places = rows.source, torch.arange(len(rows))
    if isinstance(source, Arrays) and source.labels is not None:
        labels: Tensor = Arrays(source.labels, rows=source.rows).all()
        known = labelled(labels, task)
        if known is not None:
            places = torch.nonzero(known.cpu().reshape(len(rows), -1).all(1))[:, 0]
    return places[_spread(len(places), _ROWS)]


def _spread(n: int, most: int) -> Tensor:
    """At most so many of n places, evenly spread."""
    return torch.linspace(0, n - 1, min(n, most), dtype=torch.float64).round().long()


def _known(batch: Batch) -> Tensor:
    if batch.labelled is None:
        return torch.ones(len(batch), dtype=torch.bool)
    return batch.labelled.cpu().reshape(len(batch), -1).all(1)


def _hard(labels: Tensor) -> Tensor:
    return labels.argmax(1) if labels.ndim == 2 else labels
