"""Metrics of one's own, computed of the validation rows after every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput

__all__ = ["Metric", "check_metrics", "metric_values"]

Metric = Callable[[Tensor, Tensor], Any]
"""A function of outputs and labels that returns a number."""

_TAKEN = (
    "step", "epoch", "loss", "lr", "gradient_norm", "validation", "validation_loss", "score",
    "seed", "role",
)  # fmt: skip


def check_metrics(given: Any) -> dict[str, Metric]:
    """Metrics by their names.

    Parameters
    ----------
    given : mapping of str to callable, or None
        What the user gave.

    Raises
    ------
    InvalidInput
        If one is no function, or has the name of something else in the history.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidInput(
            f"metrics is a {type(given).__name__}.",
            'Give functions by name: metrics={"f1": lambda outputs, labels: ...}.',
        )
    for name, function in given.items():
        if not isinstance(name, str) or not name:
            raise InvalidInput(f"The metric {name!r} has no name.", "Give text as its name.")
        if name in _TAKEN or name.startswith("weight/"):
            raise InvalidInput(
                f"{name!r} is a column of every training, and was given as a metric.",
                "Give the metric another name.",
            )
        if not callable(function):
            raise InvalidInput(
                f"The metric {name!r} is a {type(function).__name__}.",
                "Give a function of outputs and labels.",
            )
    return dict(given)


def metric_values(
    metrics: Mapping[str, Metric], outputs: Tensor, labels: Tensor
) -> dict[str, float | None]:
    """What metrics say of a student.

    Parameters
    ----------
    metrics : mapping
        Functions by name.
    outputs : Tensor of shape (p, k), or as the student returns numbers
        Of all places that count and have a label.
    labels : Tensor of shape (p,), or as the outputs
        Theirs.

    Returns
    -------
    dict
        By name; None where a metric is not a finite number, as the area under a curve of one
        class is none.

    Raises
    ------
    InvalidInput
        If a metric raises, or returns something else than a number; names it.
    """
    out: dict[str, float | None] = {}
    for name, function in metrics.items():
        try:
            with torch.no_grad(), torch.random.fork_rng([]):  # what it draws changes nothing
                value = function(outputs, labels)
        except Exception as error:
            raise InvalidInput(
                f"The metric {name!r} raised {type(error).__name__} on outputs of shape"
                f" {tuple(outputs.shape)} and labels of shape {tuple(labels.shape)}:"
                f" {str(error).rstrip('.')}.",
                "It is called with tensors on the CPU, of all validation rows at once.",
            ) from error
        try:
            number = float(value)
        except (TypeError, ValueError, RuntimeError):
            raise InvalidInput(
                f"The metric {name!r} returned a {type(value).__name__}, not one number.",
                "Return a float, or a tensor of one number.",
            ) from None
        out[name] = number if math.isfinite(number) else None
    return out
