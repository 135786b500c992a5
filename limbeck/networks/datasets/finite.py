"""Numbers that are none: which rows, and where in them, in inputs and in what networks answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput, TeacherFailed
from limbeck.modules.capture import asking, placed
from limbeck.modules.outputs import answer
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.sources import Arrays

__all__ = ["check_inputs", "check_nan", "fault_of"]

_SHOWN = 3
_INPUTS = "Fill these numbers in, or drop the rows."
_ANSWERS = "Look at what it computes for these rows, or drop them."


def check_inputs(samples: Samples, what: str, networks: Mapping[str, nn.Module]) -> None:
    """Refuse arrays with NaN or infinities that a network cannot answer, before any work.

    Networks that make something of such numbers (that fill them in) are left to it. Data sets of
    items, and arrays beyond 1 GiB, are not read for this: what is wrong there is told when it is
    met.

    Parameters
    ----------
    samples : Samples
        Rows.
    what : str
        What they are called, such as "training".
    networks : mapping of nn.Module
        By role, such as "teacher".

    Raises
    ------
    InvalidInput
        Names rows, by their places in the data, and columns.
    """
    if not isinstance(samples.source, Arrays) or samples.hashed < len(samples):
        return
    numbers = any(x.is_floating_point() for _, x in _tensors(samples.fetch([0]).inputs))
    batches = samples.batches(range(len(samples)), 4096) if numbers else ()
    bad = [b.index[rows] for b in batches if (rows := _bad_rows(b.inputs)).any()]
    if not bad:
        return
    batch = samples.fetch(torch.cat(bad)[:256])
    for role, module in networks.items():
        with asking(module):
            logits = answer(module, placed(batch.inputs, module))
        if not bool(logits.isfinite().all()):
            n = len(torch.cat(bad))
            raise InvalidInput(
                f"{_rows(n)} of the {what} rows {'holds' if n == 1 else 'hold'} numbers that are"
                f" not finite, which the {role}"
                f" cannot answer: {_told(samples, batch, _tensors(batch.inputs), 'column')}.",
                _INPUTS,
            )


def check_nan(name: str, logits: Tensor, batch: Batch, samples: Samples | None = None) -> None:
    """Refuse answers that are not a number, where they count.

    Parameters
    ----------
    name : str
        Of the network.
    logits : Tensor of shape (n, ...)
        What it answered.
    batch : Batch
        The rows; what an attention mask hides may be anything.
    samples : Samples, optional
        Where the rows are from, to tell their places in the user's data.

    Raises
    ------
    TeacherFailed
        Names rows and outputs.
    """
    nan = torch.isnan(logits)
    if not bool(nan.any()):
        return
    mask = batch.mask
    if mask is not None and mask.shape == logits.shape[:2]:
        nan = nan & mask.to(nan.device).bool().reshape(*mask.shape, *[1] * (logits.ndim - 2))
        if not bool(nan.any()):
            return
    answers = torch.where(nan, logits, 0.0)
    told = _told(samples, batch, [("", answers)], "output")
    raise TeacherFailed(f"{name} gave an output that is not a number: {told}.", _ANSWERS)


def fault_of(
    samples: Samples, batches: Iterator[tuple[Batch, Tensor | None]]
) -> tuple[str, str] | None:
    """Why a loss may be no number: the inputs of its rows, or the teacher's answers.

    Parameters
    ----------
    samples : Samples
        Where the rows are from.
    batches : iterator of (Batch, Tensor or None)
        The rows of an update, and the teacher's answers.

    Returns
    -------
    (str, str) or None
        What is wrong, with rows and columns, and the remedy; None where all is in order.
    """
    for batch, logits in batches:
        if bool(_bad_rows(batch.inputs).any()):
            told = _told(samples, batch, _tensors(batch.inputs), "column")
            return f"inputs are not finite: {told}", _INPUTS
        if logits is None or bool(logits.isfinite().all()):
            continue
        wrong = torch.where(logits == -torch.inf, 0.0, logits)
        if not bool(wrong.isfinite().all()):
            told = _told(samples, batch, [("", wrong)], "output")
            return f"the teacher's answers are not finite: {told}", _ANSWERS
        told = _told(samples, batch, [("", logits)], "output")
        return (
            f"the teacher rules out outputs by logits of -inf, and the student does not: {told}",
            "Use SoftTargets() or JensenShannon(), or let the student give the same outputs -inf.",
        )
    return None


def _tensors(inputs: Any) -> list[tuple[str, Tensor]]:
    """The tensors of inputs, with their names where they have any."""
    if isinstance(inputs, Mapping):
        return [(f"{name!r}, ", x) for name, x in inputs.items()]
    held = inputs if isinstance(inputs, tuple | list) else [inputs]
    return [("" if len(held) == 1 else f"input {i}, ", x) for i, x in enumerate(held)]


def _bad_rows(inputs: Any) -> Tensor:
    """Which rows hold a number that is not finite, (n,)."""
    found = [
        ~x.reshape(len(x), -1).isfinite().all(1).cpu()
        for _, x in _tensors(inputs)
        if x.is_floating_point()
    ]
    first = _tensors(inputs)[0][1]
    return torch.stack(found).any(0) if found else torch.zeros(len(first), dtype=torch.bool)


def _told(
    samples: Samples | None, batch: Batch, tensors: list[tuple[str, Tensor]], unit: str
) -> str:
    """Some rows, each with the first number in it that is not finite."""
    own = None if samples is None else getattr(samples.source, "rows", None)
    out = []
    for name, x in tensors:
        if not x.is_floating_point():
            continue
        x = x.detach().cpu()
        for row in (~x.reshape(len(x), -1).isfinite().all(1)).nonzero()[:_SHOWN, 0].tolist():
            place = (~x[row].isfinite()).nonzero()[0].tolist()
            value = x[row][tuple(place)].item()
            where = f"{unit} {place[0]}" if len(place) == 1 else f"place {tuple(place)}"
            index = int(batch.index[row])
            index = index if own is None else int(own[index])
            out.append(f"row {index} has {value} in {name}{where}")
    return ", ".join(out[:_SHOWN]) + (", ..." if len(out) > _SHOWN else "")


def _rows(n: int) -> str:
    return "One" if n == 1 else f"{n:,}"
