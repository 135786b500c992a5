"""Estimators of scikit-learn with several outputs: numbers, or multi-label targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.answers import ScoreKind
from limbeck.core.task import Task
from limbeck.data.scores import OutputReading

__all__ = ["several_outputs"]

Answer = Callable[[NDArray[Any]], NDArray[Any]]


def several_outputs(estimator: Any, inputs: Any) -> tuple[Answer, OutputReading] | None:
    """What an estimator answers by several outputs; None where it has one.

    Parameters
    ----------
    estimator : estimator
        A regressor of several numbers, or a classifier whose outputs are each 0 or 1
        (multi-label), with ``predict_proba``: its answer is the probability of 1.
    inputs : Tensor
        Some rows, which show how many numbers are predicted.
    """
    classes = getattr(estimator, "classes_", None)
    if isinstance(classes, list) and classes and np.ndim(classes[0]) > 0:
        own = [np.asarray(c).tolist() for c in classes]
        if not hasattr(estimator, "predict_proba") or any(set(c) - {0, 1} for c in own):
            return None

        def chances(rows: NDArray[Any]) -> NDArray[Any]:
            found = zip(estimator.predict_proba(rows), own, strict=True)
            return np.column_stack(
                [p[:, c.index(1)] if 1 in c else np.zeros(len(rows)) for p, c in found]
            )

        return chances, OutputReading(Task(), ScoreKind.LOGIT)
    if isinstance(inputs, Mapping) and len(inputs) == 1:
        inputs = next(iter(inputs.values()))
    if classes is not None or not isinstance(inputs, Tensor):
        return None
    try:
        some = np.asarray(estimator.predict(inputs[:2].detach().cpu().flatten(1).numpy()))
    except Exception:  # not fitted, or fitted on other rows, is told where it is asked
        return None
    if some.ndim != 2 or some.shape[1] < 2:
        return None
    return lambda rows: np.asarray(estimator.predict(rows)), OutputReading(Task(), ScoreKind.VALUE)
