"""Tests of the form "at least m of these n conditions hold", and how they are found.

A test grows from the best single conditions by two operators, m-of-(n + 1) and (m + 1)-of-(n + 1),
in a beam (Murphy and Pazzani 1991, ID2-of-3; Craven and Shavlik 1996 in TREPAN).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from limbeck.core.columns import Features
from limbeck.students.rules.clause import Clause

__all__ = ["BeamSettings", "CountTest", "best_test"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class CountTest:
    """Whether at least m of n conditions hold; one that is asked of a missing value does not.

    Parameters
    ----------
    m : int
        How many must hold.
    literals : tuple of n Clause
        Each of one condition, on different columns.
    """

    m: int
    literals: tuple[Clause, ...]

    @property
    def numbers(self) -> int:
        """Thresholds and levels, and m where there are several conditions."""
        return sum(c.numbers for c in self.literals) + (len(self.literals) > 1)

    def holds(self, values: Matrix) -> NDArray[np.bool_]:
        """Which of the encoded rows (n, d) pass, shape (n,)."""
        if len(self.literals) == 1:
            return self.literals[0].holds(values)
        count = np.zeros(len(values), dtype=np.int16)
        for literal in self.literals:
            count += literal.holds(values)
        return np.asarray(count >= self.m)

    def settled(self, values: Matrix) -> CountTest:
        """With thresholds midway between the values of rows; see `Clause.settled`."""
        return replace(self, literals=tuple(c.settled(values) for c in self.literals))

    def as_printed(self, digits: int | None = None, exact: bool = False) -> CountTest:
        """With thresholds as they are printed; see `Clause.as_printed`.

        Parameters
        ----------
        digits, exact
            As there.
        """
        return replace(self, literals=tuple(c.as_printed(digits, exact) for c in self.literals))

    def words(self) -> str:
        """The test in words."""
        said = [c.words() for c in self.literals]
        if len(said) == 1:
            return said[0]
        many = "all" if self.m == len(said) else "any" if self.m == 1 else f"at least {self.m}"
        return f"{many} of ({'; '.join(said)})"

    def to_dict(self) -> dict[str, Any]:
        """What :meth:`from_dict` reads, ready for JSON."""
        return {"m": self.m, "of": [c.to_list()[0] for c in self.literals]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], features: Features) -> CountTest:
        """Read what :meth:`to_dict` gave.

        Parameters
        ----------
        data : mapping
            A test.
        features : Features
            The columns.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a field is lacking or wrong.
        """
        literals = tuple(Clause.from_list([entry], features) for entry in data["of"])
        m = data["m"]
        if not isinstance(m, int) or isinstance(m, bool) or not 1 <= m <= len(literals):
            raise ValueError(f"{m!r} of {len(literals)} conditions cannot be asked for")
        return cls(m, literals)


@dataclass(frozen=True)
class BeamSettings:
    """How tests are looked for.

    Parameters
    ----------
    width : int
        Of the beam.
    most : int
        The most conditions of one test; 1 for ordinary splits.
    p_value : float
        A condition is added only if the distribution in a branch changes by a test at this level.
    price : float
        Gains are compared per numbers of the test to this power; 0 leaves size out.
    """

    width: int = 2
    most: int = 10
    p_value: float = 0.05
    price: float = 0.0


class LiteralTable(NamedTuple):
    """Candidate conditions: their columns, which rows (n) satisfy each, and as clauses."""

    column: NDArray[np.int64]
    truth: NDArray[np.float32]  # (n, l)
    clauses: Sequence[Clause]  # each of one condition


@dataclass(frozen=True)
class _State:
    """A test on the way: its literals, how many hold for each row, its gain."""

    m: int
    literals: tuple[int, ...]
    count: NDArray[np.int16]
    gain: float


def best_test(
    table: LiteralTable, stats: Matrix, classes: int, settings: BeamSettings
) -> tuple[CountTest, float] | None:
    """The test with the largest gain; None where none gains anything.

    Parameters
    ----------
    table : LiteralTable
        The conditions.
    stats : ndarray of shape (n, q)
        See :func:`limbeck.students.rules.search.statistics`.
    classes : int
        The number of classes; 0 for values.
    settings : BeamSettings
        How far to look.

    Returns
    -------
    test : CountTest
    gain : float
        Information gain, or the squared error that it saves, times the weight of the rows.
    """
    if not len(table.clauses):
        return None
    beam = _Beam(table, stats, classes, settings)
    found = beam.run()
    if found is None:
        return None
    literals = tuple(table.clauses[i] for i in sorted(found.literals))  # in order of columns
    return CountTest(found.m, literals), found.gain


def uncertainty(classes: int) -> Any:
    """Weight times entropy, or the squared error, of statistics (q, ...).

    Parameters
    ----------
    classes : int
        The number of classes; 0 for values.
    """

    def entropy(s: Matrix) -> Matrix:
        s = np.maximum(s, 1e-12)
        total = s.sum(axis=0)
        return np.asarray(total * np.log(total) - (s * np.log(s)).sum(axis=0))

    def squared(s: Matrix) -> Matrix:
        return np.asarray(np.maximum(s[2] - s[1] ** 2 / np.maximum(s[0], 1e-9), 0.0))

    return entropy if classes else squared


class _Beam:
    """The search of one node."""

    def __init__(
        self, table: LiteralTable, stats: Matrix, classes: int, settings: BeamSettings
    ) -> None:
        self.table, self.classes, self.settings = table, classes, settings
        self.stats = stats.astype(np.float32)
        self.cost = uncertainty(classes)
        self.whole = stats.sum(axis=0)
        self.least = 1e-6 * float(self.cost(self.whole)) + 1e-12
        self.numbers = np.ones(len(table.clauses), dtype=np.int64)  # a threshold or level each

    def run(self) -> _State | None:
        """The best test, by gain per number."""
        beam = self._singles()
        if not beam:
            return None
        best = max(beam, key=self._score)
        while beam and len(beam[0].literals) < self.settings.most:
            beam = self._wider(beam)
            best = max([best, *beam], key=self._score)
        return self._shorter(best)

    def _score(self, state: _State) -> float:
        numbers = self.numbers[list(state.literals)].sum() + (len(state.literals) > 1) + 1
        return float(state.gain / numbers**self.settings.price)

    def _gains(self, true: Matrix) -> Matrix:
        """Gain by test from the statistics of the rows that pass it, (q, ...)."""
        whole = self.whole.reshape(-1, *(1,) * (true.ndim - 1))
        gain = self.cost(whole) - self.cost(true) - self.cost(whole - true)
        return np.asarray(gain)

    def _singles(self) -> list[_State]:
        """The best condition, and the best ones of other columns."""
        gain = self._gains((self.stats.T @ self.table.truth).astype(np.float64))
        found: list[_State] = []
        taken: set[int] = set()
        for i in np.argsort(-gain, kind="stable").tolist():
            if gain[i] <= self.least or len(found) == self.settings.width:
                break
            if int(self.table.column[i]) not in taken:
                taken.add(int(self.table.column[i]))
                count = self.table.truth[:, i].astype(np.int16)
                found.append(_State(1, (i,), count, float(gain[i])))
        return found

    def _wider(self, beam: list[_State]) -> list[_State]:
        """The best tests with one condition more that are better than what they grew from."""
        found: list[tuple[float, int, _State, int]] = []
        for state in beam:
            used = np.isin(self.table.column, self.table.column[list(state.literals)])
            for more in (0, 1):  # m-of-(n + 1), then (m + 1)-of-(n + 1)
                passed = state.count >= state.m + more
                edge = np.flatnonzero(state.count == state.m + more - 1)
                base = self.stats[passed].sum(axis=0, dtype=np.float64)[:, None]
                true = base + self.stats[edge].T @ self.table.truth[edge]
                gain = self._gains(true)
                gain[used] = -np.inf
                for i in np.argsort(-gain, kind="stable")[: 4 * self.settings.width].tolist():
                    if gain[i] > state.gain + self.least:
                        found.append((float(gain[i]), i, state, more))
        found.sort(key=lambda f: -f[0])
        out: list[_State] = []
        seen: set[tuple[int, frozenset[int]]] = set()
        for gain_i, i, state, more in found:
            key = (state.m + more, frozenset((*state.literals, i)))
            if len(out) == self.settings.width:
                break
            if key in seen:
                continue
            count = state.count + self.table.truth[:, i].astype(np.int16)
            new = _State(state.m + more, (*state.literals, i), count, gain_i)
            if self._changes(state, new):
                seen.add(key)
                out.append(new)
        return out

    def _changes(self, old: _State, new: _State) -> bool:
        """Whether the distribution of answers changes in either branch, by a test."""
        before, after = old.count >= old.m, new.count >= new.m
        return any(
            _differs(self.stats[a], self.stats[b], self.classes, self.settings.p_value)
            for a, b in ((before, after), (~before, ~after))
        )

    def _shorter(self, state: _State) -> _State:
        """Without the conditions that cost no gain."""
        for i in state.literals if len(state.literals) > 1 else ():
            for m in (state.m, state.m - 1):
                rest = tuple(j for j in state.literals if j != i)
                if not 1 <= m <= len(rest):
                    continue
                count = state.count - self.table.truth[:, i].astype(np.int16)
                true = self.stats[count >= m].sum(axis=0, dtype=np.float64)
                gain = float(self._gains(true))
                if gain >= state.gain - self.least:
                    return self._shorter(_State(m, rest, count, gain))
        return state


def _differs(old: Any, new: Any, classes: int, p_value: float) -> bool:
    """A chi-square test of class counts, or Welch's t-test of means, of two groups of rows."""
    a, b = old.sum(axis=0, dtype=np.float64), new.sum(axis=0, dtype=np.float64)
    if not classes and min(a[0], b[0]) <= 1e-9:
        return bool(max(a[0], b[0]) > 1e-9)
    if classes:
        counts = np.array([a, b])
        counts = counts[:, counts.sum(axis=0) > 1e-9]
        if counts.shape[1] < 2 or (counts.sum(axis=1) <= 1e-9).any():
            return bool(counts.sum(axis=1).min() <= 1e-9)
        expected = counts.sum(axis=1)[:, None] * counts.sum(axis=0) / counts.sum()
        statistic = ((counts - expected) ** 2 / expected).sum()
        return bool(special.chdtrc(counts.shape[1] - 1, statistic) < p_value)
    from scipy import stats as tests

    mean, variance = (
        [s[1] / s[0] for s in (a, b)],
        [s[2] / s[0] - (s[1] / s[0]) ** 2 for s in (a, b)],
    )
    return bool(
        tests.ttest_ind_from_stats(
            mean[0], max(variance[0], 1e-12) ** 0.5, max(a[0], 2), mean[1],
            max(variance[1], 1e-12) ** 0.5, max(b[0], 2), equal_var=False,
        ).pvalue < p_value
    )  # fmt: skip
