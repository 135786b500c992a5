"""The distillation of a language model as one HTML page, and as a fragment for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limbeck.core.errors import plural
from limbeck.reports.document import document, write_document
from limbeck.reports.markup import Child, Html, definitions, join, tag
from limbeck.reports.numbers import count, duration
from limbeck.reports.style import FRAGMENT, PAGE
from limbeck.reports.table import Table
from limbeck.results.language_record import LanguageRecord
from limbeck.results.language_sections.tables import main_tables, tables

__all__ = ["fragment", "write_page"]


def write_page(result: LanguageRecord, path: str | Path) -> Path:
    """Write one self-contained HTML page, all of it or nothing.

    Parameters
    ----------
    result : LanguageRecord
        The result.
    path : path
        The HTML file; one that exists is replaced.

    Raises
    ------
    InvalidInput
        If the folder does not exist, or the path is a folder.
    """
    found = tables(result)
    made = [
        _lead(result),
        _section("Teacher, student and controls", found, "models", "differences",
                 "second differences"),
        _section("What they write", found, "texts"),
        _certificate(result, found),
        _section("Bill", found, "bill"),
        _section("Texts side by side", found, "generations"),
        _notes(result),
        _section("Pre-flight", found, "preflight"),
        _section("History", found, "history"),
        _settings(result),
    ]  # fmt: skip
    return write_document(document(_title(result), [s for s in made if s is not None], PAGE), path)


def fragment(result: LanguageRecord) -> str:
    """The verdict and the tables, for a notebook."""
    return tag(
        "div",
        tag("style", Html(FRAGMENT)),
        tag("p", tag("strong", _title(result)), ". ", result.verdict),
        *(t.to_html() for t in main_tables(result)),
        class_="limbeck",
    )


def _title(result: LanguageRecord) -> str:
    return f"{result.settings.get('teacher')}, distilled into {result.settings.get('student')}"


def _lead(result: LanguageRecord) -> Html:
    s = result.settings
    size, whole = (result.facts[role].parameters for role in ("student", "teacher"))
    smaller = (
        f" The student has {count(size)} parameters, {100 * size / whole:.3g}% of its teacher's."
    )
    return join(
        [
            tag("p", "limbeck: report of a distillation of language models", class_="kind"),
            tag("h1", _title(result)),
            tag("p", result.comparison.sentence, smaller, class_="lead"),
            tag("p", result.second_sentence) if result.second else None,
            tag("p", f"{count(s.get('prompts'))} training prompts, {count(s.get('test_prompts'))}"
                f" test prompts that no training saw, {plural(len(s.get('seeds', ())), 'seed')}. ",
                str(result.status)),
        ]
    )  # fmt: skip


def _section(title: str, found: Mapping[str, Table[Any]], *names: str) -> Html | None:
    shown = [found[name].to_html() for name in names if name in found]
    return join([tag("h2", title), *shown]) if shown else None


def _certificate(result: LanguageRecord, found: Mapping[str, Table[Any]]) -> Html | None:
    c = result.certificate
    if c is None:
        return None
    return join(
        [
            tag("h2", "Certificate"),
            tag("blockquote", c.statement),
            found["certificate"].to_html(),
            definitions([("Bound", c.bound), ("Student (SHA-256)", tag("code", c.student[:16])),
                         ("Prompts (SHA-256)", tag("code", c.rows[:16]))]),
            tag("h3", "It holds if"),
            tag("ul", *(tag("li", a) for a in c.assumptions)),
        ]
    )  # fmt: skip


def _notes(result: LanguageRecord) -> Html | None:
    if not result.notes:
        return None
    return join([tag("h2", "Notes"), tag("ul", *(tag("li", n) for n in result.notes))])


def _settings(result: LanguageRecord) -> Html:
    rows: list[tuple[str, Child]] = []
    for key, value in result.settings.items():
        name = key.replace("_", " ").capitalize()
        if key == "seconds":
            rows.append(("Time", duration(value)))
        elif isinstance(value, Mapping):
            told = ", ".join(f"{k} {v}" for k, v in value.items() if v not in (None, []))
            rows.append((name, told))
        elif isinstance(value, list | tuple):
            rows.append((name, ", ".join(map(str, value))))
        elif value is not None:
            rows.append((name, str(value)))
    return join([tag("h2", "Settings"), definitions(rows)])
