"""A distillation in the terminal, and all of its tables by name."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from limbeck.core.printable import visible
from limbeck.core.status import StatusCode
from limbeck.reports.table import Table
from limbeck.results.distillation_record import DistillationRecord
from limbeck.results.distillation_sections import facts, models
from limbeck.results.distillation_sections.chain import chain_table
from limbeck.results.distillation_sections.texts import inherited_table, text_student_table

__all__ = ["result_table", "tables"]

_MOST_CLASSES = 10
_GOOD, _WARN = "green", "yellow"


def tables(result: DistillationRecord) -> dict[str, Table[Any]]:
    """All tables of a distillation that have rows, the models first."""
    found = {
        "models": models.model_table(result),
        "differences": models.difference_table(
            result.comparison.differences, result.comparison.level
        ),
        "classes": models.class_table(result),
        "groups": models.group_table(result.certificate),
        "chain": chain_table(result),
        "sizes": models.size_table(result),
        "influences": models.influence_table(result),
        "layers": models.layer_table(result),
        "text_students": text_student_table(result),
        "inherited": inherited_table(result),
    }
    return {name: table for name, table in found.items() if table is not None}


def result_table(result: DistillationRecord) -> Group:
    """Teacher, student, control and baselines; then status, certificate and verdict.

    Parameters
    ----------
    result : DistillationRecord
        What :func:`limbeck.distill` returned.

    Returns
    -------
    rich.console.Group
        Readable from 80 columns on.
    """
    shown = [models.model_table(result), models.class_table(result, _MOST_CLASSES)]
    if not models.groups_are_classes(result):  # else its bounds stand beside the classes
        shown.append(models.group_table(result.certificate, _MOST_CLASSES))
    shown += [inherited_table(result, _MOST_CLASSES), text_student_table(result)]
    drawn = [t.to_rich() for t in shown if t is not None]
    return Group(*(part for t in drawn for part in (t, Text())), _sentences(result))


def _sentences(result: DistillationRecord) -> RichTable:
    certificate, verdict = result.certificate, result.comparison.verdict
    poor = result.status.code in (StatusCode.INTERRUPTED, StatusCode.HYPOTHESIS_FAILED)
    table = RichTable.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(max_width=100)
    rows = [
        ("search", str(result.status), _WARN if poor else ""),
        ("queries", facts.queries_line(result), ""),
        ("certificate", certificate.statement, _GOOD if certificate.reached else _WARN),
        ("steps", result.chain.sentence if result.chain else "", ""),
        ("verdict", result.comparison.sentence, _WARN if verdict == "hurt" else ""),
        *(("note", note, "") for note in result.notes),
    ]
    for name, sentence, style in rows:
        if not sentence:
            continue
        table.add_row(Text(name, style=style), Text(visible(sentence)))
    return table
