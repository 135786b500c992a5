"""Reliability diagrams: how often a network is right where it is so certain."""

from __future__ import annotations

from typing import Any

from limbeck.reports import svg
from limbeck.reports.markup import Html, join, tag
from limbeck.reports.numbers import percent
from limbeck.reports.plots import BLUE, GREY, ORANGE
from limbeck.reports.table import Column, Table
from limbeck.results.network_record import NetworkRecord

__all__ = ["plot_reliability", "reliability", "reliability_table"]

_LEFT, _SIDE, _TOP = 46, 210, 20
_DRAWN = ("student", "control")
_Line = tuple[str, tuple[float, ...]]


def reliability_table(result: NetworkRecord) -> Table[_Line] | None:
    """A row per model and bin of its confidence; None where nothing was measured."""
    rows: list[_Line] = [(r, b) for r, f in result.facts.items() for b in f.reliability]
    if not rows:
        return None
    columns: list[Column[_Line]] = [
        Column("model", lambda row: row[0]),
        Column("confidence", lambda row: row[1][0], "mean confidence", format=percent),
        Column("accuracy", lambda row: row[1][1], "right", format=percent),
        Column("share", lambda row: row[1][2], "of all answers", format=percent),
    ]
    return Table(
        "Right answers by confidence, in 15 equal bins, all seeds together.", columns, rows
    )


def reliability(result: NetworkRecord) -> Html | None:
    """The section of the page, with a diagram of student and control."""
    table = reliability_table(result)
    if table is None:
        return None
    drawn = [role for role in _DRAWN if role in result.facts and result.facts[role].reliability]
    figures = [tag("figure", tag("h3", role), _diagram(result, role)) for role in drawn]
    return join(
        [
            tag("h2", "Reliability"),
            tag("p", "Shares of right answers where a network is so certain; on the dotted line it"
                " is as often right as it says, below it too certain. Larger points hold more"
                " answers."),
            tag("div", *figures, class_="charts"),
            tag("details", tag("summary", "The bins as a table"), table.to_html(), class_="rules"),
        ]
    )  # fmt: skip


def plot_reliability(result: NetworkRecord, ax: Any) -> None:
    """Draw the diagram of student and control on matplotlib axes.

    Parameters
    ----------
    result : NetworkRecord
        The result.
    ax : matplotlib Axes
        Where to draw.
    """
    for role, color in zip(_DRAWN, (BLUE, ORANGE), strict=True):
        found = result.facts[role].reliability if role in result.facts else ()
        if found:
            sure, right, share = zip(*found, strict=True)
            ax.plot(sure, right, color=color, label=role, linewidth=1.0)
            ax.scatter(sure, right, s=[8 + 120 * s for s in share], color=color)
    ax.plot([0, 1], [0, 1], ":", color=GREY, linewidth=0.8)
    ax.set_title("Reliability")
    ax.set_xlabel("confidence")
    ax.set_ylabel("share of right answers")
    ax.legend(frameon=False)


def _diagram(result: NetworkRecord, role: str) -> Html:
    end, foot = _LEFT + _SIDE, _TOP + _SIDE

    def at(sure: float, right: float) -> tuple[float, float]:
        return _LEFT + _SIDE * sure, foot - _SIDE * right

    ticks = (0.0, 0.5, 1.0)
    marks = [
        tag("circle", tag("title", f"confidence {percent(c)}: {percent(a)} right, {percent(s)} of"
            " all answers"), cx=at(c, a)[0], cy=at(c, a)[1], r=2.5 + 7 * s**0.5,
            class_="point main")
        for c, a, s in result.facts[role].reliability
    ]  # fmt: skip
    return svg.drawing(
        (end + 26, foot + 40),
        f"Share of right answers of the {role} by its confidence",
        *(svg.line(_LEFT, at(0, t)[1], end, at(0, t)[1], "rule") for t in ticks),
        *(svg.text(_LEFT - 6, at(0, t)[1] + 4, f"{t:.0%}", "end") for t in ticks),
        *(svg.text(at(t, 0)[0], foot + 17, f"{t:.0%}") for t in ticks),
        svg.line(_LEFT, foot, end, _TOP, "chosen"),
        *marks,
        svg.text((_LEFT + end) / 2, foot + 36, "confidence"),
    )
