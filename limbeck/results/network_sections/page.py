"""The distillation of a network as one HTML page, and as a fragment for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from limbeck.certificates.wording import upward
from limbeck.core.errors import plural
from limbeck.reports.document import document, write_document
from limbeck.reports.markup import Child, Html, box, definitions, join, tag
from limbeck.reports.numbers import count, decimal, duration
from limbeck.reports.style import FRAGMENT, PAGE
from limbeck.results.network_record import NetworkRecord
from limbeck.results.network_sections.reliability import reliability
from limbeck.results.network_sections.tables import (
    class_table,
    differences,
    mistake_table,
    model_table,
)
from limbeck.results.network_sections.training import training

__all__ = ["fragment", "write_page"]

_MOST_CLASSES = 50  # on a page


def write_page(result: NetworkRecord, path: str | Path) -> Path:
    """Write one self-contained HTML page, all of it or nothing.

    Parameters
    ----------
    result : NetworkRecord
        The result.
    path : path
        The HTML file; one that exists is replaced.

    Raises
    ------
    InvalidInput
        If the folder does not exist, or the path is a folder.
    """
    made = (section(result) for section in _SECTIONS)
    return write_document(document(_title(result), [s for s in made if s is not None], PAGE), path)


def fragment(result: NetworkRecord) -> str:
    """The verdict and the table, for a notebook."""
    return tag(
        "div",
        tag("style", Html(FRAGMENT)),
        tag("p", tag("strong", _title(result)), ". ", result.verdict),
        model_table(result).to_html(),
        class_="limbeck",
    )


def _title(result: NetworkRecord) -> str:
    teacher = result.settings.get("teacher") or "Students"
    return f"{teacher}, distilled into a {result.settings.get('student', 'network')}"


def _lead(result: NetworkRecord) -> Html:
    s = result.settings
    size = result.facts["student"].parameters
    teacher = result.facts.get("teacher")
    smaller = ""
    if teacher is not None and size:
        smaller = (
            f" The student has {count(size)} parameters,"
            f" {100 * size / max(teacher.parameters, 1):.3g}% of its teacher's."
        )
    short = f"{result.status} " if result.comparison.untrained else ""
    return join(
        [
            tag("p", "limbeck: report of a distillation", class_="kind"),
            tag("h1", _title(result)),
            tag("p", short, result.comparison.sentence, smaller, class_="lead"),
            tag("p", f"{count(s.get('rows'))} training rows, {count(s.get('test_rows'))} test rows"
                f" that no training saw, {plural(len(s.get('seeds', ())), 'seed')}. ",
                "" if short else str(result.status)),
        ]
    )  # fmt: skip


def _compared(result: NetworkRecord) -> Html:
    compared = differences(result)
    return join(
        [
            tag("h2", "Teacher, student and control"),
            model_table(result).to_html(),
            None if compared is None else compared.to_html(),
        ]
    )


def _certificate(result: NetworkRecord) -> Html | None:
    c = result.certificate
    if c is None:
        return None
    asked = "" if c.asked is None else f"{upward(100 * c.asked)}%"
    rows: list[tuple[str, Child]] = [
        ("Asked for", f"{asked}: {'reached' if c.reached else 'not reached'}" if asked else None),
        ("Rows", count(c.n)),
        ("Bound", c.bound),
        ("Student (SHA-256)", tag("code", c.student[:16])),
        ("Rows (SHA-256)", tag("code", c.rows[:16])),
    ]
    return join(
        [
            tag("h2", "Certificate"),
            tag("blockquote", c.statement),
            definitions((k, v) for k, v in rows if v),
            tag("h3", "It holds if"),
            tag("ul", *(tag("li", a) for a in c.assumptions)),
        ]
    )


def _diagnosis(result: NetworkRecord) -> Html | None:
    if not result.diagnosis:
        return None
    found = tag("ul", *(tag("li", told) for told in result.diagnosis))
    return join([tag("h2", "What holds the student back"), found])


def _mistakes(result: NetworkRecord) -> Html | None:
    found = mistake_table(result)
    return join([tag("h2", "Whose mistakes"), found.to_html()]) if found else None


def _classes(result: NetworkRecord) -> Html | None:
    found = class_table(result)
    if found is None or len(found.rows) > _MOST_CLASSES:
        return None
    return join([tag("h2", "By class"), found.to_html()])


def _notes(result: NetworkRecord) -> Html | None:
    if not result.notes:
        return None
    return join([tag("h2", "Notes"), tag("ul", *(tag("li", n) for n in result.notes))])


def _settings(result: NetworkRecord) -> Html:
    rows: list[tuple[str, Child]] = []
    for key, value in result.settings.items():
        name = key.replace("_", " ").capitalize()
        if value is False or key == "classifies":
            continue
        if key == "seconds":
            rows.append(("Time", duration(value)))
        elif isinstance(value, Mapping):
            rows.append((name, ", ".join(f"{k} {v}" for k, v in value.items() if v is not None)))
        elif key == "objective":
            terms = [tag("code", f"{decimal(w, 3) if isinstance(w, float) else w} × {t}")
                     for _, w, t in value]  # fmt: skip
            rows.append((name, join(terms, " + ")))
        elif isinstance(value, list):
            rows.append((name, ", ".join(map(str, value))))
        elif value is not None:
            rows.append((name, "yes" if value is True else str(value)))
    return join([tag("h2", "Settings"), definitions(rows)])


def _verification(result: NetworkRecord) -> Html | None:
    if result.certificate is None:
        return None
    command = "limbeck verify run/certificate.json --student run/student.onnx --rows run/rows.npz"
    return join(
        [
            tag("h2", "How to verify"),
            tag("p", "Whoever has the folder that ", tag("code", 'result.save("run")'), " wrote can"
                " recompute the certificate with neither the teacher nor the network's code:"),
            box(tag("pre", tag("code", command)), "The command that verifies"),
        ]
    )  # fmt: skip


_SECTIONS = (
    _lead, _compared, _certificate, _diagnosis, _mistakes, _classes, reliability, training, _notes,
    _settings, _verification,
)  # fmt: skip
