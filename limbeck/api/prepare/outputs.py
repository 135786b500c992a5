"""Which tensor of what networks return is their answer: said, or the only one that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor, nn

from limbeck.api.prepare.input_checks import called
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.capture import asking
from limbeck.modules.outputs import (
    OutputReader,
    Place,
    entries,
    entry,
    read_by,
    reading_of,
    readings,
)
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.labels import unlabelled
from limbeck.networks.datasets.tasks import probed_labels
from limbeck.networks.datasets.vocabularies import vocabulary
from limbeck.networks.teachers.ensemble import ModuleEnsemble

__all__ = ["parts_of", "places_of", "read_outputs", "readings_kept"]

_ROLES = ("teacher", "student")
P = ParamSpec("P")
R = TypeVar("R")


def readings_kept(verb: Callable[P, R]) -> Callable[P, R]:
    """Let a function, whose first argument is a teacher, leave how its outputs are read as it was.

    Parameters
    ----------
    verb : callable
        Such as `limbeck.api.distill_network.compress`.
    """

    @wraps(verb)
    def kept(*args: P.args, **kwargs: P.kwargs) -> R:
        teacher = args[0] if args else kwargs.get("teacher")
        with _as_before(teacher):
            return verb(*args, **kwargs)

    return kept


@contextmanager
def _as_before(teacher: Any) -> Iterator[None]:
    parts = parts_of(teacher)
    with readings(parts, [reading_of(p) for p in parts]):
        yield


def parts_of(teacher: Any) -> list[nn.Module]:
    """The networks in a teacher: one, or those of an ensemble."""
    if isinstance(teacher, ModuleEnsemble):
        return list(teacher.teachers)
    if isinstance(teacher, list | tuple):
        return [p for t in teacher for p in parts_of(t)]
    inner = teacher if isinstance(teacher, nn.Module) else getattr(teacher, "module", None)
    return [inner] if isinstance(inner, nn.Module) else []


def places_of(output: Any) -> dict[str, Place]:
    """The place that was said for teacher and student.

    Parameters
    ----------
    output : str, int, mapping or None
        For both, or by role.

    Raises
    ------
    InvalidInput
        If it is nothing of that.
    """
    by_role = output if isinstance(output, Mapping) else dict.fromkeys(_ROLES, output)
    bad = [
        p for p in by_role.values() if isinstance(p, bool) or not isinstance(p, str | int | None)
    ]
    if bad or not set(by_role) <= set(_ROLES):
        raise InvalidInput(
            f"output is {output!r}.",
            "Give a name or a position, or {'teacher': ..., 'student': ...}.",
        )
    return {role: by_role.get(role) for role in _ROLES}


def read_outputs(
    rows: Samples,
    teacher: nn.Module | None,
    students: Sequence[nn.Module],
    output: Any = None,
    task: Any = None,
    classes: Sequence[Any] | None = None,
    *,
    optional: bool = False,
) -> tuple[list[OutputReader], list[str]]:
    """Find out how the outputs of networks are read, and mark the networks with it.

    Parameters
    ----------
    rows : Samples
        The first four are asked about; labels of 256 say what fits.
    teacher : nn.Module or None
        An ensemble is looked at teacher by teacher.
    students : sequence of nn.Module
        In their order.
    output : str, int, mapping or None
        See `places_of`.
    task : str, Task or None
        What is predicted, where it was said.
    classes : sequence, optional
        The classes, where they were given.
    optional : bool
        Whether ``output`` may be without use here, since it may be meant for another model.

    Returns
    -------
    readings : list of OutputReader
        Of the students.
    notes : list of str
        What was taken, where there was a choice.

    Raises
    ------
    InvalidInput
        If nothing that fits is returned, or two tensors fit: names them.
    """
    places, batch = places_of(output), rows.fetch(range(min(len(rows), 4)))
    said = []
    for role, modules in (("teacher", parts_of(teacher)), ("student", students)):
        for module in modules:
            with asking(module), vocabulary(module, batch.inputs):
                said.append((role, module, called(role, module, batch.inputs)))
    if not optional:
        _check_needless(output, [found for _, _, found in said])
    wanted = _Wanted.of(rows, batch, task, classes)
    held = {i: _held(places[r], m, found, wanted) for i, (r, m, found) in enumerate(said)}
    notes, out = [], []
    for i, (role, module, found) in enumerate(said):
        others = {tuple(t.shape) for j, h in held.items() if said[j][0] != role for t in h.values()}
        place, note = _chosen(role, module, found, held[i], others, places[role])
        notes += [note] if note else []
        tensor = OutputReader(place).raw(found, type(module).__name__)
        reading = OutputReader(place, wanted.form(tensor))
        if reading.form == "flat" or tensor.ndim == 2:
            _check_ragged(rows, batch, tensor)
        if reading.form == "places":
            k, *spatial = tensor.shape[1:]
            notes.append(
                f"The {role} returns {tuple(tensor.shape)}: taken for {k} classes at each of"
                f" {' x '.join(map(str, spatial))} places."
            )
        read_by(module, reading)
        out += [reading] if role == "student" else []
    return out, list(dict.fromkeys(notes))


class _Wanted:
    """What outputs must fit: labels of some rows, classes, a task."""

    def __init__(
        self, labels: Tensor | None, n: int, top: float, whole: bool, kind: str, classes: int | None
    ) -> None:
        self.labels, self.n, self.top, self.whole = labels, n, top, whole
        self.kind, self.classes = kind, classes

    @classmethod
    def of(cls, rows: Samples, batch: Batch, task: Any, classes: Sequence[Any] | None) -> _Wanted:
        """From rows, the first of them, and what was said."""
        kind = str(task.kind if isinstance(task, Task) else task or "")
        n, labels, top, whole = len(batch), batch.labels, -1.0, True
        if labels is not None:
            known = [y[~unlabelled(y)] for y in probed_labels(rows)]
            every = torch.cat([y.flatten().double() for y in known])
            top = float(every.max()) if len(every) else -1.0
            whole = bool((every == every.round()).all())
            if labels.ndim > 1 and labels.shape[-1] == 1:
                labels = labels[..., 0]
        return cls(labels, n, top, whole, kind, None if classes is None else len(classes))

    def fit(self, tensor: Tensor) -> int:
        """How well a tensor fits: 2 exactly, 1 with more classes than labels show, 0 not."""
        labels, shape = self.labels, tuple(tensor.shape)
        if labels is None:
            if tensor.ndim < 2:
                return 0
            return 2 if self.classes in (None, shape[-1], shape[1]) else 0
        own = tuple(labels.shape)
        if shape in (own, (*own, 1)) and tensor.ndim > 1:
            return 2 if labels.ndim > 1 or not self.whole or self.top <= 1 else 1
        if not self.whole or self.kind == TaskKind.REGRESSION or tensor.ndim != labels.ndim + 1:
            return 0
        k = shape[-1] if shape[:-1] == own else shape[1] if (self.n, *shape[2:]) == own else 0
        if k <= self.top:
            return 0
        return 2 if k == (self.classes or self.top + 1) else 1

    def form(self, tensor: Tensor) -> str:
        """How the axes of a tensor are read; see `OutputReader`."""
        labels, shape = self.labels, tuple(tensor.shape)
        if tensor.ndim < 3:
            return ""
        if self.kind in (TaskKind.REGRESSION, TaskKind.MULTILABEL):
            return "flat"
        if labels is None:
            return "places" if tensor.ndim > 3 else ""
        own = tuple(labels.shape)
        if labels.ndim == tensor.ndim and own[1] == 1:  # a channel of masks, (n, 1, h, w)
            own = (own[0], *own[2:])
        one = 1 in (shape[1], shape[-1]) and labels[0].numel() == tensor[0].numel()
        if tensor.ndim == 3 and not one and own == shape[:2] and self.whole:
            return ""
        if not one and own == (shape[0], *shape[2:]) and self.whole:
            return "places"
        if labels.numel() == tensor.numel():
            return "flat"
        return "" if tensor.ndim == 3 else "places"


def _check_needless(output: Any, said: Sequence[Any]) -> None:
    if output is not None and all(isinstance(found, Tensor) for found in said):
        raise InvalidInput(
            f"output is {output!r}, and each network returns one tensor.", "Leave output out."
        )


def _held(place: Place, module: nn.Module, found: Any, wanted: _Wanted) -> dict[str | int, Tensor]:
    """The tensors that may be a network's outputs: what was said, or all that fit best."""
    name = type(module).__name__
    if place is not None and not isinstance(found, Tensor):
        return {place: entry(found, place, name)}
    there = {
        k: v
        for k, v in entries(found).items()
        if isinstance(v, Tensor) and v.is_floating_point() and v.ndim and len(v) == wanted.n
    }
    if "logits" in there:
        return {"logits": there["logits"]}
    if len(there) < 2:
        return there
    grades = {k: wanted.fit(v) for k, v in there.items()}
    best = max(grades.values())
    if best == 0:
        raise InvalidInput(
            f"{name} returns {_listed(there)}, of which nothing fits"
            + (" the classes." if wanted.labels is None
               else f" labels of shape {tuple(wanted.labels.shape)}."),
            "Say which tensor is meant: output='name', or output=0 for the first.",
        )  # fmt: skip
    return {k: v for k, v in there.items() if grades[k] == best}


