"""The tables of a distillation, each declared once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limbeck.certificates.wording import in_percent, upward
from limbeck.core.certificate import Certificate, GroupBound
from limbeck.core.measured import Measured
from limbeck.evaluation.by_class import ClassAgreement
from limbeck.evaluation.comparison import Difference, ModelResult
from limbeck.reports.numbers import count, decimal, percent
from limbeck.reports.table import Column, Drawing, Table
from limbeck.results.distillation_record import DistillationRecord
from limbeck.results.distillation_sections.facts import Headings

__all__ = [
    "class_table",
    "difference_table",
    "group_table",
    "influence_table",
    "layer_table",
    "model_table",
    "size_table",
]

_STYLES = {"teacher": "cyan", "student": "bold", "control": "", "baseline": "dim"}


def model_table(result: DistillationRecord) -> Table[ModelResult]:
    """A row per model: agreement with the teacher, and accuracy on the labels where given."""
    headings, level = Headings.of(result), in_percent(result.comparison.level)
    columns: list[Column[ModelResult]] = [
        Column("role", lambda e: e.role),
        Column("model", lambda e: e.model, wrap=True),
        Column("size", lambda e: e.size or None),
        Column(
            "agreement",
            lambda e: None if e.role == "teacher" else e.agreement,
            headings.agreement.replace(" the ", "\nthe "),
            drawing=Drawing(top=1.0),
            instead=lambda e: "itself" if e.role == "teacher" else "—",
        ),
        Column(
            "accuracy",
            lambda e: e.accuracy,
            headings.accuracy.replace(" the ", "\nthe "),
            drawing=Drawing(top=1.0),
            optional=True,
        ),
    ]
    return Table(
        f"On the {count(result.certificate.n)} rows of the certificate, which neither student nor"
        f" control have seen. In brackets and drawn: {level} intervals.",
        columns,
        result.comparison.entries,
        strong=lambda e: e.role == "student",
        style=lambda e: _STYLES.get(e.role, ""),
    )


def class_table(result: DistillationRecord, most: int | None = None) -> Table[Any] | None:
    """A row per class of the teacher: how often it is predicted, and agreement on its rows.

    Parameters
    ----------
    result : DistillationRecord
        With classes.
    most : int, optional
        Of more classes than that, those on which the student does worst.
    """
    classes, level = result.comparison.classes, result.comparison.level
    if len(classes) < 2:
        return None
    cut = most is not None and len(classes) > most
    rows = sorted(classes, key=_worst)[:most] if cut else classes
    roles = [r for r in ("student", "control") if r in classes[0].models]
    bounds = (
        {g.group: g.epsilon for g in result.certificate.groups}
        if groups_are_classes(result)
        else {}
    )
    columns: list[Column[ClassAgreement]] = [
        Column("class", lambda c: c.label, "worst classes" if cut else "teacher's class",
               wrap=True),
        Column("rows", lambda c: c.rows, align="right"),
        Column("predicted", lambda c: c.models["student"].predicted, "student\npredicts",
               align="right"),
        *(_agrees(role, wrap=bool(bounds)) for role in roles),
        Column(
            "certified",
            lambda c: bounds.get(c.label),
            f"certified at {sure(result.certificate)}:\ndiffers on at most",
            format=_at_most,
            optional=True,
        ),
    ]  # fmt: skip
    return Table(
        f"By the class that the teacher predicts, with {in_percent(level)} intervals, each for"
        " itself.",
        columns,
        rows,
        style=lambda c: "yellow" if c.rows and not c.models["student"].predicted else "",
    )


def difference_table(
    differences: Sequence[Difference], level: float, judged: bool = True
) -> Table[Difference] | None:
    """Student less control, a row per measure; without a verdict where it cannot be ``judged``.

    Parameters
    ----------
    differences : sequence of Difference
        What was compared.
    level : float
        Confidence of all intervals together.
    judged : bool
        Whether there is a verdict.
    """
    if not differences:
        return None
    columns: list[Column[Difference]] = [
        Column("measure", lambda d: d.what),
        Column(
            "difference",
            lambda d: Measured(d.value, d.low, d.high),
            format=_signed,
            drawing=Drawing(zero=True),
        ),
        Column("distilling", lambda d: d.verdict if judged else None, optional=True),
    ]
    return Table(
        f"Student less control on the same rows, with {in_percent(level)} intervals.",
        columns,
        differences,
        strong=lambda d: judged and d.verdict != "no evidence",
    )


def group_table(certificate: Certificate, most: int | None = None) -> Table[GroupBound] | None:
    """A row per group: its bound, all of which hold at once; of many the ``most`` largest.

    Parameters
    ----------
    certificate : Certificate
        Its groups make the rows.
    most : int, optional
        Most groups in the table.
    """
    groups = certificate.groups
    if not groups:
        return None
    cut = most is not None and len(groups) > most
    rows = sorted(groups, key=lambda g: -g.epsilon)[:most] if cut else groups
    off = "beyond the\ntolerance" if certificate.loss == "exceeds" else "mean\nloss"
    columns: list[Column[GroupBound]] = [
        Column("group", lambda g: g.group, "largest bounds" if cut else "group", wrap=True),
        Column("rows", lambda g: g.n, align="right"),
        Column("mean_loss", lambda g: g.mean_loss, off, format=percent, align="right"),
        Column(
            "certified",
            lambda g: g.epsilon,
            f"certified:\nat most ({sure(certificate)}, all at once)",
            format=_at_most,
            align="right",
            drawing=Drawing("bar", top=1.0),
        ),
    ]
    return Table(
        f"Bounds by group; all hold at once with probability at least {sure(certificate)}.",
        columns,
        rows,
    )


def size_table(result: DistillationRecord) -> Table[Any] | None:
    """A row per size of the student: its agreement, and the cost of the search."""
    if not result.frontier:
        return None
    chosen = result.student.size
    columns: list[Column[Any]] = [
        Column("size", lambda f: int(f["size"]), align="right"),
        Column("agreement", lambda f: f["agreement"], align="right"),
        Column("cost", lambda f: f["cost"], align="right", optional=True),
    ]
    return Table(
        "The best student of each size; only the chosen one is certified.",
        columns,
        result.frontier,
        strong=lambda f: f["size"] == chosen,
    )


def layer_table(result: DistillationRecord) -> Table[Any] | None:
    """How linear the answers and the tree's clauses are in each layer."""
    layers = result.trace.get("layers")
    if not layers:
        return None
    full = Drawing("bar", top=1.0)
    columns: list[Column[Any]] = [
        Column("layer", lambda r: str(r["layer"]), wrap=True),
        Column("width", lambda r: int(r["width"]), align="right"),
        Column("rank", lambda r: int(r["rank"]), align="right"),
        Column("answers_r2", lambda r: r["answers_r2"], "R² of the answers", format=_two,
               drawing=full),
        Column("clauses_r2", lambda r: r["clauses_r2"], "R² of the tree's clauses", format=_two,
               drawing=full),
    ]  # fmt: skip
    return Table(
        "Leave-one-out R² of linear probes, bars from 0 to 1; a negative R² is drawn as empty.",
        columns,
        layers,
    )


