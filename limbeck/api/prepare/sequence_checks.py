"""Rows of tokens that a network may fail at are tried before any work."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from limbeck.api.prepare.input_checks import looked_at
from limbeck.networks.datasets.data import Samples

__all__ = ["try_extremes"]

_MOST = 200_000
_AT_ONCE = 512


def try_extremes(rows: Samples, networks: Mapping[str, nn.Module]) -> None:
    """Ask networks about the longest row and the one with the largest token.

    A sequence longer than the positions, or a token beyond the embedding, would otherwise end a
    training when it comes up. Rows without ``input_ids``, and augmented ones, are not looked at.

    Parameters
    ----------
    rows : Samples
        Up to 200,000 of them are read.
    networks : mapping of nn.Module
        By what they are called.

    Raises
    ------
    InvalidInput
        With what a network says of the row.
    """
    first = rows.fetch([0])
    if not isinstance(first.inputs, Mapping) or "input_ids" not in first.inputs or rows.random:
        return
    found: dict[str, tuple[int, int]] = {}  # the largest number, and its place
    for batch in rows.batches(range(min(len(rows), _MOST)), _AT_ONCE):
        ids = batch.inputs["input_ids"]
        there = torch.ones_like(ids) if batch.mask is None else batch.mask
        if ids.ndim != 2 or there.shape != ids.shape or 0 in ids.shape:
            return
        for what, of in (("most tokens", there.sum(1)), ("largest", (ids * there).amax(1))):
            most = int(of.argmax())
            found[what] = max(found.get(what, (-1, 0)), (int(of[most]), int(batch.index[most])))
    for what, (most, place) in found.items():
        inputs = rows.fetch([place]).inputs
        told = f"a row of {most} tokens" if what == "most tokens" else f"a row with token {most}"
        for role, module in networks.items():
            looked_at(role, module, inputs, told)
