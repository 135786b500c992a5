"""What a tree may not do: columns left out or at a price, depth, smallest leaf, directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.contract import Task
from limbeck.core.errors import (
    InvalidInput,
    by_name,
    did_you_mean,
    list_of_names,
    whole_number,
)
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
        for name in ("max_depth", "min_samples_leaf"):
            if getattr(self, name) is not None:
                whole_number(name, getattr(self, name), 1)
        list_of_names("forbidden", self.forbidden)
        for name, sign in by_name("monotone", self.monotone, "{'age': 1}").items():
            if sign not in (-1, 1):
                raise InvalidInput(
                    f"monotone[{name!r}] is {sign!r}.", "Give 1 (rising) or -1 (falling)."
                )
        for name, cost in by_name("feature_costs", self.feature_costs, "{'scan': 0.02}").items():
            if not (isinstance(cost, Real) and np.isfinite(float(cost)) and float(cost) >= 0):
                raise InvalidInput(f"feature_costs[{name!r}] is {cost!r}.", "Give 0 or more.")

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
        at = {str(c.name): j for j, c in enumerate(features.columns)}
        for name in (*self.monotone, *self.feature_costs):
            if str(name) not in at:
                raise InvalidInput(f"There is no column {name!r}.", did_you_mean(str(name), at))
        allowed = ~forbidden_columns(features, self.forbidden)
        if 2 * self.min_samples_leaf > rows:
            raise InvalidInput(
                f"min_samples_leaf is {self.min_samples_leaf}, and there are {rows} rows: no split"
                " leaves so many on both sides.",
                f"Give at most {rows // 2}.",
            )
        if self.monotone and len(task.classes) > 2:
            raise InvalidInput(
                f"monotone was given for {len(task.classes)} classes, which have no order.",
                "Distil one class against the rest, or leave monotone out.",
            )
        for name in self.monotone:
            if features.columns[at[str(name)]].kind == "categorical":
                raise InvalidInput(
                    f"monotone names {name!r}, whose categories have no order.",
                    "Give numbers for it, or leave it out.",
                )
        direction, cost = np.zeros(len(at), dtype=np.int64), np.zeros(len(at))
        for name, sign in self.monotone.items():
            direction[at[str(name)]] = sign
        for name, price in self.feature_costs.items():
            cost[at[str(name)]] = price
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
