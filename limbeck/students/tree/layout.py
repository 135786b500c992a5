"""Where the boxes of a drawn tree lie: a row per node, indented by depth, never wider than a page.

A question stands between its two subtrees, the one for "yes" above it. So all boxes between a
question and its children lie deeper, a line down from its left edge meets none of them, and no
two boxes overlap at any depth. Long texts are broken over several lines.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from limbeck.students.tree.nodes import Nodes

__all__ = ["FONT", "Box", "Piece", "placed", "shorten", "width_of", "wrapped"]

WIDE, MARGIN = 960, 8  # pixels of the whole drawing, and its edge
FONT, LINE, PAD, GAP = 12, 16, 8, 8  # of letters, lines, inside a box, and between boxes
STEP, LEAST = 84, 28  # between columns
_DEEPEST, _WIDEST = 260, 420  # of a box: at the greatest depth at least, and at most
_MOST_LINES = 4


@dataclass(frozen=True)
class Piece:
    """A piece of text, how it looks (``bold`` or ``soft``), and whether it begins a line."""

    text: str
    look: str = ""
    breaks: bool = False


@dataclass(frozen=True)
class Box:
    """One node: its left edge, its vertical centre, its size, and its lines of text."""

    node: int
    x: float
    y: float
    width: float
    height: float
    lines: tuple[tuple[Piece, ...], ...]


def placed(nodes: Nodes, texts: Sequence[Sequence[Piece]]) -> dict[int, Box]:
    """The boxes by node, from top to bottom.

    Parameters
    ----------
    nodes : Nodes
        The m nodes.
    texts : sequence of m sequences of Piece
        What is written in each.
    """
    depths = nodes.depths
    room = WIDE - 2 * MARGIN - _DEEPEST
    step = min(max(room / max(int(depths.max()), 1), LEAST), STEP)
    found, top = {}, float(MARGIN)
    for i in _in_order(nodes):
        x = MARGIN + float(depths[i]) * step
        most = min(max(WIDE - MARGIN - x, _DEEPEST), _WIDEST)
        lines = wrapped(texts[i], most - 2 * PAD)
        width = max(sum(width_of(p) for p in line) for line in lines) + 2 * PAD
        height = LINE * len(lines) + PAD
        found[i] = Box(i, x, top + height / 2, width, height, lines)
        top += height + GAP
    return found


def wrapped(pieces: Sequence[Piece], width: float) -> tuple[tuple[Piece, ...], ...]:
    """Pieces broken into lines of so many pixels, at blanks where there are some.

    Parameters
    ----------
    pieces : sequence of Piece
        Parts of a text.
    width : float
        Most pixels of a line.
    """
    lines: list[list[Piece]] = [[]]
    used = 0.0
    for piece in pieces:
        if piece.breaks and lines[-1]:
            lines.append([])
            used = 0.0
        for word in shorten(piece.text, width * _MOST_LINES * 0.9).split(" "):
            while word:
                part = _fitting(word, width)
                blank = Piece(" ", piece.look) if lines[-1] else None
                needs = width_of(Piece(part, piece.look)) + (width_of(blank) if blank else 0.0)
                if lines[-1] and used + needs > width:
                    lines.append([])
                    used = 0.0
                    continue
                lines[-1] += [*([blank] if blank else []), Piece(part, piece.look)]
                used += needs
                word = word[len(part) :]
    return tuple(_joined(line) for line in lines)


def shorten(text: str, width: float) -> str:
    """Leave out the middle of a text that is wider than ``width`` pixels at the drawing's font.

    Parameters
    ----------
    text : str
        The text.
    width : float
        Most pixels.
    """
    if width_of(Piece(text)) <= width:
        return text
    least = [0.0, *accumulate(0.0 if c.isspace() else _em(c) for c in text)]  # blanks may go
    for kept in range(len(text) - 1, 0, -1):
        tail = kept // 2
        if FONT * (least[kept - tail] + least[-1] - least[len(text) - tail]) > width + 1:
            continue
        short = text[: kept - tail].rstrip() + "…" + text[len(text) - tail :].lstrip()
        if width_of(Piece(short)) <= width:
            return short
    return "…"


def width_of(piece: Piece) -> float:
    """Pixels, on the safe side: the letter widths of DejaVu Sans, the widest usual font."""
    return FONT * sum(_em(c) for c in piece.text) * (1.08 if piece.look == "bold" else 1.0)


def _fitting(word: str, width: float) -> str:
    """As many letters of a word as fit into a line."""
    if width_of(Piece(word, "bold")) <= width:
        return word
    kept = next(n for n in range(len(word), 0, -1) if n == 1 or
                width_of(Piece(word[:n], "bold")) <= width)  # fmt: skip
    return word[:kept]


def _joined(line: Sequence[Piece]) -> tuple[Piece, ...]:
    """Neighbours of one look as one piece."""
    out: list[Piece] = []
    for piece in line:
        if out and out[-1].look == piece.look:
            out[-1] = Piece(out[-1].text + piece.text, piece.look)
        else:
            out.append(piece)
    return tuple(out)


@lru_cache(1024)
def _em(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF" or letter in "mwMW@%…—":
        return 1.0
    if letter in "iIjl.,:;'|! ":
        return 0.4
    return 0.75 if letter.isupper() or letter in "<>≤+=" else 0.64


def _in_order(nodes: Nodes) -> list[int]:
    """All nodes, each between its subtrees."""
    out: list[int] = []
    todo: list[tuple[int, bool]] = [(0, False)]
    while todo:
        i, opened = todo.pop()
        if opened or nodes.feature[i] < 0:
            out.append(i)
        else:
            todo += [(int(nodes.right[i]), False), (i, True), (int(nodes.left[i]), False)]
    return out
