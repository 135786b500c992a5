"""What can be dropped: every layer and group of channels cut alone, before and after healing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from limbeck.api.prepare.checks import (
    default_objective,
    loader_settings,
    one_teacher,
    settings_of,
    task_of,
)
from limbeck.api.prepare.leakage import fresh_rows
from limbeck.api.prepare.splits import two_sides
from limbeck.certificates.binomial import check_share
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.measured import Measured
from limbeck.core.progress import shown
from limbeck.evaluation.intervals import gain_over, mean_over
from limbeck.evaluation.networks import agreement, ask, right
from limbeck.networks.datasets.vocabularies import pad_token
from limbeck.networks.losses.loss import Objective
from limbeck.networks.pruning.parts_alone import each_part
from limbeck.networks.pruning.pruned import Pruned
from limbeck.networks.training.train import train
from limbeck.results.removals import RemovalCost, Removals

__all__ = ["removals"]

Scores = NDArray[np.float64]


def removals(
    teacher: Any,
    data: Any,
    y: Any = None,
    *,
    into: Pruned,
    objective: Any = None,
    validation: Any = None,
    holdout: float = 0.3,
    seeds: int = 1,
    seed: int = 0,
    task: Any = None,
    delta: float = 0.05,
    progress: bool | None = None,
    **training: Any,
) -> Removals:
    """Leave every layer and every group of channels out alone, and heal what is left.

    Parameters
    ----------
    teacher : nn.Module
        The network; left as it is.
    data, y, validation, holdout, task
        As for a network in :func:`limbeck.distill`; nothing is chosen by the rows set aside.
    into : Pruned
        Shares of the kinds that are tried: of each group so much stays, of layers each block
        goes alone.
    objective : Loss or Objective, optional
        What heals; by default the network's own distribution at temperature 1.
    seeds, seed : int
        Trainings of each part, and the first seed.
    delta : float
        One less the level at which the intervals of a column hold together.
    progress : bool, optional
        A progress bar; by default only on a terminal.
    **training
        Settings of `limbeck.networks.Training`; one epoch by default.

    Raises
    ------
    InvalidInput
        If there is no part of a kind, or the data cannot be used; before any training.
    """
    check_share("delta", delta)
    seeds, seed = whole_number("seeds", seeds, 1), whole_number("seed", seed)
    if into.target is not None:
        raise InvalidInput(
            f"{into.target[0]} is a target, and parts are left out one by one.",
            "Give shares, such as Pruned(layers=0.75, mlp=0.5).",
        )
    tutor = one_teacher(teacher)
    if tutor is None:
        raise InvalidInput("There is no network to cut.", "Give a torch module.")
    given = {"epochs": 1, **training} if "max_steps" not in training else training
    settings = settings_of(loader_settings(data, given)[0])
    samples, aside, _ = two_sides(data, y, validation, holdout, seed, settings, pad_token(tutor))
    _, _, aside, _ = fresh_rows(
        samples, aside, validation is not None, settings, what="validation"
    )  # fmt: skip
    settings = settings.settled(len(samples), validated=False)
    found = task_of(samples, tutor, [tutor], task, None)
    samples, aside = samples.aimed(found), aside.aimed(found)
    aim = default_objective(found, samples, tutor, True) if objective is None else objective
    batch = samples.fetch(samples.order(0, into.seed)[: into.rows])
    parts = each_part(tutor, into, batch.inputs, batch.labels)

    def said(module: nn.Module) -> Any:
        return ask(module, aside.batches(range(len(aside)), settings.batch_size), found)

    heard = said(tutor)
    out = []
    with shown(progress) as tell:
        for i, part in enumerate(parts):
            tell(f"without {part.name}", i, len(parts))
            healed = [
                train(
                    part.module, samples, Objective.of(aim), found, training=settings, seed=own,
                    teacher=tutor, name=f"without {part.name}, seed {own}",
                ).module
                for own in range(seed, seed + seeds)
            ]  # fmt: skip
            told = {"": [said(part.module)], "healed_": [said(m) for m in healed]}
            measured: dict[str, Any] = {}
            for when, answers in told.items():
                measured |= _measured(answers, heard, when, delta / len(parts))
            size = sum(p.numel() for p in part.module.parameters())
            out.append(RemovalCost(part.name, part.kind, part.removed, size, **measured))
    out.sort(key=lambda p: -p.healed_agreement.value)
    return Removals(tuple(out), seeds, len(aside), delta)


def _measured(answers: list[Any], heard: Any, when: str, delta: float) -> Mapping[str, Any]:
    """Agreement, and what is lost on labels, with intervals over rows (and seeds)."""
    close: Scores = np.stack([agreement(a, heard) for a in answers]).astype(float)
    whole = right(heard)
    within = (0.0 if close.min() >= 0 else -math.inf, 1.0)  # shares, or R squared
    cost = None
    if whole is not None:
        theirs = np.stack([np.asarray(right(a), dtype=float) for a in answers])
        ours = np.broadcast_to(np.asarray(whole, dtype=float), theirs.shape)
        gain = gain_over("labels", ours, theirs, delta)
        cost = Measured(gain.value, gain.low, gain.high)
    return {f"{when}agreement": mean_over(close, delta, within), f"{when}cost": cost}
