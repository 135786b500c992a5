"""A student that starts from its teacher's weights: which were copied, and which were not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.modules.capture import asking, hooked, placed, run
from limbeck.networks.analysis.matching import cka
from limbeck.networks.initialization.channels import select
from limbeck.networks.initialization.importance import Importance
from limbeck.networks.initialization.pairing import Layers, pair
from limbeck.reports.printed import Tabular
from limbeck.reports.table import Column, Table

__all__ = ["CopiedTensor", "Transplant", "init_from_teacher"]

How = Literal["copied", "selected", "left"]


@dataclass(frozen=True)
class CopiedTensor:
    """One tensor of the student: where it comes from, and how.

    ``source`` is the teacher's name for it, empty where there is none; ``why`` tells why it was
    left. ``learned`` is False for buffers, which are no parameters.
    """

    name: str
    size: int
    source: str
    how: How
    why: str = ""
    learned: bool = True


@dataclass(frozen=True, repr=False)
class Transplant(Tabular):
    """What went from the teacher into the student.

    Parameters
    ----------
    entries : tuple of CopiedTensor
        Every tensor of the student's state.
    layers : mapping of str to str
        Teacher layer to student layer, of stacks that are shallower in the student: what
        `HiddenStates` takes.
    """

    entries: tuple[CopiedTensor, ...]
    layers: Mapping[str, str]

    def of(self, how: How) -> tuple[CopiedTensor, ...]:
        """The entries that were ``copied``, ``selected`` or ``left``."""
        return tuple(e for e in self.entries if e.how == how)

    @property
    def share(self) -> float:
        """Share of the student's parameters that come from the teacher, in [0, 1]."""
        learned = [e for e in self.entries if e.learned]
        total = sum(e.size for e in learned)
        return sum(e.size for e in learned if e.how != "left") / total if total else 0.0

    def sheet(self) -> Table[Any]:
        """One line for each layer of the student, and why any was left."""
        lines: dict[tuple[str, str, str], int] = {}
        reasons: dict[str, list[str]] = {}
        for e in self.entries:
            if not e.learned:
                continue
            line = (*self._places(e), e.how)
            lines[line] = lines.get(line, 0) + e.size
            if e.how == "left":
                shapes, _, why = e.why.rpartition("; ")
                reasons.setdefault(why, []).append(f"{e.name} ({shapes})" if shapes else e.name)
        share = f"{100 * self.share:.1f}% of the student's parameters come from the teacher."
        columns: list[Column[Any]] = [
            Column("student", lambda line: line[0][0], wrap=True),
            Column("teacher", lambda line: line[0][1], wrap=True),
            Column("how", lambda line: line[0][2]),
            Column("parameters", lambda line: line[1], align="right"),
        ]
        return Table(
            "The student's start",
            columns,
            list(lines.items()),
            (
                share,
                *(f"Left as they were ({why}): {_few(names)}." for why, names in reasons.items()),
            ),
        )

    def _places(self, e: CopiedTensor) -> tuple[str, str]:
        """The layers of the student and of the teacher that an entry belongs to."""
        blocks = [(s, t) for t, s in self.layers.items() if e.name.startswith(f"{s}.")]
        if blocks:
            return max(blocks)  # the innermost
        if not e.source:
            return e.name.rpartition(".")[0] or e.name, "—"
        return tuple(n.rpartition(".")[0] or n for n in (e.name, e.source))  # type: ignore[return-value]


