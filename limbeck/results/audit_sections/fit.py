"""The sections of an audit's page on how well the two models fit, in all and by group."""

from __future__ import annotations

from limbeck.reports.markup import Child, Html, join, tag
from limbeck.reports.numbers import percent
from limbeck.results.audit_sections.facts import AuditFacts
from limbeck.results.audit_sections.frames import fit_table, group_table

__all__ = ["explained", "fidelity", "groups"]


def fidelity(audit: AuditFacts) -> Html:
    """How well the two simple models fit, out of fold."""
    parts: list[Child] = [
        tag("h2", "How well the two models fit"),
        tag("p", explained(audit)),
        fit_table(audit).to_html(),
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
    says = [s for g in audit.groups for s in g.sentences]
    return join(
        [
            tag("h2", f"Groups of {audit.group}" if audit.group else "Groups"),
            tag("div", group_table(audit).to_html(), class_="wide"),
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
