"""A wavelet student in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import plural
from limbeck.signal.bands import Band
from limbeck.students.additive.additive import Additive
from limbeck.students.tree.text import number, signed
from limbeck.students.wavelet.strongest import Strongest

__all__ = ["by_group", "feature_names", "text"]

_ORDER = {"size": "largest magnitudes", "value": "largest values", "place": "places"}
_SHOWN = 8


def by_group(
    bands: Sequence[Band], strongest: Strongest, each: NDArray[np.float64]
) -> Iterator[tuple[Band, NDArray[np.float64]]]:
    """Numbers of features (p,), group by group, with the band of the group.

    Parameters
    ----------
    bands : sequence of Band
        The bands of the transform.
    strongest : Strongest
        Which coefficients are features.
    each : ndarray of shape (p,)
        A number per feature.
    """
    ends = np.cumsum(strongest.counts)
    for group, end, count in zip(strongest.groups, ends, strongest.counts, strict=True):
        band = next(b for b in bands if b.start <= group.start < b.stop)
        yield band, each[end - count : end]


def feature_names(bands: Sequence[Band], strongest: Strongest) -> list[str]:
    """A name for each feature: its band, its channel where there are several, and its rank.

    Parameters
    ----------
    bands : sequence of Band
        The bands of the transform.
    strongest : Strongest
        Which coefficients are features.
    """
    several = bands[0].shape[0] > 1
    names, channel = [], dict.fromkeys(bands, 0)
    for band, part in by_group(bands, strongest, np.zeros(sum(strongest.counts))):
        channel[band] += 1
        where = f"{band.name}, channel {channel[band]}" if several else band.name
        names += [f"{where}, no. {i + 1}" for i in range(len(part))]
    return names


def text(student: Any, digits: int | None = None, exact: bool = False) -> str:
    """The wavelet, and band by band what its coefficients add, as lines.

    Parameters
    ----------
    student : WaveletStudent
        Fitted.
    digits : int, optional
        Significant digits of the weights (three by default); for a readout of bins see
        :meth:`limbeck.students.additive.additive.Additive.text`.
    exact : bool
        Print all weights, and exactly.
    """
    kept = None if exact else digits or 3
    d, s, readout, task = (
        student.decomposition_, student.strongest_, student.readout_, student.task_
    )  # fmt: skip
    what = f"log-odds of {task.classes[-1]!r}" if task.classifies else "value"
    if len(task.classes) > 2:
        what = "log-odds of each class"
    lines = [
        f"Wavelets with {len(d.low)} taps, {plural(d.levels, 'level')}, {d.boundary} boundary",
        f"{what}: {plural(student.size, 'coefficient')}, up to {s.largest} {_ORDER[s.keep]} of"
        + (f" each of {len(s.groups)} groups" if len(s.groups) > 1 else " one group"),
    ]
    if isinstance(readout, Additive):
        return "\n".join([*lines, readout.text(digits=digits, exact=exact)])
    if readout.weights.shape[1] > 1:
        found = student.importances()
        return "\n".join([*lines, *(f"{k}: {number(v)}" for k, v in found.items())])
    start = number(float(readout.intercept[0]), None if exact else digits or 4)
    lines.append(f"{start} + weights x coefficients:")
    for band, part in by_group(student.bands, s, readout.weights[:, 0]):
        some = part if exact else part[:_SHOWN]
        shown = " ".join(signed(float(w), kept) for w in some)
        lines.append(f"{band.name}: {shown}{' ...' if len(part) > len(some) else ''}")
    return "\n".join(lines)
