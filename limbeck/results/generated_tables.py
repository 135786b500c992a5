"""The tables of a generated set, and what it says in sentences."""

from __future__ import annotations

import math
from typing import Any

from limbeck.core.errors import plural
from limbeck.evaluation.comparison import ModelResult
from limbeck.language.generated.diversity import Diversity
from limbeck.language.generated.tasks import GeneratedRow
from limbeck.reports.numbers import percent
from limbeck.reports.table import Column, Table
from limbeck.results.generated_record import FunnelLine, GeneratedRecord

__all__ = ["sentences", "tables"]


def sentences(found: GeneratedRecord) -> list[str]:
    """What is said below the tables.

    Parameters
    ----------
    found : GeneratedRecord
        The set.
    """
    said = [f"Kept: {plural(len(found.rows), 'row')} by {found.settings['model']}."]
    if not found.rows:
        said.append(
            "There is nothing to learn from: the table says which filter took what. Give more"
            " seeds, a larger n or max_requests, or a model that follows the format."
        )
    if found.stopped:
        said.append(f"Fewer than was asked for ({found.settings['n']:,}): {found.stopped}.")
    said.append(f"Bill: {found.bill}.")
    if found.control is not None:
        said.append(found.control.sentence)
        if math.isfinite(found.control.written_as):
            said.append(
                f"The teacher gives {found.control.written_as:.1%} of the generated texts the class"
                " that they were written for."
            )
    return [*said, *found.notes]


def tables(found: GeneratedRecord) -> dict[str, Table[Any]]:
    """All tables that have rows, by name.

    Parameters
    ----------
    found : GeneratedRecord
        The set.
    """
    made: dict[str, Table[Any]] = {"filters": _funnel(found), "diversity": _diversity(found)}
    if found.control is not None:
        made["control"] = _control(found)
    made["rows"] = _rows(found)
    return {name: table for name, table in made.items() if table.rows}


def _funnel(found: GeneratedRecord) -> Table[FunnelLine]:
    columns: list[Column[FunnelLine]] = [
        Column("unit", lambda line: line.unit, ""),
        Column("what", lambda line: line.what, "what became of them", wrap=True),
        Column("count", lambda line: line.count, align="right"),
        Column("share", lambda line: line.count / line.of if line.of else None, align="right",
               format=percent),
    ]  # fmt: skip
    return Table(
        f"From prompts to rows, by {found.settings['method']}",
        columns,
        found.funnel,
        style=lambda line: "bold" if line.what == "kept" else "",
        strong=lambda line: line.what == "kept",
    )


def _diversity(found: GeneratedRecord) -> Table[Diversity]:
    columns: list[Column[Diversity]] = [
        Column("set", lambda d: d.name),
        Column("texts", lambda d: d.texts, align="right"),
        Column("distinct_1", lambda d: d.distinct[0], "distinct 1-grams", align="right"),
        Column("distinct_2", lambda d: d.distinct[1], "distinct 2-grams", align="right"),
        Column("distinct_3", lambda d: d.distinct[2], "distinct 3-grams", align="right"),
        Column("spread", lambda d: d.spread, "mean cosine distance", align="right", optional=True),
    ]  # fmt: skip
    tokens = found.diversity[0].tokens if found.diversity else 0
    return Table(
        f"Diversity, each set measured on {plural(tokens, 'token')} drawn from it",
        columns,
        found.diversity,
    )


def _control(found: GeneratedRecord) -> Table[ModelResult]:
    assert found.control is not None  # noqa: S101
    entries = found.control.comparison.entries
    columns: list[Column[ModelResult]] = [
        Column("model", lambda e: e.model, wrap=True),
        Column("agreement", lambda e: e.agreement, "agreement with\nthe teacher"),
        Column("accuracy", lambda e: e.accuracy, "accuracy on\nthe labels", optional=True),
    ]
    return Table(
        f"On {plural(found.control.test_rows, 'real row')} that no student saw", columns, entries,
        stacked=True,
    )  # fmt: skip


def _rows(found: GeneratedRecord) -> Table[GeneratedRow]:
    columns: list[Column[GeneratedRow]] = [
        Column("id", lambda r: r.id),
        Column("instruction", lambda r: r.instruction, wrap=True),
        Column("input", lambda r: r.input or None, wrap=True, optional=True),
        Column("output", lambda r: r.output, wrap=True),
        Column("label", lambda r: None if r.label is None else str(r.label), optional=True),
        Column("similarity", lambda r: r.similarity, "ROUGE-L", align="right"),
        Column("nearest", lambda r: r.nearest or None, optional=True),
        Column("prompt_tasks", lambda r: ", ".join(r.prompt_tasks), "prompt", wrap=True),
        Column("requests", lambda r: ", ".join(map(str, r.requests))),
        Column("method", lambda r: r.method),
        Column("model", lambda r: r.model),
    ]
    return Table("Rows", columns, found.rows)
