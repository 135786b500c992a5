"""When stored answers must not be used: another teacher, other data, other settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.modules.capture import asking, wide
from limbeck.modules.outputs import answer
from limbeck.networks.cache.cache_file import CacheFile
from limbeck.networks.cache.input_checksums import TOLERANCE, marks
from limbeck.networks.cache.packing import Packing
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples

__all__ = ["alike", "check_answers", "check_inputs", "check_random", "check_settings"]

_CHECKED = 16  # stored rows that the teacher answers again
_CLOSE = 0.02  # as a share of the largest logit: kernels, precision and batch sizes differ
_REMEDY = "Fill it again with fill(..., again=True), or choose another folder."


def check_random(samples: Samples, views: int | None) -> None:
    """Refuse samples whose inputs cannot be made again for a stored answer.

    Parameters
    ----------
    samples : Samples
        The training samples.
    views : int or None
        How many augmented views of each sample are stored.

    Raises
    ------
    InvalidInput
        If they differ between two draws, or are augmented and no number of views is given.
    """
    if not samples.repeatable:
        raise InvalidInput(
            "A sample differs between two draws with the same seed: the data set draws from a"
            " generator of its own, or its collate_fn draws for whole batches.",
            "Draw in the data set from torch.rand, np.random or random, which are seeded for"
            " each sample and view; or train without a cache.",
        )
    if samples.random and views is None:
        raise InvalidInput(
            "Samples are augmented at random, and the cache is to hold one answer for each.",
            "Give TeacherCache(..., views=k): k augmented versions of each sample are stored,"
            " and epoch e uses view e % k. Or train without a cache.",
        )


def check_settings(file: CacheFile, told: Mapping[str, Any]) -> None:
    """Refuse a cache made with other settings, by another teacher, or from other samples.

    Parameters
    ----------
    file : CacheFile
        Its head says what it was made with.
    told : mapping
        What it should have been made with; what is not in it is not compared.

    Raises
    ------
    FileRefused
        Names what differs.
    """
    head, where = file.head, f"The teacher cache in {str(file.folder)!r}"
    for name in ("top", "views", "layers", "seed", "dtype"):
        if name in told and told[name] != head[name]:
            raise FileRefused(
                f"{where} was made with {name}={head[name]!r}, asked for is {told[name]!r}.",
                f"Ask for {name}={head[name]!r}. {_REMEDY}",
            )
    if told.get("teacher", head["teacher"]) != head["teacher"]:
        raise FileRefused(f"{where} holds the answers of another teacher.", _REMEDY)
    if told.get("samples", head["samples"]) != head["samples"]:
        raise FileRefused(
            f"{where} is of {head['samples']:,} samples, and there are {told['samples']:,}.",
            _REMEDY,
        )
    if told.get("data", head["data"]) != head["data"]:
        raise FileRefused(
            f"{where} is of other samples, or of another preprocessing or augmentation"
            f" ({head['hashed']:,} of {head['samples']:,} samples are compared).",
            _REMEDY,
        )


def check_answers(file: CacheFile, teacher: nn.Module, samples: Samples) -> None:
    """Let the teacher answer 16 stored rows again, and refuse it where it answers otherwise.

    So a change is seen that leaves the weights as they were, such as a new ``forward``.

    Parameters
    ----------
    file : CacheFile
        The stored outputs.
    teacher : nn.Module
        The teacher as it is now.
    samples : Samples
        The samples that were stored.

    Raises
    ------
    FileRefused
        If an answer is off by more than 2% of the largest one.
    """
    have = min(file.done, len(samples))
    if have == 0:
        return
    places = np.unique(np.linspace(0, have - 1, _CHECKED).round().astype(np.int64))
    first = next(teacher.parameters(), None)
    batch = samples.fetch(torch.from_numpy(places), seed=file.head["seed"])
    with asking(teacher):
        inputs = batch.to(None if first is None else first.device).inputs
        now = wide(answer(teacher, inputs)).cpu()
    packing, mask = Packing.from_dict(file.head.get("packing")), batch.mask

    def stored(name: str) -> Tensor:
        part = file.read(name, places)
        if packing is not None and mask is not None:
            part = packing.unpack(name, part, mask)
        return torch.from_numpy(part.astype(np.int64) if name == "indices" else part)

    name = "logits" if file.head["top"] is None else "values"
    then = stored(name).to(now.dtype)
    if now.shape[-1] == file.head["outputs"] and name == "values":
        now = now.gather(-1, stored("indices"))
    if packing is not None and mask is not None and packing.axes["logits"]:
        then, now = (x[mask.bool()] for x in (then, now))
    if not alike(now, then):
        raise FileRefused(
            f"The teacher answers {len(places)} samples otherwise than stored in"
            f" {str(file.folder)!r}, with the same weights.",
            _REMEDY,
        )


def alike(now: Tensor, then: Tensor) -> bool:
    """Whether two answers to the same samples are the same within 2% of the largest one.

    Parameters
    ----------
    now, then : Tensor
        Outputs for the same samples.
    """
    if now.shape != then.shape:
        return False
    largest = torch.where(then.isfinite(), then, 0).abs().max() if then.numel() else 0.0
    return torch.allclose(now, then, _CLOSE, _CLOSE * float(largest))


def check_inputs(batch: Batch, stored: NDArray[Any]) -> None:
    """Compare the inputs of a batch with the marks (n,) stored beside their answers.

    Parameters
    ----------
    batch : Batch
        A batch of training.
    stored : ndarray of shape (n,)
        Checksums of the inputs, as they were stored.

    Raises
    ------
    InvalidInput
        If an input is not the one that was answered.
    """
    now, norm = marks(batch.inputs)
    differs = ((now - torch.from_numpy(stored).to(now.device)).abs() > TOLERANCE * norm).cpu()
    if differs.any():
        raise InvalidInput(
            f"Sample {int(batch.index[differs][0])} is not the input that the teacher answered:"
            f" {int(differs.sum())} of {len(batch)} in this batch differ.",
            "The data, its preprocessing or what it draws changed since. " + _REMEDY,
        )
