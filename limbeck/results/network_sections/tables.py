"""The tables of a network's distillation, each declared once, and what the terminal shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from limbeck.certificates.wording import in_percent
from limbeck.core.errors import plural
from limbeck.core.printable import visible
from limbeck.core.status import StatusCode
from limbeck.evaluation.comparison import ModelResult
from limbeck.evaluation.model_facts import ModelFacts
from limbeck.reports.numbers import NONE, count, percent
from limbeck.reports.table import Column, Drawing, Table
from limbeck.results.distillation_sections.models import difference_table
from limbeck.results.network_record import NetworkRecord
from limbeck.results.network_sections.reliability import reliability_table

__all__ = ["class_table", "mistake_table", "model_table", "network_table", "tables"]

_STYLES = {"teacher": "cyan", "student": "bold", "baseline": "dim"}
_GOOD, _WARN = "green", "yellow"
_MISTAKES = {
    "inherited": "the teacher's mistake, repeated",
    "own": "wrong where the teacher is right",
    "other": "wrong in another way than the teacher",
}
_Line = tuple[ModelResult, ModelFacts | None]


def tables(result: NetworkRecord) -> dict[str, Table[Any]]:
    """All tables of a network's distillation that have rows, the models first."""
    found = {
        "models": model_table(result),
        "differences": differences(result),
        "classes": class_table(result),
        "mistakes": mistake_table(result),
        "reliability": reliability_table(result),
        "history": history_table(result),
    }
    return {name: table for name, table in found.items() if table is not None}


def network_table(result: NetworkRecord) -> Group:
    """Teacher, student, control and baseline; then status, certificate, verdict and notes.

    Parameters
    ----------
    result : NetworkRecord
        What :func:`limbeck.distill` returned.

    Returns
    -------
    rich.console.Group
        Readable from 80 columns on.
    """
    return Group(model_table(result).to_rich(), Text(), _sentences(result))


def model_table(result: NetworkRecord) -> Table[_Line]:
    """A row per model: size, accuracy, agreement, calibration and time."""
    numbers = not result.settings.get("classifies", True)
    share = Drawing(top=1.0)
    columns: list[Column[_Line]] = [
        Column("role", lambda row: row[0].role, " ", wrap=True),
        Column("model", lambda row: row[0].model, under="role"),
        Column("parameters", lambda row: row[1] and row[1].parameters, format=_short,
               instead=lambda row: row[0].size or NONE),
        Column("megabytes", lambda row: row[1] and row[1].weight_bytes / 1e6, under="parameters",
               format=lambda value: f"({_brief(value)} MB)"),
        Column("accuracy", lambda row: row[0].accuracy, drawing=share, optional=True,
               heading="R² on\nthe labels" if numbers else "accuracy\non the labels"),
        Column("agreement", lambda row: None if row[0].role == "teacher" else row[0].agreement,
               drawing=share, instead=lambda row: "itself" if row[0].role == "teacher" else NONE,
               heading="R² against\nteacher" if numbers else "agreement\nwith teacher"),
        Column("calibration_error", lambda row: row[1] and row[1].calibration,
               "calibration\nerror (ECE)", drawing=Drawing(), optional=True),
        Column("milliseconds", lambda row: row[1] and row[1].milliseconds, "ms per\nbatch",
               format=_brief, brief=True, optional=True),
    ]  # fmt: skip
    return Table(
        _caption(result),
        columns,
        [(e, result.facts.get(e.role)) for e in result.comparison.entries],
        strong=lambda row: row[0].role == "student",
        style=lambda row: _STYLES.get(row[0].role, ""),
        stacked=True,
    )


def differences(result: NetworkRecord) -> Table[Any] | None:
    """Student less control."""
    c = result.comparison
    return difference_table(c.differences, c.level, judged=not c.untrained)


def mistake_table(result: NetworkRecord) -> Table[Any] | None:
    """A row per model: whose mistakes it makes."""
    rows = [(r, f.mistakes) for r, f in result.facts.items() if f.mistakes and r != "teacher"]
    if not rows:
        return None

    def column(kind: str, heading: str) -> Column[tuple[str, Mapping[str, float]]]:
        return Column(kind, lambda row: row[1][kind], heading, format=percent,
                      drawing=Drawing("bar", group="mistakes"))  # fmt: skip

    most = max((v for _, m in rows for v in m.values()), default=0) or 1.0
    return Table(
        f"Shares of all answers, means over seeds; full bars are {percent(most)}.",
        [Column("model", lambda row: row[0]), *(column(k, h) for k, h in _MISTAKES.items())],
        rows,
    )


