"""A network cut to the shares that were asked for, or to a size, operations or time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.capture import asking, placed
from limbeck.modules.outputs import answer
from limbeck.networks.pruning.budget import milliseconds, operations, size_after
from limbeck.networks.pruning.config import refit_config
from limbeck.networks.pruning.plan import CutPart, Parts, check_kinds, layers_of, parts_of, units_of
from limbeck.networks.pruning.pruned import Pruned
from limbeck.networks.pruning.scores import divergence

__all__ = ["Cut", "TriedCut", "prune"]

_STEPS = {"size": 16, "flops": 12, "latency_ms": 8}  # of a search by halves
_WAYS: Mapping[str, tuple[str, ...]] = {
    "inside the layers": ("heads", "mlp", "channels"),
    "all channels": ("heads", "mlp", "channels", "width"),
    "layers": ("layers",),
    "layers, and inside them": ("layers", "heads", "mlp", "channels"),
}


@dataclass(frozen=True)
class TriedCut:
    """A way to reach a target: its shares, parameters, and how far it is from the teacher.

    ``divergence`` is the mean KL (of numbers the mean squared difference) to the whole network on
    the rows of importance, before healing; None where the way does not reach the target.
    """

    way: str
    shares: Mapping[str, float]
    parameters: int
    divergence: float | None


@dataclass(frozen=True, eq=False)
class Cut:
    """A network that was cut.

    Parameters
    ----------
    module : nn.Module
        The smaller network, not healed yet.
    shares : mapping of str to float or int
        What stays of each kind.
    gone : tuple of str
        Names of the layers that were left out.
    lines : tuple of CutPart
        Part by part.
    tried : tuple of TriedCut
        What a search tried; the first is the one that was taken.
    notes : tuple of str
        What was rounded.
    """

    module: nn.Module
    shares: Mapping[str, float | int]
    gone: tuple[str, ...]
    lines: tuple[CutPart, ...]
    tried: tuple[TriedCut, ...] = ()
    notes: tuple[str, ...] = field(default=())


def prune(module: nn.Module, asked: Pruned, batch: Any, labels: Tensor | None = None) -> Cut:
    """Cut a network.

    Parameters
    ----------
    module : nn.Module
        Left as it is.
    asked : Pruned
        What is cut.
    batch : Any
        Inputs of the rows on which importance is measured.
    labels : Tensor or None
        Their labels, for importance by gradients.

    Returns
    -------
    Cut
        The smaller network, and what was left out.

    Raises
    ------
    InvalidInput
        If there are no parts of a kind, less than one would stay, or a target is out of reach.

    Examples
    --------
    >>> import torch
    >>> net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
    >>> cut = prune(net, Pruned(mlp=0.5), torch.randn(32, 4))
    >>> cut.module[0].out_features, cut.lines
    (8, (CutPart(part='0', kind='mlp', before=16, after=8),))
    """
    parts = parts_of(module, batch, labels)
    if asked.target is None:
        check_kinds(parts, asked.shares)
        return _made(parts, asked.shares, asked)
    return _searched(parts, asked)


def _made(parts: Parts, shares: Mapping[str, float | int], asked: Pruned) -> Cut:
    """The network with these shares."""
    notes: list[str] = []
    gone, rest = _without_layers(parts, shares, asked, notes)
    units = units_of(rest, shares, notes)
    module = rest.narrowed(rest.keep(units, asked.importance, asked.seed))
    lines = []
    if gone:
        total = sum(s.size for s in parts.stacks)
        lines.append(CutPart("layers", "layers", total, total - len(gone)))
    for place, n in units.items():
        group = rest.groups[place]
        each = group.heads // group.units if group.kind == "heads" else 1
        lines.append(CutPart(group.name, group.kind, group.units * each, n * each))
    notes.append(refit_config(module, lines, gone))
    told = tuple(dict.fromkeys(note for note in notes if note))
    return Cut(module, dict(shares), gone, tuple(lines), notes=told)


def _without_layers(
    parts: Parts, shares: Mapping[str, float | int], asked: Pruned, notes: list[str]
) -> tuple[tuple[str, ...], Parts]:
    if "layers" not in shares:
        return (), parts
    counts = layers_of(parts.stacks, shares["layers"], notes)
    gone = parts.gone(counts, asked.layer_importance, asked.seed)
    return tuple(b.name for b in gone), parts.without(gone)


def _searched(parts: Parts, asked: Pruned) -> Cut:
    """The way to the target that is closest to the whole network."""
    search = _Search(parts, asked)
    if asked.cut is not None:
        check_kinds(parts, asked.cut)
        ways = {" and ".join(asked.cut): asked.cut}
    else:
        ways = _ways(parts.kinds)
    tried: list[TriedCut] = []
    cuts: dict[str, Cut] = {}
    for name, kinds in ways.items():
        shares = search.shares(kinds)
        if shares is None:
            tried.append(TriedCut(name, search.least(kinds), search.parameters, None))
            continue
        made = _made(parts, shares, asked)
        if all(line.before == line.after for line in made.lines):
            continue  # what was measured was chance
        size = sum(p.numel() for p in made.module.parameters())
        tried.append(TriedCut(name, shares, size, _far(parts, made.module)))
        cuts[name] = made
    if not cuts:
        name, least = search.smallest
        raise InvalidInput(
            f"{search.words} is out of reach: cutting {name} as far as it goes leaves"
            f" {search.told(least)}.",
            "Ask for more, or give a smaller student: into=network.",
        )
    tried.sort(key=lambda t: float("inf") if t.divergence is None else t.divergence)
    taken = cuts[tried[0].way]
    notes = (*taken.notes, *search.timed(taken.module))
    return replace(taken, tried=tuple(tried), notes=notes)


def _ways(kinds: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The ways that differ for a network with these kinds of parts."""
    out: dict[str, tuple[str, ...]] = {}
    for name, named in _WAYS.items():
        own = tuple(k for k in named if k in kinds)
        if own and own not in out.values():
            out[name] = own
    return out


