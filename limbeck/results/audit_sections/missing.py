"""The section of an audit's page on features that were not audited."""

from __future__ import annotations

import math

from limbeck.audits.results import MatchedPairsTest, MissingFeatures, ModelTest
from limbeck.reports.markup import Child, Html, definitions, join, tag
from limbeck.reports.numbers import count, decimal, percent
from limbeck.results.audit_sections.facts import AuditFacts, between, p_value

__all__ = ["missing"]

# At level 0.05, truths smooth, wiggly and in the worst cell: docs/measurements/audit_errors.md.
_FALSE_ALARMS = {"model test": (0.014, 0.046, 0.25), "published rule": (0.338, 0.412, 1.0)}
_QUESTION = "Does the score use something that was not audited?"


def missing(audit: AuditFacts) -> Html | None:
    """The three answers side by side, and what they allow."""
    found = audit.missing
    if found is None:
        none = "Without an outcome this cannot be tested. Give one, or ask for it."
        return None if audit.outcome else join([tag("h2", _QUESTION), tag("p", none)])
    lists = [
        _list("An auditor may conclude", found.may_conclude, "yes"),
        _list("An auditor may not conclude", found.may_not_conclude, "no"),
    ]
    return join(
        [
            tag("h2", _QUESTION),
            tag("p", found.sentence, class_="lead"),
            tag(
                "div",
                _matched_pairs(found.matched_pairs),
                _model(found.model),
                _published(found),
                class_="cards",
            ),
            _memorised(found),
            tag("div", *lists, class_="cards two"),
        ]
    )


def _matched_pairs(t: MatchedPairsTest) -> Html:
    kinds = {"exact": "equal in every audited feature", "near": "nearly equal in every feature",
             "none": "too few"}  # fmt: skip
    rows: list[tuple[str, Child]] = [("Cases", kinds[t.kind])]
    if t.kind != "none":
        rows += [
            ("Rows", f"{count(t.rows)} in {count(t.groups)} groups"),
            ("Spread of the score", f"{decimal(t.spread, 2)} within groups, of"
             f" {decimal(t.spread_all, 2)} in all"),
        ]  # fmt: skip
    if math.isfinite(t.p_value):
        rows.append(
            ("Score against outcome within groups", f"{p_value(t.p_value)}"
             f" ({count(t.permutations)} permutations)")
        )  # fmt: skip
    assumes = {
        "exact": "independent cases, and nothing else: within a group, any order of the outcomes is"
        " as likely as any other if the score knows nothing more. False alarms at most as often as"
        " the level says.",
        "near": "that score and outcome hardly change between near-identical cases. The test is"
        " approximate.",
        "none": "rows that agree in the audited features; here there are too few.",
    }
    counted = t.kind != "none" and not math.isfinite(t.p_value)
    return _card("Identical cases", t.sentence, None if counted else assumes[t.kind], rows)


def _model(m: ModelTest) -> Html:
    rows: list[tuple[str, Child]] = []
    if m.simulations and math.isfinite(m.p_value):
        rows = [
            ("Errors that go together", decimal(m.statistic, 2)),
            ("Calibrated", f"{p_value(m.p_value)} ({count(m.simulations)} simulated audits)"),
            ("Not calibrated", p_value(m.p_uncalibrated)),
        ]
    smooth, wiggly, worst = _FALSE_ALARMS["model test"]
    assumes = (
        "that the two fitted regressions come near the truth, or miss it as the simulated audits"
        f" do. False alarms at level 5% in simulations: {percent(smooth)} on smooth truths,"
        f" {percent(wiggly)} on wiggly ones, {percent(worst, 0)} in the worst setting; wigglier"
        " truths are worse."
    )
    return _card("A model of both sides", m.sentence, assumes if rows else None, rows)


def _published(found: MissingFeatures) -> Html:
    rows: list[tuple[str, Child]] = [(c.name, between(c.value)) for c in found.correlations]
    title, says = "The published correlations", "Correlation of the errors that both models make"
    says += " on the same rows, as published in 2018."
    if not rows:
        return _card(title, f"{says} Without an outcome there is none.", None, rows)
    smooth, wiggly, _ = _FALSE_ALARMS["published rule"]
    assumes = (
        "that both models fit perfectly. They do not, and shared misfit alone moves it from zero:"
        f" in simulations with nothing missing it left zero out in {percent(smooth, 0)} (smooth"
        f" truths) and {percent(wiggly, 0)} (wiggly). The verdict does not rest on it."
    )
    return _card(title, says, assumes, rows)


def _memorised(found: MissingFeatures) -> Html:
    m = found.memorised
    numbers = ""
    if math.isfinite(m.share):
        numbers = f" (share explained: {decimal(m.share, 2)}; {p_value(m.p_value)})"
    return tag("p", tag("strong", "Memorised scores: "), m.sentence, numbers)


def _card(title: str, says: str, assumes: str | None, rows: list[tuple[str, Child]]) -> Html:
    return tag(
        "div",
        tag("h3", title),
        tag("p", says),
        definitions(rows) if rows else None,
        tag("p", tag("em", "It assumes "), assumes, class_="assumes") if assumes else None,
        class_="card",
    )


def _list(title: str, items: tuple[str, ...], class_: str) -> Html:
    lines = [tag("li", item) for item in items] or [tag("li", "Nothing.")]
    return tag("div", tag("h3", title, class_=class_), tag("ul", *lines), class_="card")
