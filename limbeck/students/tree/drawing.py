"""A tree as inline SVG: a row per node, indented by depth, safe on light and dark pages.

See `limbeck.students.tree.layout` for where boxes lie. Colours are those of Okabe and Ito (2008),
told apart by nearly everyone; labels say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.contract import Task
from limbeck.core.errors import plural
from limbeck.core.printable import visible
from limbeck.reports.markup import escaped
from limbeck.students.tree.conditions import quoted
from limbeck.students.tree.layout import FONT, LINE, MARGIN, PAD, Box, Piece, placed
from limbeck.students.tree.nodes import MISSING, Nodes
from limbeck.students.tree.text import (
    fraction,
    outcome,
    percent,
    question,
    shares,
    to_show,
)

__all__ = ["Drawn", "drawn", "leaf_colours", "leaf_text", "svg", "svg_of"]

TOGETHER = 24  # letters of a comparison that stay in one line
TRUNK = 12  # from the left edge of a question to the line down
BLUE, ORANGE, GREEN, PINK = "#0072b2", "#e69f00", "#009e73", "#cc79a7"
SKY, RED, YELLOW, GREY = "#56b4e9", "#d55e00", "#f0e442", "#999999"
PALETTE = (BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY)
LOW, HIGH = (0xB0, 0xCF, 0xEA), (0x08, 0x45, 0x94)  # regression: light blue to dark blue
STYLE = f'font-family="Helvetica, Arial, sans-serif" font-size="{FONT}" fill="#1a1a1a"'
LOOKS = {"bold": ' font-weight="bold"', "soft": ' fill="#595959"'}


def svg(
    nodes: Nodes,
    features: Features,
    task: Task,
    missing: bool | None = None,
    digits: int | None = None,
    exact: bool = False,
) -> str:
    """Draw a tree.

    Parameters
    ----------
    nodes : Nodes
        The m nodes.
    features : Features
        The d columns, with units.
    task : Task
        The classes, or the unit of the value.
    missing : bool, optional
        Whether questions say where missing values go; see
        :func:`limbeck.students.tree.text.shows_missing`.
    digits, exact
        See :func:`limbeck.students.tree.text.as_printed`.

    Returns
    -------
    str
        One ``<svg>`` element, well-formed XML, of a natural size in pixels. Edges are as wide as
        the share of the training rows; hovering over a box shows what was shortened.
    """
    size = plural(nodes.size, "leaf", "leaves")
    label = f"Decision tree of {size} and depth {nodes.depths.max()}"
    return svg_of(drawn(nodes, features, task, missing, digits, exact), label)


@dataclass(frozen=True)
class Drawn:
    """What is drawn of a tree: for each node its text, its full text, and the colour of leaves."""

    nodes: Nodes
    texts: list[list[Piece]]
    titles: list[str]
    colours: list[str]


def svg_of(shown: Drawn, label: str) -> str:
    """Draw what was laid down for each node; see :func:`svg`.

    Parameters
    ----------
    shown : Drawn
        Texts and colours of all nodes.
    label : str
        What is drawn, for screen readers.
    """
    boxes = placed(shown.nodes, shown.texts)
    width = int(max(b.x + b.width for b in boxes.values())) + MARGIN + 1
    height = int(max(b.y + b.height / 2 for b in boxes.values())) + MARGIN + 1
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" role="img"'
        f" aria-label={quoteattr(visible(label))} "
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" {STYLE}>',
        f"<title>{escaped(label)}</title>",
        *_edges(shown.nodes, boxes),
    ]
    for i in shown.nodes.preorder():
        leaf = shown.nodes.feature[i] < 0
        parts += _box(boxes[i], shown.titles[i], shown.colours[i] if leaf else "")
    return "\n".join([*parts, "</svg>"])


def drawn(
    nodes: Nodes,
    features: Features,
    task: Task,
    missing: bool | None = None,
    digits: int | None = None,
    exact: bool = False,
) -> Drawn:
    """Texts and colours of all nodes; parameters as in :func:`svg`.

    Parameters
    ----------
    nodes : Nodes
        The tree.
    features : Features
        The columns.
    task : Task
        What is predicted.
    missing, digits, exact
        As in :func:`svg`.
    """
    nodes, noted, kept = to_show(nodes, features, missing, digits, exact)
    texts, titles = [], []
    for i in range(len(nodes)):
        if nodes.feature[i] < 0:
            text, title = leaf_text(nodes, i, task, kept)
        else:
            text, title = _question(nodes, i, features, int(nodes.feature[i]) in noted)
        texts.append(text)
        titles.append(title)
    return Drawn(nodes, texts, titles, leaf_colours(nodes, task))


def leaf_colours(nodes: Nodes, task: Task) -> list[str]:
    """A colour for what each node predicts: of its class, or a shade of blue.

    Parameters
    ----------
    nodes : Nodes
        The m nodes.
    task : Task
        What is predicted.
    """
    if task.classifies:
        return [PALETTE[int(v.argmax()) % len(PALETTE)] for v in nodes.value]
    value = nodes.value[:, 0] / 2  # halves, so that no difference overflows
    low, span = value.min(), np.ptp(value) or 1.0
    tone = (value - low) / span
    mixed = [[a + (b - a) * t for a, b in zip(LOW, HIGH, strict=True)] for t in tone]
    return ["#" + "".join(f"{round(c):02x}" for c in rgb) for rgb in mixed]


def _question(nodes: Nodes, i: int, features: Features, noted: bool) -> tuple[list[Piece], str]:
    name = quoted(features.columns[nodes.feature[i]].label)
    full = question(nodes, i, features)
    asked = full[len(name) :].strip().replace("<=", "≤")
    if len(asked) <= TOGETHER:
        asked = asked.replace(" ", "\u00a0")
    pieces = [Piece(name, "bold"), Piece(f"{asked}?")]
    way = "yes" if nodes.missing_left[i] else "no"
    if nodes.op[i] == MISSING:
        return pieces, f"{full}?{_known(nodes, i)}"
    if noted:
        pieces.append(Piece(f"(missing: {way})", "soft"))
    return pieces, f"{full}? (missing: {way}){_known(nodes, i)}"


def leaf_text(nodes: Nodes, i: int, task: Task, digits: int | None) -> tuple[list[Piece], str]:
    """What is written in a leaf, and in full for who points at it.

    Parameters
    ----------
    nodes : Nodes
        The tree.
    i : int
        The leaf.
    task : Task
        What is predicted.
    digits : int or None
        Significant digits of a number; None for all.
    """
    value = nodes.value[i]
    said = full = outcome(value, task, digits)
    if task.classifies:
        pairs = zip(task.classes, value, strict=True)
        full = ", ".join(f"{c}: {fraction(float(v))}" for c, v in pairs)
        said = f"{task.classes[int(value.argmax())]}: {fraction(float(value.max()), 2)}"
    pieces = [Piece(said)]
    if nodes.weight[0] > 0:
        pieces.append(Piece(percent(shares(nodes)[i]).replace(" ", "\u00a0"), "soft"))
    return pieces, full + _known(nodes, i)


def _known(nodes: Nodes, i: int) -> str:
    return f" [{percent(shares(nodes)[i])} of rows]" if nodes.weight[0] > 0 else ""


def _edges(nodes: Nodes, boxes: dict[int, Box]) -> Iterator[str]:
    """Lines down and up from a question, then to its children; yes from above, no from below."""
    share: NDArray[np.float64] = shares(nodes)
    for i in np.flatnonzero(~nodes.is_leaf).tolist():
        trunk = boxes[i].x + TRUNK
        for child, answer in ((int(nodes.left[i]), "yes"), (int(nodes.right[i]), "no")):
            to, wide = boxes[child], 1 + 9 * share[child]
            yield (
                f'<path d="M{trunk:g},{boxes[i].y:g} V{to.y:g} H{to.x:g}" fill="none" '
                f'stroke="#9a9a9a" stroke-width="{wide:.1f}" stroke-linejoin="round"/>'
            )
            yield (
                f'<text x="{to.x - 5:g}" y="{to.y - wide / 2 - 3:g}" text-anchor="end" '
                f'font-size="10" fill="#7d7d7d">{answer}</text>'
            )


def _box(box: Box, title: str, colour: str) -> Iterator[str]:
    top = box.y - box.height / 2
    yield f"<g><title>{escaped(title)}</title>"
    yield (
        f'<rect class="box" x="{box.x:g}" y="{top:g}" width="{box.width:.1f}" '
        f'height="{box.height:g}" rx="4" fill="#ffffff" stroke="{colour or "#6b6b6b"}" '
        'stroke-width="1.5"/>'
    )
    if colour:
        yield (
            f'<rect x="{box.x + 2:g}" y="{top + 2:g}" width="4" height="{box.height - 4:g}" '
            f'fill="{colour}"/>'
        )
    for k, line in enumerate(box.lines):
        spans = "".join(
            f"<tspan{LOOKS[piece.look]}>{escaped(piece.text)}</tspan>" if piece.look
            else escaped(piece.text)
            for piece in line
        )  # fmt: skip
        y = top + PAD / 2 + LINE * k + FONT
        yield f'<text x="{box.x + PAD:g}" y="{y:g}" xml:space="preserve">{spans}</text>'
    yield "</g>"
