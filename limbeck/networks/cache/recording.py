"""A teacher's answers to a batch as rows of arrays, and back as logits and layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.batch import View
from limbeck.modules.capture import Capture, wide
from limbeck.modules.outputs import answer
from limbeck.networks.cache.input_checksums import marks
from limbeck.networks.cache.packing import Packing
from limbeck.networks.cache.truncation import restored_logits, shortened
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.finite import check_nan

__all__ = ["Recorder"]

Rows = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Recorder:
    """What is kept of an answer.

    Parameters
    ----------
    top : int or None
        How many largest logits; None keeps all.
    layers : tuple of str
        Layers whose outputs are kept; the i-th is the array ``layer_i``.
    dtype : {"float32", "float16", "float64"}
        Of the numbers kept.
    packing : Packing, optional
        Where sequences differ in length.
    """

    top: int | None
    layers: tuple[str, ...]
    dtype: str
    packing: Packing | None = None

    def answers(self, teacher: nn.Module, capture: Capture, batch: Batch) -> dict[str, Tensor]:
        """Ask the teacher about a batch: ``logits``, and the i-th layer as ``layer_i``.

        Parameters
        ----------
        teacher : nn.Module
            The teacher.
        capture : Capture
            Reads its layers.
        batch : Batch
            The batch.

        Raises
        ------
        InvalidInput
            If an output does not have samples first.
        """
        name = type(teacher).__name__
        logits = wide(answer(teacher, batch.inputs, name))
        layers = capture.take()
        _check_shape(f"{name} returned", logits, len(batch))
        for layer, found in layers.items():
            _check_shape(f"The layer {layer!r} has", found, len(batch))
        return {"logits": logits, **{f"layer_{i}": layers[k] for i, k in enumerate(self.layers)}}

    def record(
        self, teacher: nn.Module, capture: Capture, batch: Batch, samples: Samples | None = None
    ) -> tuple[Rows, int]:
        """Ask the teacher about a batch; ``samples`` tells where its rows are from.

        Parameters
        ----------
        teacher : nn.Module
            The teacher.
        capture : Capture
            Reads its layers.
        batch : Batch
            The batch.
        samples : Samples, optional
            Where the rows of the batch are from, for messages.

        Returns
        -------
        rows : dict of ndarray
            By name, samples first: ``logits``, or ``values``, ``indices`` and ``log_rest`` as in
            `truncation.shortened`; layers; ``marks`` of the inputs; with a packing the
            ``lengths`` of the samples.
        outputs : int
            How many logits there are.

        Raises
        ------
        InvalidInput
            If an output does not have samples first, ``top`` is no part of the outputs, or a
            number is too large for the dtype.
        TeacherFailed
            If an output is not a number.
        """
        kept = self.answers(teacher, capture, batch)
        logits = kept.pop("logits")
        mask = batch.mask if self.packing is not None else None
        check_nan(type(teacher).__name__, logits, batch, samples)
        exact: Rows = {"marks": marks(batch.inputs)[0].cpu().numpy()}
        outputs = logits.shape[-1]
        if self.top is None:
            kept["logits"] = logits
        elif self.top >= outputs:
            raise InvalidInput(
                f"top is {self.top} of {outputs} outputs.", "Leave it out, which keeps all."
            )
        else:
            kept["values"], indices, log_rest = shortened(logits, self.top)
            small = np.uint16 if outputs <= 1 << 16 else np.uint32
            exact["indices"] = indices.cpu().numpy().astype(small)
            exact["log_rest"] = log_rest.float().cpu().numpy()
        rows = {**{k: self._narrow(k, v) for k, v in kept.items()}, **exact}
        if self.packing is not None and mask is not None:
            rows = {k: self.packing.pack(k, v, mask) for k, v in rows.items()}
            rows["lengths"] = mask.bool().sum(1).cpu().numpy().astype(np.int32)
        return rows, outputs

    def restore(self, stored: Callable[[str], Tensor], outputs: int) -> View:
        """What the teacher answered, from the rows of each array, in the places of the batch.

        Parameters
        ----------
        stored : callable
            Gives the rows of an array by its name.
        outputs : int
            Number of logits.
        """
        if self.top is None:
            logits = wide(stored("logits"))
        else:
            logits = restored_logits(
                wide(stored("values")), stored("indices").long(), stored("log_rest"), outputs
            )
        return View(logits, {k: wide(stored(f"layer_{i}")) for i, k in enumerate(self.layers)})

    def _narrow(self, name: str, value: Tensor) -> NDArray[Any]:
        narrow = value.to(getattr(torch, self.dtype))
        if narrow.dtype is torch.float16 and bool((narrow.isinf() & ~value.isinf()).any()):
            raise InvalidInput(
                f"A number of {float(value.abs().max()):.3g} in {name} is too large for float16.",
                "Give dtype='float32'.",
            )
        return narrow.cpu().numpy()


def _check_shape(told: str, found: Tensor, n: int) -> None:
    if found.ndim < 1 or len(found) != n:
        raise InvalidInput(
            f"{told} shape {tuple(found.shape)} for {n} samples.",
            "Only what has samples on its first axis can be stored.",
        )
