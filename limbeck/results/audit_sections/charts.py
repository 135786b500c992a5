"""One feature of an audit, drawn: both shapes, their difference, and the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.results import Shape
from limbeck.reports import svg
from limbeck.reports.markup import Html, tag
from limbeck.reports.numbers import count, decimal
from limbeck.reports.scales import Scale, finite
from limbeck.results.audit_sections.axes import Slots, bin_names, shortened, slots

__all__ = ["has_outcome", "path", "range_of", "shape_chart"]

Vector = NDArray[np.float64]

_LEFT, _RIGHT, _WIDE = 46, 350, 360
_UPPER, _LOWER, _ROWS = (20, 140), (172, 282), (292, 314)  # both shapes, difference, rows


def range_of(shapes: Sequence[Shape]) -> tuple[list[float], list[float]]:
    """Values that the shapes, and the differences, of all features reach; rare bins left aside.

    All drawings share one scale, so that a flat feature looks flat. Bands would stretch it beyond
    use where rows are few: they count in bins that hold 95% of the rows, and no further than the
    curves themselves reach, once more on either side.
    """
    upper: list[NDArray[np.float64]] = []
    lower: list[NDArray[np.float64]] = []
    bands: tuple[list[Any], list[Any]] = ([], [])
    for s in shapes:
        order = np.argsort(-np.asarray(s.count, float), kind="stable")
        held = np.cumsum(np.asarray(s.count, float)[order])
        usual = order[: int(np.searchsorted(held, 0.95 * held[-1])) + 1] if len(order) else order
        upper.append(s.score)
        bands[0].append(s.score_band[usual])
        if has_outcome(s):
            upper.append(s.outcome)
            bands[0].append(s.outcome_band[usual])
            lower.append(s.difference)
            bands[1].append(s.simultaneous[usual])
    return _reach(upper, bands[0]), _reach(lower, bands[1])


def _reach(values: list[Vector], bands: list[NDArray[np.float64]]) -> list[float]:
    inner = [0.0, *finite(v for part in values for v in part)]
    low, high = min(inner), max(inner)
    far = [v for band in bands for v in finite(band.ravel())]
    room = high - low
    return [low, high, *(min(max(v, low - room), high + room) for v in far)]


def has_outcome(shape: Shape) -> bool:
    """Whether there is an outcome to compare with."""
    return len(shape.outcome) > 0 and bool(np.isfinite(shape.outcome).any())


def shape_chart(shape: Shape, ranges: tuple[list[float], list[float]], unit: str) -> Html:
    """Both shapes with bands; below, their difference with both bands; below, the rows.

    Parameters
    ----------
    shape : Shape
        One feature.
    ranges : pair of lists of float
        From :func:`range_of`, the same for all features.
    unit : str
        Of the contributions.
    """
    compared = has_outcome(shape)
    at = slots(shape, _LEFT + 4, _RIGHT - 4)
    down = 0 if compared else _UPPER[1] - _LOWER[1]
    y = Scale.linear(ranges[0], _UPPER[1], _UPPER[0])
    z = Scale.linear(ranges[1], _LOWER[1], _LOWER[0])
    rows, foot = (_ROWS[0] + down, _ROWS[1] + down), _ROWS[1] + down
    parts = [svg.text(0, 12, f"contribution ({unit})", "start"), *_grid(y)]
    if compared:
        parts += _curve(shape, at, y, shape.outcome, [shape.outcome_band], "outcome", "outcome")
    parts += _curve(shape, at, y, shape.score, [shape.score_band], "score", "score")
    if compared:
        parts += [svg.text(0, _LOWER[0] - 10, "score less outcome", "start"), *_grid(z)]
        bands = [shape.simultaneous, shape.pointwise]
        parts += _curve(shape, at, z, shape.difference, bands, "difference", "difference")
    parts += _counts(shape, at, rows)
    parts += [svg.line(x, foot, x, foot + 4, "axis") for x, _ in at.ticks]
    parts += [_label(x, foot, text, at.slanted) for x, text in at.ticks]
    high = foot + (104 if at.slanted else 40)
    name = shape.feature + (f" ({shape.unit})" if shape.unit else "")
    parts.append(svg.text((_LEFT + _RIGHT) / 2, high - 4, shortened(name, 44)))
    return svg.drawing((_WIDE, high), f"{shape.feature}: what it adds to the score"
                + (", to the outcome, and the difference" if compared else ""), *parts)  # fmt: skip


def _curve(shape: Shape, at: Slots, y: Scale, values: Vector, bands: list[NDArray[np.float64]],
           kind: str, name: str) -> list[Html]:  # fmt: skip
    """Steps with bands for numbers; a mark with its intervals for what stands alone."""
    out: list[Html] = []
    pairs = list(zip(at.bins, at.spans, strict=True))
    for layer, band in enumerate(bands):
        edge = [(x, b) for b, (a, e) in pairs[: at.steps] for x in (a, e)]
        ring = [(x, y.at(band[b, 1])) for x, b in edge] + [
            (x, y.at(band[b, 0])) for x, b in reversed(edge)
        ]
        if len(ring) > 2 and np.isfinite(ring).all():
            out.append(path(ring, f"band {kind} layer{layer}", close=True))
    line = [(x, y.at(values[b])) for b, (a, e) in pairs[: at.steps] for x in (a, e)]
    if line:
        out.append(path(line, f"shape {kind}"))
    shift = {"score": -3.0, "outcome": 3.0}.get(kind, 0.0)
    for b, (a, e) in pairs[at.steps :]:
        x = (a + e) / 2 + shift
        out += [
            svg.line(x, y.at(band[b, 0]), x, y.at(band[b, 1]), f"spread {kind} layer{layer}")
            for layer, band in enumerate(bands)
            if np.isfinite(band[b]).all()
        ]
        says = tag("title", _says(shape, b, name, values[b], bands[0][b]))
        box: dict[str, Any] = {"x": x - 3, "y": y.at(values[b]) - 3, "width": 6, "height": 6}
        mark = (tag("rect", says, **box, class_=f"mark {kind}") if kind == "outcome" else
                tag("circle", says, cx=x, cy=y.at(values[b]), r=3.5,
                    class_=f"mark {kind}"))  # fmt: skip
        out.append(mark)
    return out


def _counts(shape: Shape, at: Slots, rows: tuple[float, float]) -> list[Html]:
    """The rows of each bin as bars; hovering anywhere over a bin tells its numbers."""
    names, top = bin_names(shape), max(finite(shape.count), default=1.0) or 1.0
    out = [svg.line(_LEFT, rows[1], _RIGHT, rows[1], "axis"),
           svg.text(_LEFT - 6, rows[1], "rows", "end")]  # fmt: skip
    for b, (a, e) in zip(at.bins, at.spans, strict=True):
        tall = (rows[1] - rows[0]) * float(shape.count[b]) / top
        says = tag("title", f"{names[b]}: {count(shape.count[b])} rows")
        gap = min(1.0, (e - a) / 6) if at.steps else (e - a) / 4
        out.append(tag("rect", says, x=a + gap / 2, y=rows[1] - tall, height=max(tall, 0.5),
                       width=max(e - a - gap, 0.5), class_="count"))  # fmt: skip
    return out


def _grid(y: Scale) -> list[Html]:
    ends = [t for t in y.ticks if y.low - 1e-9 <= t <= y.high + 1e-9]
    zero = [t for t in ends if abs(t) < 1e-9]
    return [
        *(svg.line(_LEFT, y.at(t), _RIGHT, y.at(t), "rule") for t in ends),
        *(svg.line(_LEFT, y.at(t), _RIGHT, y.at(t), "zero") for t in zero),
        *(svg.text(_LEFT - 6, y.at(t) + 4, _tick(y, t), "end") for t in ends),
    ]


def _tick(y: Scale, t: float) -> str:
    """A tick as text, short also where steps are very fine or very coarse."""
    step = y.ticks[1] - y.ticks[0] if len(y.ticks) > 1 else 1.0
    if 0.00999 < step < 9_000:
        return y.label(t)
    figures, power = f"{t if abs(t) > step / 2 else 0.0:.1e}".split("e")
    return f"{float(figures):g}e{int(power)}".replace("-", "−").replace("0e0", "0")


def _label(x: float, foot: float, text: str, slanted: bool) -> Html:
    if not slanted:
        return svg.text(x, foot + 17, text)
    turn = f"rotate(-50 {x:.1f} {foot + 13:.1f})"
    return tag("text", text, x=x + 3, y=foot + 13, text_anchor="end", transform=turn)


def _says(shape: Shape, b: int, name: str, value: float, band: Vector) -> str:
    return (
        f"{bin_names(shape)[b]}, {name}: {decimal(value, 2)}, band {decimal(band[0], 2)} to"
        f" {decimal(band[1], 2)}; {count(shape.count[b])} rows"
    )


def path(points: Sequence[tuple[float, float]], class_: str, close: bool = False) -> Html:
    """A line through points, or round them.

    Parameters
    ----------
    points : sequence of (float, float)
        Positions in pixels.
    class_ : str
        The class of the style sheet.
    close : bool
        Whether the line goes back to its start.
    """
    drawn = "L".join(f"{a:.1f},{b:.1f}" for a, b in points)
    return tag("path", d=f"M{drawn}{'Z' if close else ''}", class_=class_)
