"""The rows of an audit: what is audited, and how much evidence each row is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.results import Caveat, ColumnReading
from limbeck.core.columns import Features

__all__ = ["AuditTable"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AuditTable:
    """What is audited, n rows by d features.

    Parameters
    ----------
    frame : DataFrame
        The rows that are used, with all their columns, in the user's form.
    features : Features
        The d audited features.
    values : ndarray of shape (n, d)
        Their encoded values; NaN is missing.
    score : ndarray of shape (n,)
        The audited score, in its own units.
    outcome : ndarray of shape (n,) or None
        What happened, 0 or 1.
    groups : mapping from str to ndarray of shape (n,)
        Labels of the rows, a column each.
    score_name, outcome_name : str
        Their columns; empty where there is none.
    frequency, sampling : ndarray of shape (n,) or None
        How many people a row stands for, or the inverse of its chance of being drawn.
    case : ndarray of int64, shape (n,), or None
        The case of each row; None where every row is one.
    caveats : tuple of Caveat
        What was dropped or looks strange, and the remedy.
    dropped : tuple of (str, str)
        Columns that are not audited, and why.
    columns : tuple of ColumnReading
        How every column was read.
    counting : str
        A sentence on what counts as one case.
    """

    frame: Any
    features: Features
    values: Vector
    score: Vector
    outcome: Vector | None
    groups: dict[str, NDArray[Any]]
    score_name: str
    outcome_name: str = ""
    frequency: Vector | None = None
    sampling: Vector | None = None
    case: NDArray[np.int64] | None = None
    caveats: tuple[Caveat, ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    columns: tuple[ColumnReading, ...] = ()
    counting: str = ""

    def __len__(self) -> int:
        return len(self.score)

    @property
    def mass(self) -> Vector:
        """How much each row counts in an average: its weight, or 1."""
        for weight in (self.frequency, self.sampling):
            if weight is not None:
                return weight
        return np.ones(len(self))

    @property
    def weighted(self) -> bool:
        """Whether rows count differently."""
        return self.frequency is not None or self.sampling is not None

    @property
    def cases(self) -> NDArray[np.int64]:
        """The case of each row, from 0 on."""
        return np.arange(len(self)) if self.case is None else self.case

    @property
    def evidence(self) -> Vector:
        """The mass, scaled to sum to the number of independent cases that it is worth.

        With frequency weights that is the number of people. With sampling weights or cases it is
        the effective number ``(sum W)^2 / sum W^2`` (Kish 1965), ``W`` the mass of a case.
        """
        mass = self.mass
        if self.frequency is not None:
            return mass
        total = np.bincount(self.cases, weights=mass)
        return np.asarray(mass * (total.sum() / (total**2).sum()))

    def redraw(self, rng: np.random.Generator) -> Vector:
        """The mass of each row in one bootstrap sample of cases (n,)."""
        if self.frequency is not None:
            return rng.poisson(self.frequency).astype(np.float64)
        cases = self.cases
        m = int(cases.max()) + 1
        times = rng.multinomial(m, np.full(m, 1 / m))[cases]
        return np.asarray(times * self.mass)

    def take(self, at: NDArray[np.intp]) -> AuditTable:
        """The rows with these numbers (m,), which may repeat."""

        def of(column: Any) -> Any:
            return None if column is None else column[at]

        return replace(
            self,
            frame=self.frame.iloc[at].reset_index(drop=True),
            values=self.values[at],
            score=self.score[at],
            outcome=of(self.outcome),
            frequency=of(self.frequency),
            sampling=of(self.sampling),
            case=of(self.case),
            groups={name: labels[at] for name, labels in self.groups.items()},
        )

    def without(self, name: str) -> AuditTable:
        """The table with one feature fewer."""
        j = self.features.index(name)
        f = self.features
        kept = tuple(c for c in f.columns if c.name != name)
        dtypes = tuple(t for i, t in enumerate(f.dtypes) if i != j)
        return replace(
            self, features=Features(kept, True, dtypes), values=np.delete(self.values, j, axis=1)
        )
