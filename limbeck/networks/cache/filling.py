"""Asking a teacher for all samples and views, from the first that is not stored yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress
from limbeck.modules.capture import Capture, asking
from limbeck.networks.cache.cache_file import Array, CacheFile
from limbeck.networks.cache.checks import alike
from limbeck.networks.cache.packing import Packing, extremes
from limbeck.networks.cache.recording import Recorder
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples

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
        """Fill a new cache; the answer to one sample tells the shapes.

        Parameters
        ----------
        folder : Path
            Where the cache is written.
        head : mapping
            What the cache says of samples and teacher; ``seed`` is read.

        Raises
        ------
        InvalidInput
            If answers depend on how far sequences are padded, or as `go_on`.
        """
        found = extremes(self.samples, head["seed"], head["views"], self._fetch)
        with asking(self.teacher), Capture(self.teacher, self.recorder.layers) as capture:
            packing = None if found is None else self._packing(capture, *found)
            recorder = replace(self.recorder, packing=packing)
            batch = self._fetch([0], seed=head["seed"])
            rows, outputs = recorder.record(self.teacher, capture, batch)
        told = {
            **head,
            "outputs": outputs,
            "augmented": self.samples.random or head["views"] > 1,
            "packing": None if packing is None else packing.to_dict(),
        }
        arrays = {k: Array(v.shape[1:], str(v.dtype)) for k, v in rows.items()}
        file = CacheFile(folder, told, arrays, head["views"] * len(self.samples))
        return replace(self, recorder=recorder).go_on(file)

    def _fetch(self, *given: Any, **named: Any) -> Batch:
        return self.samples.fetch(*given, **named).to(self.device)

    def _packing(
        self, capture: Capture, length: int, short: Batch, long: Batch, together: Batch
    ) -> Packing | None:
        """How per-token outputs are stored, if there are any; refused if they depend on padding."""
        said = []
        for batch in (short, long, together):
            assert batch.mask is not None  # noqa: S101  (see `extremes`)
            answers = self.recorder.answers(self.teacher, capture, batch)
            said.append((batch.mask, answers))
        packing = Packing.of(length, *[(m.shape[1], answers) for m, answers in said[:2]])
        alone, beside = (
            packing.pack("logits", answers["logits"][:1].cpu().numpy(), mask[:1])
            for mask, answers in (said[0], said[2])
        )
        if packing.axes["logits"]:
            n = int(said[0][0].bool().sum())
            alone, beside = alone[:, :n], beside[:, :n]
        if not alike(torch.from_numpy(beside), torch.from_numpy(alone)):
            raise InvalidInput(
                f"The teacher answers sample {int(short.index[0])} otherwise in a batch of"
                f" {said[2][0].shape[1]} places than in one of {said[0][0].shape[1]}: its answers"
                " depend on how far a batch is padded.",
                "Pad to one length with Samples.of(..., length=...); pad on the right, or give"
                " position_ids; or train without a cache.",
            )
        return packing if any(packing.axes.values()) else None

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
                    rows, _ = self.recorder.record(self.teacher, capture, batch, self.samples)
                    _check_shapes(file, rows)
                    file.append(rows)
                    self.progress("asking the teacher", file.done, file.rows)
        return file


def _check_shapes(file: CacheFile, rows: Mapping[str, NDArray[np.generic]]) -> None:
    for name, array in file.arrays.items():
        if rows[name].shape[1:] != array.shape:
            raise InvalidInput(
                f"Outputs have shape {array.shape} for the first sample and"
                f" {rows[name].shape[1:]} in another batch.",
                "Give sequences with an attention_mask, or pad them to one length:"
                " Samples.of(..., length=...); or train without a cache.",
            )
