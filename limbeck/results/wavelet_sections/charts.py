"""Filters, functions and the path of a search for wavelets, drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.reports import svg
from limbeck.reports.markup import Html, tag
from limbeck.reports.numbers import decimal, percent
from limbeck.reports.scales import Scale
from limbeck.results.audit_sections.charts import path
from limbeck.results.wavelet_sections.facts import PathFacts

__all__ = ["functions_chart", "path_chart", "stems_chart", "tick"]

Vector = NDArray[np.float64]

_SIZE = (360, 236)
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 350, 24, 196


def stems_chart(name: str, before: Vector | None, after: Vector) -> Html:
    """Two filters as stems over the tap, the old one dashed and beside the new one.

    Parameters
    ----------
    name : str
        What is drawn, for screen readers.
    before : ndarray of shape (taps,), or None
        The old filter.
    after : ndarray of shape (taps,)
        The new filter.
    """
    taps = max(len(after), 0 if before is None else len(before))
    x = Scale(-0.6, taps - 0.4, _LEFT, _RIGHT, tuple(float(k) for k in _some(taps)))
    values = [0.0, *after, *(() if before is None else before)]
    y = Scale.linear(values, _BOTTOM, _TOP)
    parts = _axes(x, y, "tap", "weight")
    for kind, given, shift in (("before", before, -3.0), ("after", after, 3.0)):
        for k, weight in enumerate(() if given is None else given):
            at = x.at(k) + (shift if before is not None else 0.0)
            says = tag("title", f"{kind}, tap {k}: {decimal(weight, 4)}")
            parts.append(svg.line(at, y.at(0), at, y.at(weight), f"stem {kind}"))
            parts.append(_mark(at, y.at(weight), kind, says))
    return svg.drawing(_SIZE, f"{name}, weights of {taps} taps", *parts)


def functions_chart(
    name: str, before: tuple[Vector, Vector] | None, after: tuple[Vector, Vector]
) -> Html:
    """Two functions (x, y) over samples, the old one dashed.

    Parameters
    ----------
    name : str
        What is drawn, for screen readers.
    before : pair of ndarray of shape (m,), or None
        The old function (x, y).
    after : pair of ndarray of shape (m,)
        The new function (x, y).
    """
    pairs = [p for p in (before, after) if p is not None]
    ends = [float(v) for p in pairs for v in (p[0][0], p[0][-1])]
    x = Scale(min(ends), max(ends), _LEFT, _RIGHT, tuple(map(float, _some(int(max(ends)) + 1))))
    y = Scale.linear([0.0, *(float(v) for p in pairs for v in p[1])], _BOTTOM, _TOP)
    parts = _axes(x, y, "samples", "value")
    for kind, given in (("before", before), ("after", after)):
        if given is not None:
            points = [(x.at(a), y.at(b)) for a, b in zip(*given, strict=True)]
            parts.append(path(points, kind))
    return svg.drawing(_SIZE, name, *parts)


def path_chart(points: Sequence[PathFacts], chosen: int | None, unit: str) -> Html:
    """Share of coefficients kept against the held-out score, the chosen point ringed.

    Parameters
    ----------
    points : sequence of PathFacts
        The solutions of the path.
    chosen : int or None
        Position of the chosen one.
    unit : str
        What the score measures.
    """
    x = Scale.linear([100 * p.kept for p in points], _LEFT + 8, _RIGHT - 8, top=100.0)
    y = Scale.linear([p.score for p in points], _BOTTOM - 6, _TOP + 6, top=1.0)
    parts = _axes(x, y, "% of the coefficients kept", unit)
    for i, p in enumerate(points):
        at = (x.at(100 * p.kept), y.at(p.score))
        says = tag("title", f"{percent(p.kept)} kept, score {decimal(p.score)}; weight of TRIM"
                            f" {p.trim:g}, of sparsity {p.sparsity:g}")  # fmt: skip
        parts.append(tag("circle", says, cx=at[0], cy=at[1], r=4, class_="mark after"))
        if i == chosen:
            parts.append(tag("circle", cx=at[0], cy=at[1], r=8, class_="ring"))
    return svg.drawing(_SIZE, f"{unit} by the share of coefficients kept", *parts)


def tick(scale: Scale, value: float) -> str:
    """A tick as text, with the decimals that the step between ticks needs.

    Parameters
    ----------
    scale : Scale
        The axis.
    value : float
        A number on it.
    """
    step = scale.ticks[1] - scale.ticks[0] if len(scale.ticks) > 1 else 1.0
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    if digits > 4 or step >= 1e5:
        return f"{value:.1e}".replace("-", "−")
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")  # + 0.0: no "−0"


def _axes(x: Scale, y: Scale, along: str, up: str) -> list[Html]:
    return [
        svg.text(0, 12, up, "start"),
        *(svg.line(_LEFT, y.at(t), _RIGHT, y.at(t), "rule") for t in y.ticks),
        *(svg.line(_LEFT, y.at(t), _RIGHT, y.at(t), "zero") for t in y.ticks if abs(t) < 1e-9),
        *(svg.text(_LEFT - 6, y.at(t) + 4, tick(y, t), "end") for t in y.ticks),
        *(svg.line(x.at(t), _BOTTOM, x.at(t), _BOTTOM + 4, "axis") for t in x.ticks),
        *(svg.text(x.at(t), _BOTTOM + 17, tick(x, t)) for t in x.ticks),
        svg.text((_LEFT + _RIGHT) / 2, _SIZE[1] - 4, along),
    ]


def _mark(x: float, y: float, kind: str, says: Html) -> Html:
    if kind == "after":
        return tag("circle", says, cx=x, cy=y, r=4, class_="mark after")
    box: dict[str, Any] = {"x": x - 3, "y": y - 3, "width": 6, "height": 6}
    return tag("rect", says, **box, class_="mark before")


def _some(n: int) -> range:
    """At most about ten whole numbers from 0 to n - 1."""
    return range(0, n, next(s for s in (1, 2, 5, 10, 20, 50, n) if n <= 11 * s))
