"""What each part of a batch counts for, so that parts and processes add up to the whole batch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch

from limbeck.networks.loop.engine import Engine
from limbeck.networks.loop.plan import Plan
from limbeck.networks.samples.data import Batch
from limbeck.networks.views import Goal, counted

__all__ = ["shared"]


def shared(
    batches: Iterator[Batch], plan: Plan, update: int, goal: Goal, engine: Engine
) -> Iterator[tuple[Batch, float, bool]]:
    """Parts of batches in their order, each with its share of its batch, and whether it ends it.

    The loss of a part is a mean over what counts in it: rows, of which the plan knows the number,
    or outputs of sequences, of which long sequences have more. A mean of means would let a token
    of short sequences count for more than one of long ones.

    Parameters
    ----------
    batches : iterator of Batch
        In this process, from the first part of an update on.
    plan : Plan
        How many parts an update has.
    update : int
        The first one.
    goal : Goal
        What counts.
    engine : Engine
        Its processes share every update.

    Yields
    ------
    batch : Batch
    share : float
        The mean over processes of the sums of the parts' shares is 1.
    last : bool
        Whether the update is complete.
    """
    by_rows = not goal.sequential or engine.processes * plan.parts == 1
    for now in range(update, plan.updates):
        sizes = plan.sizes(now)
        if by_rows:
            for i, batch in enumerate(islice(batches, len(sizes))):
                share = 1.0 if len(sizes) == 1 else sizes[i] / sum(sizes)
                yield batch, share, i + 1 == len(sizes)
            continue
        parts = list(islice(batches, len(sizes)))
        counts = [_counted(batch, goal) for batch in parts]
        whole = float(engine.mean(torch.tensor(sum(counts), device=engine.device)))
        for i, batch in enumerate(parts):
            yield batch, counts[i] / whole if whole else 0.0, i + 1 == len(sizes)


def _counted(batch: Batch, goal: Goal) -> float:
    """How many outputs count; the rows, where sequences have neither labels nor a mask."""
    like = batch.mask if batch.labels is None else batch.labels
    if like is None:
        return float(len(batch))
    return float(counted(like, batch.mask, batch.labels, goal).sum())
