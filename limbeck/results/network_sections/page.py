"""The distillation of a network as one HTML page, and as a fragment for notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limbeck.certificates.wording import upward
from limbeck.core.measured import Measured
from limbeck.reports.charts import axis, bar, whisker, whisker_scale
from limbeck.reports.document import document, write_document
from limbeck.reports.markup import Child, Html, box, definitions, join, table, tag
from limbeck.reports.numbers import NONE, count, decimal, duration, percent
from limbeck.reports.style import FRAGMENT, PAGE
from limbeck.results.distillation_sections import models
from limbeck.results.network_record import NetworkRecord
from limbeck.results.network_sections.tables import size_of, time_of
from limbeck.results.network_sections.training import training

__all__ = ["fragment", "write_page"]


def write_page(result: NetworkRecord, path: str | Path) -> Path:
    """Write one self-contained HTML page, all of it or nothing.

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
        _table(result),
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
                f" that no training saw, {_many(len(s.get('seeds', ())), 'seed')}. ",
                "" if short else str(result.status)),
        ]
    )  # fmt: skip


def _compared(result: NetworkRecord) -> Html:
    level = result.comparison.level
    return join(
        [
            tag("h2", "Teacher, student and control"),
            _table(result),
            models.difference_table(
                result.comparison.differences, level, judged=not result.comparison.untrained
            ),
        ]
    )


def _table(result: NetworkRecord) -> Html:
    entries, c = result.comparison.entries, result.comparison
    scored = any(e.accuracy is not None for e in entries)
    numbers = not result.settings.get("classifies", True)
    others = [e.agreement for e in entries if e.role != "teacher"]
    scales = [_scale([e.accuracy for e in entries]), _scale(others)]
    errors = _scale([f.calibration for f in result.facts.values()], top=None)
    calibrated = any(f.calibration is not None for f in result.facts.values())
    timed = next((f for f in result.facts.values() if f.milliseconds is not None), None)
    rows = []
    for e in entries:
        strong, facts = e.role == "student", result.facts.get(e.role)
        name = join([e.role, tag("span", f" {e.model}", class_="range")])
        cells: list[Child] = [name, size_of(facts)]
        cells += [_drawn(e.accuracy, scales[0], strong)] if scored else []
        cells.append("itself" if e.role == "teacher" else _drawn(e.agreement, scales[1], strong))
        if calibrated:
            cells.append(_drawn(facts.calibration if facts else None, errors, strong))
        cells += [] if timed is None else [time_of(facts)]
        rows.append(cells)
    right, agree = ("R² on the labels", "R² against the teacher") if numbers else (
        "accuracy on the labels", "agreement with the teacher")  # fmt: skip
    drawn: list[Child] = [*([axis(scales[0])] * scored), axis(scales[1])]
    said = "" if timed is None else (
        f" Times are medians for {timed.batch_size} rows at once on"
        f" {_many(timed.threads, 'thread')}, with quartiles, of {timed.timed_calls} calls of each"
        " network in all."
    )  # fmt: skip
    several = len(result.settings.get("seeds", ())) > 1
    over = "; those of accuracy and agreement cover other seeds, too" if several else ""
    return table(
        f"On {count(result.settings.get('test_rows'))} rows that no training saw; means over seeds,"
        f" {c.level:.0%} intervals in brackets and drawn{over}.{said}",
        ["", "parameters", *([right] * scored), agree,
         *(["calibration error"] * calibrated), *(["ms a batch"] * (timed is not None))],
        rows,
        strong=[e.role == "student" for e in entries],
        foot=["", "", *drawn, *([axis(errors)] * calibrated), *([""] * (timed is not None))],
    )  # fmt: skip


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


def _mistakes(result: NetworkRecord) -> Html | None:
    found = [(r, f.mistakes) for r, f in result.facts.items() if f.mistakes and r != "teacher"]
    if not found:
        return None
    most = max((v for _, m in found for v in m.values()), default=0) or 1.0
    rows = [
        [role, *(join([percent(m[k]), bar(m[k] / most)]) for k in ("inherited", "own", "other"))]
        for role, m in found
    ]
    return join(
        [
            tag("h2", "Whose mistakes"),
            table(
                f"Shares of all answers, means over seeds; full bars are {percent(most)}.",
                ["model", "the teacher's mistake, repeated", "wrong where the teacher is right",
                 "wrong in another way than the teacher"],
                rows,
            ),
        ]
    )  # fmt: skip


def _classes(result: NetworkRecord) -> Html | None:
    student = result.facts["student"].by_class
    if not 1 < len(student) <= 50:
        return None
    control = result.facts["control"].by_class if "control" in result.facts else {}
    rows = []
    for name, line in student.items():
        cells: list[Child] = [name, count(line["places"]), percent(line["accuracy"])]
        if control:
            cells.append(percent(control[name]["accuracy"]) if name in control else NONE)
        rows.append([*cells, percent(line["agreement"]), bar(line["agreement"])])
    head = ["class", "answers", "student right", *(["control right"] * bool(control))]
    return join(
        [
            tag("h2", "By class"),
            table("By the true class, means over seeds; bars from 0 to 1.",
                  [*head, "student agrees", ""], rows, numbers=range(1, len(head) + 1)),
        ]
    )  # fmt: skip


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
    _lead, _compared, _certificate, _mistakes, _classes, training, _notes, _settings,
    _verification,
)  # fmt: skip


def _many(n: int, what: str) -> str:
    return f"{count(n)} {what}" if n == 1 else f"{count(n)} {what}s"


def _scale(shown: Sequence[Measured | None], top: float | None = 1.0) -> Any:
    return whisker_scale([v for m in shown if m for v in (m.low, m.high, m.value)], top=top)


def _drawn(m: Measured | None, scale: Any, strong: bool) -> Child:
    if m is None or m.value != m.value:
        return NONE
    between = tag("span", f"[{decimal(m.low)}, {decimal(m.high)}]", class_="range")
    drawing = whisker(m.value, m.low, m.high, scale, strong)
    return join([decimal(m.value), Html(" "), between, drawing])
