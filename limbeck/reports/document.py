"""One HTML page that needs nothing else: head, policy, style, sections; written whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import InvalidInput
from limbeck.reports.markup import Html, join, tag

__all__ = ["document", "place", "write_document"]

# The page may neither fetch nor run anything, whatever a column's name tries.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(title: str, sections: Sequence[Html], style: str) -> Html:
    """A page of sections, one after another.

    Parameters
    ----------
    title : str
        What the browser shows in its tab.
    sections : sequence of Html
        In reading order.
    style : str
        The rules; they must stay under the class ``limbeck``.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content="limbeck"),
        tag("title", title),
        tag("style", Html(style)),
    )
    main = tag("main", *(tag("section", section) for section in sections))
    html = tag("html", head, tag("body", main, class_="limbeck"), lang="en")
    return join([Html("<!DOCTYPE html>"), html, Html("")], "\n")


def place(path: str | Path) -> Path:
    """A path that a page can be written to.

    Raises
    ------
    InvalidInput
        If the folder does not exist, or the path is a folder.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InvalidInput(
            f"The folder {str(path.parent)!r} does not exist.", "Make it first, or give another."
        )
    if path.is_dir():
        raise InvalidInput(f"{str(path)!r} is a folder.", "Give the name of a file.")
    return path


def write_document(page: Html, path: str | Path) -> Path:
    """Write a page, all of it or nothing; returns its path.

    Parameters
    ----------
    page : Html
        The page.
    path : path
        The file; one that exists is replaced.
    """
    return write_bytes(page.encode("utf-8"), place(path))
