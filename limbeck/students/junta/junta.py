"""The junta student: a table over a few of the variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput, whole_number
from limbeck.core.printable import visible
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.reports.markup import Html, tag
from limbeck.students import files
from limbeck.students.formula import Formula
from limbeck.students.junta.mutual_information import choose
from limbeck.students.junta.table import MAX_CELLS, CellTable, cut, level, levels_of, spread
from limbeck.students.piecewise import Finder, Piecewise
from limbeck.students.targets import TaskLike, read_training
from limbeck.students.tree.text import outcome, percent, value_digits

__all__ = ["Junta"]


@STUDENTS.register("junta")
class Junta(Piecewise):
    """A function of k of the d variables, written as a table.

    Numbers are cut into bins, booleans and categories keep their levels, and "missing" is a
    level of each variable. A cell that no training row reached takes the value of the nearest
    one that was reached: fewest variables that differ, then most weight.

    Parameters
    ----------
    variables : sequence of str or int, optional
        Names or positions of the variables; chosen greedily by mutual information otherwise,
        which cannot find variables that matter only together, such as those of a parity.
    k : int
        The most variables to choose.
    bins : int
        The most bins of a number.
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.

    Attributes
    ----------
    table_ : CellTable
        The variables, edges, and values as read-only arrays.
    features_, task_, classes_, n_features_in_, feature_names_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> X = [[0, 0, 5], [0, 1, 5], [1, 0, 5], [1, 1, 5]]
    >>> junta = Junta(variables=[0, 1]).fit(X, ["same", "different", "different", "same"])
    >>> print(junta.text())
    x0      x1      outcome        share
    <= 0.5  <= 0.5  same (1)       25 %
    <= 0.5  > 0.5   different (1)  25 %
    > 0.5   <= 0.5  different (1)  25 %
    > 0.5   > 0.5   same (1)       25 %
    """

    size_unit = "cells"

    table_: CellTable

    def __init__(
        self,
        variables: Sequence[str | int] | None = None,
        k: int = 3,
        bins: int = 8,
        task: TaskLike = None,
    ) -> None:
        self.variables = variables
        self.k = k
        self.bins = bins
        self.task = task

    @classmethod
    def from_table(
        cls,
        variables: Sequence[str | int],
        edges: Sequence[ArrayLike],
        value: ArrayLike,
        features: Features,
        task: Task,
        weight: ArrayLike | None = None,
    ) -> Self:
        """A junta made of a table that was found elsewhere.

        Parameters
        ----------
        variables : sequence of str or int
            Names or positions of k columns.
        edges : sequence of k array-likes
            Increasing edges for each number; empty for booleans and categories.
        value : array-like of shape (cells, classes or 1)
            A row a cell, in C order over the levels, where the last level of every variable
            is "missing".
        features, task
            The d columns, and what is predicted.
        weight : array-like of shape (cells,), optional
            How often each cell was seen, 1 for all by default; unseen cells (0) take the value
            of the nearest seen one.

        Raises
        ------
        InvalidInput
            If the table does not fit the columns and the task.
        """
        chosen = _positions(variables, features)
        cuts = tuple(np.asarray(e, dtype=np.float64).reshape(-1) for e in edges)
        if len(cuts) != len(chosen):
            raise InvalidInput(f"There are {len(cuts)} lists of edges.", "Give one a variable.")
        levels = tuple(levels_of(features.columns[j], e) for j, e in zip(chosen, cuts, strict=True))
        values = np.asarray(value, dtype=np.float64)
        seen = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=np.float64)
        table = CellTable(chosen, cuts, levels, values, seen)
        problem = table.problem(features, len(task.classes) or 1) or (
            "" if (seen >= 0).all() and seen.any() else "No cell has a weight above 0"
        )
        if problem:
            raise InvalidInput(f"{problem}.", "Give a table over all levels, with missing last.")
        table = CellTable(chosen, cuts, levels, spread(levels, values, seen), seen)
        return cls(variables=list(chosen), task=task)._take(table, features, task)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fill the table with class fractions or means.

        Parameters
        ----------
        X : array-like, DataFrame or Rows of shape (n, d)
            The rows; NaN is missing.
        y : array-like of shape (n,)
            Labels or values.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Raises
        ------
        InvalidInput
            If the rows, targets, weights or settings cannot be used, or the table would have
            more than 200,000 cells.
        """
        features, values, task, target, weight = read_training(X, y, self.task, sample_weight)
        for name, least in (("k", 0), ("bins", 2)):
            whole_number(name, getattr(self, name), least)
        names = range(len(features)) if self.variables is None else self.variables
        pool = _positions(names, features)
        cuts = {j: cut(features.columns[j], values[:, j], weight, self.bins) for j in pool}
        edges = {j: edges for j, (edges, _) in cuts.items()}
        levels = {j: levels_of(features.columns[j], edges[j]) for j in pool}
        if self.variables is None:
            codes = [level(values[:, j], edges[j], levels[j]) for j in pool]
            pool = choose(codes, target, weight, len(task.classes), self.k, MAX_CELLS)
        counts = tuple(levels[j] for j in pool)
        cells = int(np.prod(counts, dtype=np.float64))
        if cells > MAX_CELLS:
            raise InvalidInput(
                f"A table over {len(pool)} variables would have {cells} cells, and {MAX_CELLS}"
                " is the most.",
                "Give fewer variables or bins.",
            )
        empty = np.zeros((cells, len(task.classes) or 1))
        table = CellTable(pool, tuple(edges[j] for j in pool), counts, empty, np.zeros(cells))
        value, mass = _fill(table.cell(values), cells, target, weight, len(task.classes))
        between = tuple(cuts[j][1] for j in pool)
        table = CellTable(pool, table.edges, counts, spread(counts, value, mass), mass, between)
        return self._take(table, features, task).measured(values[weight > 0])

    @property
    def numbers(self) -> int:
        """Edges of the intervals, and cells."""
        return self.size + sum(len(edges) for edges in self.table_.edges)

    @property
    def size(self) -> int:
        """The number of cells that were seen; the others repeat them."""
        check_is_fitted(self)
        return int((self.table_.weight > 0).sum())

    @property
    def variables_(self) -> tuple[str, ...]:
        """The names of the variables, k of them."""
        check_is_fitted(self)
        return tuple(self.features_.names[j] for j in self.table_.variables)

    def text(self, *, digits: int | None = None, exact: bool = False) -> str:
        """The seen cells as a table of text; parameters as in :meth:`rules`.

        Parameters
        ----------
        digits, exact
            As in :meth:`rules`.
        """
        rows = self._rows(digits, exact)
        widths = [max(len(r[c]) for r in rows) for c in range(len(rows[0]))]
        lines = ("  ".join(t.ljust(w) for t, w in zip(r, widths, strict=True)) for r in rows)
        return visible("\n".join(line.rstrip() for line in lines))

    def rules(self, *, digits: int | None = None, exact: bool = False) -> list[str]:
        """One IF ... THEN ... sentence a seen cell.

        Edges are printed in the shortest decimals that put all training rows into the same
        cells as the junta itself. Cells without a training row take the value of the nearest.

        Parameters
        ----------
        digits : int, optional
            At least so many significant digits in an edge.
        exact : bool
            Print edges exactly.
        """
        check_is_fitted(self)
        conditions = self.table_.conditions(self.features_, digits, exact)
        out = []
        for (_, at), row in zip(self.table_.seen(), self._rows(digits, exact)[1:], strict=True):
            parts = [conditions[v][code].words() for v, code in enumerate(at)]
            condition = f"IF {' and '.join(parts)} THEN " if parts else "ALWAYS "
            out.append(f"{condition}{row[-2]}  [{row[-1]}]")
        return [visible(line) for line in out]

    def _plot(self, ax: Any) -> Any:
        """A bar per seen cell: the value, or the class fractions."""
        from limbeck.students.junta.plot import plot_table

        return plot_table(self.table_, self.features_, self.task_, ax)

    def to_dict(self) -> dict[str, Any]:
        """All that the junta is, ready for JSON."""
        check_is_fitted(self)
        t = self.table_
        table = {
            "variables": [int(j) for j in t.variables],
            "edges": [e.tolist() for e in t.edges],
            "levels": [int(c) for c in t.levels],
            "value": t.value.tolist(),
            "weight": t.weight.tolist(),
        }
        if t.between is not None:
            table["between"] = [b.tolist() for b in t.between]
        return {**self._head("junta"), "table": table}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        FileRefused
            If it is malformed, no junta, or newer than this limbeck.
        """
        features, task = files.read_head(data, "junta")
        table = files.parsed(data, _table)
        problem = table.problem(features, len(task.classes) or 1)
        if problem:
            raise FileRefused(f"{problem}.", "Save the junta again; the file was altered.")
        found = cls(variables=list(table.variables), task=task)._take(table, features, task)
        return found._recall(data)

    def _take(self, table: CellTable, features: Features, task: Task) -> Self:
        self.table_ = table
        return self._hold(features, task)

    def formula(self) -> Formula:
        """Which cell a row lies in, and the cells' values."""
        from limbeck.students.junta.formula import formula

        check_is_fitted(self)
        return formula(self.table_, self.features_, self.task_)

    def _used(self) -> tuple[int, ...]:
        return self.table_.variables

    def _pieces(self) -> tuple[Finder, NDArray[np.float64]]:
        return self.table_.cell, self.table_.value

    def _rows(self, digits: int | None = None, exact: bool = False) -> list[list[str]]:
        """The header, then the words of each seen cell: levels, outcome and share of rows."""
        check_is_fitted(self)
        t = self.table_
        words = t.words(self.features_, digits, exact)
        kept = value_digits(t.value[t.weight > 0, 0], digits, exact)
        total = t.weight.sum()
        out = [[*(self.features_.columns[j].label for j in t.variables), "outcome", "share"]]
        for cell, at in t.seen():
            said = [words[v][code] for v, code in enumerate(at)]
            share = percent(float(t.weight[cell] / total))
            out.append([*said, outcome(t.value[cell], self.task_, kept), share])
        return out

    def drawing(self) -> Html:
        """The table of answers, a row a cell."""
        head, *rows = self._rows()
        top = tag("tr", *(tag("th", t) for t in head))
        body = (tag("tr", *(tag("td", t) for t in row)) for row in rows)
        return tag("table", tag("thead", top), tag("tbody", *body))


