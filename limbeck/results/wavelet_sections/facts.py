"""What the page of a wavelet student draws, taken from a result once."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.results.distillation_record import DistillationRecord

__all__ = ["Kept", "PathFacts", "WaveletFacts", "kept_rows"]

Vector = NDArray[np.float64]
_SHOWN = 6
_ENOUGH = 2000  # rows to measure what is kept


@dataclass(frozen=True)
class PathFacts:
    """One solution of the path: weights of TRIM and of sparsity, share kept, held-out score."""

    trim: float
    sparsity: float
    kept: float
    score: float


@dataclass(frozen=True, eq=False)
class WaveletFacts:
    """Filters before and after, importances and path.

    Parameters
    ----------
    start : str
        The name of the wavelet that the search began with; empty where nothing was searched.
    before : ndarray of shape (N0,) or None
        Its low-pass filter.
    after : ndarray of shape (N,)
        The student's low-pass filter.
    bands : tuple of str
        The bands of ``share`` and ``along``.
    share : ndarray of shape (bands,)
        The share of all attribution in each band; empty where it was not measured.
    along : ndarray of shape (bands, length), (bands, height, width) or None
        Attribution by place in the signal.
    path : tuple of PathFacts
        The solutions tried, in the order in which they were found.
    chosen : int or None
        Which of them became the student.
    success : bool or None
        Whether the search itself says that it succeeded.
    starts : int
        From how many filters it set out.
    """

    start: str
    before: Vector | None
    after: Vector
    bands: tuple[str, ...]
    share: Vector
    along: Vector | None
    path: tuple[PathFacts, ...]
    chosen: int | None
    success: bool | None
    starts: int

    @classmethod
    def of(cls, result: DistillationRecord) -> Self:
        """The facts of a result whose student is a wavelet one."""
        model: Any = result.student
        trace = result.trace
        start, found = trace.get("start") or {}, trace.get("importance") or {}
        before = np.asarray(start["low"], float) if start.get("low") is not None else None
        after = np.asarray(model.filters.low, float)
        share = np.asarray(found.get("by_band") or (), float)
        along = found.get("by_time")
        path = {i: p for i, given in enumerate(trace.get("path") or ()) if (p := _point(given))}
        places = list(path)
        chosen = trace.get("chosen")
        same = before is not None and before.shape == after.shape and np.allclose(before, after)
        return cls(
            str(start.get("wavelet", "")),
            None if same else before,
            after,
            tuple(map(str, found.get("bands") or ())),
            share / (share.sum() or 1.0),
            None if along is None else np.asarray(along, float),
            tuple(path.values()),
            places.index(chosen) if chosen in places else None,
            trace.get("success"),
            int(_number(trace.get("starts"))),
        )


@dataclass(frozen=True, eq=False)
class Kept:
    """Some signals, what is kept of them, and how much of all signals is.

    Parameters
    ----------
    original, kept : ndarray of shape (n, C, L) or (n, C, H, W)
        The signals shown, and what is left of them.
    teacher, student : list of str
        The answers on them.
    energy : float
        The share of the sum of squares that is kept, over all measured rows.
    rows : int
        So many were measured.
    """

    original: Vector
    kept: Vector
    teacher: list[str]
    student: list[str]
    energy: float
    rows: int


def kept_rows(result: DistillationRecord) -> Kept:
    """Up to six rows of the holdout, spread over the teacher's answers."""
    model: Any = result.student
    held = result.holdout
    assert held is not None  # noqa: S101  (see wavelet_sections.kept)
    rows = held.rows[np.arange(min(len(held.rows), _ENOUGH))]
    shape = tuple(model.decomposition_.shape)
    original = rows.values
    kept = np.asarray(model.reconstruct(rows.values)).reshape(original.shape)
    lost = float(((original - kept) ** 2).sum()) / (float((original**2).sum()) or 1.0)
    shown = _spread(np.asarray(held.answers)[: len(rows)], result.student.task_.classifies)
    full = (len(shown), *((1,) if len(shape) == 1 else ()), *shape)
    said = np.asarray(model.predict(rows.values[shown]))
    answers = np.asarray(held.answers)[shown]
    return Kept(
        original[shown].reshape(full),
        kept[shown].reshape(full),
        [_said(v) for v in answers],
        [_said(v) for v in said],
        1 - lost,
        len(rows),
    )


def _point(given: Any) -> PathFacts | None:
    """A point of the path, where all of its numbers are known."""
    numbers = [given.get(key) for key in ("trim", "sparsity", "kept", "score")]
    known = all(v is not None and isfinite(v) for v in numbers)
    return PathFacts(*map(float, numbers)) if known else None


def _spread(answers: NDArray[Any], classes: bool) -> NDArray[np.int64]:
    """Rows from the smallest to the largest value; or from every class in turn."""
    n = len(answers)
    if not classes:
        order = np.argsort(answers, kind="stable")
        return order[np.linspace(0, n - 1, min(_SHOWN, n)).astype(np.int64)]
    names = np.unique(answers)
    rank = np.empty(n, np.int64)  # of a row among those of its class
    for name in names:
        own = np.flatnonzero(answers == name)
        rank[own] = np.arange(len(own))
    return np.sort(np.argsort(rank, kind="stable")[:_SHOWN])


def _said(value: Any) -> str:
    return (
        f"{value:.3g}".replace("-", "−") if isinstance(value, float | np.floating) else str(value)
    )


def _number(value: Any) -> float:
    """A number, or how many there are."""
    if isinstance(value, int | float):
        return float(value)
    return float(len(value)) if value is not None and hasattr(value, "__len__") else 0.0
