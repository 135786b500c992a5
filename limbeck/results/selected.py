"""What `limbeck.select` returns: ways to choose few rows, beside as many random ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.wording import in_percent
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.evaluation.subset_comparison import SubsetLine
from limbeck.reports.plots import axes_of
from limbeck.reports.table import Column, Table
from limbeck.results.one_table import OneTable

__all__ = ["Selection"]

_RANDOM, _MOVED = "random", "inducing_points"


@dataclass(frozen=True, eq=False, repr=False)
class Selection(OneTable):
    """Few rows that stand for many, by several ways, with the control beside them.

    Parameters
    ----------
    lines : tuple of SubsetLine
        The table: random rows first, then the ways, then random rows with hard labels.
    rows : mapping from str to ndarray of shape (m,)
        The positions that each way chose with the first seed; of inducing points those they began
        at.
    weights : mapping from str to ndarray of shape (m,)
        How much each of these rows counts.
    points : ndarray of shape (m, d) or None
        The inducing points, in the units of ``vectors``: centred and scaled rows.
    point_targets : ndarray of shape (m, k) or None
        Their labels, less 1/k.
    test_rows, seeds : int
        How many.
    notes : tuple of str
        What was guessed.
    settings : mapping
        What it takes to run it again.
    """

    format: ClassVar[str] = "limbeck-selection"
    title: ClassVar[str] = "Few rows that stand for many"

    lines: tuple[SubsetLine, ...]
    rows: Mapping[str, NDArray[np.int64]]
    weights: Mapping[str, NDArray[np.float64]]
    points: NDArray[np.float64] | None
    point_targets: NDArray[np.float64] | None
    test_rows: int
    seeds: int
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def best(self) -> str:
        """The way with the most agreement that beats random rows beyond doubt, else ``random``."""
        return self._best()

    def _best(self, but: str = "") -> str:
        ways = [a for a in self.lines if a.way in self.rows and a.way not in (_RANDOM, but)]
        better = [a for a in ways if a.gain is not None and a.gain.verdict == "helped"]
        return max(better, key=lambda a: a.agreement.value).way if better else _RANDOM

    def chosen(self, way: str | None = None) -> NDArray[np.int64]:
        """The positions of the rows of a way.

        Parameters
        ----------
        way : str, optional
            By default the best way that takes rows as they are: see `points` for rows that were
            moved.

        Raises
        ------
        InvalidInput
            If the way was not tried.
        """
        name = self._best(_MOVED) if way is None else way
        if name not in self.rows:
            raise InvalidInput(f"There is no way {name!r}.", did_you_mean(name, self.rows))
        return self.rows[name]

    @property
    def sentence(self) -> str:
        """Whether any way teaches more than random rows."""
        level = 1 - float(self.settings["delta"])
        against = f"as many random rows with the teacher's soft labels ({self.seeds} seeds)"
        if self.best == _RANDOM:
            return (
                f"No evidence that any way of choosing rows teaches more than {against}:"
                " take random rows."
            )
        gain = next(a.gain for a in self.lines if a.way == self.best)
        assert gain is not None  # noqa: S101
        value, low, high = gain.numbers
        return (
            f"{self.best} helped: agreement {value} ({low} to {high},"
            f" {in_percent(level)} for all ways together) against {against}."
        )

    def sheet(self) -> Table[SubsetLine]:
        """The table."""
        columns: list[Column[SubsetLine]] = [
            Column("way", lambda a: a.way),
            Column("rows", lambda a: a.rows, align="right"),
            Column("asked", lambda a: a.asked, "rows the\nteacher labels", align="right"),
            Column("agreement", lambda a: a.agreement, "agreement with\nthe teacher"),
            Column("accuracy", lambda a: a.accuracy, "accuracy on\nthe labels", optional=True),
            Column("gain", lambda a: None if a.gain is None else a.gain.value,
                   "gain over\nrandom rows", format=lambda v: f"{v:+.3f}"),
            Column("verdict", lambda a: None if a.gain is None else a.gain.verdict, page_only=True),
        ]  # fmt: skip
        caption = (
            f"{self.settings['n']} of {self.settings['pool']:,} rows for a"
            f" {self.settings['student']} student, on {self.test_rows:,} rows left out"
        )
        return Table(
            caption, columns, self.lines, notes=(self.sentence, *self.notes),
            style=lambda a: "bold" if a.way == self.best else "",
            strong=lambda a: a.way == self.best, stacked=True,
        )  # fmt: skip

    def plot(self, ax: Any = None) -> Any:
        """Draw the agreement of each way with its interval, on matplotlib axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        """
        ax = axes_of(ax)
        for place, line in enumerate(self.lines[::-1]):
            a = line.agreement
            ax.errorbar(
                a.value, place, xerr=[[a.value - a.low], [a.high - a.value]], fmt="o", color="C0"
            )
        ax.set_yticks(range(len(self.lines)), [line.way for line in self.lines[::-1]])
        ax.set_xlabel("agreement with the teacher")
        return ax
