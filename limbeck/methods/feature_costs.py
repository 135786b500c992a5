"""What reading a column costs, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput, by_name, did_you_mean

__all__ = ["check_costs", "costs_by_column"]


def check_costs(costs: Any) -> dict[Any, Any]:
    """The setting as a dict, its costs 0 or more.

    Parameters
    ----------
    costs : mapping from str to float, or None
        By names of columns.

    Raises
    ------
    InvalidInput
        If it is no mapping, or has another cost.
    """
    found = by_name("feature_costs", costs, "{'scan': 0.02}")
    for name, cost in found.items():
        if not (isinstance(cost, Real) and np.isfinite(float(cost)) and float(cost) >= 0):
            raise InvalidInput(f"feature_costs[{name!r}] is {cost!r}.", "Give 0 or more.")
    return found


def costs_by_column(features: Features, costs: Mapping[str, float] | None) -> NDArray[np.float64]:
    """The costs of the d columns.

    Parameters
    ----------
    features : Features
        The columns.
    costs : mapping from str to float, or None
        By their names.

    Raises
    ------
    InvalidInput
        If there is no such column.
    """
    at = {str(c.name): j for j, c in enumerate(features.columns)}
    out = np.zeros(len(at))
    for name, cost in check_costs(costs).items():
        if str(name) not in at:
            raise InvalidInput(f"There is no column {name!r}.", did_you_mean(str(name), at))
        out[at[str(name)]] = float(cost)
    return out
