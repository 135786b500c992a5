"""What `limbeck.ablate` found: what each part of an objective, or each layer, brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from limbeck.core.errors import plural
from limbeck.core.measured import Measured
from limbeck.evaluation.comparison import Difference
from limbeck.reports.plots import GREY, axes_of, intervals
from limbeck.reports.table import Column, Table
from limbeck.results.one_table import OneTable

__all__ = ["Ablation", "Dropped"]

_VERDICTS = {"helped": "brings something", "hurt": "costs something", "no evidence": "no evidence"}


@dataclass(frozen=True)
class Dropped:
    """What one part of the objective brings: the whole less the objective without it.

    ``gain`` is on the labels (None without labels), ``agreement`` on the teacher's answers (None
    without a teacher), and ``score`` what the student reaches without the part, on the same as
    :attr:`brings`.
    """

    name: str
    score: Measured
    gain: Difference | None
    agreement: Difference | None

    @property
    def brings(self) -> Difference:
        """What the ranking goes by: the gain on labels, else that on the teacher's answers."""
        found = self.gain or self.agreement
        assert found is not None  # noqa: S101  (`ablate` refuses rows with neither)
        return found


@dataclass(frozen=True, repr=False)
class Ablation(OneTable):
    """What each part of an objective brings, on rows that were not trained on.

    Parameters
    ----------
    full : Measured
        The student with the whole objective.
    parts : tuple of Dropped
        The part that brings most first.
    seeds, rows : int
        Over which everything was measured.
    delta : float
        All intervals of one column hold together with probability 1 - delta (Bonferroni).
    untrained : str
        Why nothing can be said of the parts: students were trained too short. Else empty.
    """

    format: ClassVar[str] = "limbeck-ablation"
    title: ClassVar[str] = "What each part of the objective brings"

    full: Measured
    parts: tuple[Dropped, ...]
    seeds: int
    rows: int
    delta: float
    untrained: str = ""

    def sheet(self) -> Table[Any]:
        """A line for each part, the one that brings most first."""
        whole = Dropped("nothing", self.full, None, None)
        columns: list[Column[Dropped]] = [
            Column("without", lambda p: p.name, wrap=True),
            Column("score", lambda p: p.score, brief=True),
            Column("gain", lambda p: _measured(p.gain), "brings on labels", _signed,
                   optional=True),
            Column("agreement_gain", lambda p: _measured(p.agreement), "brings in agreement",
                   _signed, optional=True),
            Column("verdict", self._verdict),
        ]  # fmt: skip
        only = " One seed cannot show run-to-run variability." if self.seeds == 1 else ""
        return Table(
            f"What each part brings ({plural(self.seeds, 'seed')},"
            f" {plural(self.rows, 'validation row')})",
            columns,
            [whole, *self.parts],
            (
                *([self.untrained] if self.untrained else []),
                f"Intervals of a column hold together at {100 * (1 - self.delta):g}%."
                f" The budget is small: a part may matter more, or less, in a longer run.{only}",
            ),
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw what each part of the objective brings, with its interval.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        ax = axes_of(ax, (6.4, 1.4 + 0.4 * len(self.parts)))
        gains = [_measured(p.gain) for p in self.parts]
        agreements = [_measured(p.agreement) for p in self.parts]
        given = {"on labels": gains, "in agreement with the teacher": agreements}
        shown = {what: values for what, values in given.items() if any(values)}
        intervals(ax, [p.name for p in self.parts], shown)
        ax.axvline(0.0, color=GREY, linewidth=0.8)
        ax.set_xlabel(f"what the part brings {' and '.join(shown)}")
        return ax

    def _verdict(self, part: Dropped) -> str:
        judged = not self.untrained and (part.gain or part.agreement)
        return _VERDICTS[part.brings.verdict] if judged else ""


def _measured(gain: Difference | None) -> Measured | None:
    return None if gain is None else Measured(gain.value, gain.low, gain.high)


def _signed(value: float) -> str:
    return f"{value:+.3f}"
