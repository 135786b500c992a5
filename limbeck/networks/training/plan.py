"""Which rows make which update, in which process and in which part of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """The updates of one epoch.

    Every update takes the next ``batch`` rows of the epoch's order; each process takes its equal
    share of them, in ``parts`` one after another. So neither the number of processes nor that of
    parts changes what a batch is. Rows that do not fill an equal share (fewer than processes), and
    a last batch of one row, whose batch statistics are undefined, are left out of that epoch; the
    order of the next one leaves out others.

    Parameters
    ----------
    rows : int
        Of all samples.
    batch : int
        Rows of one update.
    processes, parts : int
        What a batch is split into.
    drop_last : bool
        Whether rows that fill no batch are left out of the epoch, as a DataLoader may ask.
    """

    rows: int
    batch: int
    processes: int = 1
    parts: int = 1
    drop_last: bool = False

    def __post_init__(self) -> None:
        if self.batch % (self.processes * self.parts):
            raise InvalidInput(
                f"The batch size {self.batch} does not split into {self.processes} processes of"
                f" {self.parts} parts.",
                f"Give a multiple of {self.processes * self.parts}.",
            )
        if self.updates == 0:
            dropped = f", and drop_last leaves out fewer than {self.batch}" * self.drop_last
            raise InvalidInput(
                f"There are {self.rows} samples for {self.processes} processes{dropped}.",
                "Give more, or a smaller batch size." if self.drop_last else "Give more.",
            )

    @property
    def micro(self) -> int:
        """Rows of one part, in one process."""
        return self.batch // (self.processes * self.parts)

    @property
    def own(self) -> int:
        """Rows of one update, in one process."""
        return self.batch // self.processes

    @property
    def _last(self) -> int:
        """Rows of the last, shorter update in one process; 0 where there is none."""
        rest = self.rows % self.batch
        alone = rest == 1 and self.batch > 1 and self.rows > 1
        return 0 if alone or self.drop_last else rest // self.processes

    @property
    def updates(self) -> int:
        """Of one epoch."""
        return self.rows // self.batch + (self._last > 0)

    def order(self, order: Tensor, rank: int, done: int) -> Tensor:
        """The rows of one process, in order, without those of the first ``done`` updates."""
        full = self.rows // self.batch * self.batch
        own = order[:full].view(-1, self.batch)[:, rank * self.own : (rank + 1) * self.own]
        rest = order[full + rank * self._last : full + (rank + 1) * self._last]
        return torch.cat([own.reshape(-1), rest])[done * self.own :]

    def sizes(self, update: int) -> list[int]:
        """Rows of the parts of one update, in one process.

        Those of a last, shorter update are even, and none is of one row alone, of which batch
        normalisation knows no variance; so a part may be one row longer than ``micro``.
        """
        if update < self.rows // self.batch:
            return [self.micro] * (self.own // self.micro)
        rows = self._last
        parts = -(-rows // self.micro)
        if self.micro > 1:
            parts = max(min(parts, rows // 2), 1)
        each, longer = divmod(rows, parts)
        return [each + 1] * longer + [each] * (parts - longer)

    def sizes_from(self, update: int) -> list[int]:
        """Rows of all parts of an epoch, from an update on, in one process."""
        return [size for now in range(update, self.updates) for size in self.sizes(now)]
