"""Ways to choose few rows, each beside as many random rows with the same teacher's soft labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.core.measured import Measured
from limbeck.core.progress import Progress
from limbeck.evaluation.comparison import Difference
from limbeck.evaluation.intervals import gain_over, mean_over
from limbeck.evaluation.subset_students import (
    RIDGE,
    kernel_student,
    kernel_width,
    linear_student,
)
from limbeck.samplers.subsets.by_gradients import facility_location, gradient_distances
from limbeck.samplers.subsets.by_vectors import (
    herding,
    k_center,
    k_means_prototypes,
    shares_of,
)
from limbeck.samplers.subsets.inducing_points import InducingPoints, condensed

__all__ = ["WAYS", "ChosenRows", "SubsetData", "SubsetLine", "compare_subsets"]

Vectors = NDArray[np.float64]
Places = NDArray[np.int64]
WAYS = {
    "k_means": k_means_prototypes,
    "herding": herding,
    "k_center": k_center,
    "gradients": None,
    "inducing_points": None,
}
"""Ways to choose rows; the last one moves them."""
_GRADIENT_ROWS = 2000
_FIRST = 50  # random rows by which the student of the gradients is trained, or half of all


@dataclass(frozen=True, eq=False)
class SubsetData:
    """Rows as vectors, with what the teacher says of them.

    Parameters
    ----------
    vectors, test : ndarray of shape (n, d), (t, d)
        Rows that may be chosen, and rows of the test, of about unit variance.
    soft : callable
        From positions of rows to the teacher's probabilities; asks about them.
    told : ndarray of shape (t,)
        The teacher's class of each test row.
    truth : ndarray of shape (t,), or None
        Labels of the test rows, as positions of classes.
    labels : ndarray of shape (n,), or None
        Labels of the rows, by which as many of each class are chosen.
    k : int
        Classes.
    """

    vectors: Vectors
    test: Vectors
    soft: Callable[[Places], Vectors]
    told: NDArray[np.int64]
    truth: NDArray[np.int64] | None
    labels: NDArray[np.int64] | None
    k: int


@dataclass(frozen=True, eq=False)
class ChosenRows:
    """What a way chose with one seed.

    Parameters
    ----------
    places : ndarray of shape (m,)
        Positions of the rows; of inducing points those they began at.
    weights : ndarray of shape (m,)
        How much each row counts.
    points : InducingPoints or None
        The points themselves, where rows were moved.
    asked : int
        Rows that the teacher was asked about.
    """

    places: Places
    weights: Vectors
    points: InducingPoints | None = None
    asked: int = 0


@dataclass(frozen=True)
class SubsetLine:
    """A line of the table.

    Parameters
    ----------
    way : str
        How rows were chosen.
    rows : int
        How many.
    asked : int
        Rows that the teacher was asked about.
    agreement : Measured
        With the teacher, over seeds and test rows.
    accuracy : Measured or None
        On the labels.
    gain : Difference or None
        Agreement less that of random rows with soft labels, seed by seed.
    """

    way: str
    rows: int
    asked: int
    agreement: Measured
    accuracy: Measured | None
    gain: Difference | None


def compare_subsets(
    data: SubsetData,
    ways: Sequence[str],
    m: int,
    *,
    student: str = "kernel",
    pool: int = 5000,
    seeds: int = 5,
    delta: float = 0.05,
    seed: int = 0,
    tell: Progress,
) -> tuple[tuple[SubsetLine, ...], dict[str, ChosenRows]]:
    """The table of all ways, and what each chose with the first seed.

    Each seed draws its own pool of rows, from which all ways choose. The intervals of the gains
    share ``delta``, since several ways are compared with one control.

    Parameters
    ----------
    data : SubsetData
        The rows.
    ways : sequence of str
        Some of `WAYS`.
    m : int
        Rows to choose.
    student : {"kernel", "linear"}
        What learns from them.
    pool : int
        Rows at most that are chosen from.
    seeds : int
        Repetitions.
    delta : float
        One less the level of the intervals.
    seed : int
        The first seed.
    tell : Progress
        Is told how far the work is.
    """
    names = ["random", *ways, "random, hard labels"]
    right: dict[str, list[NDArray[np.int64]]] = {name: [] for name in names}
    first: dict[str, ChosenRows] = {}
    for turn in range(seeds):
        rng = np.random.default_rng([seed, turn])
        rows = np.sort(rng.permutation(len(data.vectors))[:pool])
        gamma = kernel_width(data.vectors[rows], rng)
        for i, way in enumerate(("random", *ways)):
            tell("comparing ways to choose rows", turn * len(names) + i, seeds * len(names))
            chosen = _chosen(data, way, rows, m, gamma, student, np.random.default_rng([turn, i]))
            first.setdefault(way, chosen)
            right[way].append(_answers(data, chosen, student, gamma, turn))
            if way == "random":
                right[names[-1]].append(_answers(data, chosen, student, gamma, turn, hard=True))
    answers = {name: np.stack(found) for name, found in right.items()}
    control = (answers["random"] == data.told).astype(float)
    share = delta / max(1, len(ways))
    lines = []
    for name in names:
        own = (answers[name] == data.told).astype(float)
        gain = None
        if name != "random":
            level = share if name in ways else delta
            gain = gain_over("agreement with the teacher", own, control, level)
        accuracy = None
        if data.truth is not None:
            accuracy = mean_over((answers[name] == data.truth).astype(float), delta, (0, 1))
        asked = first[name if name in first else "random"].asked
        lines.append(SubsetLine(name, m, asked, mean_over(own, delta, (0, 1)), accuracy, gain))
    return tuple(lines), first


def _chosen(
    data: SubsetData,
    way: str,
    rows: Places,
    m: int,
    gamma: float,
    student: str,
    rng: np.random.Generator,
) -> ChosenRows:
    """What one way chooses of a pool."""
    if way == "gradients":
        return _by_gradients(data, rows, m, gamma, student, rng)
    if way == "inducing_points":
        start = _by_class(data, rows, m, rng, lambda v, c, r: r.permutation(len(v))[:c])
        targets = data.soft(rows) - 1 / data.k
        found = condensed(
            data.vectors[rows], targets, np.searchsorted(rows, start), gamma, rng, ridge=RIDGE
        )
        return ChosenRows(start, np.ones(m), found, len(rows))
    pick = WAYS.get(way) or (lambda v, c, r: r.permutation(len(v))[:c])
    return ChosenRows(_by_class(data, rows, m, rng, pick), np.ones(m), None, m)


def _by_class(
    data: SubsetData,
    rows: Places,
    m: int,
    rng: np.random.Generator,
    pick: Callable[[Vectors, int, np.random.Generator], Places],
) -> Places:
    """A choice within each class where rows have labels, else among all."""
    if data.labels is None:
        return np.sort(rows[pick(data.vectors[rows], m, rng)])
    parts = [
        rows[own][pick(data.vectors[rows[own]], count, rng)]
        for own, count in shares_of(data.labels[rows], m)
    ]
    return np.sort(np.concatenate(parts))


def _by_gradients(
    data: SubsetData,
    rows: Places,
    m: int,
    gamma: float,
    student: str,
    rng: np.random.Generator,
) -> ChosenRows:
    """Rows whose gradients stand for all, at a student of a few random rows."""
    some = np.sort(rng.permutation(rows)[:_GRADIENT_ROWS])
    begun = rng.permutation(some)[: max(2, min(_FIRST, m // 2))]
    soft = data.soft(some)
    at = linear_student(data.vectors[begun], data.soft(begun), np.ones(len(begun)), rng)
    scores = at(data.vectors[some])
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    residuals = scores / scores.sum(axis=1, keepdims=True) - soft
    places: list[Places] = []
    weights: list[Vectors] = []
    groups = [(np.arange(len(some)), m)] if data.labels is None else shares_of(
        data.labels[some], m
    )  # fmt: skip
    for own, count in groups:
        distances = gradient_distances(data.vectors[some[own]], residuals[own])
        found, stands_for = facility_location(distances, count)
        places.append(some[own][found])
        weights.append(stands_for)
    return ChosenRows(np.concatenate(places), np.concatenate(weights), None, len(some))


def _answers(
    data: SubsetData,
    chosen: ChosenRows,
    student: str,
    gamma: float,
    turn: int,
    hard: bool = False,
) -> NDArray[np.int64]:
    """The classes that a student of the chosen rows gives to the test rows."""
    if chosen.points is not None:
        predict = kernel_student(chosen.points.points, chosen.points.targets, gamma)
        return np.asarray(predict(data.test).argmax(axis=1))
    soft = data.soft(chosen.places)
    if hard:
        soft = np.eye(data.k)[soft.argmax(axis=1)]
    vectors = data.vectors[chosen.places]
    if student == "kernel":
        predict = kernel_student(vectors, soft - 1 / data.k, gamma)
    else:
        predict = linear_student(vectors, soft, chosen.weights, np.random.default_rng(turn))
    return np.asarray(predict(data.test).argmax(axis=1))
