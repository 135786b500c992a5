"""The sections of an audit's page on how well the two models fit, in all and by group."""

from __future__ import annotations

from limbeck.audits.results import Estimate
from limbeck.reports.charts import axis, whisker, whisker_scale
from limbeck.reports.markup import Child, Html, join, table, tag
from limbeck.reports.numbers import NONE, count, percent
from limbeck.reports.scales import Scale, finite
from limbeck.results.audit_sections.facts import AuditFacts, between, sure

__all__ = ["explained", "fidelity", "groups"]


def fidelity(audit: AuditFacts) -> Html:
    """How well the two simple models fit, out of fold."""
    f = audit.fidelity
    lines: list[tuple[str, str, Estimate | None, bool]] = [
        ("student", "R² for the score", f.score_r2, True),
        ("student", f"root mean squared error, in units of {audit.score}", f.score_rmse, False),
        ("model of the outcome", "area under the ROC curve", f.outcome_auc, True),
        ("model of the outcome", "log loss", f.outcome_log_loss, False),
        ("the audited score itself", "area under the ROC curve", f.score_auc, True),
    ]
    kept = [line for line in lines if line[2] is not None]
    scale = whisker_scale([v for *_, e, unit in kept if e and unit for v in (e.low, e.high)])
    rows = [
        [who, tag("span", what, class_="name"), _estimate(e, scale if unit else None)]
        for who, what, e, unit in kept
    ]
    drawn = table(
        f"Measured on rows that the fitted model had not seen. In brackets: {sure(_level(audit))}"
        " intervals; the shares are drawn.",
        ["model", "measure", "value"],
        rows,
        foot=["", "", axis(scale)],
    )
    parts: list[Child] = [
        tag("h2", "How well the two models fit"),
        tag("p", explained(audit)),
        drawn,
    ]
    if audit.certificate is not None:
        c = audit.certificate
        parts += [
            tag("h3", "Certificate of the student's error"),
            tag("blockquote", c.statement),
            tag("p", "It holds if:"),
            tag("ul", *(tag("li", a) for a in c.assumptions)),
        ]
    return join(parts)


def groups(audit: AuditFacts) -> Html | None:
    """Fidelity and calibration by group."""
    if not audit.groups:
        return None
    outcome = any(g.outcome_rate for g in audit.groups)
    columns: list[tuple[str, list[Estimate | None]]] = [
        ("mean score", [g.mean_score for g in audit.groups])
    ]
    if outcome:
        columns.append((f"share with {audit.outcome} = 1", [g.outcome_rate for g in audit.groups]))
        columns.append(("outcome less calibrated score", [g.calibration_gap for g in audit.groups]))
    columns.append(("student's error (RMSE)", [g.rmse for g in audit.groups]))
    scales = [_around(found) for _, found in columns]
    rows = [
        [audit.group_name(g.group), count(g.n), *(_estimate(found[i], s) for (_, found), s in
                                zip(columns, scales, strict=True))]
        for i, g in enumerate(audit.groups)
    ]  # fmt: skip
    says = [s for g in audit.groups for s in g.sentences]
    return join(
        [
            tag("h2", f"Groups of {audit.group}" if audit.group else "Groups"),
            _wide(
                f"Intervals of one kind hold in all groups of a column at once, at"
                f" {sure(_level(audit))}."
                + (" Outcome less calibrated score: above 0 the score is too low for the group."
                   if outcome else ""),
                ["group", "rows", *(name for name, _ in columns)],
                rows,
                ["", "", *(axis(s) for s in scales)],
            ),
            tag("ul", *(tag("li", s) for s in says)) if says else None,
        ]
    )  # fmt: skip


def explained(audit: AuditFacts) -> str:
    """How much of the score the student explains, in a sentence."""
    r2 = audit.fidelity.score_r2
    return (
        f"Out of fold the student explains {percent(r2.value, 0)}"
        f" ({percent(r2.low, 0)} to {percent(r2.high, 0)}) of the variance of the score; what is"
        " said below of how features are used concerns that part."
    )


def _estimate(found: Estimate | None, scale: Scale | None = None, strong: bool = True) -> Child:
    """A number with its interval in brackets, drawn where there is a scale."""
    if found is None or not finite([found.value]):
        return NONE
    text = between(found)
    value, _, interval = text.partition(" ")
    if not interval:
        return value
    drawn = whisker(found.value, found.low, found.high, scale, strong) if scale else None
    return join([value, Html(" "), tag("span", interval, class_="range"), drawn])


def _wide(caption: str, head: list[str], rows: list[list[Child]], foot: list[Child]) -> Html:
    """A table whose drawings do not fit on paper."""
    return tag("div", table(caption, head, rows, foot=foot, numbers=(1,)), class_="wide")


def _around(found: list[Estimate | None]) -> Scale:
    return whisker_scale([v for e in found if e for v in (e.low, e.high, e.value)])


def _level(audit: AuditFacts) -> float:
    return audit.fidelity.score_rmse.level
