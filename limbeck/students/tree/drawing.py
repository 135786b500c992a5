"""A tree as inline SVG: from left to right, a line a leaf, safe on light and dark pages.

A leaf takes a slot of its own height, and a question sits halfway between its children, so that
boxes of one column are at least a slot and a half apart, and no two overlap at any depth.
Colours are those of Okabe and Ito (2008), told apart by nearly everyone; labels say the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.contract import Task
from limbeck.core.errors import plural
from limbeck.students.tree.conditions import quoted
from limbeck.students.tree.nodes import MISSING, Nodes
from limbeck.students.tree.text import (
    as_printed,
    fraction,
    outcome,
    percent,
    question,
    shares,
    shows_missing,
    value_digits,
)

__all__ = ["shorten", "svg"]

BOX, SLOT, MARGIN = 196, 32, 8  # width of a box, height of a slot, edge of the page
GAP, GAP_MISSING = 56, 108  # between columns, and where an edge says "yes, missing"
QUESTION, LEAF = 38, 26  # heights of boxes
FONT = 12
BLUE, ORANGE, GREEN, PINK = "#0072b2", "#e69f00", "#009e73", "#cc79a7"
SKY, RED, YELLOW, GREY = "#56b4e9", "#d55e00", "#f0e442", "#999999"
PALETTE = (BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY)
LOW, HIGH = (0xB0, 0xCF, 0xEA), (0x08, 0x45, 0x94)  # regression: light blue to dark blue
STYLE = f'font-family="Helvetica, Arial, sans-serif" font-size="{FONT}" fill="#1a1a1a"'


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
        Whether edges say where missing values go; see
        :func:`limbeck.students.tree.text.shows_missing`.
    digits, exact
        See :func:`limbeck.students.tree.text.as_printed`.

    Returns
    -------
    str
        One ``<svg>`` element, well-formed XML, of a natural size in pixels. Edges are as wide as
        the share of the training rows; hovering over a box shows what was shortened.
    """
    missing = True if exact and missing is None else missing
    shown, kept = (
        shows_missing(nodes, features, missing),
        value_digits(nodes.value[nodes.is_leaf, 0], digits, exact),
    )
    nodes = as_printed(nodes, digits, exact)
    noted = np.isin(nodes.feature, list(shown)) & (nodes.op != MISSING)
    gap = GAP_MISSING if noted.any() else GAP
    x, y = _places(nodes, gap)
    width = int(x.max()) + BOX + MARGIN
    height = int(y.max()) + SLOT // 2 + MARGIN
    size = plural(nodes.size, "leaf", "leaves")
    label = f"Decision tree of {size} and depth {nodes.depths.max()}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label={quoteattr(label)} '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" {STYLE}>',
        f"<title>{escape(label)}</title>",
        *_edges(nodes, x, y, gap, noted),
    ]
    colours = _colours(nodes, task)
    for i in nodes.preorder():
        if nodes.feature[i] < 0:
            parts += _leaf(nodes, i, task, colours[i], float(x[i]), float(y[i]), kept)
        else:
            parts += _question(nodes, i, features, float(x[i]), float(y[i]))
    return "\n".join([*parts, "</svg>"])


def shorten(text: str, width: float) -> str:
    """Leave out the middle of a text that is wider than ``width`` pixels at the drawing's font."""
    if _width(text) <= width:
        return text
    for kept in range(len(text) - 1, 0, -1):
        tail = kept // 2
        short = text[: kept - tail].rstrip() + "…" + text[len(text) - tail :].lstrip()
        if _width(short) <= width:
            return short
    return "…"


def _width(text: str) -> float:
    """Pixels, on the safe side: the letter widths of DejaVu Sans, the widest usual font."""
    return FONT * sum(_em(c) for c in text)


