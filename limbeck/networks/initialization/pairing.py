"""Which tensor of a teacher stands for which of a student: equal places, and stacks of blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, get_args

from torch import nn

from limbeck.core.errors import InvalidInput, did_you_mean

__all__ = ["Layers", "Pairing", "layer_indices", "pair"]

Rule = Literal["every second", "first and last", "first", "similar"]
Layers = Rule | Mapping[str, str] | Sequence[int]
Block = tuple[str, nn.Module]
Changes = Callable[[Sequence[str]], Sequence[float]]


@dataclass
class Pairing:
    """What stands for what.

    Parameters
    ----------
    tensors : dict of str to str
        Names of the student's state to names of the teacher's.
    reasons : dict of str to str
        Why a tensor of the student has no counterpart.
    layers : dict of str to str
        Teacher layer to student layer, where the choice was not given by the names.
    """

    tensors: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    layers: dict[str, str] = field(default_factory=dict)


def layer_indices(rule: str, teacher: int, student: int) -> tuple[int, ...]:
    """Which of the teacher's layers a shallower student takes.

    ``every second`` spreads them evenly from the first to the last, as DistilBERT did (Sanh et
    al. 2019): 0, 2, 4, 7, 9, 11 of 12 for 6, and 0, 2, 5 of 6 for 3. ``first and last`` takes
    one half from the bottom, the larger where they differ, and the other from the top.

    Parameters
    ----------
    rule : {"every second", "first and last", "first"}
        How they are chosen.
    teacher, student : int
        Numbers of layers.

    Returns
    -------
    tuple of int
        Rising.

    Raises
    ------
    InvalidInput
        If the student has more layers than the teacher, or the rule is none of these.

    Examples
    --------
    >>> layer_indices("every second", 12, 6)
    (0, 2, 4, 7, 9, 11)
    """
    if student > teacher:
        raise InvalidInput(
            f"The student has {student} layers and the teacher {teacher}.",
            "Give a student that is no deeper, or name pairs of layers.",
        )
    if rule == "first":
        return tuple(range(student))
    if rule == "first and last":
        low = (student + 1) // 2
        return (*range(low), *range(teacher - student + low, teacher))
    if rule == "every second":
        return tuple(round(i * (teacher - 1) / max(student - 1, 1)) for i in range(student))
    raise InvalidInput(f"The rule is {rule!r}.", did_you_mean(rule, get_args(Rule)))


def pair(
    teacher: nn.Module, student: nn.Module, layers: Layers, changes: Changes | None = None
) -> Pairing:
    """Find the counterparts of a student's tensors.

    Networks are walked together by names. A stack, that is a ``ModuleList`` or ``Sequential``,
    of fewer blocks in the student takes those that the rule chooses: run by run where both
    stacks are the same runs of equal blocks (a first block with a shortcut, then three
    without), else over all blocks where all are of one class.

    Parameters
    ----------
    teacher, student : nn.Module
        The networks; neither is run.
    layers : str, sequence of int, or mapping
        As in `limbeck.networks.init_from_teacher`.
    changes : callable, optional
        How much each of the teacher's blocks of these names changes its input, for
        ``"similar"``.

    Raises
    ------
    InvalidInput
        If a named layer does not exist, the rule is unknown or needs a batch, or the number of
        indices fits no stack.
    """
    if isinstance(layers, str) and layers not in get_args(Rule):
        raise InvalidInput(
            f"The teacher's layers are to be chosen by {layers!r}.",
            did_you_mean(layers, get_args(Rule)),
        )
    if not isinstance(layers, str | Mapping | Sequence):
        raise InvalidInput(
            f"The teacher's layers are to be chosen by {layers!r}.",
            "Give a rule such as 'every second', indices, or {teacher layer: student layer}.",
        )
    if layers == "similar" and changes is None:
        raise InvalidInput(
            "layers='similar' chooses by activations, and there is no batch.", "Give batch=."
        )
    walk = _Walk(layers, changes)
    if isinstance(layers, Mapping):
        walk.named(teacher, student, layers)
    above = _wrapped(teacher, student)
    walk.both(teacher.get_submodule(above[0]), student.get_submodule(above[1]), *above)
    for name in student.state_dict():
        if name not in walk.out.tensors:
            walk.out.reasons.setdefault(name, "the teacher has none")
    if isinstance(layers, Sequence) and not isinstance(layers, str) and not walk.out.layers:
        raise InvalidInput(
            f"layers is {list(layers)}, and no stack of blocks is shallower in the student.",
            "Leave layers out, or name pairs of layers.",
        )
    return walk.out


class _Walk:
    def __init__(self, layers: Layers, changes: Changes | None) -> None:
        self.layers = layers
        self.changes = changes
        self.out = Pairing()

    def named(self, teacher: nn.Module, student: nn.Module, pairs: Mapping[str, str]) -> None:
        sides = [dict(net.named_modules(remove_duplicate=False)) for net in (teacher, student)]
        for names in pairs.items():
            for role, known, name in zip(("teacher", "student"), sides, names, strict=True):
                if name not in known or not name:
                    raise InvalidInput(
                        f"The {role} has no layer {name!r}.",
                        did_you_mean(name, filter(None, known)),
                    )
            self.out.layers[names[0]] = names[1]
            self.both(sides[0][names[0]], sides[1][names[1]], *names)

    def both(self, teacher: nn.Module, student: nn.Module, t: str, s: str) -> None:
        """Pair two modules, named t and s, and all below them."""
        if _stack(teacher) and _stack(student):
            olds, news = _blocks(teacher, t), _blocks(student, s)
            named = set(self.out.layers.values())
            if isinstance(self.layers, Mapping) and any(n in named for n, _ in news):
                return self.skip(
                    [n for n in news if n[0] not in named], "no layer was named for it"
                )
            if len(olds) != len(news) and news:
                return self.stack(olds, news, s)
            for (a, old), (b, new) in zip(olds, news, strict=True):
                self.block(old, new, a, b)
            return None
        own = {n for n in teacher.state_dict() if "." not in n}
        for name in student.state_dict():
            if "." not in name and name in own:
                self.out.tensors[_under(s, name)] = _under(t, name)
        below = dict(teacher.named_children())
        for name, child in student.named_children():
            inner = _under(s, name)
            if inner in self.out.layers.values():
                continue
            if name in below:
                self.block(below[name], child, _under(t, name), inner)
        return None

    def block(self, teacher: nn.Module, student: nn.Module, t: str, s: str) -> None:
        """Pair two blocks if they are built alike."""
        if _alike(teacher, student):
            self.both(teacher, student, t, s)
        else:
            old, new = type(teacher).__name__, type(student).__name__
            self.skip([(s, student)], f"{old} in the teacher, {new} here")

    def stack(self, olds: list[Block], news: list[Block], s: str) -> None:
        """Pair a stack with a shallower one."""
        runs = _runs(olds), _runs(news)
        if isinstance(self.layers, Mapping):
            return self.skip(news, "no layer was named for it")
        if isinstance(self.layers, str) and _parallel(*runs):
            parts = list(zip(*runs, strict=True))
        elif len({type(m) for _, m in olds + news}) == 1:
            parts = [(olds, news)]
        else:
            return self.skip(news, f"{_built(olds)} in the teacher, {_built(news)} here")
        for a, b in parts:
            if len(b) > len(a):
                self.skip(b, f"a stack of {len(a)} in the teacher, of {len(b)} here")
                continue
            for i, (name, block) in zip(self.chosen(a, len(b), s), b, strict=True):
                self.out.layers[a[i][0]] = name
                self.block(a[i][1], block, a[i][0], name)
        return None

    def chosen(self, blocks: list[Block], n: int, stack: str) -> Sequence[int]:
        if not isinstance(self.layers, str):
            assert not isinstance(self.layers, Mapping)  # noqa: S101  (left alone above)
            _check_indices(self.layers, len(blocks), n, stack)
            return self.layers
        if self.layers != "similar" or len(blocks) == n:
            rule = "first" if len(blocks) == n else self.layers
            return layer_indices(rule, len(blocks), n)
        assert self.changes is not None  # noqa: S101  (checked before)
        change = self.changes([name for name, _ in blocks])
        return sorted(sorted(range(len(blocks)), key=lambda i: -change[i])[:n])

    def skip(self, blocks: list[Block], why: str) -> None:
        for name, block in blocks:
            for inner in block.state_dict():
                self.out.reasons[_under(name, inner)] = why


def _check_indices(layers: Sequence[int], teacher: int, student: int, stack: str) -> None:
    if len(layers) != student or any(not 0 <= i < teacher for i in layers):
        raise InvalidInput(
            f"layers is {list(layers)}; the student's stack {stack!r} has {student} blocks and"
            f" the teacher's {teacher}.",
            f"Give {student} indices from 0 to {teacher - 1}, or name pairs of layers.",
        )


def _stack(module: nn.Module) -> bool:
    return isinstance(module, nn.ModuleList | nn.Sequential)


def _blocks(stack: nn.Module, name: str) -> list[Block]:
    """The children that hold anything."""
    return [(_under(name, n), m) for n, m in stack.named_children() if m.state_dict()]


def _alike(a: nn.Module, b: nn.Module) -> bool:
    """Whether two modules may stand for each other: of one class, or holding equal names."""
    return type(a) is type(b) or set(a.state_dict()) == set(b.state_dict())


def _built(blocks: list[Block]) -> str:
    return " and ".join(dict.fromkeys(type(m).__name__ for _, m in blocks))


def _runs(blocks: list[Block]) -> list[list[Block]]:
    """Neighbours of one class and of equal shapes."""

    def same(block: Block) -> Any:
        return type(block[1]), [(n, v.shape) for n, v in block[1].state_dict().items()]

    return [list(run) for _, run in groupby(blocks, key=same)]


def _parallel(olds: list[list[Block]], news: list[list[Block]]) -> bool:
    """Whether two stacks are the same runs, of whatever lengths."""
    return len(olds) == len(news) and all(
        _alike(a[0][1], b[0][1]) for a, b in zip(olds, news, strict=True)
    )


def _under(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name


def _wrapped(teacher: nn.Module, student: nn.Module) -> tuple[str, str]:
    """Where one network is a part of the other: a body, and the same body with a head."""
    sides = [["", *(n for n, _ in net.named_children())] for net in (teacher, student)]
    states = [list(net.state_dict()) for net in (teacher, student)]

    def shared(above: tuple[str, str]) -> int:
        inner = [
            {n[len(a) + 1 :] if a else n for n in state if not a or n.startswith(f"{a}.")}
            for a, state in zip(above, states, strict=True)
        ]
        return len(inner[0] & inner[1])

    ways = [("", ""), *((t, "") for t in sides[0][1:]), *(("", s) for s in sides[1][1:])]
    return max(ways, key=shared)  # the first of equals: as they are
