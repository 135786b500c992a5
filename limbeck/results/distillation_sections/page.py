"""A result as one HTML page that needs nothing else, and as a fragment for notebooks."""

from __future__ import annotations

from pathlib import Path

from limbeck.reports.document import document, write_document
from limbeck.reports.markup import Html, tag
from limbeck.results.distillation_record import DistillationRecord
from limbeck.results.distillation_sections import facts
from limbeck.results.distillation_sections.models import model_table
from limbeck.results.distillation_sections.own import own_page
from limbeck.results.distillation_sections.sections import picture, sections_of

__all__ = ["fragment", "write_page"]


def write_page(result: DistillationRecord, path: str | Path) -> Path:
    """Write one self-contained HTML page, all of it or nothing.

    Parameters
    ----------
    result : DistillationRecord
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
    sections = [made for section in sections_of(result) if (made := section(result)) is not None]
    style = own_page(result).style
    return write_document(document(facts.title(result), sections, style), path)


def fragment(result: DistillationRecord) -> str:
    """The table, the verdict and the student's drawing, for a notebook.

    Parameters
    ----------
    result : DistillationRecord
        What :func:`limbeck.distill` returned.

    Returns
    -------
    str
        One ``<div>`` whose style touches nothing outside of it.
    """
    return tag(
        "div",
        tag("style", Html(own_page(result).fragment)),
        tag("p", tag("strong", facts.title(result)), ". ", facts.lead(result), " ",
            facts.worth(result)),
        model_table(result).to_html(),
        picture(result),
        class_="limbeck",
    )  # fmt: skip
