"""What `limbeck.ablate` found of a cut: what each part of a network is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from limbeck.core.errors import plural
from limbeck.core.measured import Measured
from limbeck.reports.plots import GREY, axes_of, intervals
from limbeck.reports.table import Column, Table
from limbeck.results.one_table import OneTable

__all__ = ["RemovalCost", "Removals"]


@dataclass(frozen=True)
class RemovalCost:
    """One part that was left out alone.

    ``agreement`` is with the whole network; ``cost`` the accuracy that is lost on labels (of
    numbers R squared; None without labels); ``healed`` as a prefix means after training with the
    whole network as the teacher.
    """

    part: str
    kind: str
    removed: str
    parameters: int
    agreement: Measured
    healed_agreement: Measured
    cost: Measured | None
    healed_cost: Measured | None


@dataclass(frozen=True, repr=False)
class Removals(OneTable):
    """What each part of a network is worth, on rows that nothing was trained on.

    Parameters
    ----------
    parts : tuple of RemovalCost
        The cheapest to remove, after healing, first.
    seeds, rows : int
        Trainings of each part, and rows that were measured on.
    delta : float
        The intervals of a column hold together with probability 1 - delta (Bonferroni).
    """

    format: ClassVar[str] = "limbeck-removals"
    title: ClassVar[str] = "What can be dropped"

    parts: tuple[RemovalCost, ...]
    seeds: int
    rows: int
    delta: float

    def sheet(self) -> Table[Any]:
        """A line for each part, the cheapest first."""
        columns: list[Column[RemovalCost]] = [
            Column("part", lambda p: p.part, wrap=True),
            Column("removed", lambda p: p.removed if p.kind == "layers" else
                   f"{p.removed} {p.kind}", wrap=True),
            Column("agreement", lambda p: p.agreement, "agreement\nat once", brief=True),
            Column("healed_agreement", lambda p: p.healed_agreement, "agreement\nhealed"),
            Column("cost", lambda p: p.cost, "costs\nat once", brief=True, optional=True),
            Column("healed_cost", lambda p: p.healed_cost, "costs on labels\nhealed",
                   optional=True),
        ]  # fmt: skip
        return Table(
            f"What can be dropped ({plural(self.seeds, 'seed')}, {plural(self.rows, 'row')})",
            columns,
            list(self.parts),
            (
                f"Intervals of a column hold together at {100 * (1 - self.delta):g}%. Each part"
                " was left out alone: two cheap parts may be dear together.",
            ),
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the agreement that is lost without each part, before and after healing.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes
        """
        ax = axes_of(ax, (7.0, 1.4 + 0.4 * len(self.parts)))

        def lost(m: Measured) -> Measured:
            return Measured(1 - m.value, 1 - m.high, 1 - m.low)

        intervals(
            ax,
            [f"{p.part} ({p.removed})" for p in self.parts],
            {
                "before healing": [lost(p.agreement) for p in self.parts],
                "healed": [lost(p.healed_agreement) for p in self.parts],
            },
        )
        ax.axvline(0.0, color=GREY, linewidth=0.8)
        ax.set_xlabel("agreement with the whole network that is lost")
        return ax
