"""What the cross-fitted losses of many students say: who is on the front, and which to take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.contract import Student
from limbeck.selection.race import Route, Run

__all__ = ["Entrant", "entrants", "pareto", "recommended", "steadiness", "undominated"]


@dataclass(frozen=True, eq=False)
class Entrant:
    """One student of one size, with its cross-fitted loss by row."""

    route: Route
    student: Student
    losses: NDArray[np.float64]
    refits: tuple[Student, ...] = ()
    variant: str = ""

    @property
    def loss(self) -> float:
        """The mean over rows."""
        return float(self.losses.mean())


def steadiness(entrant: Entrant, values: NDArray[np.float64]) -> dict[str, int]:
    """In how many fits each column matters: the student's own, and those that left out a fold.

    Parameters
    ----------
    entrant : Entrant
        Its columns that matter in none are left out; those that matter in most come first.
    values : ndarray of shape (n, d)
        Encoded rows on which that is measured.
    """
    fits: list[Any] = [entrant.student, *entrant.refits]
    fits = [fit.measured(values) for fit in fits]
    used = [np.asarray(fit.feature_importances_) > 0 for fit in fits]
    counts = np.sum(used, axis=0)
    names = entrant.student.features_.names
    order = sorted(np.flatnonzero(counts), key=lambda j: -counts[j])
    return {names[j]: int(counts[j]) for j in order}


def entrants(runs: Sequence[Run]) -> list[Entrant]:
    """All students of all ways, each once, by size and then by loss."""
    found = []
    for run in runs:
        seen: set[str] = set()
        for budget, student in sorted(run.students.items()):
            key = student.fingerprint()
            if key not in seen:
                seen.add(key)
                found.append(
                    Entrant(
                        run.route,
                        student,
                        run.losses[budget],
                        tuple(run.refits[budget]),
                        run.variants.get(budget, ""),
                    )
                )
    return sorted(found, key=lambda e: (e.student.numbers, e.loss))


def pareto(found: Sequence[Entrant]) -> list[Entrant]:
    """Those with less loss than everything that is as small: the front, smallest first.

    Parameters
    ----------
    found : sequence of Entrant
        As `entrants` gave them.
    """
    front: list[Entrant] = []
    for entrant in sorted(found, key=lambda e: (e.student.numbers, e.loss)):
        if not front or entrant.loss < front[-1].loss:
            front.append(entrant)
    return front


def recommended(front: Sequence[Entrant], within: float = 0.0) -> Entrant:
    """The smallest whose loss is near that of the best.

    Near is ``within``, or one standard error of the paired difference if that is more (the rule of
    Breiman, Friedman, Olshen, Stone 1984, section 3.4.3, on pairs).

    Parameters
    ----------
    front : sequence of Entrant
        As `pareto` gave it.
    within : float
        A loss that does not matter.
    """
    best = front[-1]
    for entrant in front:
        gap = entrant.losses - best.losses
        error = float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else 0.0
        if gap.mean() <= max(within, error):
            return entrant
    return best


def undominated(front: Sequence[Entrant], bounds: Sequence[float], chosen: int) -> int:
    """Which to take when certificates are there: the chosen one, or one that is better in both.

    The bounds of a front hold together, so that the lowest of them may be looked for. A student
    of no more numbers with a lower bound is less to read and certified for more; of equal bounds
    the smallest is taken, since nothing tells it from the others that was seen on fresh rows.

    Parameters
    ----------
    front : sequence of Entrant
        The front.
    bounds : sequence of float
        The certified bound of each.
    chosen : int
        The place of the one that rows left out recommend.

    Returns
    -------
    int
        The place of the one to take.
    """
    sizes = [e.student.numbers for e in front]
    smaller = [i for i, size in enumerate(sizes) if size <= sizes[chosen]]
    best = min(smaller, key=lambda i: (bounds[i], sizes[i]))
    better = (bounds[best], sizes[best]) < (bounds[chosen], sizes[chosen])
    return best if better else chosen
