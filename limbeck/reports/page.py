"""A result as one HTML page that needs nothing else, and as a fragment for notebooks."""

from __future__ import annotations

from pathlib import Path

from limbeck.errors import InvalidInput
from limbeck.reports import facts
from limbeck.reports.markup import Html, join, tag
from limbeck.reports.models import model_table
from limbeck.reports.sections import SECTIONS, picture
from limbeck.reports.style import FRAGMENT, PAGE
from limbeck.result import Distillation
from limbeck.writing import write_bytes

__all__ = ["fragment", "write_page"]

# The page may neither fetch nor run anything, whatever a column's name tries.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write_page(result: Distillation, path: str | Path) -> Path:
    """Write one self-contained HTML page, all of it or nothing.

    Parameters
    ----------
    result : Distillation
        What :func:`limbeck.distill` returned.
    path : str or Path
        Where; an older file is replaced in one step.

    Returns
    -------
    Path
        The path.

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
    return write_bytes(_page(result).encode("utf-8"), path)


def fragment(result: Distillation) -> str:
    """The table, the verdict and the student's drawing, for a notebook.

    Parameters
    ----------
    result : Distillation
        What :func:`limbeck.distill` returned.

    Returns
    -------
    str
        One ``<div>`` whose style touches nothing outside of it.
    """
    return tag(
        "div",
        tag("style", Html(FRAGMENT)),
        tag("p", tag("strong", facts.title(result)), ". ", facts.lead(result), " ",
            facts.worth(result)),
        model_table(result),
        picture(result),
        class_="limbeck",
    )  # fmt: skip


def _page(result: Distillation) -> Html:
    sections = [made for section in SECTIONS if (made := section(result)) is not None]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content="limbeck"),
        tag("title", facts.title(result)),
        tag("style", Html(PAGE)),
    )
    main = tag("main", *(tag("section", section) for section in sections))
    html = tag("html", head, tag("body", main, class_="limbeck"), lang="en")
    return join([Html("<!DOCTYPE html>"), html, Html("")], "\n")
