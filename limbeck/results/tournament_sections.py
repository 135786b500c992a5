"""A tournament in the terminal, on a page and on axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from limbeck.certificates.wording import upward
from limbeck.core.printable import visible
from limbeck.reports import svg
from limbeck.reports.charts import Line, Panel, chart
from limbeck.reports.document import document, write_document
from limbeck.reports.markup import Html, join, tag
from limbeck.reports.numbers import count, percent
from limbeck.reports.plots import axes_of, curves
from limbeck.reports.style import FRAGMENT, PAGE
from limbeck.reports.table import Column, Table
from limbeck.results.distillation_sections.sections import picture
from limbeck.results.tournament_record import (
    Candidate,
    StudentStatement,
    TournamentRecord,
    Unfinished,
    certified_bound,
)

__all__ = ["fragment", "front_svg", "plot_front", "tables", "terminal", "write_page"]


def candidate_table(result: TournamentRecord, every: bool = False) -> Table[Candidate]:
    """A row per student: the front, or all of them.

    Parameters
    ----------
    result : TournamentRecord
        The tournament.
    every : bool
        Whether students behind the front are listed, too.
    """
    stated = [certified_bound(f.certificate) for f in result.finalists]
    bounds = dict(zip(map(_key, result.fronted), stated, strict=True))
    first = result.finalists[0].certificate
    together = f"{100 * (1 - first.delta):g}%"
    of_inputs = first.tolerance is None
    columns: list[Column[Candidate]] = [
        Column("into", lambda c: c.into, "student"),
        Column("method", lambda c: c.method),
        Column("numbers", lambda c: c.numbers, align="right"),
        Column("size", lambda c: c.size, page_only=True),
        Column("left_out", lambda c: c.left_out, _label(result)),
        Column(
            "certified",
            lambda c: bounds.get(_key(c)),
            ("differs on at" if of_inputs else "stays")
            + f"\n{'most' if of_inputs else 'within'} ({together})",
            format=lambda v: f"{upward(100 * v)}%" if of_inputs else upward(v, 4),
            optional=True,
            align="right",
        ),
        Column(
            "seconds",
            lambda c: c.seconds,
            align="right",
            format=lambda v: f"{v:.1f}",
            page_only=True,
        ),
    ]
    chosen = result.fronted[result.recommended]
    return Table(
        "Nothing as small agrees better than these."
        if not every
        else "All students, by the numbers that a reader must hold.",
        columns,
        result.candidates if every else result.fronted,
        strong=lambda c: c is chosen,
        style=lambda c: "bold" if c is chosen else "" if c.front else "dim",
    )


def statement_table(result: TournamentRecord) -> Table[StudentStatement] | None:
    """What the recommended student says, and how often it returns."""
    if not result.statements or not result.refits:
        return None
    columns: list[Column[StudentStatement]] = [
        Column("statement", lambda s: s.text, wrap=True),
        Column("refits", lambda s: s.refits, f"share of {result.refits} refits"),
        Column("near", lambda s: s.near, f"of {result.near} near-equal students", align="right"),
    ]
    return Table(
        "What the recommended student says, how often it returns in refits on bags of the rows,"
        " and how many students that agree as well say the same.",
        columns,
        result.statements,
    )


def unfinished_table(result: TournamentRecord) -> Table[Unfinished] | None:
    """A row per way that came to nothing."""
    if not result.unfinished:
        return None
    columns: list[Column[Unfinished]] = [
        Column("into", lambda u: u.into, "student"),
        Column("method", lambda u: u.method),
        Column("reason", lambda u: u.reason, wrap=True),
    ]
    return Table(
        "Ways that were not done in time, or that do not fit this teacher or size.",
        columns,
        result.unfinished,
    )


def tables(result: TournamentRecord) -> dict[str, Table[Any]]:
    """All tables by name: the front, all students, and what came to nothing."""
    found = {
        "front": candidate_table(result),
        "all": candidate_table(result, every=True),
        "statements": statement_table(result),
        "unfinished": unfinished_table(result),
    }
    return {name: made for name, made in found.items() if made is not None}


def terminal(result: TournamentRecord) -> Group:
    """The front, what came to nothing, and which student to take."""
    made: list[RenderableType] = [candidate_table(result).to_rich(), Text()]
    if (lost := unfinished_table(result)) is not None:
        made += [lost.to_rich(), Text()]
    said = (result.sentence, result.steadiness, _where(result))
    return Group(*made, *(Text(visible(sentence)) for sentence in said))


def panel(result: TournamentRecord) -> Panel:
    """Agreement by numbers: the front as a line, the others as points."""
    front = tuple((float(c.numbers), c.left_out.value) for c in result.fronted)
    others = [
        Line(f"{c.into} by {c.method}", ((float(c.numbers), c.left_out.value),), main=False)
        for c in result.candidates
        if not c.front
    ]
    return Panel(
        "The front",
        f"{_agreement(result)} on {result.judged_on}",
        (Line("best of its size", front), *others),
        result.fronted[result.recommended].numbers,
        sizes="numbers",
        top=1.0,
    )


def drawing(result: TournamentRecord) -> Html:
    """The chart, with what its marks mean."""
    keys = (
        tag("span", class_="key"), " the front; ",
        tag("span", class_="key other"), " students behind it; ",
        tag("span", class_="key ring"), " the one that is recommended.",
    )  # fmt: skip
    figure = tag("figure", chart(panel(result)))
    return join([tag("div", figure, class_="charts"), tag("p", *keys)])


def front_svg(result: TournamentRecord) -> str:
    """The chart as the text of an SVG file of its own, for light pages and dark ones.

    Parameters
    ----------
    result : TournamentRecord
        The tournament.
    """
    wide, high = 360, 276
    marks = (
        tag("circle", cx=52, cy=262, r=4, class_="point main"),
        svg.text(61, 266, "the front", "start"),
        tag("rect", x=126, y=258, width=8, height=8, class_="point"),
        svg.text(139, 266, "behind it", "start"),
        tag("circle", cx=208, cy=262, r=5, class_="ring"),
        svg.text(218, 266, "recommended", "start"),
    )
    paper = tag("rect", width=wide, height=high, style="fill: var(--paper)")
    return tag(
        "svg", tag("style", Html(PAGE)), paper,
        tag("g", tag("svg", chart(panel(result)), width=wide, height=250), *marks, class_="charts",
            font_family="system-ui, sans-serif"),
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {wide} {high}", width=1.5 * wide,
        height=1.5 * high, class_="limbeck",
    )  # fmt: skip


def plot_front(result: TournamentRecord, ax: Any = None) -> Any:
    """Agreement by numbers on matplotlib axes, a line per kind of student.

    Parameters
    ----------
    result : TournamentRecord
        The tournament.
    ax : matplotlib Axes, optional
        Where to draw.
    """
    ax = axes_of(ax, (7.0, 4.6))
    drawn = panel(result)
    curves(ax, Panel(drawn.heading, drawn.unit, drawn.lines[:1], drawn.chosen, drawn.sizes))
    ways = sorted({(c.into, c.method) for c in result.candidates})
    for into, method in ways:
        own = [c for c in result.candidates if (c.into, c.method) == (into, method)]
        ax.plot(
            [c.numbers for c in own], [c.left_out.value for c in own],
            "o--", markersize=4, linewidth=0.8, alpha=0.7, label=f"{into} by {method}",
        )  # fmt: skip
    ax.set_xscale("log", base=2)
    ticks = sorted({c.numbers for c in result.fronted})
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize="small")
    return ax


def write_page(result: TournamentRecord, path: str | Path) -> Path:
    """Write one self-contained HTML page, all of it or nothing.

    Parameters
    ----------
    result : TournamentRecord
        The tournament.
    path : str or Path
        Where; an older file is replaced in one step.
    """
    chosen = result.finalists[result.recommended]
    lost = unfinished_table(result)
    sections = [
        join([
            tag("p", "limbeck: report of a tournament", class_="kind"),
            tag("h1", _title(result)),
            tag("p", result.sentence, class_="lead"),
            tag("p", _where(result)),
        ]),
        join([tag("h2", "Which students"), drawing(result),
              candidate_table(result).to_html()]),
        join([tag("h2", "The recommended student"), tag("p", result.steadiness), picture(chosen),
              *([] if (said := statement_table(result)) is None else [said.to_html()])]),
        join([tag("h2", "All of them"), candidate_table(result, every=True).to_html()]),
        *([] if lost is None else [join([tag("h2", "Not in the race"), lost.to_html()])]),
    ]  # fmt: skip
    return write_document(document(_title(result), sections, PAGE), path)


def fragment(result: TournamentRecord) -> str:
    """The front and the recommended student, for a notebook."""
    return tag(
        "div",
        tag("style", Html(FRAGMENT)),
        tag("p", tag("strong", _title(result)), ". ", result.sentence),
        drawing(result),
        candidate_table(result).to_html(),
        class_="limbeck",
    )  # fmt: skip


def _title(result: TournamentRecord) -> str:
    teacher = result.settings.get("teacher", "A teacher")
    return f"{teacher}: {len(result.candidates)} readable students"


def _where(result: TournamentRecord) -> str:
    first = result.finalists[0].certificate
    n, k = count(first.n), len(result.finalists)
    chosen = f"Chosen on {result.judged_on.replace('left out', 'left out of training in turn', 1)}"
    if k == 1:
        return f"{chosen}; certified on {n} rows it never saw."
    return (
        f"{chosen}; certified on {n} rows that no student saw, all {k} together with"
        f" {percent(1 - first.delta)} confidence."
    )


def _label(result: TournamentRecord) -> str:
    """The heading of agreement, no wider than its numbers."""
    return f"{_agreement(result)}\non {result.judged_on}".replace(" queries made ", "\nqueries ")


def _agreement(result: TournamentRecord) -> str:
    classifies = result.finalists[0].student.task_.classifies
    return "agreement" if classifies else "R²"


def _key(c: Candidate) -> tuple[str, str, int]:
    return c.into, c.method, c.numbers