def class_table(result: NetworkRecord) -> Table[Any] | None:
    """A row per true class."""
    student = result.facts["student"].by_class if "student" in result.facts else {}
    if len(student) < 2:
        return None
    control = result.facts["control"].by_class if "control" in result.facts else {}
    columns: list[Column[Any]] = [
        Column("class", lambda row: row[0], wrap=True),
        Column("answers", lambda row: int(row[1]["places"]), align="right"),
        Column("student_accuracy", lambda row: row[1]["accuracy"], "student right",
               format=percent, align="right"),
        Column("control_accuracy", lambda row: control.get(row[0], {}).get("accuracy"),
               "control right", format=percent, align="right", optional=True),
        Column("agreement", lambda row: row[1]["agreement"], "student agrees", format=percent,
               align="right", drawing=Drawing("bar", top=1.0)),
    ]  # fmt: skip
    return Table("By the true class, means over seeds; bars from 0 to 1.", columns,
                 list(student.items()))  # fmt: skip


def history_table(result: NetworkRecord) -> Table[Any] | None:
    """A row per logged epoch of every training: losses, weights, scores."""
    names = list(dict.fromkeys(name for row in result.history for name in row))
    if not names:
        return None

    def column(name: str) -> Column[Mapping[str, Any]]:
        return Column(name, lambda row: row.get(name))

    return Table("Losses, weights and scores by epoch.", [column(n) for n in names],
                 result.history)  # fmt: skip


def _caption(result: NetworkRecord) -> str:
    c, timed = result.comparison, next(
        (f for f in result.facts.values() if f.milliseconds is not None), None
    )  # fmt: skip
    calls = "" if timed is None or not timed.timed_calls else (
        f", of {timed.timed_calls} calls of each network in all"
    )  # fmt: skip
    said = "" if timed is None else (
        f" Times are medians for {timed.batch_size} rows at once on"
        f" {plural(timed.threads, 'thread')}, with quartiles{calls}."
    )  # fmt: skip
    several = len(result.settings.get("seeds", ())) > 1
    over = "; those of accuracy and agreement cover other seeds, too" if several else ""
    return (
        f"On {count(result.settings.get('test_rows'))} rows that no training saw; means over seeds,"
        f" {in_percent(c.level)} intervals in brackets and drawn{over}.{said}"
    )


def _short(p: int) -> str:
    """A number of parameters, in thousands or millions where it is large."""
    return f"{p / 1e6:.1f} M" if p >= 1e6 else f"{p / 1e3:.1f} k" if p >= 1e3 else str(p)


def _brief(value: float) -> str:
    """Two digits, or all before the point."""
    return f"{value:.2g}" if value < 99.5 else f"{value:.0f}"


def _sentences(result: NetworkRecord) -> RichTable:
    verdict = result.comparison.verdict
    poor = result.status.code is not StatusCode.COMPLETE
    table = RichTable.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(max_width=100)
    rows = [("training", str(result.status), _WARN if poor else "")]
    if result.certificate is not None:
        style = _GOOD if result.certificate.reached else _WARN
        rows.append(("certificate", result.certificate.statement, style))
    rows.append(("verdict", result.comparison.sentence, _WARN if verdict == "hurt" else ""))
    rows += [("diagnosis", told, _WARN) for told in result.diagnosis]
    for role in ("student", "control"):
        found = result.facts.get(role)
        if found is not None and found.mistakes:
            m = found.mistakes
            rows.append(
                (
                    "mistakes",
                    f"Of all answers of the {role} {percent(m['inherited'])} repeat a mistake of"
                    f" the teacher, {percent(m['own'])} are wrong where the teacher is right, and"
                    f" {percent(m['other'])} wrong in another way than the teacher.",
                    "",
                )
            )
    rows += [("note", note, "") for note in result.notes]
    for name, sentence, style in rows:
        table.add_row(Text(name, style=style), Text(visible(sentence)))
    return table
