"""A tree as inline SVG: a row per node, indented by depth, safe on light and dark pages.

See `limbeck.students.tree.layout` for where boxes lie. Colours are those of Okabe and Ito (2008),
told apart by nearly everyone; labels say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import plural
from limbeck.core.task import Task
from limbeck.reports.markup import escaped
from limbeck.students.tree.conditions import quoted
from limbeck.students.tree.folding import CLOSED, MOST_DRAWN, Drawn, folded
from limbeck.students.tree.layout import FONT, LINE, MARGIN, PAD, WIDE, Box, Piece, placed, wrapped
from limbeck.students.tree.nodes import MISSING, Nodes
from limbeck.students.tree.text import (
    fraction,
    outcome,
    percent,
    question,
    shares,
    to_show,
)

__all__ = ["drawn", "leaf_colours", "leaf_text", "svg", "svg_of"]

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
    max_drawn: int | None = MOST_DRAWN,
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
    max_drawn : int or None
        The most leaves that are drawn; see :func:`limbeck.students.tree.folding.folded`.

    Returns
    -------
    str
        One ``<svg>`` element, well-formed XML, of a natural size in pixels. Edges are as wide as
        the share of the training rows; hovering over a box shows what was shortened.
    """
    size = plural(nodes.size, "leaf", "leaves")
    label = f"Decision tree of {size} and depth {nodes.depths.max()}"
    return svg_of(folded(drawn(nodes, features, task, missing, digits, exact), max_drawn), label)


def svg_of(shown: Drawn, label: str) -> str:
    """Draw what was laid down for each node; see :func:`svg`.

    What many elements share stands once, at their group: so a box takes some 300 bytes.

    Parameters
    ----------
    shown : Drawn
        Texts and colours of all nodes.
    label : str
        What is drawn, for screen readers.
    """
    boxes = placed(shown.nodes, shown.texts)
    width = int(max(b.x + b.width for b in boxes.values())) + MARGIN + 1
    below = max(b.y + b.height / 2 for b in boxes.values()) + MARGIN
    note = wrapped([Piece(shown.note)], WIDE - 2 * MARGIN) if shown.note else ()
    width = max(width, WIDE) if note else width
    height = int(below + LINE * len(note)) + (MARGIN if note else 0) + 1
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" role="img"'
        f' aria-label="{escaped(label)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" {STYLE}>',
        f"<title>{escaped(label)}</title>",
        *_edges(shown.nodes, boxes),
        *_boxes(shown, boxes),
        *(
            f'<text x="{MARGIN}" y="{_short(below + LINE * k + FONT)}">{_spans(line)}</text>'
            for k, line in enumerate(note)
        ),
    ]
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
    inner = np.flatnonzero(~nodes.is_leaf).tolist()
    ways = [(i, c, a) for i in inner for c, a in ((nodes.left[i], "yes"), (nodes.right[i], "no"))]
    yield '<g fill="none" stroke="#9a9a9a" stroke-linejoin="round">'
    for i, child, _ in ways:
        to, trunk = boxes[int(child)], _short(boxes[i].x + TRUNK)
        yield (
            f'<path d="M{trunk},{_short(boxes[i].y)} V{_short(to.y)} H{_short(to.x)}" '
            f'stroke-width="{1 + 9 * share[child]:.1f}"/>'
        )
    yield '</g>\n<g text-anchor="end" font-size="10" fill="#7d7d7d">'
    for _, child, answer in ways:
        to, wide = boxes[int(child)], 1 + 9 * share[child]
        x, y = _short(to.x - 5), _short(to.y - wide / 2 - 3)
        yield f'<text x="{x}" y="{y}">{answer}</text>'
    yield "</g>"


def _boxes(shown: Drawn, boxes: dict[int, Box]) -> Iterator[str]:
    """Frames by their colour, leaves with a bar at the left; then what is written in them."""
    leaf = shown.nodes.is_leaf
    order = shown.nodes.preorder()
    colours = {i: shown.colours[i] if leaf[i] else CLOSED for i in order}
    yield '<g fill="#ffffff" stroke-width="1.5">'
    for colour, group in groupby(sorted(order, key=colours.__getitem__), colours.__getitem__):
        members = list(group)
        yield f'<g stroke="{colour}">'
        for i in members:
            box = boxes[i]
            yield (
                f'<rect class="box" x="{_short(box.x)}" y="{_short(box.y - box.height / 2)}" '
                f'width="{box.width:.1f}" height="{box.height:g}" rx="4">'
                f"<title>{escaped(shown.titles[i])}</title></rect>"
            )
        yield "</g>"
        bars = "".join(_bar(boxes[i]) for i in members if leaf[i])
        if bars:
            yield f'<path class="bars" d="{bars}" fill="{colour}"/>'
    yield '</g>\n<g xml:space="preserve" pointer-events="none">'
    for i in order:
        box = boxes[i]
        for k, line in enumerate(box.lines):
            y = _short(box.y - box.height / 2 + PAD / 2 + LINE * k + FONT)
            yield f'<text x="{_short(box.x + PAD)}" y="{y}">{_spans(line)}</text>'
    yield "</g>"


def _bar(box: Box) -> str:
    x, y, high = _short(box.x + 2), _short(box.y - box.height / 2 + 2), f"{box.height - 4:g}"
    return f"M{x},{y}h4v{high}h-4z"


def _spans(line: tuple[Piece, ...]) -> str:
    return "".join(
        f"<tspan{LOOKS[piece.look]}>{escaped(piece.text)}</tspan>" if piece.look
        else escaped(piece.text)
        for piece in line
    )  # fmt: skip


def _short(pixels: float) -> str:
    """With at most one decimal."""
    return f"{round(float(pixels), 1):.10g}"
