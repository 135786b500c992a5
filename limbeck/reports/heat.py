"""A map of strengths: a line of cells for each band, stronger in colour where there is more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from limbeck.reports import svg
from limbeck.reports.markup import Html, tag
from limbeck.reports.numbers import decimal

__all__ = ["heat", "pooled"]

_LEFT, _RIGHT, _WIDE = 118, 748, 760
_ROW, _GAP = 26, 3
_MOST = 128  # cells in a line; more are averaged


def heat(names: Sequence[str], rows: Sequence[NDArray[np.float64]], unit: str) -> Html:
    """Bands below one another, each laid out over the same length.

    Parameters
    ----------
    names : sequence of str
        Of the bands.
    rows : sequence of ndarray of shape (length,)
        Strengths, 0 or more.
    unit : str
        What is along the lines.
    """
    top = max((float(row.max()) for row in rows if len(row)), default=0.0) or 1.0
    length = max(map(len, rows), default=0)
    parts: list[Html] = []
    for i, (name, row) in enumerate(zip(names, rows, strict=True)):
        y, cells = i * _ROW, pooled(np.asarray(row, float), _MOST)
        parts.append(svg.text(_LEFT - 8, y + _ROW / 2 + 3, name, "end"))
        wide = (_RIGHT - _LEFT) / len(cells)
        parts.append(tag("rect", x=_LEFT, y=y, width=_RIGHT - _LEFT, height=_ROW - _GAP,
                         class_="lane"))  # fmt: skip
        for j, value in enumerate(cells):
            if value > top / 250:
                says = tag("title", f"{name}, {_from(j, len(cells), length)}: {decimal(value, 4)}")
                parts.append(
                    tag("rect", says, x=_LEFT + j * wide, y=y, width=wide, height=_ROW - _GAP,
                        class_="heat", fill_opacity=(value / top) ** 0.5)
                )  # fmt: skip
    foot = len(rows) * _ROW
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _LEFT + share * (_RIGHT - _LEFT)
        parts += [svg.line(x, foot, x, foot + 4, "axis"),
                  svg.text(x, foot + 17, f"{share * length:.0f}")]  # fmt: skip
    parts.append(svg.text((_LEFT + _RIGHT) / 2, foot + 36, unit))
    return svg.drawing((_WIDE, foot + 42), f"Strength by band and {unit}", *parts)


def pooled(row: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most so many cells along the last axis, each the mean of neighbours.

    Parameters
    ----------
    row : ndarray of shape (..., n)
        The numbers.
    most : int
        Most cells.
    """
    if row.shape[-1] <= most:
        return row
    ends = np.linspace(0, row.shape[-1], most + 1).astype(int)
    return np.stack([row[..., a:b].mean(-1) for a, b in pairwise(ends)], -1)


def _from(j: int, cells: int, length: int) -> str:
    return f"{j * length / cells:.0f} to {(j + 1) * length / cells:.0f}"
