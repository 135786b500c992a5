"""The section of an audit's page on students of near-equal fidelity."""

from __future__ import annotations

import numpy as np

from limbeck.audits.results import ModelMultiplicity
from limbeck.reports.charts import bar
from limbeck.reports.markup import Child, Html, join, table, tag
from limbeck.reports.numbers import count, decimal, percent
from limbeck.results.audit_sections.facts import AuditFacts

__all__ = ["compared", "multiplicity"]


def multiplicity(audit: AuditFacts) -> Html | None:
    """What near-equal students agree on, and what they do not."""
    found = audit.model_multiplicity
    if found is None:
        return None
    parts: list[Child] = [
        tag("h2", "Models of near-equal fidelity"),
        tag("p", compared(found), " A statement that holds in all of them does not depend on which"
            " one was picked. One that holds only in some of these models is not supported by the"
            " data."),
    ]  # fmt: skip
    if found.statements:
        rows = [[s.text, percent(s.share, 0), bar(s.share)] for s in found.statements]
        parts.append(
            table("Statements, and the share of students in which they hold.",
                  ["statement", "holds in", ""], rows, numbers=(1,),
                  strong=[s.share >= 1 for s in found.statements])
        )  # fmt: skip
    if found.silent:
        names = join([tag("span", name, class_="column") for name in found.silent], ", ")
        parts.append(
            tag("p", "Nothing is stated of ", names, ": their effect on the score is less than 5%"
                " of its standard deviation, less than refitting moves it, or less than that of"
                " twelve other features. That is no proof that they have none.")
        )  # fmt: skip
    if found.rankings:
        parts.append(_ranks(found.rankings))
    return join(parts)


def compared(found: ModelMultiplicity) -> str:
    """Which students were compared."""
    return (
        f"{count(found.students)} students within {decimal(found.margin, 3)} of the best fidelity"
        " were compared, refitted on resampled rows and without some of the features."
    )


def _ranks(rankings: tuple[tuple[str, ...], ...]) -> Html:
    """The best, middle and worst place of each feature over all students."""
    names = list(dict.fromkeys(name for ranking in rankings for name in ranking))
    places = {n: [r.index(n) + 1 for r in rankings if n in r] for n in names}
    ordered = sorted(names, key=lambda n: (float(np.median(places[n])), max(places[n])))
    rows = [
        [n, count(min(places[n])), f"{float(np.median(places[n])):g}", count(max(places[n])),
         f"{count(len(places[n]))} of {count(len(rankings))}"]
        for n in ordered
    ]  # fmt: skip
    return table(
        "Place of each feature by importance, over all students.",
        ["feature", "highest", "middle", "lowest", "used by"],
        rows,
        numbers=(1, 2, 3, 4),
    )
