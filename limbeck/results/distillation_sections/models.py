"""Teacher, student, control and baselines as HTML tables with their intervals drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from limbeck.certificates.wording import upward
from limbeck.core.contract import GroupBound
from limbeck.core.measured import Measured
from limbeck.evaluation.by_class import ClassAgreement
from limbeck.evaluation.comparison import Difference
from limbeck.reports.charts import axis, bar, whisker, whisker_scale
from limbeck.reports.markup import Child, Html, join, table, tag
from limbeck.reports.numbers import NONE, count, decimal, percent
from limbeck.reports.scales import Scale
from limbeck.results.distillation_record import DistillationRecord
from limbeck.results.distillation_sections.facts import Headings

__all__ = [
    "class_table",
    "difference_table",
    "group_table",
    "influence_table",
    "layer_table",
    "model_table",
]


def model_table(result: DistillationRecord) -> Html:
    """A row a model: agreement with the teacher, and accuracy on the labels where given."""
    entries, headings = result.comparison.entries, Headings.of(result)
    others = [e for e in entries if e.role != "teacher"]
    agreement = _scale([e.agreement for e in others])
    accuracy = _scale([e.accuracy for e in entries if e.accuracy])
    rows = []
    for e in entries:
        strong = e.role == "student"
        own = "itself" if e.role == "teacher" else _measured(e.agreement, agreement, strong)
        cells: list[Child] = [e.role, tag("span", e.model, class_="name"), e.size or NONE, own]
        if headings.labels:
            cells.append(_measured(e.accuracy, accuracy, strong))
        rows.append(cells)
    level = f"{result.comparison.level:.0%}"
    return table(
        f"On the {count(result.certificate.n)} rows of the certificate, which neither student nor"
        f" control have seen. In brackets and drawn: {level} intervals.",
        ["role", "model", "size", headings.agreement, *([headings.accuracy] * headings.labels)],
        rows,
        strong=[e.role == "student" for e in entries],
        foot=["", "", "", axis(agreement), *([axis(accuracy)] * headings.labels)],
    )


def class_table(classes: Sequence[ClassAgreement], level: float) -> Html | None:
    """A row a class of the teacher: how often it is predicted, and agreement on its rows."""
    if len(classes) < 2:
        return None
    roles = [r for r in ("student", "control") if r in classes[0].models]
    every = [c.models[role] for c in classes for role in roles]
    scale = whisker_scale([v for s in every for v in (s.low, s.high)], top=1.0)
    rows = []
    for c in classes:
        cells: list[Child] = [c.label, count(c.rows), count(c.models["student"].predicted)]
        for role in roles:
            s = c.models[role]
            found = None if s.value is None else Measured(s.value, s.low, s.high)
            cells.append(_measured(found, scale, role == "student"))
        rows.append(cells)
    return table(
        f"By the class that the teacher predicts, with {level:.0%} intervals, each for itself.",
        ["class", "rows", "student predicts", *(f"{role} agrees" for role in roles)],
        rows,
        numbers=(1, 2),
        foot=["", "", "", *([axis(scale)] * len(roles))],
    )


def difference_table(
    differences: Sequence[Difference], level: float, judged: bool = True
) -> Html | None:
    """Student less control, a row a measure; without a verdict where it cannot be ``judged``."""
    if not differences:
        return None
    scale = whisker_scale([v for d in differences for v in (d.low, d.high, 0.0)])
    rows = [
        [
            d.what,
            _cell(_signed(d.value), d.low, d.high, whisker(d.value, d.low, d.high, scale, True)),
            *([d.verdict] if judged else []),
        ]
        for d in differences
    ]
    return table(
        f"Student less control on the same rows, with {level:.0%} intervals.",
        ["measure", "difference", *(["distilling"] if judged else [])],
        rows,
        foot=["", axis(scale), *([""] if judged else [])],
    )


def group_table(groups: Sequence[GroupBound], exceeds: bool) -> Html | None:
    """A bound a group."""
    if not groups:
        return None
    off = "beyond the tolerance" if exceeds else "mean loss"
    rows = [
        [g.group, count(g.n), percent(g.mean_loss), f"{upward(100 * g.epsilon)}%", bar(g.epsilon)]
        for g in groups
    ]
    sure = 100 * (1 - sum(g.delta for g in groups))
    return table(
        f"Bounds by group; all hold at once with probability at least {sure:.4g}%.",
        ["group", "rows", off, "at most", "from 0 to 100%"],
        rows,
        numbers=(1, 2, 3),
    )


def layer_table(result: DistillationRecord) -> Html | None:
    """How linear the answers and the tree's clauses are in each layer."""
    layers = result.trace.get("layers")
    if not layers:
        return None
    rows = [
        [
            str(r["layer"]),
            count(r["width"]),
            count(r["rank"]),
            join([decimal(r["answers_r2"], 2), bar(r["answers_r2"])]),
            join([decimal(r["clauses_r2"], 2), bar(r["clauses_r2"])]),
        ]
        for r in layers
    ]
    return table(
        "Leave-one-out R² of linear probes, bars from 0 to 1; a negative R² is drawn as empty.",
        ["layer", "width", "rank", "R² of the answers", "R² of the tree's clauses"],
        rows,
        numbers=(1, 2),
    )


def influence_table(result: DistillationRecord) -> Html | None:
    """How often the teacher's answer changes when one variable is redrawn."""
    found = result.trace.get("influences")
    if not found:
        return None
    kept, rest = set(result.trace.get("kept", ())), result.trace.get("left_out")
    lines = [*found.items(), *([("all left out, together", rest)] if rest else [])]
    ends = [v for _, m in lines for v in (m.get("low", m["influence"]), m.get("high", 0.0))]
    scale = whisker_scale([*ends, *(m["influence"] for _, m in lines)], top=1.0)

    def bounds(m: Mapping[str, float], strong: bool) -> Child:
        value = decimal(m["influence"])
        if "low" not in m:  # of the table, not measured on the teacher
            return value
        bar = whisker(m["influence"], m["low"], m["high"], scale, strong)
        return _cell(value, m["low"], m["high"], bar)

    rows = [[name, bounds(m, name in kept), "kept" if name in kept else ""] for name, m in lines]
    return table(
        "Share of answers that change when the variable comes from another row; intervals hold"
        " simultaneously, and a number without one is that of the table itself.",
        ["variable", "influence", ""],
        rows,
        strong=[name in kept for name, _ in lines],
        foot=["", axis(scale), ""],
    )


def _scale(shown: Sequence[Measured | None]) -> Scale:
    return whisker_scale([v for m in shown if m for v in (m.low, m.high, m.value)], top=1.0)


def _measured(m: Measured | None, scale: Scale, strong: bool) -> Child:
    if m is None:
        return NONE
    return _cell(decimal(m.value), m.low, m.high, whisker(m.value, m.low, m.high, scale, strong))


def _cell(value: str, low: float, high: float, drawing: Html) -> Html:
    between = tag("span", f"[{decimal(low)}, {decimal(high)}]", class_="range")
    return join([value, Html(" "), between, drawing])


def _signed(value: float) -> str:
    return f"+{decimal(value)}" if value > 0 else decimal(value)
