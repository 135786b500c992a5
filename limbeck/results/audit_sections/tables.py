"""An audit as text and tables in the terminal."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from limbeck.audits.results import MissingFeatures, ModelMultiplicity
from limbeck.reports.numbers import count, decimal
from limbeck.results.audit_sections.facts import AuditFacts, between, facts_of, p_value
from limbeck.results.audit_sections.frames import (
    column_table,
    fit_table,
    group_table,
    predictive_table,
    rate_table,
)
from limbeck.results.audit_sections.multiplicity import compared
from limbeck.results.audit_sections.rates import columns_of
from limbeck.results.audit_sections.summary import summary_of

__all__ = ["audit_table"]

_WARN, _STRONG = "yellow", "bold"
_FEW = 8  # sentences
_MOST_COLUMNS = 40


def audit_table(audit: Any) -> Group:
    """Caveats, fit, the answers on missing features, and the largest differences.

    Parameters
    ----------
    audit : Audit or AuditFacts
        What :func:`limbeck.audit` returned.

    Returns
    -------
    rich.console.Group
        Readable from 80 columns on.
    """
    facts = facts_of(audit)
    parts: list[RenderableType] = [
        Text(f"{facts.title}: {count(facts.rows)} rows, {_features(len(facts.features))}",
             style=_STRONG)
    ]  # fmt: skip
    if facts.caveats:
        caveats = [(c.subject, f"{c.problem} {c.remedy}", _WARN) for c in facts.caveats]
        parts += [Text(), _sentences(caveats)]
    if facts.counting:
        parts.insert(1, Text(facts.counting))
    if facts.columns:
        parts += [Text(), *_columns(facts)]
    parts += [Text(), fit_table(facts).to_rich()]
    if facts.missing is not None:
        parts += [Text(), _missing(facts.missing)]
    parts += [Text(), _sentences(_said(facts))]
    if facts.groups:
        parts += [Text(), group_table(facts).to_rich()]
    if columns_of(facts.group_metrics):
        parts += [Text(), rate_table(facts).to_rich()]
    predicted = predictive_table(facts)
    if len(predicted.shown) > 1:  # more than the groups' names
        parts += [Text(), predicted.to_rich()]
    return Group(*parts)


def _columns(facts: AuditFacts) -> list[RenderableType]:
    """How each column was read; of very many, those with a role or a note."""
    shown = facts.columns
    if len(shown) > _MOST_COLUMNS:
        shown = tuple(c for c in shown if c.role != "feature" or c.note)[:_MOST_COLUMNS]
    left = len(facts.columns) - len(shown)
    more = [Text(f"{left} more columns are in the report.", style="dim")] if left else []
    return [column_table(shown).to_rich(), *more]


def _missing(found: MissingFeatures) -> Table:
    t, m = found.matched_pairs, found.model
    table = _plain("missing features", "what was seen", "p-value")
    seen = "no identical cases" if t.kind == "none" else (
        f"{count(t.rows)} rows in {count(t.groups)} groups; spread of the score"
        f" {decimal(t.spread, 2)} of {decimal(t.spread_all, 2)}"
    )  # fmt: skip
    name = "near-identical cases" if t.kind == "near" else "identical cases"
    table.add_row(Text(name), Text(seen), Text(p_value(t.p_value)))
    table.add_row(Text("model of both sides"), Text(f"statistic {decimal(m.statistic, 2)}"),
                  Text(p_value(m.p_value)))  # fmt: skip
    published = "; ".join(f"{c.name} {between(c.value, 2)}" for c in found.correlations)
    table.add_row("published measure", Text(published or "none"), "not a test")
    table.add_row("memorised", Text("flagged" if found.memorised.flagged else "no sign"),
                  Text(p_value(found.memorised.p_value)))  # fmt: skip
    return table


def _said(facts: AuditFacts) -> list[tuple[str, str, str]]:
    rows = []
    if facts.missing is not None:
        poor = facts.missing.verdict in ("missing feature", "negative association", "memorised")
        rows.append(("verdict", facts.missing.sentence, _WARN if poor else ""))
    if facts.calibration is not None:
        rows.append(("calibration", facts.calibration.sentence, ""))
    found = facts.differences
    if found is not None:
        for i, sentence in enumerate(found.sentences[:_FEW]):
            rows.append(("" if i else "differences", sentence, ""))
        left = len(found.sentences) - _FEW
        if left > 0:
            rows.append(("", f"{left} more in the report.", ""))
    if facts.model_multiplicity is not None:
        rows.append(("near-equal fidelity", _agreed(facts.model_multiplicity), ""))
    steps = summary_of(facts).next
    return rows + [("" if i else "to do next", step, "") for i, step in enumerate(steps)]


def _agreed(found: ModelMultiplicity) -> str:
    """What holds in all students of near-equal fidelity, in the words of the page."""
    firm = [s.text for s in found.statements if s.share >= 1]
    says = f" {len(firm)} of {len(found.statements)} statements hold in all of them"
    shown = f": {' '.join(firm[:_FEW])}" if firm else "."
    left = f" {len(firm) - _FEW} more in the report." if len(firm) > _FEW else ""
    return compared(found) + (f"{says}{shown}{left}" if found.statements else "")


def _plain(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    for name in columns:
        table.add_column(Text(name), overflow="fold")
    return table


def _sentences(rows: list[tuple[str, str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=20, overflow="fold")
    table.add_column(max_width=100)
    for name, sentence, style in rows:
        # Text, not str: a column's name may hold what rich takes for markup.
        table.add_row(Text(name, style=style), Text(sentence))
    return table


def _features(n: int) -> str:
    return f"{n} feature" + ("" if n == 1 else "s")
