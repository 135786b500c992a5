"""Rules on matplotlib axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from limbeck.reports.plots import axes_of
from limbeck.students.rules.drawing import ARROW, BAR, colour_of, rows_of
from limbeck.students.rules.lines import RuleLine
from limbeck.students.tree.layout import FONT, LINE, MARGIN, PAD
from limbeck.students.tree.text import percent

__all__ = ["plot_lines"]

_DOTS = 100  # pixels of the layout in an inch of a new figure


def plot_lines(lines: Sequence[RuleLine], ax: Any = None) -> Any:
    """Draw rules, laid out as `limbeck.students.rules.drawing.svg` does; returns the axes.

    Parameters
    ----------
    lines : sequence of RuleLine
        From top to bottom.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    """
    rows, left, right = rows_of(lines)
    width = 2 * MARGIN + left + ARROW + right + PAD + BAR + 44
    height = rows[-1].top + rows[-1].height + MARGIN
    ax = axes_of(ax, (width / _DOTS, height / _DOTS))
    ax.set_axis_off()
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_aspect("equal")
    ax.figure.canvas.draw()  # so that the axes know their size
    place = ax.get_window_extent()
    points = min(place.width / width, place.height / height) * 72 / ax.figure.dpi
    for row in rows:
        middle, colour = row.top + row.height / 2, colour_of(row.line)
        if not row.right:
            _text(ax, row.left, MARGIN, row.top, points)
            continue
        _box(ax, MARGIN, row.top, left, row.height, "#6b6b6b", points)
        _text(ax, row.left, MARGIN + PAD, row.top_of(row.left), points)
        x = MARGIN + left
        ax.annotate("", (x + ARROW - 4, middle), (x, middle), zorder=1,
                    arrowprops={"arrowstyle": "->", "color": "#9a9a9a",
                                "shrinkA": 0, "shrinkB": 0})  # fmt: skip
        x += ARROW
        _box(ax, x, row.top, right, row.height, colour, points)
        _text(ax, row.right, x + PAD, row.top_of(row.right), points)
        if row.line.share is not None:
            x += right + PAD
            ax.barh(middle, BAR * row.line.share, 10, left=x, color=colour)
            ax.text(x + BAR * row.line.share + 4, middle, percent(row.line.share), va="center",
                    fontsize=11 * points, color="#595959")  # fmt: skip
    return ax


def _box(
    ax: Any, x: float, y: float, width: float, height: float, colour: str, points: float
) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((x, y), width, height, facecolor="white", edgecolor=colour,
                           linewidth=1.5 * points, zorder=2))  # fmt: skip


def _text(ax: Any, text: Any, x: float, top: float, points: float) -> None:
    for k, pieces in enumerate(text):
        at = x
        for piece in pieces:
            heavy = "bold" if piece.look == "bold" else "normal"
            drawn = ax.text(at, top + PAD / 2 + LINE * k + FONT, piece.text, zorder=3,
                            fontsize=0.95 * FONT * points, fontweight=heavy,
                            parse_math=False)  # fmt: skip
            box = drawn.get_window_extent()
            at = ax.transData.inverted().transform((box.x1, box.y0))[0] + 3
