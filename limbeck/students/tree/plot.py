"""A tree on matplotlib axes."""

from __future__ import annotations

from typing import Any

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.reports.plots import axes_of
from limbeck.students.tree.drawing import TRUNK, drawn
from limbeck.students.tree.folding import CLOSED, Drawn, folded
from limbeck.students.tree.layout import FONT, LINE, MARGIN, PAD, placed
from limbeck.students.tree.nodes import Nodes
from limbeck.students.tree.text import shares

__all__ = ["plot_drawn", "plot_tree"]

_DOTS = 100  # pixels of the layout in an inch of a new figure


def plot_tree(nodes: Nodes, features: Features, task: Task, ax: Any = None) -> Any:
    """Draw a tree, laid out as `limbeck.students.tree.drawing.svg` does; returns the axes.

    Parameters
    ----------
    nodes : Nodes
        The tree.
    features : Features
        The columns.
    task : Task
        What is predicted.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    """
    return plot_drawn(folded(drawn(nodes, features, task)), ax)


def plot_drawn(shown: Drawn, ax: Any = None) -> Any:
    """Draw what was laid down for each node; returns the axes.

    Parameters
    ----------
    shown : Drawn
        Texts and colours of all nodes.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    """
    nodes = shown.nodes
    boxes, share = placed(nodes, shown.texts), shares(nodes)
    width = max(b.x + b.width for b in boxes.values()) + MARGIN
    lowest = max(b.y + b.height / 2 for b in boxes.values())
    height = lowest + MARGIN + (2 * LINE if shown.note else 0)
    ax = axes_of(ax, (width / _DOTS, height / _DOTS))
    ax.set_axis_off()
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_aspect("equal")
    ax.figure.canvas.draw()  # so that the axes know their size
    place = ax.get_window_extent()
    points = min(place.width / width, place.height / height) * 72 / ax.figure.dpi
    for i in nodes.preorder():
        for child, answer in ((int(nodes.left[i]), "yes"), (int(nodes.right[i]), "no")):
            if nodes.feature[i] < 0:
                continue
            trunk, to = boxes[i].x + TRUNK, boxes[child]
            ax.plot([trunk, trunk, to.x], [boxes[i].y, to.y, to.y], color="#9a9a9a",
                    linewidth=(1 + 9 * share[child]) * points, zorder=1)  # fmt: skip
            ax.text(to.x - 5, to.y - 4 - 4.5 * share[child], answer, ha="right", va="bottom",
                    fontsize=10 * points, color="#7d7d7d")  # fmt: skip
        leaf = bool(nodes.feature[i] < 0)
        _box(ax, boxes[i], shown.colours[i] if leaf else CLOSED, points, leaf)
    if shown.note:
        ax.text(MARGIN, lowest + LINE, shown.note, va="center", fontsize=0.8 * FONT * points,
                parse_math=False)  # fmt: skip
    return ax


def _box(ax: Any, box: Any, colour: str, points: float, leaf: bool) -> None:
    from matplotlib.patches import Rectangle

    corner = (box.x, box.y - box.height / 2)
    ax.add_patch(Rectangle(corner, box.width, box.height, facecolor="white", edgecolor=colour,
                           linewidth=1.5 * points, zorder=2))  # fmt: skip
    alone = leaf and len(box.lines) == 1  # then the share of rows stands apart at the right
    said = "\n".join(
        "".join(piece.text for piece in line if not (alone and piece.look == "soft"))
        for line in box.lines
    )
    words = {"va": "center", "fontsize": 0.95 * FONT * points, "zorder": 3, "parse_math": False}
    ax.text(box.x + PAD, box.y, said.strip(), **words)
    soft = "".join(piece.text for piece in box.lines[0] if alone and piece.look == "soft")
    if soft:
        ax.text(box.x + box.width - PAD, box.y, soft.strip(), ha="right", color="#595959", **words)