def _em(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF" or letter in "mwMW@%…—":
        return 1.0
    if letter in "iIjl.,:;'|! ":
        return 0.4
    return 0.75 if letter.isupper() or letter in "<>≤+=" else 0.64


def _places(nodes: Nodes, gap: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The left edge and the vertical centre of each node."""
    x = MARGIN + nodes.depths.astype(np.float64) * (BOX + gap)
    y = np.zeros(len(nodes))
    order = nodes.preorder()
    top = MARGIN + max(SLOT, QUESTION) / 2
    for slot, i in enumerate(i for i in order if nodes.feature[i] < 0):
        y[i] = top + slot * SLOT
    for i in reversed(order):
        if nodes.feature[i] >= 0:
            y[i] = (y[nodes.left[i]] + y[nodes.right[i]]) / 2
    return x, y


def _colours(nodes: Nodes, task: Task) -> list[str]:
    if task.classifies:
        return [PALETTE[int(v.argmax()) % len(PALETTE)] for v in nodes.value]
    value = nodes.value[:, 0] / 2  # halves, so that no difference overflows
    low, span = value.min(), np.ptp(value) or 1.0
    tone = (value - low) / span
    mixed = [[a + (b - a) * t for a, b in zip(LOW, HIGH, strict=True)] for t in tone]
    return ["#" + "".join(f"{round(c):02x}" for c in rgb) for rgb in mixed]


def _edges(
    nodes: Nodes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    gap: int,
    noted: NDArray[np.bool_],
) -> Iterator[str]:
    share = shares(nodes)
    for i in np.flatnonzero(~nodes.is_leaf):
        start, middle = x[i] + BOX, x[i] + BOX + gap / 2
        for child, answer in ((nodes.left[i], "yes"), (nodes.right[i], "no")):
            goes = noted[i] and bool(nodes.missing_left[i]) == (answer == "yes")
            wide = 1 + 9 * share[child]
            yield (
                f'<path d="M{start:g},{y[i]:g} C{middle:g},{y[i]:g} {middle:g},{y[child]:g} '
                f'{x[child]:g},{y[child]:g}" fill="none" stroke="#9a9a9a" '
                f'stroke-width="{wide:.1f}"/>'
            )
            # Yes comes from below and no from above: the word goes on the free side.
            below = y[child] + wide / 2 + 11 if answer == "no" else y[child] - wide / 2 - 4
            yield (
                f'<text x="{x[child] - 4:g}" y="{below:g}" text-anchor="end" font-size="11" '
                f'fill="#7d7d7d">{answer}{", missing" if goes else ""}</text>'
            )


def _question(nodes: Nodes, i: int, features: Features, x: float, y: float) -> Iterator[str]:
    name = quoted(features.columns[nodes.feature[i]].label)
    full = question(nodes, i, features)
    asked = full[len(name) :].strip().replace("<=", "≤")
    way = "yes" if nodes.missing_left[i] else "no"
    note = "" if nodes.op[i] == MISSING else f" (missing: {way})"
    yield f"<g><title>{escape(f'{full}?{note}{_known(nodes, i)}')}</title>"
    yield _box(x, y, QUESTION, "#ffffff", "#6b6b6b")
    centre = x + BOX / 2
    for line, text, bold in ((-4, name, ' font-weight="bold"'), (11, asked + "?", "")):
        room = (BOX - 14) / (1.08 if bold else 1)
        yield (
            f'<text x="{centre:g}" y="{y + line:g}" text-anchor="middle"{bold}>'
            f"{escape(shorten(text, room))}</text>"
        )
    yield "</g>"


def _leaf(
    nodes: Nodes, i: int, task: Task, colour: str, x: float, y: float, digits: int | None
) -> Iterator[str]:
    value = nodes.value[i]
    full = outcome(value, task, digits)
    if task.classifies:
        pairs = zip(task.classes, value, strict=True)
        full = ", ".join(f"{c}: {fraction(float(v))}" for c, v in pairs)
    share = percent(shares(nodes)[i]) if nodes.weight[0] > 0 else ""
    yield f"<g><title>{escape(full + _known(nodes, i))}</title>"
    yield _box(x, y, LEAF, "#ffffff", colour)
    yield (
        f'<rect x="{x + 2:g}" y="{y - LEAF / 2 + 2:g}" width="8" height="{LEAF - 4}" '
        f'fill="{colour}"/>'
    )
    if task.classifies:
        odds = fraction(float(value.max()), 2)
        name = str(task.classes[int(value.argmax())])
        name = shorten(name, BOX - 30 - _width(f": {odds}") - _width(share))
        said = f"{name}: {odds}"
    else:
        said = shorten(full, BOX - 30 - _width(share))
    yield f'<text x="{x + 15:g}" y="{y + 4:g}">{escape(said)}</text>'
    yield (
        f'<text x="{x + BOX - 6:g}" y="{y + 4:g}" text-anchor="end" fill="#595959">'
        f"{escape(share)}</text></g>"
    )


def _known(nodes: Nodes, i: int) -> str:
    return f" [{percent(shares(nodes)[i])} of rows]" if nodes.weight[0] > 0 else ""


def _box(x: float, y: float, height: int, fill: str, stroke: str) -> str:
    return (
        f'<rect class="box" x="{x:g}" y="{y - height / 2:g}" width="{BOX}" height="{height}" '
        f'rx="4" fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>'
    )