def influence_table(result: DistillationRecord) -> Table[Any] | None:
    """How often the teacher's answer changes when one variable is redrawn."""
    found = result.trace.get("influences")
    if not found:
        return None
    kept, rest = set(result.trace.get("kept", ())), result.trace.get("left_out")
    columns: list[Column[Any]] = [
        Column("variable", lambda line: line[0], wrap=True),
        Column(
            "influence",
            lambda line: _influence(line[1]),
            drawing=Drawing(top=1.0),
        ),
        Column("kept", lambda line: "kept" if line[0] in kept else "", " "),
    ]
    return Table(
        "Share of answers that change when the variable comes from another row; intervals hold"
        " simultaneously, and a number without one is that of the table itself.",
        columns,
        [*found.items(), *([("all left out, together", rest)] if rest else [])],
        strong=lambda line: line[0] in kept,
    )


def _influence(m: Mapping[str, float]) -> Measured | float:
    """With its interval where it was measured on the teacher; else that of the table."""
    value = m["influence"]
    return Measured(value, m["low"], m["high"]) if "low" in m else value


def groups_are_classes(result: DistillationRecord) -> bool:
    """Whether the groups of the certificate are the classes that the teacher predicts."""
    names = {g.group for g in result.certificate.groups}
    return names == {c.label for c in result.comparison.classes if c.rows}


def sure(certificate: Certificate) -> str:
    """With what probability the bounds of all groups hold at once."""
    return in_percent(1 - sum(g.delta for g in certificate.groups))


def _agrees(role: str, wrap: bool) -> Column[ClassAgreement]:
    def value(c: ClassAgreement) -> Measured | None:
        s = c.models[role]
        return None if s.value is None else Measured(s.value, s.low, s.high)

    return Column(f"{role}_agreement", value, f"{role} agrees\nwith the teacher", wrap=wrap,
                  drawing=Drawing(group="classes", top=1.0))  # fmt: skip


def _worst(c: ClassAgreement) -> float:
    value = c.models["student"].value
    return 1.0 if value is None else value


def _at_most(epsilon: float) -> str:
    return f"{upward(100 * epsilon)}%"


def _two(value: float) -> str:
    return decimal(value, 2)


def _signed(value: float) -> str:
    return f"+{decimal(value)}" if value > 0 else decimal(value)
