"""HTML whose text is escaped unless it says that it is HTML already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape, unescape

from limbeck.core.printable import visible

__all__ = ["Html", "box", "definitions", "escaped", "join", "table", "tag"]

_VOID = {"meta"}
_MANY = 3  # columns that a narrow window cannot show side by side


class Html(str):
    """Markup, as against text of which nothing is known."""

    __slots__ = ()


Child = str | None
"""Text, which is escaped; or Html, which is not; or nothing."""


def tag(element: str, /, *children: Child, **attributes: str | float | None) -> Html:
    """One element.

    Parameters
    ----------
    element : str
        Its name.
    *children : str, Html or None
        Its content, in order.
    **attributes : str, number or None
        ``class_`` is written ``class`` and ``stroke_width`` is written ``stroke-width``; those
        that are None are left out. Numbers are rounded to two decimals.
    """
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(_written(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if element in _VOID:
        return Html(f"<{element}{pairs}>")
    return Html(f"<{element}{pairs}>{join(children)}</{element}>")


def join(children: Iterable[Child], between: str = "") -> Html:
    """Several elements or texts, one after another.

    Parameters
    ----------
    children : iterable of Html, str or None
        Elements or texts; None is left out.
    between : str
        What stands between them.
    """
    return Html(between.join(_escaped(child) for child in children if child is not None))


def box(content: Child, label: str, class_: str = "scroll") -> Html:
    """A box in which wide content scrolls, with the keyboard as well, instead of the page.

    Parameters
    ----------
    content : Html or str
        What stands in the box.
    label : str
        Its name, for screen readers.
    class_ : str
        The class of the style sheet.
    """
    return tag("div", content, class_=class_, tabindex="0", role="region", aria_label=label)


def table(
    caption: str,
    head: Sequence[Child],
    rows: Iterable[Sequence[Child]],
    *,
    strong: Sequence[bool] = (),
    foot: Sequence[Child] = (),
    numbers: Sequence[int] = (),
) -> Html:
    """A table in a box of its own.

    Parameters
    ----------
    caption : str
        What the table shows.
    head : sequence of str or Html
        The column headings.
    rows : iterable of sequences of str or Html
        The cells; the first of a row is its heading.
    strong : sequence of bool
        Which rows stand out.
    foot : sequence of str or Html
        The last row, such as axes under drawings.
    numbers : sequence of int
        The columns set flush right.
    """
    names = [
        unescape(re.sub("<[^>]*>", "", name or "")) if isinstance(name, Html) else name or ""
        for name in head
    ]

    def cell(element: str, at: int, content: Child, scope: str | None = None) -> Html:
        label = names[at] if element == "td" else None  # shown beside the cell in narrow windows
        return tag(
            element,
            content,
            scope=scope,
            data_label=label,
            class_="number" if at in numbers else None,
        )

    lines = [
        tag(
            "tr",
            *(
                cell("th" if j == 0 else "td", j, c, None if j else "row")
                for j, c in enumerate(row)
            ),
            class_="strong" if i < len(strong) and strong[i] else None,
        )
        for i, row in enumerate(rows)
    ]
    drawn = box(
        tag(
            "table",
            tag("thead", tag("tr", *(cell("th", j, c, "col") for j, c in enumerate(head)))),
            tag("tbody", join(lines, "\n")),
            tag("tfoot", tag("tr", *(tag("td", c) for c in foot))) if foot else None,
            class_="many" if len(head) >= _MANY else None,
        ),
        caption,
    )
    # Not a <caption>: that would be as wide as the table, and scroll away with it.
    return tag("figure", tag("figcaption", caption), drawn, class_="tabled")


def definitions(pairs: Iterable[tuple[str, Child]]) -> Html:
    """A list of names and what they stand for."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", what)) for name, what in pairs))


def escaped(text: str) -> str:
    """Text for HTML and SVG, with what no parser or reader could take written out.

    Parameters
    ----------
    text : str
        Any text.
    """
    return escape(visible(text))


def _escaped(child: str) -> str:
    return child if isinstance(child, Html) else escaped(child)


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
