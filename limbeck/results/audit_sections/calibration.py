"""The section of an audit's page on calibration, with its drawing."""

from __future__ import annotations

import numpy as np

from limbeck.audits.group_metrics import CalibrationCurve
from limbeck.audits.results import Calibration
from limbeck.reports import svg
from limbeck.reports.markup import Child, Html, definitions, join, table, tag
from limbeck.reports.numbers import NONE, count, decimal, percent
from limbeck.reports.scales import Scale, finite
from limbeck.results.audit_sections.axes import compact, shortened
from limbeck.results.audit_sections.charts import path
from limbeck.results.audit_sections.facts import AuditFacts, p_value

__all__ = ["calibration", "calibration_chart"]

_LEFT, _RIGHT, _WIDE, _HIGH, _FOOT = 46, 350, 360, 290, 246


def calibration(audit: AuditFacts) -> Html | None:
    """Whether the score says what it seems to say."""
    found = audit.calibration
    if found is None or audit.outcome is None:
        return None
    rows = [
        [_score(float(s)), count(n), percent(r), _range(lo, hi)]
        for s, n, r, lo, hi in zip(
            found.score, found.count, found.rate, found.low, found.high, strict=True
        )
    ]
    tests: list[tuple[str, Child]] = [
        ("Log-odds linear in the score", f"{p_value(found.p_linear)} (small: they are not)"),
        ("Never falling with the score", f"{p_value(found.p_monotone)} (small: they fall)"),
        ("Curve used from here on", found.method),
    ]
    figure = tag(
        "figure",
        calibration_chart(found, audit.score, audit.outcome),
        tag("figcaption", "Points: bins of the score, larger where there are more rows, with 95%"
            " intervals. Line: the fitted curve."),
    )  # fmt: skip
    bins = table(f"Share of rows with {audit.outcome} = 1 by bin of the score.",
                 ["score", "rows", "share", "95% interval"], rows, numbers=(0, 1, 2))  # fmt: skip
    return join(
        [
            tag("h2", "Calibration"),
            tag("p", found.sentence),
            tag("div", figure, class_="charts"),
            definitions(tests),
            tag("details", tag("summary", "The bins as a table"), bins, class_="rules"),
        ]
    )


def calibration_chart(found: Calibration | CalibrationCurve, score: str, outcome: str) -> Html:
    """Share of outcomes by bin of the score with intervals, and the fitted curve.

    Parameters
    ----------
    found : Calibration or CalibrationCurve
        What is drawn.
    score, outcome : str
        Their columns.
    """
    x = Scale.linear(finite(found.score), _LEFT + 8, _RIGHT - 8)
    y = Scale.linear([0.0, *finite(found.high), *finite(found.rate)], _FOOT, 20, top=1.0)
    largest = max(finite(found.count), default=1.0) or 1.0
    marks: list[Html] = []
    bins = zip(found.score, found.rate, found.low, found.high, found.count, strict=True)
    for s, rate, low, high, n in bins:
        if not np.isfinite([s, rate]).all():
            continue
        says = f"score {compact(s)}: {percent(rate)} of {count(n)} rows"
        if np.isfinite([low, high]).all():
            marks.append(svg.line(x.at(s), y.at(low), x.at(s), y.at(high), "interval"))
            says += f", interval {percent(low)} to {percent(high)}"
        size = 2.5 + 2.5 * float(np.sqrt(max(n, 0.0) / largest))
        marks.append(tag("circle", tag("title", says), cx=x.at(s), cy=y.at(rate), r=size,
                         class_="dot main"))  # fmt: skip
    fitted = [(x.at(s), y.at(_share(c))) for s, c in zip(found.score, found.curve, strict=False)
              if np.isfinite([s, c]).all()]  # fmt: skip
    return svg.drawing(
        (_WIDE, _HIGH),
        f"Share of rows with {outcome} = 1 by {score}",
        svg.text(0, 12, f"share of rows with {shortened(outcome)} = 1", "start"),
        *(svg.line(_LEFT, y.at(t), _RIGHT, y.at(t), "rule") for t in y.ticks),
        *(svg.text(_LEFT - 6, y.at(t) + 4, y.label(t), "end") for t in y.ticks),
        svg.line(_LEFT, _FOOT, _RIGHT, _FOOT, "axis"),
        *(svg.text(x.at(t), _FOOT + 16, compact(t)) for t in x.ticks),
        path(fitted, "fitted") if len(fitted) > 1 else None,
        *marks,
        svg.text((_LEFT + _RIGHT) / 2, _HIGH - 8, shortened(score, 44)),
    )


def _score(value: float) -> str:
    """Two decimals, or three digits of what is below 1: shares of rare outcomes differ there."""
    if abs(value) < 1:
        return compact(float(f"{value:.3g}"))
    return decimal(value, 2).rstrip("0").rstrip(".")


def _range(low: float, high: float) -> str:
    return f"{percent(low)} to {percent(high)}" if finite([low, high])[1:] else NONE


def _share(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(log_odds, -50, 50))))
