"""Where the bins of a feature lie in a drawing, and what they are called."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from limbeck.audits.results import Shape
from limbeck.reports.scales import Scale

__all__ = ["Slots", "bin_names", "compact", "shortened", "slots"]

_MOST = 16  # levels in a drawing
_CUT, _SHORT = 16, 12  # characters of a label, where there are few and many
_FEW = 8
_APART = 50  # pixels for missing values
_WIDTH = 6.6  # pixels of a character, about


@dataclass(frozen=True)
class Slots:
    """Bins laid on pixels.

    Parameters
    ----------
    bins : tuple of int
        The bins that are drawn, in order.
    spans : tuple of (float, float)
        Where each begins and ends, in pixels.
    steps : int
        So many of the first ones touch and are drawn as one line; the others stand alone.
    ticks : tuple of (float, str)
        Pixels and labels below the drawing.
    slanted : bool
        Whether the labels need room below.
    note : str or None
        What the drawing leaves out or bends.
    """

    bins: tuple[int, ...]
    spans: tuple[tuple[float, float], ...]
    steps: int
    ticks: tuple[tuple[float, str], ...]
    slanted: bool
    note: str | None


def slots(shape: Shape, start: float, end: float) -> Slots:
    """The bins of a feature between two pixels.

    Numbers lie on a linear scale; where a few bins would take nearly all of it, all bins get equal
    widths instead and the note says so. Levels get equal widths, at most sixteen, the most
    frequent.

    Parameters
    ----------
    shape : Shape
        The bins of the feature.
    start, end : float
        The two pixels.
    """
    return _numbers(shape, start, end) if len(shape.edges) else _levels(shape, start, end)


def bin_names(shape: Shape) -> list[str]:
    """A name for each bin of a feature, such as ``25 to 30``."""
    total = len(shape.difference)
    if not len(shape.edges):
        return [str(level) for level in shape.levels[:total]]
    if _whole(shape):
        names = _counts(shape)
    else:
        edges = [compact(e) for e in shape.edges]
        names = [f"up to {edges[0]}"]
        names += [f"{a} to {b}" for a, b in pairwise(edges)]
        names.append(f"above {edges[-1]}")
    return [*names, str(shape.levels[-1]) if shape.levels else "missing"][:total]


def _whole(shape: Shape) -> bool:
    """Whether all edges lie halfway between whole numbers, as those of counts do.

    Within the rounding of float32, which bins leave room for.
    """
    edges = np.asarray(shape.edges, float)
    return bool(
        (np.abs(edges % 1 - 0.5) <= 1e-6 * np.maximum(1, np.abs(edges)).clip(max=1e5)).all()
    )


def _counts(shape: Shape) -> list[str]:
    below = [round(float(e) - 0.5) for e in shape.edges]
    names = [f"{compact(below[0])} or less"]
    for a, b in pairwise(below):
        names.append(compact(b) if b - a < 1.5 else f"{compact(a + 1)} to {compact(b)}")
    return [*names, f"{compact(below[-1] + 1)} or more"]


def compact(value: float) -> str:
    """A number with no more than five leading digits, commas between thousands."""
    if abs(value) >= 10_000:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.5g}".replace("-", "−")


def _numbers(shape: Shape, start: float, end: float) -> Slots:
    edges, inner = np.asarray(shape.edges, float), len(shape.edges) + 1
    rest = max(len(shape.difference) - inner, 0)
    last = end - _APART * rest  # a place of its own for missing values
    gaps = np.diff(edges)
    alone = 1.0 if _whole(shape) else abs(float(edges[0])) / 4 or 1.0
    usual = float(np.median(gaps)) if len(gaps) else alone
    span = float(edges[-1] - edges[0])
    even = len(gaps) > 4 and span > 40 * max(usual, 1e-12)
    if even:
        cuts = np.linspace(start, last, inner + 1)
        ticks = _apart([(float(cuts[i + 1]), compact(e)) for i, e in enumerate(edges)])
    else:
        pad = max(usual, span / 25)
        low, high = float(edges[0]) - pad, float(edges[-1]) + pad
        round_ends = Scale.linear([low, high], 0, 1)
        scale = Scale(low, high, start, last, round_ends.ticks)
        cuts = np.array([start, *(scale.at(e) for e in edges), last])
        inside = [t for t in scale.ticks if low <= t <= high]
        if _whole(shape) and any(t % 1 for t in inside):
            inside = [float(t) for t in range(math.ceil(low), math.floor(high) + 1)]
        ticks = _apart([(scale.at(t), compact(t)) for t in inside])
    spans = [(float(a), float(b)) for a, b in pairwise(cuts)]
    if rest:
        ticks = [t for t in ticks if t[0] + _WIDTH * len(t[1]) / 2 <= last]
    for k in range(rest):
        at = last + _APART * k
        spans.append((at + 16, at + 36))
        ticks.append((at + 26, _cut(bin_names(shape)[inner + k], 7)))
    note = "Bins of equal width, labelled at their edges." if even else None
    if rest:
        note = " ".join(
            [*([note] if note else []), f"Apart, at the right: {bin_names(shape)[-1]}."]
        )
    return Slots(tuple(range(len(spans))), tuple(spans), inner, tuple(ticks), False, note)


def _apart(ticks: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """The ticks whose labels leave room for one another, from the left."""
    kept: list[tuple[float, str]] = []
    for x, text in ticks:
        need = 3.6 * (len(text) + len(kept[-1][1])) + 8 if kept else 0.0
        if not kept or x - kept[-1][0] >= need:
            kept.append((x, text))
    return kept


def _levels(shape: Shape, start: float, end: float) -> Slots:
    names, total = bin_names(shape), len(shape.difference)
    shown = np.sort(np.argsort(-np.asarray(shape.count, float), kind="stable")[:_MOST])
    width = (end - start) / max(len(shown), 1)
    spans = tuple((start + i * width, start + (i + 1) * width) for i in range(len(shown)))
    labels = [_cut(names[i], _CUT if len(shown) <= _FEW else _SHORT) for i in shown]
    slanted = max(map(len, labels), default=0) * _WIDTH + 6 > width
    ticks = tuple((sum(span) / 2, label) for span, label in zip(spans, labels, strict=True))
    note = None
    if total > len(shown):
        note = f"The {len(shown)} most frequent of {total} levels; the table has all."
    return Slots(tuple(int(i) for i in shown), spans, 0, ticks, slanted, note)


def _cut(text: str, most: int) -> str:
    """A text without its middle where it is too long."""
    tail = most // 3
    return text if len(text) <= most else f"{text[: most - tail - 1]}…{text[-tail:]}"


def shortened(text: str, most: int = 30) -> str:
    """A text without its end where it is too long.

    Parameters
    ----------
    text : str
        The text.
    most : int
        Most characters.
    """
    return text if len(text) <= most else text[: most - 1] + "…"
