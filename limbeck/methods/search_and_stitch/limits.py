"""What a tree may not do: columns left out or at a price, depth, smallest leaf, directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import list_of_names
from limbeck.core.task import Task
from limbeck.data.directions import check_monotone, directions
from limbeck.methods.budgets import check_leaf_rows, check_shape
from limbeck.methods.feature_costs import check_costs, costs_by_column
from limbeck.methods.forbidden import forbidden_columns
from limbeck.methods.search_and_stitch.literals import Literals

__all__ = ["TreeConstraints", "TreeLimits"]


@dataclass(frozen=True)
class TreeConstraints:
    """What users ask of a tree, by the names of columns.

    Parameters
    ----------
    monotone : mapping from str to {-1, 1}
        Columns in which the answer may only rise (1) or fall (-1): the value, or the probability of
        the second of two classes.
    max_depth : int or None
        Most questions before a leaf.
    min_samples_leaf : int
        Fewest of the user's rows in a leaf.
    feature_costs : mapping from str to float
        What a question about a column costs, once a row, in units of the loss of a row (Gini
        impurity, or squared error over the variance): a split must lower the loss by more.
    forbidden : sequence of str
        Columns that no question may be about.
    """

    monotone: Mapping[str, int] = field(default_factory=dict)
    max_depth: int | None = None
    min_samples_leaf: int = 1
    feature_costs: Mapping[str, float] = field(default_factory=dict)
    forbidden: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_shape(self.max_depth, self.min_samples_leaf)
        list_of_names("forbidden", self.forbidden)
        check_monotone(self.monotone)
        check_costs(self.feature_costs)

    def limits(self, features: Features, task: Task, rows: int) -> TreeLimits:
        """The same by positions of columns, checked against a table of so many rows.

        Parameters
        ----------
        features : Features
            The columns.
        task : Task
            What is predicted.
        rows : int
            The number of the user's rows.

        Raises
        ------
        InvalidInput
            If a column is unknown, a direction has no meaning, or nothing is left to ask about.
        """
        cost = costs_by_column(features, self.feature_costs)
        allowed = ~forbidden_columns(features, self.forbidden)
        check_leaf_rows(self.min_samples_leaf, rows)
        direction = directions(features, task, self.monotone)
        most = np.inf if self.max_depth is None else self.max_depth
        return TreeLimits(allowed, direction, cost, most, self.min_samples_leaf)


@dataclass(frozen=True)
class TreeLimits:
    """What a tree may not do, by columns.

    Parameters
    ----------
    allowed : ndarray of shape (d,), bool
        Columns that may be asked about.
    direction : ndarray of shape (d,), int
        1 where the answer may only rise with the column, -1 where only fall, else 0.
    cost : ndarray of shape (d,)
        What a question costs a row that was not asked about the column before.
    max_depth : float
        Most questions before a leaf.
    min_rows : int
        Fewest rows in a leaf.
    """

    allowed: NDArray[np.bool_]
    direction: NDArray[np.int64]
    cost: NDArray[np.float64]
    max_depth: float
    min_rows: int

    def price(self, literals: Literals, asked: frozenset[int]) -> NDArray[np.float64]:
        """What a row costs at a node by each literal, shape (literals,); infinite if forbidden.

        Parameters
        ----------
        literals : Literals
            The tests.
        asked : frozenset of int
            Columns that were asked about above.
        """
        each = np.where(self.allowed, self.cost, np.inf)
        each[[j for j in asked if self.allowed[j]]] = 0.0
        return each[literals.feature]
