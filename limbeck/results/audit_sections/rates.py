"""The section of an audit's page on decisions, errors and calibration by group."""

from __future__ import annotations

from limbeck.audits.group_metrics import GroupMetrics
from limbeck.reports.markup import Child, Html, join, tag
from limbeck.results.audit_sections.calibration import calibration_chart
from limbeck.results.audit_sections.facts import AuditFacts, between
from limbeck.results.audit_sections.frames import rate_table

__all__ = ["COLUMNS", "columns_of", "four_fifths", "rates"]

COLUMNS = (
    ("selected", "selection_rate"),
    ("impact ratio", "impact_ratio"),
    ("false positives", "false_positive_rate"),
    ("false negatives", "false_negative_rate"),
    ("positive predictive value", "positive_predictive_value"),
    ("negative predictive value", "negative_predictive_value"),
    ("AUC", "auc"),
)
_MOST_CHARTS = 12


def rates(audit: AuditFacts) -> Html | None:
    """Rates of decisions and errors by group, and calibration curves."""
    if not columns_of(audit.group_metrics):
        return None
    return join(
        [
            tag("h2", "Decisions and errors by group" if audit.group else "Decisions and errors"),
            tag("p", _lead(audit)),
            tag("div", rate_table(audit).to_html(), class_="wide"),
            tag("ul", *(tag("li", s) for s in four_fifths(audit))),
            _charts(audit),
        ]
    )  # fmt: skip


def columns_of(found: tuple[GroupMetrics, ...]) -> list[tuple[str, str]]:
    """Headings and attributes of the rates that at least one group has."""
    return [(n, a) for n, a in COLUMNS if any(getattr(g, a) is not None for g in found)]


def four_fifths(audit: AuditFacts) -> list[str]:
    """Whether impact ratios are below four fifths, as far as the rows can tell."""
    out = []
    for g in audit.group_metrics:
        ratio = g.impact_ratio
        if ratio is None or ratio.value >= 1:
            continue
        says = (
            "below four fifths, also at the upper end of its interval"
            if ratio.high < 0.8
            else "not below four fifths, also at the lower end of its interval"
            if ratio.low >= 0.8
            else "and these rows cannot tell whether it is below four fifths"
        )
        name = audit.group_name(g.name)
        out.append(f"The impact ratio of {name} is {between(ratio, 2)}, {says}.")
    return out


def _lead(audit: AuditFacts) -> str:
    threshold, favourable = (audit.settings.get(k) for k in ("threshold", "favourable"))
    if threshold is None:
        return (
            "AUC: how often, of two people of whom one has the outcome, that one has the higher"
            " score. With a threshold (threshold=...) selection rates, errors and predictive"
            " values are given, too."
        )
    out = [f"Selected: {audit.score} of at least {threshold:g}."]
    if audit.outcome:
        out.append(
            f"False positives: the selected among those with {audit.outcome} = 0. False negatives:"
            f" those not selected among those with {audit.outcome} = 1."
        )
    if favourable is None:
        out.append(
            "Impact ratios need to know which decision is the favourable one"
            " (favourable='high' or 'low')."
        )
    else:
        whom = "those selected" if favourable == "high" else "those not selected"
        out.append(
            f"Impact ratio: the share of {whom}, the favourable decision, over that of the group"
            " in which it is highest. A ratio alone is no proof of discrimination, nor is its"
            " absence a proof of fairness."
        )
    return " ".join(out)


def _charts(audit: AuditFacts) -> Html | None:
    """Calibration curves of the groups, each against the curve of all rows."""
    drawn = [g for g in audit.group_metrics[1:] if g.calibration is not None][:_MOST_CHARTS]
    if not drawn or audit.outcome is None:
        return None
    figures: list[Child] = [
        tag("figure", calibration_chart(g.calibration, audit.score, audit.outcome),
            tag("figcaption", f"{audit.group_name(g.name)}: points are this group's rates, the line"
                " the curve fitted to all rows."))
        for g in drawn
        if g.calibration is not None
    ]  # fmt: skip
    return tag("div", *figures, class_="charts")
