"""A finished network whose probabilities are calibrated by one number: its temperature."""

from __future__ import annotations

import math
from typing import Any

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn
from torch.nn import functional as F

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.modules.capture import asking
from limbeck.modules.outputs import answer, reading_of
from limbeck.networks.datasets.data import Samples

__all__ = ["CalibratedNetwork", "calibrated", "check_calibrated"]

_FURTHEST = math.log(100.0)  # temperatures from 0.01 to 100


class CalibratedNetwork(nn.Module):
    """A network whose logits are divided by a temperature; its answers stay the same.

    Parameters
    ----------
    network : nn.Module
        The network.
    temperature : float
        Above 1 makes it less certain.

    Examples
    --------
    >>> import torch
    >>> network = CalibratedNetwork(torch.nn.Identity(), 2.0)
    >>> network(torch.tensor([[4.0, 0.0]])).tolist()
    [[2.0, 0.0]]
    """

    temperature: Tensor

    def __init__(self, network: nn.Module, temperature: float = 1.0) -> None:
        super().__init__()
        self.network = network
        home = next((p.device for p in network.parameters()), None)
        self.register_buffer("temperature", torch.tensor(float(temperature), device=home))

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """The logits (n, k) of the network, divided by the temperature.

        Parameters
        ----------
        *args, **kwargs
            What the network is called with.
        """
        reading = reading_of(self.network)
        return reading.outputs(self.network(*args, **kwargs), "network") / self.temperature


def calibrated(module: nn.Module, rows: Samples, task: Task, batch_size: int) -> CalibratedNetwork:
    """Fit the temperature of a network on labelled rows (Guo et al. 2017, section 4.2).

    It minimises the cross entropy of softmax(logits / T), which is convex in 1 / T.

    Parameters
    ----------
    module : nn.Module
        The finished network, which is kept as it is.
    rows : Samples
        Rows with labels that it was not trained on.
    task : Task
        A classification.
    batch_size : int
        Rows of one call.
    """
    home = next((p.device for p in module.parameters()), None)
    logits, labels = [], []
    with asking(module):
        for batch in rows.batches(range(len(rows)), batch_size):
            assert batch.labels is not None  # noqa: S101  (see check_calibrated)
            known = slice(None) if batch.labelled is None else batch.labelled.cpu()
            logits.append(answer(module, batch.to(home).inputs).double().cpu()[known])
            labels.append(batch.labels.cpu()[known])
    z, y = torch.cat(logits), torch.cat(labels)

    def loss(log_temperature: float) -> float:
        return float(F.cross_entropy(z / math.exp(log_temperature), y))

    found = minimize_scalar(loss, bounds=(-_FURTHEST, _FURTHEST), method="bounded")
    made = CalibratedNetwork(module, math.exp(float(found.x)))
    return made.to(home).eval() if home is not None else made.eval()


def check_calibrated(validation: Samples | None, task: Task) -> None:
    """Refuse, before any training, what a temperature cannot be fitted on.

    Parameters
    ----------
    validation : Samples or None
        The validation rows.
    task : Task
        What is predicted.

    Raises
    ------
    InvalidInput
        With the remedy.
    """
    if task.kind is not TaskKind.CLASSIFICATION:
        raise InvalidInput(
            f"calibrate was given for the task {task.kind}.",
            "Leave it out: a temperature is fitted for one class out of several.",
        )
    if validation is None or not validation.has_labels:
        raise InvalidInput(
            "calibrate was given, and there are no validation rows with labels to fit on.",
            "Give validation=(X, y), or a share of the training rows: validation=0.1.",
        )
