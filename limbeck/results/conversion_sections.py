"""The tables of a conversion, each declared once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from limbeck.certificates.wording import in_percent
from limbeck.core.certificate import Certificate
from limbeck.core.measured import Measured
from limbeck.core.status import Status
from limbeck.evaluation.comparison import Comparison, ModelResult
from limbeck.networks.conversion.recall_score import RecallScore
from limbeck.reports.table import Column, Drawing, Table
from limbeck.results.distillation_sections.models import difference_table

__all__ = [
    "ConversionRecord", "LanguageFacts", "model_table", "preference_table", "recall_table",
    "sentences", "tables",
]  # fmt: skip


@dataclass(frozen=True)
class LanguageFacts:
    """What one model came to, as means over all tokens of the texts set aside, and over seeds.

    Parameters
    ----------
    divergence : float
        KL(teacher || model) in nats per token.
    same : float
        Share of tokens where the likeliest one is that of the teacher.
    cross_entropy : float
        Of the texts, in nats per token.
    parameters : int
        Weights.
    state_bytes, state_bytes_long : int
        What it keeps of a text of 128 tokens, and of one of 4,096.
    cpu_seconds : float
        Processor time of its training; 0 where it was not trained.
    """

    divergence: float
    same: float
    cross_entropy: float
    parameters: int
    state_bytes: int
    state_bytes_long: int
    cpu_seconds: float = 0.0


@dataclass(frozen=True, eq=False, repr=False)
class ConversionRecord:
    """What one conversion was and came to.

    Parameters
    ----------
    student : HybridModel
        The converted model of the first seed; it generates.
    status : Status
        How it ended.
    certificate : Certificate or None
        A bound on the mean total variation between the next-token distributions of student and
        teacher, over texts drawn like those set aside.
    comparison : Comparison
        Teacher, student, control and the student before training, by text.
    facts : mapping
        Divergence, perplexity and sizes, by role.
    history : tuple of mapping
        Losses of all stages, with ``seed`` and ``role``.
    notes : tuple of str
        What must be known before the numbers are believed.
    settings : mapping
        Everything needed to run it again.
    recalled : mapping
        What models recalled at each distance that was asked for, by role.
    preferred : mapping
        Share of preferences set aside whose chosen completion is the likelier one, by role.
    """

    student: Any
    status: Status
    certificate: Certificate | None
    comparison: Comparison
    facts: Mapping[str, LanguageFacts]
    history: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    recalled: Mapping[str, tuple[RecallScore, ...]] = field(default_factory=dict)
    preferred: Mapping[str, Measured] = field(default_factory=dict)


_Line = tuple[ModelResult, LanguageFacts | None]
_STYLES = {"teacher": "cyan", "student": "bold", "start": "dim"}


def model_table(result: ConversionRecord) -> Table[_Line]:
    """A row per model: overlap with the teacher, divergence, perplexity, memory."""
    c, s = result.comparison, result.settings
    columns: list[Column[_Line]] = [
        Column("role", lambda row: row[0].role, " "),
        Column("model", lambda row: row[0].model, under="role"),
        Column("overlap", lambda row: None if row[0].role == "teacher" else row[0].agreement,
               "overlap\nwith teacher", drawing=Drawing(top=1.0),
               instead=lambda row: "itself"),
        Column("divergence", lambda row: row[1] and row[1].divergence, "KL\n(nats)"),
        Column("same", lambda row: row[1] and row[1].same, "same\ntoken"),
        Column("accuracy", lambda row: row[0].accuracy, "right\ntoken", brief=True,
               page_only=True),
        Column("cross_entropy", lambda row: row[1] and row[1].cross_entropy, "CE\n(nats)"),
        Column("state", lambda row: row[1] and row[1].state_bytes / 1e3, "kB at\n128 tokens",
               format=_brief),
        Column("state_long", lambda row: row[1] and row[1].state_bytes_long / 1e3,
               "kB at\n4,096", format=_brief),
        Column("cpu_seconds", lambda row: row[1] and row[1].cpu_seconds, "CPU-s", format=_brief,
               page_only=True),
    ]  # fmt: skip
    several = "; means and intervals cover other seeds, too" if len(s.get("seeds", ())) > 1 else ""
    return Table(
        f"On {s.get('test_texts')} texts that no training saw, {s.get('test_tokens'):,} tokens;"
        f" {in_percent(c.level)} intervals by text{several}.",
        columns,
        [(e, result.facts.get(e.role)) for e in c.entries],
        strong=lambda row: row[0].role == "student",
        style=lambda row: _STYLES.get(row[0].role, ""),
        stacked=True,
    )


def tables(result: ConversionRecord) -> dict[str, Table[Any]]:
    """All tables that have rows, the models first."""
    c = result.comparison
    found = {
        "models": model_table(result),
        "differences": difference_table(c.differences, c.level),
        "recall": recall_table(result),
        "preferences": preference_table(result),
        "history": _history(result),
    }
    return {name: table for name, table in found.items() if table is not None}


def recall_table(result: ConversionRecord) -> Table[Any] | None:
    """A row per task and distance, a column per model; None where nothing was asked."""
    models = result.recalled
    if not models:
        return None

    def column(role: str) -> Column[int]:
        return Column(role, lambda place: models[role][place].right)

    first = models["teacher"]
    columns: list[Column[int]] = [
        Column("task", lambda place: first[place].task),
        Column("distance", lambda place: first[place].distance, "tokens\nbefore"),
        *(column(role) for role in ("teacher", "student", "control", "start") if role in models),
    ]
    return Table(
        "Share recalled of what stood so far back, with exact 95% intervals; a model that never"
        " learned to recall is near 0 everywhere.",
        columns,
        range(len(first)),
    )


def preference_table(result: ConversionRecord) -> Table[Any] | None:
    """A row per model; None without preferences."""
    if not result.preferred:
        return None
    count = result.settings.get("preferences")
    columns: list[Column[tuple[str, Measured]]] = [
        Column("model", lambda row: row[0]),
        Column("chosen", lambda row: row[1], "chosen is\nlikelier"),
    ]
    return Table(
        f"Share of {count} pairs set aside whose chosen completion is the likelier one, with exact"
        " 95% intervals.",
        columns,
        list(result.preferred.items()),
    )


def sentences(result: ConversionRecord) -> Iterator[tuple[str, str]]:
    """Status, certificate, verdict and notes, each with its name."""
    yield "training", str(result.status)
    if result.certificate is not None:
        yield "certificate", result.certificate.statement
    yield "verdict", result.comparison.sentence
    for note in result.notes:
        yield "note", note


def _history(result: ConversionRecord) -> Table[Any] | None:
    names = list(dict.fromkeys(name for row in result.history for name in row))
    if not names:
        return None

    def column(name: str) -> Column[Mapping[str, Any]]:
        return Column(name, lambda row: row.get(name))

    return Table("Losses of all stages.", [column(n) for n in names], result.history)


def _brief(value: float) -> str:
    return f"{value:.3g}" if value < 999.5 else f"{value:,.0f}"
