"""What all drawings in reports are made of, as SVG."""

from __future__ import annotations

from limbeck.reports.markup import Html, tag

__all__ = ["drawing", "line", "text"]


def drawing(
    size: tuple[int, int], label: str | None, *children: Html | None, class_: str | None = None
) -> Html:
    """A drawing of that width and height; without a label it is hidden from screen readers.

    Parameters
    ----------
    size : tuple of int
        Width and height in pixels.
    label : str or None
        What is drawn, for screen readers.
    class_ : str, optional
        The class of the style sheet.
    """
    wide, high = size
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 {wide} {high}",
        width=wide,
        height=high,
        role="img" if label else None,
        aria_label=label,
        aria_hidden=None if label else "true",
        class_=class_,
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    """A straight line.

    Parameters
    ----------
    x1, y1, x2, y2 : float
        The ends in pixels.
    class_ : str
        The class of the style sheet.
    """
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def text(x: float, y: float, words: str, anchor: str = "middle") -> Html:
    """Words at a place; ``anchor`` is start, middle or end.

    Parameters
    ----------
    x, y : float
        The place in pixels.
    words : str
        The text.
    anchor : {"start", "middle", "end"}
        Which part of the text stands at the place.
    """
    return tag("text", words, x=x, y=y, text_anchor=anchor)