def _positions(variables: Sequence[str | int] | range, features: Features) -> tuple[int, ...]:
    found = []
    for v in variables:
        if isinstance(v, str):
            found.append(features.index(v))
        elif isinstance(v, int | np.integer) and 0 <= v < len(features):
            found.append(int(v))
        else:
            raise InvalidInput(
                f"There is no column {v!r}.", f"Give names, or positions below {len(features)}."
            )
    if len(set(found)) < len(found):
        raise InvalidInput("A variable is given twice.", "Give each variable once.")
    return tuple(found)


def _fill(
    cell: NDArray[np.intp],
    cells: int,
    target: NDArray[Any],
    weight: NDArray[np.float64],
    classes: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Class fractions or means of shape (cells, k), and weights of shape (cells,)."""
    mass = np.bincount(cell, weight, cells)
    if classes:
        sums = np.bincount(cell * classes + target, weight, cells * classes)
    else:
        sums = np.bincount(cell, weight * target, cells)
    mean = sums.reshape(cells, -1) / np.where(mass > 0, mass, 1.0)[:, None]
    return mean.astype(np.float64), mass.astype(np.float64)


def _table(data: dict[str, Any]) -> CellTable:
    t = data["table"]
    if not all(isinstance(v, int) for v in [*t["variables"], *t["levels"]]):
        raise ValueError("variables and levels must be whole numbers")
    edges = tuple(np.array(e, dtype=np.float64).reshape(-1) for e in t["edges"])
    value = np.array(t["value"], dtype=np.float64)
    between = t.get("between")  # older files have none
    if between is not None:
        between = tuple(np.array(b, dtype=np.float64).reshape(-1, 2) for b in between)
    weight = np.array(t["weight"])
    return CellTable(tuple(t["variables"]), edges, tuple(t["levels"]), value, weight, between)
