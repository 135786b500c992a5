"""What a wavelet student is made of, as JSON and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.signal.bands import Decomposition
from limbeck.signal.filters import filter_of
from limbeck.students.additive.additive import Additive
from limbeck.students.wavelet.readout import LinearReadout
from limbeck.students.wavelet.strongest import KEEPS, Strongest, groups_of

__all__ = ["read", "written"]


def written(
    transform: Decomposition, strongest: Strongest, readout: LinearReadout | Additive
) -> dict[str, Any]:
    """All but the head, ready for JSON.

    Parameters
    ----------
    transform : Decomposition
        The wavelet transform.
    strongest : Strongest
        Which coefficients are features.
    readout : LinearReadout or Additive
        The model on the features.
    """
    linear = isinstance(readout, LinearReadout)
    return {
        "low": transform.low.tolist(),
        "levels": int(transform.levels),
        "boundary": transform.boundary,
        "shape": [int(side) for side in transform.shape],
        "keep": strongest.keep,
        "largest": int(strongest.largest),
        "spread": strongest.spread.tolist(),
        "model": "linear" if linear else "additive",
        "readout": {
            "weights": readout.weights.tolist(),
            "intercept": readout.intercept.tolist(),
            "spread": readout.spread.tolist(),
        }
        if isinstance(readout, LinearReadout)
        else readout.to_dict(),
    }


def read(
    data: dict[str, Any], features: Features, task: Task
) -> tuple[Decomposition, Strongest, LinearReadout | Additive]:
    """Read what :func:`written` gave.

    Parameters
    ----------
    data : dict
        Content of a file.
    features : Features
        The columns.
    task : Task
        What is predicted.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is malformed; see :func:`limbeck.students.files.parsed`.
    """
    try:
        low = filter_of(data["low"])
        shape = tuple(data["shape"])
        transform = Decomposition(low, data["levels"], data["boundary"], shape)
    except InvalidInput as error:
        raise ValueError(str(error)) from None
    bands = transform.bands
    spread = np.array(data["spread"], dtype=np.float64)
    largest, keep = data["largest"], data["keep"]
    if math.prod(shape) != len(features) or spread.shape != (bands[-1].stop,):
        raise ValueError("the columns and the shape of a signal do not fit")
    if keep not in KEEPS or not isinstance(largest, int) or largest < 1:
        raise ValueError(f"there is no keep={keep!r} with largest={largest!r}")
    strongest = Strongest(groups_of(bands), keep, largest, spread)
    p, k = sum(strongest.counts), len(task.classes) if len(task.classes) > 2 else 1
    if data["model"] == "additive":
        additive = Additive.from_dict(data["readout"])
        if len(additive.features_) != p or additive.task_ != task:
            raise ValueError("the additive readout does not fit the coefficients")
        return transform, strongest, additive
    weights, intercept, scale = (
        np.array(data["readout"][name], dtype=np.float64)
        for name in ("weights", "intercept", "spread")
    )
    if (weights.shape, intercept.shape, scale.shape) != ((p, k), (k,), (p,)):
        raise ValueError("the weights do not fit the coefficients")
    if not all(np.isfinite(part).all() for part in (weights, intercept, scale, spread)):
        raise ValueError("a weight is not a finite number")
    return transform, strongest, LinearReadout(weights, intercept, scale)