def init_from_teacher(
    teacher: nn.Module,
    student: nn.Module,
    layers: Layers = "every second",
    batch: Any = None,
    importance: Importance = "activation",
) -> Transplant:
    """Copy weights of the teacher into the student, in place, before it is trained.

    Tensors of equal place and shape are copied. Where a stack of repeated blocks (a
    ``ModuleList`` or ``Sequential``) is shallower in the student, chosen blocks of the teacher
    are copied. Where tensors are narrower and a batch is given, the important channels are
    taken, the same ones wherever they are read; see
    `limbeck.networks.initialization.channels.select`. Whatever fits in no way stays as it was, and
    is reported.

    Parameters
    ----------
    teacher : nn.Module
        Not changed.
    student : nn.Module
        Changed in place.
    layers : str, mapping, or sequence of int
        ``"every second"`` (evenly from the first to the last), ``"first and last"``,
        ``"first"``: see `limbeck.networks.initialization.pairing.layer_indices`. ``"similar"``:
        without the blocks whose output is most similar to their input, by 1 - CKA on a batch (Men
        et al. 2024, ShortGPT, do the same with the cosine). Indices of the teacher's blocks, one
        for each of the student's. Or ``{teacher layer: student layer}``, by names of modules.
    batch : optional
        What both networks are called with: for ``"similar"``, and for narrower layers.
    importance : {"activation", "norm"}
        Which channels are important: those by which what layers sum varies most over the batch
        (An et al. 2024, FLAP), or those with the largest weights (Fang et al. 2023, DepGraph).
        See `limbeck.networks.initialization.importance`.

    Returns
    -------
    Transplant
        What was copied, selected and left; prints as a table.

    Raises
    ------
    InvalidInput
        If a named layer does not exist, no stack has the asked number of blocks, or a batch is
        needed and absent; or importance is unknown.

    Examples
    --------
    >>> def net(depth):
    ...     return nn.Sequential(*[nn.Linear(4, 4) for _ in range(depth)])
    >>> report = init_from_teacher(net(6), net(3), "first and last")
    >>> report.layers, report.share
    ({'0': '0', '1': '1', '5': '2'}, 1.0)
    """
    if importance not in get_args(Importance):
        raise InvalidInput(
            f"importance is {importance!r}.", did_you_mean(importance, get_args(Importance))
        )
    changes = None if batch is None else lambda names: _changes(teacher, batch, names)
    pairing = pair(teacher, student, layers, changes)
    source = teacher.state_dict(keep_vars=True)
    narrower = any(
        source[old].shape != value.shape
        for name, value in student.state_dict().items()
        if (old := pairing.tensors.get(name)) is not None
    )
    chosen: Mapping[str, Any] = {}
    if narrower and batch is not None:
        chosen = select(teacher, student, pairing.tensors, batch, importance)
    learned = {name for name, _ in student.named_parameters()}
    entries = []
    with torch.no_grad():
        for name, value in student.state_dict(keep_vars=True).items():
            found = pairing.tensors.get(name, "")
            how: How = "left"
            why = pairing.reasons.get(name, "")
            if found and source[found].shape == value.shape:
                value.copy_(source[found])
                how = "copied"
            elif found:
                why = f"{_shape(source[found])} in the teacher, {_shape(value)} here"
                which = chosen.get(name, "channels are selected where there is a batch")
                if isinstance(which, str):
                    why = f"{why}; {which}"
                else:
                    value.copy_(_taken(source[found], which))
                    how = "selected"
            entries.append(CopiedTensor(name, value.numel(), found, how, why, name in learned))
    return Transplant(tuple(entries), pairing.layers)


def _taken(value: Tensor, which: Sequence[Tensor]) -> Tensor:
    for dim, index in enumerate(which):
        value = value.index_select(dim, index.to(value.device))
    return value


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _shape(value: Tensor) -> str:
    return " x ".join(map(str, value.shape))


def _changes(teacher: nn.Module, batch: Any, names: Sequence[str]) -> list[float]:
    """1 - CKA between what enters and what leaves each block."""
    seen: dict[str, float] = {}

    def hook(name: str) -> Any:
        def see(module: nn.Module, given: Any, kwargs: Any, output: Any) -> None:
            ends = [_first(list(given) + list(kwargs.values())), _first([output])]
            if ends[0] is not None and ends[1] is not None:
                seen[name] = 1 - cka(ends[0], ends[1])

        return see

    hooks = [(teacher.get_submodule(n), hook(n)) for n in names]
    with hooked(hooks, with_kwargs=True), asking(teacher):
        run(teacher, placed(batch, teacher))
    absent = [n for n in names if n not in seen]
    if absent:
        raise InvalidInput(
            f"The layer {absent[0]!r} did not run on the batch, or takes or returns no tensor.",
            "Choose the layers by another rule.",
        )
    return [seen[n] for n in names]


def _first(values: Sequence[Any]) -> Tensor | None:
    for value in values:
        if isinstance(value, Tensor) and value.is_floating_point():
            return value
        if isinstance(value, tuple | list):
            return _first(value)
    return None
