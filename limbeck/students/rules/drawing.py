"""Rules as inline SVG: a row each, with its conditions, what it predicts, and its share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from limbeck.reports.markup import escaped
from limbeck.students.rules.lines import RuleLine
from limbeck.students.tree.drawing import HIGH, LOOKS, LOW, PALETTE, STYLE
from limbeck.students.tree.layout import FONT, LINE, MARGIN, PAD, Piece, width_of, wrapped
from limbeck.students.tree.text import percent

__all__ = ["ARROW", "BAR", "Row", "colour_of", "rows_of", "svg"]

_GAP, ARROW = 8, 28
_MOST_LEFT, _MOST_RIGHT, BAR = 300, 220, 60


@dataclass(frozen=True)
class Row:
    """A line of rules laid out: its top, height, and the wrapped text of both boxes."""

    line: RuleLine
    top: float
    height: float
    left: tuple[tuple[Piece, ...], ...]
    right: tuple[tuple[Piece, ...], ...]

    def top_of(self, text: tuple[tuple[Piece, ...], ...]) -> float:
        """Where a text begins that stands in the middle of its box.

        Parameters
        ----------
        text : tuple of lines
            ``left`` or ``right``.
        """
        return self.top + (self.height - PAD - LINE * len(text)) / 2


def rows_of(lines: Sequence[RuleLine]) -> tuple[list[Row], float, float]:
    """Lines laid out from top to bottom, with the widths of their left and right boxes.

    Parameters
    ----------
    lines : sequence of RuleLine
        What is drawn.
    """
    rows, top = [], float(MARGIN)
    for line in lines:
        said = [Piece(line.head, "bold")] + ([Piece(line.conditions)] if line.conditions else [])
        left = wrapped(said, _MOST_LEFT - 2 * PAD)
        right = wrapped([Piece(line.outcome)], _MOST_RIGHT - 2 * PAD) if line.outcome else ()
        height = LINE * max(len(left), len(right)) + PAD
        rows.append(Row(line, top, height, left, right))
        top += height + _GAP
    return rows, _widest(r.left for r in rows if r.right), _widest(r.right for r in rows)


def colour_of(line: RuleLine) -> str:
    """The colour of what is predicted: a class of the palette, or a shade of blue for a value."""
    if line.of_class:
        return PALETTE[int(line.place) % len(PALETTE)]
    mixed = (round(a + (b - a) * line.place) for a, b in zip(LOW, HIGH, strict=True))
    return "#" + "".join(f"{c:02x}" for c in mixed)


def svg(lines: Sequence[RuleLine], label: str) -> str:
    """Draw rules.

    Parameters
    ----------
    lines : sequence of RuleLine
        From top to bottom.
    label : str
        What is drawn, for screen readers.

    Returns
    -------
    str
        One ``<svg>`` element, well-formed XML. A bar is as long as the share of the training rows.
    """
    rows, left, right = rows_of(lines)
    bars = any(line.share is not None for line in lines)
    width = int(MARGIN + left + ARROW + right + (PAD + BAR + 44 if bars else 0) + MARGIN)
    height = int(rows[-1].top + rows[-1].height + MARGIN) if rows else 2 * MARGIN
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" role="img"'
        f' aria-label="{escaped(label)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" {STYLE}>',
        f"<title>{escaped(label)}</title>",
    ]
    for row in rows:
        parts += _row(row, left, right)
    return "\n".join([*parts, "</svg>"])


def _row(row: Row, left: float, right: float) -> Iterator[str]:
    middle, colour = row.top + row.height / 2, colour_of(row.line)
    known = "" if row.line.share is None else f" [{percent(row.line.share)} of rows]"
    yield f"<g><title>{escaped(row.line.says + known)}</title>"
    if not row.right:  # a heading
        yield from _text(row.left, MARGIN, row.top)
        yield "</g>"
        return
    yield from _box(MARGIN, row.top, left, row.height, "#6b6b6b")
    yield from _text(row.left, MARGIN + PAD, row.top_of(row.left))
    x = MARGIN + left
    yield (
        f'<path d="M{x:g},{middle:g} H{x + ARROW - 7:g} m-5,-5 l5,5 l-5,5" fill="none" '
        'stroke="#9a9a9a" stroke-width="1.5"/>'
    )
    x += ARROW
    yield from _box(x, row.top, right, row.height, colour)
    yield (
        f'<rect x="{x + 2:g}" y="{row.top + 2:g}" width="4" height="{row.height - 4:g}" '
        f'fill="{colour}"/>'
    )
    yield from _text(row.right, x + PAD, row.top_of(row.right))
    if row.line.share is not None:
        x += right + PAD
        yield (
            f'<rect x="{x:g}" y="{middle - 5:g}" width="{BAR * row.line.share:.1f}" height="10" '
            f'fill="{colour}"/>'
        )
        yield (
            f'<text x="{x + BAR * row.line.share + 4:.1f}" y="{middle + 4:g}" font-size="11"'
            f"{LOOKS['soft']}>{escaped(percent(row.line.share))}</text>"
        )
    yield "</g>"


def _box(x: float, y: float, width: float, height: float, colour: str) -> Iterator[str]:
    yield (
        f'<rect class="box" x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:g}" rx="4" '
        f'fill="#ffffff" stroke="{colour}" stroke-width="1.5"/>'
    )


def _text(text: Sequence[Sequence[Piece]], x: float, top: float) -> Iterator[str]:
    for k, pieces in enumerate(text):
        spans = "".join(
            f"<tspan{LOOKS[p.look]}>{escaped(p.text)}</tspan>" if p.look else escaped(p.text)
            for p in pieces
        )
        y = top + PAD / 2 + LINE * k + FONT
        yield f'<text x="{x:g}" y="{y:g}" xml:space="preserve">{spans}</text>'


def _widest(texts: Iterator[tuple[tuple[Piece, ...], ...]]) -> float:
    return max((sum(map(width_of, line)) for text in texts for line in text), default=0) + 2 * PAD
