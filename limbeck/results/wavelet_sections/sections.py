"""The sections of the page that a wavelet student adds: filters, importance, what is kept, path."""

from __future__ import annotations

from limbeck.reports.heat import heat
from limbeck.reports.markup import Html, box, join, tag
from limbeck.reports.numbers import count, percent
from limbeck.results.distillation_record import DistillationRecord
from limbeck.results.wavelet_sections.charts import functions_chart, path_chart, stems_chart
from limbeck.results.wavelet_sections.facts import (
    Kept,
    WaveletFacts,
    kept_rows,
)
from limbeck.results.wavelet_sections.signals import picture_map, picture_pair, signal_chart
from limbeck.signal.filters import filters_of, functions
from limbeck.students.wavelet.drawing import shares

__all__ = ["SECTIONS", "filters", "importance", "kept", "path"]

_CHANNELS = 3


def filters(result: DistillationRecord) -> Html | None:
    """The filters and their functions, before and after."""
    facts = WaveletFacts.of(result)
    low, before = facts.after, facts.before
    high = filters_of(low).high
    old_high = None if before is None else filters_of(before).high
    phi, psi = functions(low)
    old = (None, None) if before is None else functions(before)
    charts = [
        ("Low-pass filter", stems_chart("Low-pass filter", before, low)),
        ("High-pass filter", stems_chart("High-pass filter", old_high, high)),
        ("Scaling function", functions_chart("Scaling function", old[0], phi)),
        ("Wavelet", functions_chart("Wavelet", old[1], psi)),
    ]
    return join(
        [
            tag("h2", "The wavelet"),
            tag("p", _said_of_filters(facts)),
            tag("div", *(tag("figure", tag("h3", n), c) for n, c in charts), class_="charts"),
            _legend(("line", "the student's"), ("line before", facts.start or "before"))
            if before is not None
            else None,
        ]
    )


def importance(result: DistillationRecord) -> Html | None:
    """What the teacher uses, by band and by time."""
    facts = WaveletFacts.of(result)
    if not len(facts.share) or len(facts.bands) != len(facts.share):
        return None
    first = int(facts.share.argmax())
    says = (
        f"The teacher's answers move most with {facts.bands[first]}: it has"
        f" {percent(facts.share[first])} of all attribution. Attribution is TRIM's: how far the"
        " answer moves with a coefficient, over all rows."
    )
    drawn = shares("Share of the absolute attribution, by band.",
                     dict(zip(facts.bands, map(float, facts.share), strict=True)))  # fmt: skip
    return join([tag("h2", "What the teacher uses"), tag("p", says), drawn, _along(facts)])


def kept(result: DistillationRecord) -> Html | None:
    """The signals, and what is left of them."""
    if result.holdout is None:
        return None
    found, model = kept_rows(result), result.student
    images = found.original.ndim == 4
    what = "pictures" if images else "signals"
    says = (
        f"The student reads {count(model.size)} coefficients. Made of nothing else, the {what}"
        f" keep {percent(max(found.energy, 0.0))} of their energy, the sum of squares"
        f" (over {count(found.rows)} holdout rows). What is gone does not bear on its answers."
    )
    drawn = _pictures(found) if images else _signals(found)
    legend = None if images else _legend(("line original", "signal"), ("line", "what is kept"))
    return join([tag("h2", f"The {what}, and what is kept of them"), tag("p", says), legend, drawn])


def path(result: DistillationRecord) -> Html | None:
    """Sparsity against prediction."""
    facts = WaveletFacts.of(result)
    if len(facts.path) < 2:
        return None
    task = result.student.task_
    unit = "cross-validated score" if task.classifies else "cross-validated R²"
    ring = join([tag("span", class_="key ring"), " the one chosen"])
    says = join(
        [
            f"Each point is the wavelet found at one weight of sparsity and one of TRIM,"
            f" {len(facts.path)} in all; up is a better student, left a sparser one. ",
            ring if facts.chosen is not None else None,
            "." if facts.chosen is not None else None,
        ]
    )
    drawn = tag("figure", path_chart(facts.path, facts.chosen, unit))
    return join(
        [tag("h2", "Sparsity against prediction"), tag("p", says),
         tag("div", drawn, class_="charts")]
    )  # fmt: skip


SECTIONS = (filters, importance, kept, path)


def _said_of_filters(facts: WaveletFacts) -> str:
    if facts.before is None:
        known = f" those of {facts.start}, and" if facts.start else ""
        return f"The student's filters are{known} as they were given."
    origin = f" from {facts.starts} starts" if facts.starts > 1 else ""
    out = f"The search{origin} changed the filters of {facts.start or 'the first wavelet'}."
    if facts.success is True:
        out += " By its own measure it succeeded."
    elif facts.success is False:
        out += " By its own measure it did not succeed: another run may find a better wavelet."
    return out + (
        " The low-pass filter makes the smooth part of a signal and the high-pass filter its"
        " details; applied again and again they are the two functions below."
    )


def _along(facts: WaveletFacts) -> Html | None:
    if facts.along is None or len(facts.along) != len(facts.bands):
        return None
    if facts.along.ndim == 2:
        drawn = heat(facts.bands, list(facts.along), "sample")
        says = "Absolute attribution by band and time, mean over the rows; stronger colour is more."
        return tag("figure", box(drawn, says), tag("figcaption", says))
    top = float(facts.along.max()) or 1.0
    maps = [
        tag("figure", tag("h3", name), picture_map(own, top, f"{name}: attribution"), class_="map")
        for name, own in zip(facts.bands, facts.along, strict=True)
    ]
    says = "Mean absolute attribution over the picture, by band; stronger colour is more."
    return join([tag("p", says), tag("div", *maps, class_="charts")])


def _signals(found: Kept) -> Html:
    n, channels, _ = found.original.shape
    shown = min(channels, _CHANNELS)
    figures = []
    for i in range(n if shown == 1 else max(2, n // shown)):
        for c in range(shown):
            name = _answers(found, i) + (f", channel {c + 1}" if channels > 1 else "")
            drawn = signal_chart(found.original[i, c], found.kept[i, c], name)
            figures.append(tag("figure", drawn, tag("figcaption", name), class_="signal"))
    note = None
    if channels > shown:
        note = tag("p", f"The first {shown} of {channels} channels.")
    return join([tag("div", *figures, class_="charts"), note])


def _pictures(found: Kept) -> Html:
    figures = [
        tag("figure", picture_pair(found.original[i], found.kept[i], _answers(found, i)),
            tag("figcaption", _answers(found, i)), class_="pair")
        for i in range(len(found.original))
    ]  # fmt: skip
    says = "Left the picture, right what is kept of it."
    return join([tag("p", says), tag("div", *figures, class_="charts")])


def _answers(found: Kept, i: int) -> str:
    return f"teacher {found.teacher[i]}, student {found.student[i]}"


def _legend(*keys: tuple[str, str]) -> Html:
    return tag(
        "p", *(join([tag("span", class_=f"key {kind}"), f" {name}  "]) for kind, name in keys),
        class_="legend",
    )  # fmt: skip
