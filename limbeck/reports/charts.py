"""Small drawings as inline SVG, coloured by the page's style so that they fit light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from limbeck.reports import svg
from limbeck.reports.markup import Html, tag
from limbeck.reports.numbers import decimal
from limbeck.reports.scales import Scale, finite

__all__ = ["Line", "Panel", "axis", "bar", "chart", "whisker", "whisker_scale"]

_WIDE, _HIGH, _EDGE = 160, 16, 14  # of a whisker, and room for half a label
_BAR = 96  # of a full bar
_CHART = (360, 250)
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 350, 34, 206  # the plot inside a chart


@dataclass(frozen=True)
class Line:
    """One line of a chart: its name and (size, value) points; ``main`` is the student's own."""

    name: str
    points: tuple[tuple[float, float], ...]
    main: bool = True


@dataclass(frozen=True)
class Panel:
    """One chart over the size of the student; ``chosen`` is the size of the one returned.

    ``sizes`` names the axis and ``place`` one point of it; over epochs the axis is even.
    """

    heading: str
    unit: str
    lines: tuple[Line, ...]
    chosen: int
    sizes: str = "leaves"
    place: str = "size"
    top: float | None = None


def whisker_scale(values: list[float | None], top: float | None = None) -> Scale:
    """The scale that whiskers of one column share.

    Parameters
    ----------
    values : list of float or None
        All numbers and ends of intervals of the column.
    top : float, optional
        The largest number that the scale may show.
    """
    return Scale.linear(finite(values), _EDGE, _WIDE - _EDGE, top=top)


def whisker(value: float, low: float, high: float, scale: Scale, strong: bool = False) -> Html:
    """A dot with its interval, on a scale; see :func:`axis`.

    Parameters
    ----------
    value, low, high : float
        The number and its interval.
    scale : Scale
        The axis.
    strong : bool
        Whether it is emphasised.
    """
    middle = _HIGH / 2
    ends = [scale.at(low), scale.at(high)]
    zero = scale.low < 0 < scale.high
    return svg.drawing(
        (_WIDE, _HIGH),
        f"{decimal(value)}, interval {decimal(low)} to {decimal(high)}",
        svg.line(scale.start, middle, scale.end, middle, "rule"),
        svg.line(scale.at(0), 0, scale.at(0), _HIGH, "rule") if zero else None,
        svg.line(ends[0], middle, ends[1], middle, "interval"),
        *(svg.line(x, middle - 3, x, middle + 3, "interval") for x in ends),
        tag("circle", cx=scale.at(value), cy=middle, r=4, class_="dot main" if strong else "dot"),
        class_="whisker",
    )


def axis(scale: Scale) -> Html:
    """The numbers under a column of whiskers: both ends, and zero where it lies between."""
    shown = [t for t in scale.ticks if t in (scale.ticks[0], scale.ticks[-1]) or abs(t) < 1e-9]
    far = [t for t in shown if _apart(scale, t)]
    marks = [svg.line(scale.at(t), 0, scale.at(t), 3, "rule") for t in shown]
    texts = [svg.text(scale.at(t), 13, scale.label(t)) for t in far]
    return svg.drawing((_WIDE, _HIGH), None, *marks, *texts, class_="whisker")


def bar(share: float) -> Html:
    """A share from 0 to 1 as a bar in a frame; what is below 0 is drawn as empty."""
    wide = _BAR * min(max(share, 0.0), 1.0)
    return svg.drawing(
        (_BAR, 10),
        None,
        tag("rect", x=0, y=1, width=_BAR, height=8, class_="frame"),
        tag("rect", x=0, y=1, width=wide, height=8, class_="fill"),
    )


def chart(panel: Panel) -> Html:
    """Values over the size of the student, or over epochs, the chosen one marked."""
    points = [p for line in panel.lines for p in line.points]
    across = Scale.epochs if panel.place == "epoch" else Scale.sizes
    x = across([p[0] for p in points], _LEFT + 6, _RIGHT - 6)
    y = Scale.linear([p[1] for p in points], _BOTTOM, _TOP, top=panel.top)
    marked = x.at(panel.chosen)
    grid = [svg.line(_LEFT, y.at(t), _RIGHT, y.at(t), "rule") for t in y.ticks]
    left = [svg.text(_LEFT - 6, y.at(t) + 4, y.label(t), "end") for t in y.ticks]
    below = [svg.text(x.at(t), _BOTTOM + 17, x.label(t)) for t in x.ticks]
    steps = [svg.line(x.at(t), _BOTTOM, x.at(t), _BOTTOM + 4, "axis") for t in x.ticks]
    doubling = ", each step twice as many" if x.doubling else ""
    return svg.drawing(
        _CHART,
        f"{panel.heading} ({panel.unit}) by the number of {panel.sizes}",
        svg.text(0, 12, panel.unit, "start"),
        *grid,
        svg.line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis"),
        *left,
        *below,
        *steps,
        svg.line(marked, _TOP, marked, _BOTTOM, "chosen"),
        svg.text(marked, _TOP - 6, str(panel.chosen)),
        *(drawn for line in reversed(panel.lines) for drawn in _drawn(line, panel.place, x, y)),
        *(
            tag("circle", cx=marked, cy=y.at(v), r=7, class_="ring")
            for n, v in panel.lines[0].points
            if n == panel.chosen
        ),
        svg.text((_LEFT + _RIGHT) / 2, _CHART[1] - 8, f"{panel.sizes}{doubling}"),
    )


def _drawn(line: Line, place: str, x: Scale, y: Scale) -> list[Html]:
    """Lines between points, and a mark at each: circles for the student, squares for others."""
    at = [(x.at(n), y.at(v)) for n, v in line.points]
    kind, dot = "main" if line.main else "other", 3 if len(at) <= 24 else 2
    out = [svg.line(*a, *b, f"curve {kind}") for a, b in pairwise(at)]
    for (a, b), (n, v) in zip(at, line.points, strict=True):
        says = tag("title", f"{line.name}, {place} {n:g}: {decimal(v)}")
        if line.main:
            out.append(tag("circle", says, cx=a, cy=b, r=dot, class_="point main"))
        else:
            out.append(tag("rect", says, x=a - 3.5, y=b - 3.5, width=7, height=7, class_="point"))
    return out


def _apart(scale: Scale, tick: float) -> bool:
    """Whether a label fits beside those of both ends."""
    ends = [t for t in (scale.ticks[0], scale.ticks[-1]) if t != tick]
    inner = len(ends) == 2
    return not inner or all(abs(scale.at(tick) - scale.at(t)) > 28 for t in ends)
