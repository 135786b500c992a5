"""Signals and pictures beside what is kept of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.reports import svg
from limbeck.reports.heat import pooled
from limbeck.reports.markup import Html, join, tag
from limbeck.reports.scales import Scale
from limbeck.results.audit_sections.charts import path
from limbeck.results.wavelet_sections.charts import tick

__all__ = ["picture_map", "picture_pair", "signal_chart"]

Vector = NDArray[np.float64]

_SIZE = (300, 168)
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 288, 10, 138
_SIDE = 32  # cells of a picture; finer ones are averaged
_STEPS = 24  # of grey, or of strength
_PICTURE = 112  # pixels


def signal_chart(original: Vector, kept: Vector, label: str) -> Html:
    """One signal (L,) and what is kept of it.

    Parameters
    ----------
    original, kept : ndarray of shape (L,)
        The signal, and what is kept of it.
    label : str
        What is drawn, for screen readers.
    """
    length = len(original)
    x = Scale(0, max(length - 1, 1), _LEFT, _RIGHT, ())
    y = Scale.linear([*map(float, original), *map(float, kept)], _BOTTOM, _TOP)
    ends = (0, (length - 1) // 2, length - 1)
    lines = [
        path([(x.at(i), y.at(float(v))) for i, v in enumerate(given)], kind)
        for kind, given in (("original", original), ("kept", kept))
    ]
    return svg.drawing(
        _SIZE,
        label,
        *(svg.line(_LEFT, y.at(t), _RIGHT, y.at(t), "rule") for t in y.ticks),
        *(svg.text(_LEFT - 5, y.at(t) + 4, tick(y, t), "end") for t in y.ticks),
        *(svg.text(x.at(t), _BOTTOM + 16, str(t)) for t in ends),
        *lines,
        svg.text((_LEFT + _RIGHT) / 2, _SIZE[1] - 2, "sample"),
    )


def picture_pair(original: Vector, kept: Vector, label: str) -> Html:
    """A picture (C, H, W) and what is kept of it, in the greys of the first; channels averaged.

    Parameters
    ----------
    original, kept : ndarray of shape (C, H, W)
        The picture, and what is kept of it.
    label : str
        What is drawn, for screen readers.
    """
    first, second = (_small(p.mean(axis=0)) for p in (original, kept))
    low, high = float(first.min()), float(first.max())
    side = _PICTURE / max(first.shape)
    wide, tall = side * first.shape[1], side * first.shape[0]
    parts = []
    for shift, cells in ((0.0, first), (wide + 12, second)):
        drawn = _cells((cells - low) / ((high - low) or 1.0), side, grey=True)
        parts.append(tag("g", drawn, transform=f"translate({shift:.1f} 0)"))
    return svg.drawing((int(2 * wide + 12), int(tall)), label, *parts)


def picture_map(strength: Vector, top: float, label: str) -> Html:
    """Strength (H, W) over a picture, stronger in colour where there is more.

    Parameters
    ----------
    strength : ndarray of shape (H, W)
        Attributions, 0 or more.
    top : float
        The strength that gets the full colour.
    label : str
        What is drawn, for screen readers.
    """
    cells = _small(strength)
    side = _PICTURE / max(cells.shape)
    wide, tall = side * cells.shape[1], side * cells.shape[0]
    lane = tag("rect", x=0, y=0, width=wide, height=tall, class_="lane")
    drawn = _cells((cells / top) ** 0.5, side, grey=False)
    return svg.drawing((int(wide) + 1, int(tall) + 1), label, lane, drawn)


def _small(picture: Vector) -> Vector:
    return pooled(pooled(picture, _SIDE).T, _SIDE).T


def _cells(cells: Vector, side: float, *, grey: bool) -> Html:
    """Cells from 0 to 1, as greys from black to white or as strengths of the main colour.

    One path per step, neighbours of a line joined, so that a picture stays small.
    """
    levels = np.rint(np.clip(cells, 0, 1) * _STEPS).astype(int)
    by_level: dict[int, list[str]] = {}
    for i, line in enumerate(levels):
        edges = np.flatnonzero(np.diff(line)) + 1
        for a, b in zip([0, *edges], [*edges, len(line)], strict=True):
            run = f"M{a * side:.1f} {i * side:.1f}h{(b - a) * side:.1f}v{side:.1f}H{a * side:.1f}z"
            by_level.setdefault(int(line[a]), []).append(run)
    shown = sorted(by_level.items())
    if grey:
        shades = {k: ",".join(3 * [f"{255 * k / _STEPS:.0f}"]) for k, _ in shown}
        return join(
            tag("path", d="".join(runs), class_="grey", style=f"fill:rgb({shades[k]})")
            for k, runs in shown
        )
    return join(
        tag("path", d="".join(runs), class_="heat", fill_opacity=k / _STEPS)
        for k, runs in shown
        if k
    )
