"""The plain baseline of a network: a linear model of the same inputs, trained by the same loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.task import Task, TaskKind

__all__ = ["BagOfTokens", "LinearBaseline", "linear_baseline"]

_WIDEST = 100_000
_LARGEST = 10_000_000  # weights
_TOKENS = 100  # of a text, about


class LinearBaseline(nn.Module):
    """A linear model of standardised, flattened numbers.

    Parameters
    ----------
    columns, outputs : int
        Its sizes; the mean and spread of the columns are set from a batch.
    """

    mean: Tensor
    spread: Tensor
    rate: float
    """A learning rate for Adam: steps of all columns add up, at random, to their square root."""

    def __init__(self, columns: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(columns, outputs)
        nn.init.zeros_(self.linear.weight)
        self.rate = 0.2 * columns**-0.5
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("spread", torch.ones(columns))

    def forward(self, x: Tensor) -> Tensor:
        """Scores of shape (n, k)."""
        found: Tensor = self.linear((x.flatten(1).float() - self.mean) / self.spread)
        return found


class BagOfTokens(nn.Module):
    """A linear model of which tokens occur.

    Parameters
    ----------
    vocabulary, outputs : int
        Its sizes.
    """

    rate = 0.2 * _TOKENS**-0.5

    def __init__(self, vocabulary: int, outputs: int) -> None:
        super().__init__()
        self.weights = nn.EmbeddingBag(vocabulary, outputs, mode="sum")
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.zeros_(self.weights.weight)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> Tensor:
        """Scores of shape (n, k).

        Parameters
        ----------
        input_ids : Tensor of int, shape (n, t)
            The tokens.
        attention_mask : Tensor of shape (n, t), optional
            1 for tokens, 0 for padding.
        """
        there = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        found: Tensor = self.weights(input_ids, per_sample_weights=there.float()) + self.bias
        return found


def linear_baseline(
    inputs: Any, task: Task, vocabulary: int | None = None
) -> LinearBaseline | BagOfTokens | None:
    """A linear model that takes these inputs; None where a linear model makes no sense.

    Parameters
    ----------
    inputs : Any
        A batch, as the networks take it; its numbers set the scale of the columns.
    task : Task
        What is predicted; for tokens there is no baseline.
    vocabulary : int, optional
        The number of different tokens, for inputs named ``input_ids``.
    """
    if task.kind in (TaskKind.TOKENS, TaskKind.LANGUAGE):
        return None
    if isinstance(inputs, Mapping):
        known = "input_ids" in inputs and vocabulary is not None
        return BagOfTokens(vocabulary or 0, task.outputs) if known else None
    if not isinstance(inputs, Tensor) or not inputs.is_floating_point():
        return None
    flat = inputs.flatten(1).float().cpu()
    if flat.shape[1] > _WIDEST or flat.shape[1] * task.outputs > _LARGEST:
        return None
    model = LinearBaseline(flat.shape[1], task.outputs)
    if len(flat) > 1:
        model.mean.copy_(flat.mean(0))
        spread = flat.std(0)
        constant = spread <= 1e-6 * flat.abs().amax(0)
        model.spread.copy_(spread.masked_fill(constant, 1.0))
    return model