def _chosen(
    role: str,
    module: nn.Module,
    found: Any,
    held: Mapping[str | int, Tensor],
    others: set[tuple[int, ...]],
    said: Place,
) -> tuple[Place, str]:
    """The place of the outputs, and a sentence where there was a choice."""
    if isinstance(found, Tensor) or not held:
        return None, ""  # a network without any tensor is refused by what reads it
    there = {k: v for k, v in entries(found).items() if isinstance(v, Tensor)}
    same = {k: v for k, v in held.items() if tuple(v.shape) in others}
    held = same if len(same) == 1 else held
    name = type(module).__name__
    if len(held) > 1:
        raise InvalidInput(
            f"The {role} {name} returns {_listed(held)}, and each may be its outputs.",
            f"Say which: output={next(iter(held))!r}, or output={{{role!r}: ...}} where the"
            " networks differ.",
        )
    place = next(iter(held))
    rows = [k for k, v in there.items() if v.ndim]
    if len(rows if place == "logits" else there) < 2:  # a loss beside logits is as usual
        return place, ""
    why = (
        "as output says"
        if said is not None
        else "by its name"
        if place == "logits"
        else ("since it alone fits")
    )
    return place, (
        f"Of what the {role} {name} returns ({_listed(there)}), {place!r} is taken for its outputs,"
        f" {why}; output=... says which."
    )


def _listed(tensors: Mapping[str | int, Tensor]) -> str:
    return ", ".join(f"{k!r} {tuple(v.shape)}" for k, v in list(tensors.items())[:8])


def _check_ragged(rows: Samples, batch: Batch, tensor: Tensor) -> None:
    """Refuse a number for each token of sequences that differ in length."""
    mask = batch.mask
    if mask is None or tuple(tensor.shape[:2]) != tuple(mask.shape):
        return
    lengths = rows.lengths
    if bool((lengths != lengths[0]).any()):
        raise InvalidInput(
            f"A network returns {tuple(tensor.shape)}, numbers for each token of sequences of"
            f" {int(lengths.min())} to {int(lengths.max())} tokens.",
            "Give sequences of one length, one number per row, or classes of tokens (n, t, k).",
        )
