"""All ways from a network to one of the size of its cut: the student's, and those beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from limbeck.networks.pruning.baselines import baselines_of
from limbeck.networks.pruning.prune import Cut, prune
from limbeck.networks.pruning.pruned import Pruned

__all__ = ["CutWays", "ways_to_size"]

Again = Callable[[nn.Module], nn.Module]


@dataclass(frozen=True, eq=False)
class CutWays:
    """A cut, how the student comes to it, and the other ways to that size.

    Parameters
    ----------
    cut : Cut
        In one step.
    first : nn.Module
        Where the student starts: the cut, or that of its first step.
    later : sequence of callable
        What cuts it further, after each step.
    starts : mapping from str to nn.Module or callable
        Where the other ways start, by role.
    told, notes : tuple of str
        What was cut; and what a reader should know besides.
    """

    cut: Cut
    first: nn.Module
    later: Sequence[Again]
    starts: Mapping[str, nn.Module | Callable[[], nn.Module]]
    told: tuple[str, ...]
    notes: tuple[str, ...]


def ways_to_size(
    whole: nn.Module, asked: Pruned, batch: Any, labels: Tensor | None, control: str
) -> CutWays:
    """Cut a network, and prepare every other way to that size.

    Parameters
    ----------
    whole : nn.Module
        The teacher.
    asked : Pruned
        What is cut.
    batch, labels
        Rows of importance.
    control : str
        What the control learns from, for a sentence.
    """
    cut = prune(whole, asked, batch, labels)
    starts, lacking = baselines_of(whole, cut, asked, batch)
    first, later, steps = _in_steps(whole, cut, asked, batch, labels)
    if later:
        starts = {"cut in one step": cut.module, **starts}
    told = tuple(_told_of_cut(cut, whole, control))
    return CutWays(cut, first, later, starts, told, (*cut.notes, *lacking, *steps))


def _in_steps(
    whole: nn.Module, cut: Cut, asked: Pruned, batch: Any, labels: Tensor | None = None
) -> tuple[nn.Module, list[Callable[[nn.Module], nn.Module]], list[str]]:
    """Where a cut in several steps starts, what cuts it further, and a note on it."""
    first, *rest = asked.at_steps(sum(p.numel() for p in whole.parameters()))
    if not rest:
        return cut.module, [], []

    def further(step: Pruned) -> Callable[[nn.Module], nn.Module]:
        def cut_again(module: nn.Module) -> nn.Module:
            size = sum(p.numel() for p in module.parameters())
            if step.size is None or size <= step.size:  # whole heads and layers went before
                return module
            return prune(module, step, batch, labels).module

        return cut_again

    sizes = ", ".join(f"{step.size:,}" for step in (first, *rest))
    note = (
        f"Student and control are cut in {1 + len(rest)} steps, to {sizes} parameters at most, and"
        " healed after each with its part of the updates; the other ways are cut at once and"
        " healed with all of them. What is said of the cut is of the one in one step."
    )
    return prune(whole, first, batch, labels).module, [further(step) for step in rest], [note]


def _told_of_cut(cut: Cut, whole: nn.Module, control: str) -> list[str]:
    """What was cut, in sentences."""
    before, after = (sum(p.numel() for p in m.parameters()) for m in (whole, cut.module))
    kinds: dict[str, list[str]] = {}
    for line in cut.lines:
        kinds.setdefault(line.kind, []).append(f"{line.after} of {line.before}")
    kept = "; ".join(
        f"{kind}: {', '.join(dict.fromkeys(numbers))}" for kind, numbers in kinds.items()
    )
    notes = [
        f"The student was cut from {before:,} to {after:,} parameters ({after / before:.1%}),"
        f" keeping {kept}. The control is the same cut, trained on {control}."
    ]
    if cut.gone:
        notes.append(f"Layers that were left out: {', '.join(cut.gone)}.")
    if len(cut.tried) > 1:
        told = ", ".join(
            f"{t.way} {'out of reach' if t.divergence is None else f'{t.divergence:.3g}'}"
            for t in cut.tried
        )
        notes.append(f"Ways that were tried, by their distance from the teacher: {told}.")
    return notes
