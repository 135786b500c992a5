"""From what was asked for to a network that is cut: which parts there are, and how many stay."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.networks.initialization.spaces import Space
from limbeck.networks.initialization.tracing import Trace
from limbeck.networks.pruning.blocks import RemovableBlock, Stack, find_stacks
from limbeck.networks.pruning.groups import ChannelGroup, find_groups
from limbeck.networks.pruning.scores import angle, block_scores, channel_scores
from limbeck.networks.pruning.surgery import cut, leave_out

__all__ = ["CutPart", "Parts", "check_kinds", "layers_of", "parts_of", "units_of"]


@dataclass(frozen=True)
class CutPart:
    """One part of the network, and how much of it stayed: units of a group, or layers."""

    part: str
    kind: str
    before: int
    after: int


@dataclass(frozen=True, eq=False)
class Parts:
    """What of a network can be cut.

    Parameters
    ----------
    module : nn.Module
        The network.
    found : Trace
        The axes of its tensors.
    groups : tuple of ChannelGroup
        Channels.
    stacks : tuple of Stack
        Blocks.
    batch : Any
        Inputs on which both were found.
    labels : Tensor or None
        Labels of these rows.
    """

    module: nn.Module
    found: Trace
    groups: tuple[ChannelGroup, ...]
    stacks: tuple[Stack, ...]
    batch: Any
    labels: Tensor | None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of parts that there are."""
        found = [g.kind for g in self.groups] + (["layers"] if self.stacks else [])
        return tuple(dict.fromkeys(found))

    def keep(self, units: Mapping[int, int], importance: str, seed: int = 0) -> dict[Space, Tensor]:
        """The channels that stay.

        Parameters
        ----------
        units : mapping of int to int
            How many of each group, by its place.
        importance : str
            Which; see `limbeck.networks.Pruned`.
        seed : int
            Draws what is random.
        """
        scores = channel_scores(
            self.module, self.found, importance, self.batch, self.labels, seed
        )  # fmt: skip
        out = {}
        for place, n in units.items():
            group = self.groups[place]
            if n < group.units:
                score = scores.get(group.space)
                if score is None:
                    score = torch.zeros(group.space.size)
                out[group.space] = group.best(score, n)
        return out

    def gone(
        self, counts: Mapping[int, int], importance: str, seed: int = 0
    ) -> list[RemovableBlock]:
        """The blocks that are left out.

        Parameters
        ----------
        counts : mapping of int to int
            How many of each stack, by its place.
        importance : str
            Which; see `limbeck.networks.Pruned`.
        seed : int
            Draws what is random.
        """
        out: list[RemovableBlock] = []
        for place, n in counts.items():
            stack = self.stacks[place]
            if importance == "angular":
                # never the last block, if there is another way
                last = len(stack.blocks) - n
                starts = range(max(last, 1))
                best = min(starts, key=lambda i: angle(stack.blocks[i : i + n])) if n else 0
                out += stack.blocks[best : best + n]
                continue
            scores = block_scores(self.module, stack, importance, self.batch, seed)
            order = sorted(range(len(scores)), key=lambda i: scores[i])[:n]
            out += [stack.blocks[i] for i in sorted(order)]
        return out

    def without(self, gone: Sequence[RemovableBlock]) -> Parts:
        """What can be cut once blocks are left out."""
        if not gone:
            return self
        return parts_of(leave_out(self.module, gone, self.batch), self.batch, self.labels)

    def narrowed(self, keep: Mapping[Space, Tensor]) -> nn.Module:
        """A copy of the network with the channels that stay."""
        return cut(self.module, self.found, self.groups, keep, self.batch)


def parts_of(module: nn.Module, batch: Any, labels: Tensor | None = None) -> Parts:
    """Find what of a network can be cut.

    Parameters
    ----------
    module : nn.Module
        Run a few times on the batch; left as it is.
    batch : Any
        Inputs of some training rows.
    labels : Tensor or None
        Their labels, which gradients may use.

    Raises
    ------
    InvalidInput
        If nothing can be cut.
    """
    stacks = find_stacks(module, batch)
    found, groups = find_groups(module, batch, stacks)
    if not stacks and not groups:
        raise InvalidInput(
            f"Nothing of the {type(module).__name__} can be cut: no block keeps the shape of its"
            " input, and all channels are inputs, outputs, or mixed in a way that is not"
            " followed.",
            "Give a smaller student instead: into=network.",
        )
    return Parts(module, found, groups, stacks, batch, labels)


def check_kinds(parts: Parts, kinds: Collection[str]) -> None:
    """Refuse kinds of parts of which the network has none that can be cut.

    Parameters
    ----------
    parts : Parts
        What can be cut.
    kinds : collection of str
        What was asked for.
    """
    for kind in kinds:
        if kind not in parts.kinds:
            raise InvalidInput(
                f"{kind} was to be cut, and the {type(parts.module).__name__} has no {kind} that"
                f" can be: it has {' and '.join(parts.kinds)}.",
                f"Name {' or '.join(parts.kinds)}.",
            )


