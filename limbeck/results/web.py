"""The web of reductions as a picture: what a teacher grants, and the methods to students."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from limbeck.core.contract import Access
from limbeck.reports.markup import Html, tag
from limbeck.reports.plots import axes_of
from limbeck.results.routes_record import STUDENT_ACCESS, Reduction

__all__ = ["WebLayout", "plot_web", "web_layout", "web_svg"]

_WIDTH, _LINE, _GAP, _TOP = 500, 17, 12, 14
_EDGE, _LEFT, _RIGHT = 16, 146, 236  # boxes of what is granted; where arrows end
_TEXT = 12
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
_WORDS = {
    Access.SCORES: "scores of rows",
    Access.QUERIES: "answers to any row",
    Access.SCORES | Access.WEIGHTS: "scores, weights",
}


@dataclass(frozen=True)
class WebLayout:
    """Where everything stands, in pixels from the top left.

    Parameters
    ----------
    needs : tuple of (str, float, bool)
        What is granted, its height, and whether a student grants it.
    students : tuple of (str, float, float)
        A student with the top and the bottom of its box.
    arrows : tuple of (int, float, str)
        A method: the position of what it needs, its height, and its words.
    height : float
        Of all.
    """

    needs: tuple[tuple[str, float, bool], ...]
    students: tuple[tuple[str, float, float], ...]
    arrows: tuple[tuple[int, float, str], ...]
    height: float


def web_layout(reductions: Sequence[Reduction]) -> WebLayout:
    """Students in a column, each with its methods, and what these need beside them.

    Parameters
    ----------
    reductions : sequence of Reduction
        Methods of one student need not stand together.
    """
    y, students, lines = float(_TOP), [], []
    for into in dict.fromkeys(r.into for r in reductions):
        top = y
        y += _LINE + 4
        for r in (r for r in reductions if r.into == into):
            lines.append((r, y))
            y += _LINE
        students.append((into, top, y - _LINE + 13))
        y += _GAP
    kinds = sorted({r.needs for r in reductions}, key=lambda k: (k in STUDENT_ACCESS, k.value))
    height = y + 2 * _LINE
    step = (y - _TOP) / len(kinds) if kinds else 0
    places = [_TOP + step * (i + 0.5) for i in range(len(kinds))]
    needs = tuple(
        (_WORDS.get(k, str(k)), at, k in STUDENT_ACCESS)
        for k, at in zip(kinds, places, strict=True)
    )
    arrows = tuple((kinds.index(r.needs), at, _words(r)) for r, at in lines)
    return WebLayout(needs, tuple(students), arrows, height)


def web_svg(layout: WebLayout) -> Html:
    """The picture, in the colour of the text around it.

    Parameters
    ----------
    layout : WebLayout
        Of `web_layout`.
    """
    parts = [_text(0, _TOP - 2, "a teacher grants", weight="600"),
             _text(_RIGHT + 12, _TOP - 2, "a student, by its methods", weight="600")]  # fmt: skip
    down = 14
    for at, y, words in layout.arrows:
        start = layout.needs[at][1] + down
        bend = (_LEFT + _RIGHT) / 2
        path = (
            f"M{_LEFT} {start:.1f}C{bend} {start:.1f} {bend} {y + down:.1f} {_RIGHT} {y + down:.1f}"
        )
        parts.append(tag("path", d=path, fill="none", stroke=_colour(at), stroke_width=1.2,
                         opacity=0.75))  # fmt: skip
        parts.append(tag("circle", cx=_RIGHT, cy=y + down, r=2.2, fill=_colour(at)))
        parts.append(_text(_RIGHT + 12, y + down + 4, words))
    for name, top, bottom in layout.students:
        parts.append(_box(_RIGHT, top + down - 9, _WIDTH - _RIGHT - 12, bottom - top + 4))
        parts.append(_text(_RIGHT + 12, top + down + 5, name, weight="600"))
    for i, (words, y, _) in enumerate(layout.needs):
        parts.append(_box(_EDGE, y + down - 15, _LEFT - _EDGE, 30, _colour(i)))
        parts.append(_text((_EDGE + _LEFT) / 2, y + down + 4, words, anchor="middle"))
    parts += _again(layout, down)
    height = layout.height + down
    return tag(
        "svg", tag("title", "Which methods lead from what a teacher grants to which student"),
        *parts, viewBox=f"0 0 {_WIDTH} {height:.0f}", role="img", class_="web",
        xmlns="http://www.w3.org/2000/svg", width="100%", style=f"max-width:{_WIDTH * 1.35:.0f}px",
        font_family="system-ui, sans-serif", font_size=_TEXT,
    )  # fmt: skip


def plot_web(reductions: Sequence[Reduction], ax: Any = None) -> Any:
    """The same on matplotlib axes; returns them.

    Parameters
    ----------
    reductions : sequence of Reduction
        The methods.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    """
    layout = web_layout(reductions)
    ax = axes_of(ax, (_WIDTH / 72, layout.height / 72))
    ax.set_axis_off()
    ax.set_xlim(-4, _WIDTH)
    ax.set_ylim(layout.height, -12)
    ax.text(0, 0, "a teacher grants", weight="bold", fontsize=9)
    ax.text(_RIGHT + 12, 0, "a student, by its methods", weight="bold", fontsize=9)
    for at, y, words in layout.arrows:
        start = layout.needs[at][1]
        ax.annotate("", (_RIGHT, y), (_LEFT, start),
                    arrowprops={"arrowstyle": "-|>", "color": _colour(at), "lw": 0.9})  # fmt: skip
        ax.text(_RIGHT + 12, y, words, va="center", fontsize=8)
    for name, top, _ in layout.students:
        ax.text(_RIGHT + 12, top + 4, name, va="center", weight="bold", fontsize=8.5)
    for i, (words, y, _) in enumerate(layout.needs):
        ax.text(_LEFT, y, words, ha="right", va="center", fontsize=8,
                bbox={"boxstyle": "round", "fc": "none", "ec": _colour(i)})  # fmt: skip
    ax.text(0, layout.height - 6, _NEXT, fontsize=8, va="center")
    return ax


_NEXT = "A student answers any row, and so is the teacher of the next one (via=)."


def _again(layout: WebLayout, down: float) -> list[Html]:
    """A dashed way from the students back to what the next step may ask."""
    bottom, edge, left = layout.height + down - 2 * _LINE, _WIDTH - 4, 3
    granted = [y + down for _, y, again in layout.needs if again]
    top = min(granted, default=bottom)
    paths = [f"M{_WIDTH - 12} {_TOP + down + 8}H{edge}V{bottom:.1f}H{left}V{top:.1f}"]
    back = _EDGE - 5
    paths += [
        f"M{left} {y:.1f}H{_EDGE}M{back} {y - 4:.1f}L{_EDGE} {y:.1f}L{back} {y + 4:.1f}"
        for y in granted
    ]
    drawn = [
        tag("path", d=path, fill="none", stroke="currentColor", opacity=0.6,
            stroke_dasharray=None if i else "4 4")
        for i, path in enumerate(paths)
    ]  # fmt: skip
    return [*drawn, _text(left + 11, bottom + _LINE, _NEXT)]


def _words(r: Reduction) -> str:
    return f"{r.method} ({r.form})" if r.form else r.method


def _colour(at: int) -> str:
    return _COLOURS[at % len(_COLOURS)]


def _box(x: float, y: float, width: float, height: float, colour: str = "currentColor") -> Html:
    return tag("rect", x=x, y=y, width=width, height=height, rx=5, fill="none", stroke=colour,
               stroke_width=1, opacity=1 if colour != "currentColor" else 0.35)  # fmt: skip


def _text(x: float, y: float, text: str, weight: str = "400", anchor: str = "start") -> Html:
    return tag("text", text, x=x, y=y, font_weight=weight, text_anchor=anchor, fill="currentColor")