def _far(parts: Parts, module: nn.Module) -> float:
    inputs = placed(parts.batch, module)
    with asking(module, parts.module):
        return float(divergence(answer(module, inputs), answer(parts.module, inputs)).mean())


class _Search:
    """Looks for the largest share of some kinds that keeps to a target."""

    def __init__(self, parts: Parts, asked: Pruned) -> None:
        assert asked.target is not None  # noqa: S101  (the caller checks)
        self._parts, self._asked = parts, asked
        self.name, value = asked.target
        self.parameters = 0
        self.smallest: tuple[str, float] = ("", float("inf"))
        whole = self._measure({})
        share = self.name != "latency_ms" and not isinstance(value, int)
        self.words = f"{self.name}={value!r}"
        self.target = value * whole if share else float(value)
        if not share and self.name == "flops":
            self.target *= _rows(parts.batch)
        if self.target >= whole:
            raise InvalidInput(
                f"{self.words}, and the whole network has {self.told(whole)} already.",
                "Ask for less, or use the network as it is.",
            )

    def told(self, value: float) -> str:
        """A measured value in words."""
        if self.name == "latency_ms":
            return f"{value:.3g} ms"
        if self.name == "flops":
            return f"{value / _rows(self._parts.batch):,.0f} operations per row"
        return f"{value:,.0f} parameters"

    def timed(self, module: nn.Module) -> list[str]:
        """Of a target in milliseconds, how long a call takes before and after the cut.

        Parameters
        ----------
        module : nn.Module
            The smaller network.
        """
        if self.name != "latency_ms":
            return []
        before, after = (milliseconds(m, self._parts.batch) for m in (self._parts.module, module))
        return [
            f"A call on the {_rows(self._parts.batch)} rows of importance took {after:.3g} ms after"
            f" the cut, {before:.3g} before ({self.target:g} was asked for): medians on this"
            " machine under its present load, which varies."
        ]

    def least(self, kinds: Sequence[str]) -> dict[str, float]:
        """As little as can stay: one head or channel of each group, and the layers that must."""
        return self._shares(kinds, 0.0)

    def shares(self, kinds: Sequence[str]) -> dict[str, float] | None:
        """The largest shares that reach the target, the same for all kinds; None if none does.

        Parameters
        ----------
        kinds : sequence of str
            What is cut.
        """
        found = self._measure(self.least(kinds))
        if found < self.smallest[1]:
            self.smallest = " and ".join(kinds), found
        if found > self.target:
            return None
        low, high = 0.0, 1.0
        for _ in range(_STEPS[self.name]):
            middle = (low + high) / 2
            if self._measure(self._shares(kinds, middle)) <= self.target:
                low = middle
            else:
                high = middle
        return self._shares(kinds, int(low * 10_000) / 10_000)

    def _shares(self, kinds: Sequence[str], share: float) -> dict[str, float]:
        out = {}
        for kind in kinds:
            least = 1e-9
            if kind == "layers":
                total = sum(s.size for s in self._parts.stacks)
                can = sum(len(s.blocks) for s in self._parts.stacks)
                least = max(total - can, 1) / total
            elif kind == "heads":
                least = max(1 / g.units for g in self._parts.groups if g.kind == "heads")
            out[kind] = max(share, least)
        return out

    def _measure(self, shares: Mapping[str, float]) -> float:
        notes: list[str] = []
        _, rest = self._kept(shares, notes)
        units = units_of(rest, shares, notes)
        if self.name == "size":
            importance = "norm"  # which channels stay makes no difference to how many
            keep = rest.keep(units, importance)
            return float(size_after(rest.module, rest.found, keep, ()))
        module = rest.narrowed(rest.keep(units, "norm"))
        measure = operations if self.name == "flops" else milliseconds
        return float(measure(module, rest.batch))

    def _kept(self, shares: Mapping[str, float], notes: list[str]) -> tuple[Any, Parts]:
        counts = (
            layers_of(self._parts.stacks, shares["layers"], notes) if "layers" in shares else {}
        )
        key = tuple(sorted(counts.items()))
        known: dict[Any, Parts] = self.__dict__.setdefault("_known", {})
        if key not in known:
            gone = self._parts.gone(counts, self._asked.layer_importance, self._asked.seed)
            known[key] = self._parts.without(gone)
        return key, known[key]


def _rows(inputs: Any) -> int:
    if isinstance(inputs, Mapping):
        return len(next(iter(inputs.values())))
    return len(inputs[0]) if isinstance(inputs, tuple | list) else len(inputs)
