"""The sections of an audit's page on single features: how score and outcome use them."""

from __future__ import annotations

import numpy as np

from limbeck.audits.results import Differences, Shape
from limbeck.reports.markup import Html, join, tag
from limbeck.reports.numbers import count
from limbeck.results.audit_sections.axes import slots
from limbeck.results.audit_sections.charts import has_outcome, range_of, shape_chart
from limbeck.results.audit_sections.facts import AuditFacts, sure
from limbeck.results.audit_sections.frames import bin_table

__all__ = ["differences", "numbers"]

_MOST = 40  # drawings; the tables have all features


def differences(audit: AuditFacts) -> Html | None:
    """Ranked sentences, then each feature's shapes."""
    found = audit.differences
    if found is None or not found.shapes:
        return None
    if not any(_drawable(s) for s in found.shapes):
        return join([tag("h2", "Score and outcome, feature by feature"), _sentences(found)])
    compared = any(has_outcome(s) for s in found.shapes)
    unit = "log-odds" if compared else "units of the score"
    ranges = range_of(found.shapes)
    drawn = [_figure(s, ranges, unit) for s in found.shapes[:_MOST]]
    left = len(found.shapes) - len(drawn)
    return join(
        [
            tag("h2", "Score and outcome, feature by feature" if compared
                else "What the score does, feature by feature"),
            _sentences(found),
            _legend(found, compared),
            tag("div", *drawn, class_="charts shapes"),
            tag("p", f"The {count(left)} features of least importance are in the tables only.")
            if left else None,
        ]
    )  # fmt: skip


def numbers(audit: AuditFacts) -> Html | None:
    """Every bin of every feature, at the end of the page."""
    found = audit.differences
    if found is None or not any(_drawable(s) for s in found.shapes):
        return None
    level = sure(found.level)
    says = (
        f"Each bin with its {level} bands in brackets. Bold: the band that holds for all bins of"
        " all features at once leaves zero out."
    )
    return join(
        [
            tag("h2", "All features in numbers"),
            tag("p", says),
            *(_numbers(s) for s in found.shapes),
        ]
    )


def _drawable(shape: Shape) -> bool:
    return bool(np.isfinite(shape.score).all())


def _sentences(found: Differences) -> Html:
    if not found.sentences:
        return tag("p", "Nothing can be told of single features.")
    return tag("ol", *(tag("li", s) for s in found.sentences))


def _legend(found: Differences, compared: bool) -> Html:
    level = sure(found.level)
    key = [tag("span", class_="key"), " the student of the score; "]
    if compared:
        key += [tag("span", class_="key other"), " the model of the outcome (dashed); "]
    text = (
        f"shaded: {level} pointwise bands over {count(found.bags)} bags of rows."
        if not compared
        else f"shaded: {level} bands over {count(found.bags)} bags of rows. Below, score less"
        " outcome: the dark band holds for one bin at a time, the light one for all bins of all"
        " features at once. Both compare a bin with the feature's average; the sentences compare"
        " two bins with each other."
    )
    rest = (
        " Grey: rows by bin. All features share one scale; wide bands may be cut off at the frame,"
        " and are whole in the tables."
    )
    return tag("p", *key, text + rest, class_="legend")


def _figure(shape: Shape, ranges: tuple[list[float], list[float]], unit: str) -> Html:
    note = slots(shape, 0, 100).note
    return tag(
        "figure",
        tag("h3", shape.feature),
        shape_chart(shape, ranges, unit),
        tag("figcaption", note) if note else None,
    )


def _numbers(shape: Shape) -> Html:
    """Every bin of a feature with its bands, folded away."""
    where = f" ({shape.unit})" if shape.unit else ""
    return tag(
        "details",
        tag("summary", f"{shape.feature}{where}: {len(shape.count)} bins"),
        bin_table([shape]).to_html(),
        class_="rules",
    )