def units_of(parts: Parts, shares: Mapping[str, float | int], notes: list[str]) -> dict[int, int]:
    """How many units of each group of channels stay, by its place.

    Parameters
    ----------
    parts : Parts
        What can be cut.
    shares : mapping of str to float or int
        By kind; whole numbers are numbers of units.
    notes : list of str
        Told what was rounded.

    Raises
    ------
    InvalidInput
        If less than one head would stay, or more than there are.
    """
    units = {
        place: _units(group, shares[group.kind], notes)
        for place, group in enumerate(parts.groups)
        if group.kind in shares
    }
    return units | _divisible(parts, units, notes)


def _units(group: ChannelGroup, share: float | int, notes: list[str]) -> int:
    """Units that stay: a multiple of the parts, at least one in each."""
    wanted: float = share * group.units
    if isinstance(share, int):
        if share > group.heads:
            raise InvalidInput(
                f"{group.kind}={share}, and {group.name} has {group.heads}.",
                f"Give {group.heads} at most, or a share.",
            )
        wanted = share * group.units / group.heads
    if group.kind == "heads" and wanted < 1:
        per = group.heads // group.units
        raise InvalidInput(
            f"heads={share!r} leaves {wanted * per:.2g} of {group.heads} heads in {group.name}"
            + (f", which are cut {per} at a time: that many share their keys." if per > 1 else "."),
            f"Give {per / group.heads:.3g} at least.",
        )
    n = min(max(round(wanted / group.parts), 1) * group.parts, group.units)
    if group.kind == "heads" and abs(n - wanted) > 1e-9:
        each = group.heads // group.units
        notes.append(
            f"heads={share!r} of {group.heads} heads was rounded to {n * each}:"
            f" {'whole heads' if each == 1 else f'{each} heads share their keys and'} are kept."
        )
    return n


def _divisible(parts: Parts, units: Mapping[int, int], notes: list[str]) -> dict[int, int]:
    """Heads and width of a model of transformers, so that the one divides the other.

    Many configurations ask for that, whatever the width of a head.
    """
    config = getattr(parts.module, "config", None)
    whole, width = (getattr(config, n, None) for n in ("num_attention_heads", "hidden_size"))
    if not whole or not width or not callable(getattr(config, "to_dict", None)):
        return {}
    groups, out = parts.groups, dict(units)
    per = {p: groups[p].heads // groups[p].units for p in units if groups[p].kind == "heads"}
    widths = [p for p in units if groups[p].kind == "width" and groups[p].units == width]
    if not widths:
        for place, each in per.items():
            n, most = units[place], groups[place].units
            fits = [k for k in range(1, most + 1) if width % (k * each) == 0]
            out[place] = min(fits or [n], key=lambda k: (abs(k - n), k))
            if out[place] != n:
                notes.append(
                    f"{n * each} heads were rounded to {out[place] * each}, which divide a width of"
                    f" {width}."
                )
        return out
    heads = {units[p] * each for p, each in per.items()} or {whole}
    for place in widths:
        step, n = math.lcm(groups[place].parts, *heads), units[place]
        out[place] = max(round(n / step), 1) * step if n < groups[place].units else n
        if out[place] != n:
            notes.append(f"A width of {n} was rounded to {out[place]}, a multiple of the heads.")
    return out


def layers_of(stacks: Sequence[Stack], share: float | int, notes: list[str]) -> dict[int, int]:
    """How many blocks go from each stack, by its place: the share, of those that can.

    Parameters
    ----------
    stacks : sequence of Stack
        The network's.
    share : float or int
        Of all their layers, or a number of layers, that stay.
    notes : list of str
        Told what was rounded.

    Raises
    ------
    InvalidInput
        If less than one layer would stay, or more would go than can.
    """
    total = sum(s.size for s in stacks)
    if isinstance(share, int) and share > total:
        raise InvalidInput(
            f"layers={share}, and the network has {total}.", f"Give {total} at most, or a share."
        )
    part = share / total if isinstance(share, int) else share
    if part * total < 1:
        raise InvalidInput(
            f"layers={share!r} leaves {part * total:.2g} of {total} layers, which is less than"
            " one.",
            f"Give {1 / total:.3g} at least.",
        )
    can = sum(len(s.blocks) for s in stacks)
    wanted = total - max(round(part * total), 1)
    if wanted > can:
        raise InvalidInput(
            f"layers={share!r} leaves out {wanted} of {total} layers, and only {can} return the"
            " shape that they are given.",
            f"Give {(total - can) / total:.3g} at least, or cut channels as well.",
        )
    out: dict[int, int] = {}
    left = wanted
    for place, stack in sorted(enumerate(stacks), key=lambda s: -len(s[1].blocks)):
        share_of = min(round(wanted * len(stack.blocks) / can), len(stack.blocks), left)
        out[place] = share_of
        left -= share_of
    for place, stack in enumerate(stacks):  # what rounding left
        more = min(left, len(stack.blocks) - out[place])
        out[place] += more
        left -= more
    kept = total - wanted
    if abs(kept - part * total) > 1e-9:
        notes.append(f"layers={share!r} of {total} layers was rounded to {kept}.")
    return {place: n for place, n in out.items() if n}
