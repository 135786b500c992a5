"""Asking a teacher for all samples and views, from the first that is not stored yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from limbeck.contract import Progress
from limbeck.errors import InvalidInput
from limbeck.networks.cache.cache_file import Array, CacheFile
from limbeck.networks.cache.recording import Recorder
from limbeck.networks.capture import Capture, asking
from limbeck.networks.samples.data import Samples

__all__ = ["Filling"]


@dataclass(frozen=True, eq=False)
class Filling:
    """How a cache is filled: views one after another, samples in their order.

    So row ``view * n + place`` is the answer to a sample, and the number of complete rows says
    where to go on.
    """

    recorder: Recorder
    teacher: nn.Module
    samples: Samples
    batch_size: int | None
    progress: Progress

    @property
    def device(self) -> torch.device | None:
        """Where the teacher is."""
        first = next(self.teacher.parameters(), None)
        return None if first is None else first.device

    def start(self, folder: Path, head: Mapping[str, Any]) -> CacheFile:
        """Fill a new cache; the answer to the first sample tells the shapes."""
        batch = self.samples.fetch([0], seed=head["seed"]).to(self.device)
        with asking(self.teacher), Capture(self.teacher, self.recorder.layers) as capture:
            rows, outputs = self.recorder.record(self.teacher, capture, batch)
        told = {
            **head,
            "outputs": outputs,
            "augmented": self.samples.random or head["views"] > 1,
        }
        arrays = {k: Array(v.shape[1:], str(v.dtype)) for k, v in rows.items()}
        return self.go_on(CacheFile(folder, told, arrays, head["views"] * len(self.samples)))

    def go_on(self, file: CacheFile) -> CacheFile:
        """Append the rows that are missing.

        Raises
        ------
        InvalidInput
            If an output has another shape than that of the first sample.
        """
        n, done, seed = len(self.samples), file.done, file.head["seed"]
        with (
            asking(self.teacher),
            Capture(self.teacher, self.recorder.layers) as capture,
            file.appending(),
        ):
            for view in range(done // n, file.head["views"]):
                order = range(done % n if view == done // n else 0, n)
                for batch in self.samples.batches(
                    order, self.batch_size, seed=seed, view=view, device=self.device
                ):
                    rows, _ = self.recorder.record(self.teacher, capture, batch)
                    _refuse_shapes(file, rows)
                    file.append(rows)
                    self.progress("asking the teacher", file.done, file.rows)
        return file


def _refuse_shapes(file: CacheFile, rows: Mapping[str, NDArray[np.generic]]) -> None:
    for name, array in file.arrays.items():
        if rows[name].shape[1:] != array.shape:
            raise InvalidInput(
                f"Outputs have shape {array.shape} for the first sample and"
                f" {rows[name].shape[1:]} in another batch.",
                "Pad sequences to one length: Samples.of(..., length=...); or train without a"
                " cache.",
            )
