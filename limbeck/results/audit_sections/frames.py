"""The tables of an audit, each declared once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from limbeck.audits.group_metrics import GroupMetrics
from limbeck.audits.results import ColumnReading, Estimate, GroupFinding, Shape
from limbeck.core.measured import Measured
from limbeck.reports.numbers import decimal, percent
from limbeck.reports.table import Column, Drawing, Table
from limbeck.results.audit_sections.axes import bin_names

__all__ = ["differing", "tables"]

_RATES = {
    "selection_rate": "selected",
    "false_positive_rate": "false positives",
    "false_negative_rate": "false negatives",
    "positive_predictive_value": "positive predictive value",
    "negative_predictive_value": "negative predictive value",
}


def tables(audit: Any) -> dict[str, Table[Any]]:
    """All tables of an audit that have rows, the features first."""
    found: dict[str, Table[Any]] = {
        "features": _features(audit),
        "bins": _bins(audit),
        "columns": _columns(audit.columns),
        "fit": _fit(audit),
        "groups": _groups(audit.groups),
        "rates": _rates(audit.group_metrics),
    }
    return {name: table for name, table in found.items() if table.rows}


def differing(shape: Shape) -> int:
    """In how many bins score and outcome differ, all bins of all features held at once."""
    low, high = shape.simultaneous[:, 0], shape.simultaneous[:, 1]
    return int(((low > 0) | (high < 0)).sum())


def _features(audit: Any) -> Table[Shape]:
    columns: list[Column[Shape]] = [
        Column("feature", lambda s: s.feature, wrap=True),
        Column("importance", lambda s: float(s.importance), format=_two, align="right",
               drawing=Drawing("bar")),
        Column("bins", lambda s: len(s.count), align="right"),
        Column("differing_bins", differing, "bins that differ", align="right"),
        Column("largest_difference", _largest, "largest difference", format=_two,
               align="right", optional=True),
    ]  # fmt: skip
    found = audit.differences
    return Table(
        "How much each feature moves the score, and where the outcome does not follow.",
        columns,
        () if found is None else found.shapes,
        strong=lambda s: differing(s) > 0,
    )


def _bins(audit: Any) -> Table[tuple[Shape, int]]:
    columns: list[Column[tuple[Shape, int]]] = [
        Column("feature", lambda at: at[0].feature, wrap=True),
        Column("bin", lambda at: bin_names(at[0])[at[1]], wrap=True),
        Column("rows", lambda at: float(at[0].count[at[1]]), format=_whole, align="right"),
        _contribution("score", lambda s: s.score, lambda s: s.score_band),
        _contribution("outcome", lambda s: s.outcome, lambda s: s.outcome_band),
        _contribution("difference", lambda s: s.difference, lambda s: s.simultaneous),
    ]
    found = audit.differences
    shapes = () if found is None else found.shapes
    return Table("Contributions by bin.", columns, list(_places(shapes)))


def _columns(readings: tuple[ColumnReading, ...]) -> Table[ColumnReading]:
    columns: list[Column[ColumnReading]] = [
        Column("column", lambda c: c.name, wrap=True),
        Column("used_as", lambda c: c.role, "used as"),
        Column("read_as", lambda c: c.kind or None, "read as"),
        Column("values", lambda c: c.values, align="right"),
        Column("missing", lambda c: c.missing, align="right"),
        Column("note", lambda c: c.note, wrap=True),
    ]
    return Table("Every column of the table, as the audit read it.", columns, readings)


def _fit(audit: Any) -> Table[tuple[str, str, Estimate]]:
    f = audit.fidelity
    rows = [
        ("student of the score", "RMSE", f.score_rmse),
        ("student of the score", "R²", f.score_r2),
        ("model of the outcome", "AUC", f.outcome_auc),
        ("model of the outcome", "log loss", f.outcome_log_loss),
        ("the score itself", "AUC", f.score_auc),
    ]
    columns: list[Column[tuple[str, str, Estimate]]] = [
        Column("model", lambda row: row[0]),
        Column("measure", lambda row: row[1]),
        Column("value", lambda row: _measured(row[2])),
    ]
    return Table("Fit on rows left out.", columns, [r for r in rows if r[2] is not None])


def _groups(groups: tuple[GroupFinding, ...]) -> Table[GroupFinding]:
    columns: list[Column[GroupFinding]] = [
        Column("group", lambda g: g.group, wrap=True),
        Column("rows", lambda g: g.n, align="right"),
        Column("mean_score", lambda g: _measured(g.mean_score), "mean score", format=_two),
        Column("outcome_rate", lambda g: _measured(g.outcome_rate), "outcome", format=percent,
               optional=True),
        Column("rmse", lambda g: _measured(g.rmse), "RMSE", format=_two, optional=True),
    ]  # fmt: skip
    return Table("The score and its student by group.", columns, groups)


def _rates(found: tuple[GroupMetrics, ...]) -> Table[GroupMetrics]:
    columns: list[Column[GroupMetrics]] = [
        Column("group", lambda g: g.name, wrap=True),
        Column("rows", lambda g: g.rows, align="right"),
        *(_rate(name, heading) for name, heading in _RATES.items()),
        Column("impact_ratio", lambda g: _measured(g.impact_ratio), "impact ratio", format=_two,
               optional=True),
        Column("auc", lambda g: _measured(g.auc), "AUC", format=_two, optional=True),
    ]  # fmt: skip
    return Table("Intervals of one kind hold in all groups of a column at once.", columns, found)


def _rate(name: str, heading: str) -> Column[GroupMetrics]:
    return Column(name, lambda g: _measured(getattr(g, name)), heading, format=percent,
                  optional=True)  # fmt: skip


def _contribution(name: str, of: Any, band: Any) -> Column[tuple[Shape, int]]:
    def value(at: tuple[Shape, int]) -> Measured:
        shape, i = at
        return Measured(float(of(shape)[i]), *map(float, band(shape)[i]))

    return Column(name, value)


def _places(shapes: Any) -> Iterator[tuple[Shape, int]]:
    return ((shape, i) for shape in shapes for i in range(len(shape.count)))


def _largest(shape: Shape) -> float | None:
    return float(abs(shape.difference).max()) if len(shape.difference) else None


def _measured(found: Estimate | None) -> Measured | None:
    return None if found is None else Measured(found.value, found.low, found.high)


def _two(value: float) -> str:
    return decimal(value, 2)


def _whole(value: float) -> str:
    return f"{value:,.0f}"
