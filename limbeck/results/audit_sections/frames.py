"""The tables of an audit, each declared once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from limbeck.audits.group_metrics import GroupMetrics
from limbeck.audits.results import ColumnReading, Estimate, GroupFinding, Shape
from limbeck.core.measured import Measured
from limbeck.reports.numbers import count, decimal
from limbeck.reports.table import Column, Drawing, Table
from limbeck.results.audit_sections.axes import bin_names
from limbeck.results.audit_sections.facts import sure

__all__ = [
    "bin_table",
    "certain",
    "column_table",
    "differing",
    "fit_table",
    "group_table",
    "predictive_table",
    "rate_table",
    "tables",
]


def tables(audit: Any) -> dict[str, Table[Any]]:
    """All tables of an audit that have rows, the features first."""
    shapes = () if audit.differences is None else audit.differences.shapes
    found: dict[str, Table[Any]] = {
        "features": _features(shapes),
        "bins": bin_table(shapes),
        "columns": column_table(audit.columns),
        "fit": fit_table(audit),
        "groups": group_table(audit),
        "rates": rate_table(audit),
    }
    return {name: table for name, table in found.items() if table.rows}


def differing(shape: Shape) -> int:
    """In how many bins score and outcome differ, all bins of all features held at once."""
    return sum(certain(shape, i) for i in range(len(shape.count)))


def _features(shapes: Sequence[Shape]) -> Table[Shape]:
    columns: list[Column[Shape]] = [
        Column("feature", lambda s: s.feature, wrap=True),
        Column("importance", lambda s: float(s.importance), format=_two, align="right",
               drawing=Drawing("bar")),
        Column("bins", lambda s: len(s.count), align="right"),
        Column("differing_bins", differing, "bins that differ", align="right"),
        Column("largest_difference", _largest, "largest difference", format=_two,
               align="right", optional=True),
    ]  # fmt: skip
    return Table(
        "How much each feature moves the score, and where the outcome does not follow.",
        columns,
        shapes,
        strong=lambda s: differing(s) > 0,
    )


def bin_table(shapes: Sequence[Shape]) -> Table[tuple[Shape, int]]:
    """A row per bin: what score and outcome make of it, and whether they differ there."""
    columns: list[Column[tuple[Shape, int]]] = [
        *([Column("feature", lambda at: at[0].feature, wrap=True)] if len(shapes) > 1 else []),
        Column("bin", lambda at: bin_names(at[0])[at[1]], wrap=True),
        Column("rows", lambda at: float(at[0].count[at[1]]), format=count, align="right"),
        _contribution(shapes, "score", lambda s: (s.score, s.score_band)),
        _contribution(shapes, "outcome", lambda s: (s.outcome, s.outcome_band)),
        _contribution(shapes, "difference", lambda s: (s.difference, s.pointwise),
                      "difference, this bin alone"),
        _contribution(shapes, "difference_at_once", lambda s: (s.difference, s.simultaneous),
                      "all at once"),
    ]  # fmt: skip
    caption = f"What {shapes[0].feature} adds, bin by bin." if len(shapes) == 1 else "By bin."
    return Table(
        caption,
        columns,
        [(shape, i) for shape in shapes for i in range(len(shape.count))],
        strong=lambda at: certain(*at),
    )


def certain(shape: Shape, i: int) -> bool:
    """Whether score and outcome differ in a bin, all bins of all features held at once.

    Parameters
    ----------
    shape : Shape
        A feature, by bins.
    i : int
        The bin.
    """
    low, high = shape.simultaneous[i] if i < len(shape.simultaneous) else (0.0, 0.0)
    return bool(low > 0 or high < 0)


def column_table(readings: Sequence[ColumnReading]) -> Table[ColumnReading]:
    """A row per column: how it was read."""
    columns: list[Column[ColumnReading]] = [
        Column("column", lambda c: c.name, wrap=True),
        Column("used_as", lambda c: c.role, "used as"),
        Column("read_as", lambda c: c.kind or None, "read as"),
        Column("values", lambda c: c.values, align="right"),
        Column("missing", lambda c: c.missing, align="right"),
        Column("note", lambda c: c.note, wrap=True),
    ]
    return Table("Every column of the table, as the audit read it.", columns, readings)


def fit_table(audit: Any) -> Table[Any]:
    """A row per measure: how well the two models fit, on rows left out."""
    f, auc = audit.fidelity, "area under the ROC curve (AUC)"
    rows: list[tuple[str, str, Estimate | None, bool]] = [
        ("student of the score", "R²", f.score_r2, True),
        ("student of the score", f"RMSE, in units of {audit.score}", f.score_rmse, False),
        ("model of the outcome", auc, f.outcome_auc, True),
        ("model of the outcome", "log loss", f.outcome_log_loss, False),
        ("the audited score itself", auc, f.score_auc, True),
    ]
    columns: list[Column[Any]] = [
        Column("model", lambda row: row[0]),
        Column("measure", lambda row: row[1], wrap=True),
        Column("value", lambda row: _measured(row[2]), format=_fine,
               drawing=Drawing(where=lambda row: row[3])),
    ]  # fmt: skip
    return Table(
        f"Measured on rows that the fitted model had not seen. In brackets: {_level(audit)}"
        " intervals; the shares are drawn.",
        columns,
        [r for r in rows if r[2] is not None],
    )


def group_table(audit: Any) -> Table[GroupFinding]:
    """A row per group: its scores, its outcomes, and how well the student fits there."""
    share = f"share with\n{audit.outcome} = 1"
    columns: list[Column[GroupFinding]] = [
        Column("group", lambda g: _name(audit, g.group), audit.group or "group", wrap=True),
        Column("rows", lambda g: g.n, align="right"),
        Column("mean_score", lambda g: _measured(g.mean_score), "mean score", _fine,
               drawing=Drawing()),
        Column("outcome_rate", lambda g: _measured(g.outcome_rate), share, _fine,
               drawing=Drawing(), brief=True, optional=True),
        Column("calibration_gap", lambda g: _measured(g.calibration_gap),
               "outcome less calibrated score", _fine, drawing=Drawing(), optional=True,
               page_only=True),
        Column("rmse", lambda g: _measured(g.rmse), "student's error\n(RMSE)", _fine,
               drawing=Drawing(), optional=True),
    ]  # fmt: skip
    gap = " Outcome less calibrated score: above 0 the score is too low for the group."
    return Table(
        f"Intervals of one kind hold in all groups of a column at once, at {_level(audit)}."
        + (gap if any(g.outcome_rate for g in audit.groups) else ""),
        columns,
        audit.groups,
    )


def rate_table(audit: Any) -> Table[GroupMetrics]:
    """A row per group: decisions and errors, in percent."""
    heading = "errors by group" if audit.group else "errors"
    columns: list[Column[GroupMetrics]] = [
        Column("group", lambda g: _name(audit, g.name), heading, wrap=True),
        Column("rows", lambda g: g.rows, align="right", page_only=True),
        Column("selection_rate", *_rate("selection_rate", "selected\n(%)"), optional=True),
        Column("impact_ratio", lambda g: _measured(g.impact_ratio), "impact\nratio", _two,
               optional=True),
        Column("false_positive_rate", *_rate("false_positive_rate", "false positives\n(%)"),
               optional=True),
        Column("false_negative_rate", *_rate("false_negative_rate", "false negatives\n(%)"),
               optional=True),
        *(replace(c, page_only=True) for c in _predictive()),  # a table of their own in terminals
        Column("auc", lambda g: _measured(g.auc), "AUC", _two, optional=True),
    ]  # fmt: skip
    return Table(
        "Intervals of one kind hold in all groups of a column at once.",
        columns,
        audit.group_metrics,
        stacked=True,
    )


def predictive_table(audit: Any) -> Table[GroupMetrics]:
    """A row per group: predictive values; the table of errors has no room for them in terminals."""
    heading = "predictive values by group" if audit.group else "predictive values"
    group: Column[GroupMetrics] = Column(
        "group", lambda g: _name(audit, g.name), heading, wrap=True
    )
    return Table(
        "Intervals of one kind hold in all groups of a column at once.",
        [group, *_predictive()],
        audit.group_metrics,
    )


def _predictive() -> list[Column[GroupMetrics]]:
    return [
        Column(f"{sign}_predictive_value",
               *_rate(f"{sign}_predictive_value", f"{sign} predictive value (%)"), optional=True)
        for sign in ("positive", "negative")
    ]  # fmt: skip


def _rate(name: str, heading: str) -> tuple[Any, str, Any]:
    """Where a share comes from, its heading, and how it is written: in percent, without a sign."""
    return lambda g: _measured(getattr(g, name)), heading, lambda value: decimal(100 * value, 1)


def _name(audit: Any, group: str) -> str:
    """A group without the name of its column, where there is but one."""
    return group.removeprefix(f"{audit.group} ")


def _level(audit: Any) -> str:
    return sure(audit.fidelity.score_rmse.level)


def _contribution(
    shapes: Sequence[Shape], name: str, of: Any, heading: str = ""
) -> Column[tuple[Shape, int]]:
    """Values with their bands, in as many decimals as the bands of the score need."""
    largest = max((float(np.abs(s.score_band).max(initial=0.0)) for s in shapes), default=0.0)
    digits = 2 if largest == 0 else min(max(2, 1 - math.floor(math.log10(largest))), 9)

    def value(at: tuple[Shape, int]) -> Measured | None:
        values, band = of(at[0])
        if at[1] >= len(values):  # without an outcome
            return None
        return Measured(float(values[at[1]]), *map(float, band[at[1]]))

    return Column(name, value, heading, lambda number: decimal(number, digits), optional=True)


def _largest(shape: Shape) -> float | None:
    return float(abs(shape.difference).max()) if len(shape.difference) else None


def _measured(found: Estimate | None) -> Measured | None:
    return None if found is None else Measured(found.value, found.low, found.high)


def _fine(value: float) -> str:
    """Three decimals, or two digits of what is smaller than these show."""
    return f"{value:.2g}".replace("-", "−") if 1e-5 < abs(value) < 0.0095 else decimal(value)


def _two(value: float) -> str:
    return decimal(value, 2)
