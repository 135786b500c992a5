"""An advice in the terminal, on a page and on axes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from limbeck.certificates.wording import in_percent
from limbeck.core.errors import plural
from limbeck.core.printable import visible
from limbeck.reports.charts import Line, Panel, chart
from limbeck.reports.document import document, write_document
from limbeck.reports.markup import Html, box, definitions, join, tag
from limbeck.reports.numbers import count, duration
from limbeck.reports.plots import BLUE, GREY, ORANGE, grid_of, legend
from limbeck.reports.style import FRAGMENT, PAGE
from limbeck.reports.table import Column, Drawing, Table
from limbeck.results.advice_record import AdviceRecord, Outlook, PilotPoint

__all__ = ["fragment", "outlook_table", "plot_advice", "point_table", "terminal", "write_page"]

_AXES = (("rows", "training rows"), ("updates", "updates"))


def outlook_table(result: AdviceRecord) -> Table[Outlook]:
    """A row for each forecast."""
    score = result.score
    columns: list[Column[Outlook]] = [
        Column("what", lambda o: o.name, wrap=True),
        Column("rows", lambda o: o.rows, align="right", page_only=True),
        Column("epochs", lambda o: o.epochs, format=lambda v: plural(v, "epoch"), under="rows"),
        Column("student", lambda o: o.student, f"student's\n{score}", brief=True,
               drawing=Drawing(group="scores")),
        Column("control", lambda o: o.control, "control's", page_only=True,
               drawing=Drawing(group="scores")),
        Column("gain", lambda o: o.gain, format=lambda v: f"{v:+.3f}",
               drawing=Drawing(zero=True)),
        Column("basis", lambda o: o.basis),
        Column("verdict", lambda o: o.verdict),
        Column("seconds", lambda o: o.seconds, format=lambda v: f"{v:.3g} s a pair", under="rows"),
    ]  # fmt: skip
    return Table(
        f"What distilling is forecast to bring ({in_percent(result.level)} intervals for a"
        f" later run of {result.settings['later_seeds']} seeds)",
        columns,
        result.outlooks,
        strong=lambda o: o is result.best,
        style=lambda o: "bold" if o is result.best else "",
    )


def point_table(result: AdviceRecord) -> Table[PilotPoint] | None:
    """A row for each cell of the pilot."""
    if not result.points:
        return None
    columns: list[Column[PilotPoint]] = [
        Column("model", lambda p: p.model),
        Column("rows", lambda p: p.rows, align="right"),
        Column("updates", lambda p: p.updates, align="right"),
        Column("seeds", lambda p: p.seeds, align="right"),
        Column("student", lambda p: p.student, drawing=Drawing(group="scores")),
        Column("control", lambda p: p.control, drawing=Drawing(group="scores")),
        Column("gain", lambda p: p.gain, format=lambda v: f"{v:+.3f}", drawing=Drawing(zero=True)),
        Column("seconds", lambda p: p.seconds, "seconds a pair", align="right",
               format=lambda v: f"{v:.3g}"),
    ]  # fmt: skip
    return Table("What the pilot ran", columns, result.points)


def terminal(result: AdviceRecord) -> Group:
    """The forecasts, the recommendation, the line to run next, and the notes."""
    drawn = outlook_table(result)
    made: list[RenderableType] = [Text(drawn.caption), drawn.to_rich(), Text()]
    said = [result.sentence, f"Next: {result.code}", _spent(result), *result.notes]
    return Group(*made, *(Text(visible(line)) for line in said))


def _spent(result: AdviceRecord) -> str:
    s = result.settings
    teacher = (
        "" if result.teacher is None else f" The teacher's {result.score} is {result.teacher}."
    )
    return (
        f"{s['pairs']} pairs of student and control in {duration(s['seconds'])} of"
        f" {duration(s['budget'])}, measured on {count(s['measured_rows'])} rows.{teacher}"
    )


def write_page(result: AdviceRecord, path: str | Path) -> Path:
    """Write one self-contained HTML page, all of it or nothing.

    Parameters
    ----------
    result : AdviceRecord
        The advice.
    path : str or Path
        Where; an older file is replaced in one step.
    """
    points = point_table(result)
    settings = [(k.replace("_", " ").capitalize(), _written(v)) for k, v in result.settings.items()]
    drawn = panels(result)
    keys = (
        tag("span", class_="key"), " the student; ",
        tag("span", class_="key other"), " its control; ",
        tag("span", class_="key ring"), " the largest run of the pilot.",
    )  # fmt: skip
    sections = [
        join([
            tag("p", "limbeck: advice before a distillation", class_="kind"),
            tag("h1", _title(result)),
            tag("p", result.sentence, class_="lead"),
            box(tag("pre", tag("code", result.code)), "The line to run next"),
            tag("p", _spent(result)),
        ]),
        join([tag("h2", "Forecasts"), outlook_table(result).to_html()]),
        join([tag("h2", "Learning curves"),
              tag("div", *(tag("figure", chart(p)) for p in drawn), class_="charts"),
              tag("p", *keys) if drawn else None,
              None if points is None else points.to_html()]),
        join([tag("h2", "Notes"), tag("ul", *(tag("li", n) for n in result.notes))]),
        join([tag("h2", "Settings"), definitions(settings)]),
    ]  # fmt: skip
    return write_document(document(_title(result), sections, PAGE), path)


def fragment(result: AdviceRecord) -> str:
    """The recommendation and the forecasts, for a notebook."""
    return tag(
        "div",
        tag("style", Html(FRAGMENT)),
        tag("p", tag("strong", result.sentence)),
        tag("pre", tag("code", result.code)),
        outlook_table(result).to_html(),
        class_="limbeck",
    )  # fmt: skip


def panels(result: AdviceRecord) -> list[Panel]:
    """Scores of student and control by rows, and by updates."""
    found = []
    for name, label in _AXES:
        own = _along(result, name)
        if len(own) < 2:
            continue
        lines = tuple(
            Line(who, tuple((float(getattr(p, name)), getattr(p, who).value) for p in own),
                 main=who == "student")
            for who in ("student", "control")
        )  # fmt: skip
        chosen = int(getattr(own[-1], name))
        found.append(Panel(f"By {label}", result.score, lines, chosen, sizes=label, place=name))
    return found


def plot_advice(result: AdviceRecord, ax: Any = None) -> Any:
    """Learning curves with their intervals and forecasts, on matplotlib axes.

    Parameters
    ----------
    result : AdviceRecord
        The advice.
    ax : matplotlib Axes or sequence of Axes, optional
        Where to draw; single axes are divided.
    """
    axes = grid_of(3, ax, columns=3, size=(4.6, 3.6))
    for place, (name, label) in zip(axes, _AXES, strict=False):
        own = _along(result, name)
        drawn = {
            who: _curve(place, [getattr(p, name) for p in own], [getattr(p, who) for p in own],
                        colour, "o-")
            for who, colour in (("student", BLUE), ("control", ORANGE))
        }  # fmt: skip
        later = [(_place(result, o, name), o) for o in result.outlooks if o.known
                 and o.name != "a student twice the size"]  # fmt: skip
        line = [(x, o) for x, o in later if o.name in ("these data", _OTHER[name])]
        for who, colour in (("student", BLUE), ("control", ORANGE)):
            _curve(place, [x for x, _ in line], [getattr(o, who) for _, o in line], colour, "o:",
                   markerfacecolor="white")  # fmt: skip
        place.set_xscale("log", base=2)
        place.set_xlabel(label)
        place.set_ylabel(result.score)
        legend(place, drawn)
    known = [o for o in result.outlooks if o.known]
    for i, o in enumerate(known):
        axes[2].errorbar(o.gain.value, i, xerr=[[o.gain.value - o.gain.low],
                         [o.gain.high - o.gain.value]], fmt="o", color=BLUE, capsize=3)  # fmt: skip
    axes[2].axvline(0.0, color=GREY, linewidth=0.8)
    axes[2].set_yticks(range(len(known)), [o.name for o in known])
    axes[2].set_ylim(len(known) - 0.5, -0.5)
    axes[2].set_xlabel(f"gain in {result.score}, forecast")
    return axes


_OTHER = {"rows": "twice the inputs", "updates": "four times the epochs"}


def _place(result: AdviceRecord, outlook: Outlook, name: str) -> float:
    if name == "rows":
        return float(outlook.rows)
    per_epoch: float = result.settings["updates_per_epoch"]
    return outlook.epochs * per_epoch


def _curve(ax: Any, x: list[float], values: list[Any], colour: str, style: str, **more: Any) -> Any:
    order = sorted(range(len(x)), key=x.__getitem__)
    x, values = [x[i] for i in order], [values[i] for i in order]
    away = [[_away(v.value - v.low) for v in values], [_away(v.high - v.value) for v in values]]
    return ax.errorbar(x, [v.value for v in values], yerr=away, fmt=style, color=colour,
                       capsize=2, markersize=4, linewidth=1, **more)  # fmt: skip


def _away(value: float) -> float:
    return max(value, 0.0) if math.isfinite(value) else 0.0


def _along(result: AdviceRecord, name: str) -> list[PilotPoint]:
    """The points of an axis: those that share the other coordinate of the largest one."""
    own = [p for p in result.points if p.model == "student"]
    if not own:
        return []
    last = max(own, key=lambda p: (p.rows, p.updates))
    if name == "updates":
        return sorted((p for p in own if p.rows == last.rows), key=lambda p: p.updates)
    most = {p.rows: p for p in sorted(own, key=lambda p: p.updates)}
    return sorted(most.values(), key=lambda p: p.rows)


def _title(result: AdviceRecord) -> str:
    s = result.settings
    return f"{s['teacher']} into {s['student']}: does distilling pay?"


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return " + ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
