"""Whether a network's answer to a sequence depends on how far its batch is padded."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from limbeck.modules.capture import asking, placed
from limbeck.modules.outputs import answer
from limbeck.networks.cache.checks import alike
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples

__all__ = ["padding_notes"]

_ROWS = 32


def padding_notes(rows: Samples, networks: Mapping[str, nn.Module]) -> list[str]:
    """A sentence on each network that answers the shortest of 32 rows otherwise beside the others.

    Such answers change with the batch, so that a number of the table may, too: positions are
    counted from padding on the left, the mask is not read, or another token fills up.

    Parameters
    ----------
    rows : Samples
        Sequences with an attention mask; of others nothing is asked.
    networks : mapping of nn.Module
        By what they are called.
    """
    batch = rows.fetch(range(min(len(rows), _ROWS)))
    if batch.mask is None or batch.mask.ndim != 2 or rows.random:
        return []
    shortest = int(batch.mask.sum(1).argmin())
    alone = rows.fetch([shortest])
    if alone.mask is None or alone.mask.shape[1] == batch.mask.shape[1]:
        return []
    return [
        f"Answers of the {role} to a row depend on how far its batch is padded: pad on the right,"
        " give position_ids, or pad all rows to one length with Samples.of(..., length=...)."
        for role, module in networks.items()
        if not alike(_answer(module, batch, shortest), _answer(module, alone, 0))
    ]


def _answer(module: nn.Module, batch: Batch, row: int) -> Tensor:
    """Logits of one row, at its tokens where there is one answer per token."""
    assert batch.mask is not None  # noqa: S101  (the caller checks)
    with asking(module):
        found = answer(module, placed(batch.inputs, module))
    found = found[row].float().cpu()
    return found[batch.mask[row].bool().cpu()] if found.ndim == 2 else found
