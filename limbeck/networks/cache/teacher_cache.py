"""A teacher's answers, computed once; right under augmentation, and refused when stale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.progress import Progress, quiet
from limbeck.core.task import Task
from limbeck.modules.batch import View
from limbeck.modules.fingerprint import fingerprint
from limbeck.networks.cache.cache_file import CacheFile, locked
from limbeck.networks.cache.checks import (
    check_answers,
    check_inputs,
    check_random,
    check_settings,
)
from limbeck.networks.cache.filling import Filling
from limbeck.networks.cache.packing import Packing
from limbeck.networks.cache.recording import Recorder
from limbeck.networks.cache.truncation import error_bounds
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples

__all__ = ["TeacherCache", "TruncationError"]

_SPARSELY = 16  # on an accelerator, inputs of one batch in so many are compared with their marks


@dataclass(frozen=True)
class TruncationError:
    """What a cache of the largest logits leaves out, at a temperature; means and maxima over rows.

    The bounds are of the restored softmax against the full one, see
    `limbeck.networks.cache.truncation`.
    With dtype float16 each stored logit is, in addition, rounded by at most its 2,048th part.
    """

    temperature: float
    mean_variation: float
    max_variation: float
    mean_divergence: float
    max_divergence: float


class TeacherCache:
    """Stored outputs of a teacher, in a folder.

    An answer is kept for each (augmentation seed, view, sample), so batches may come in any order.
    With ``views=k`` each sample is stored under k augmentations, and epoch e uses view e % k::

        cache = TeacherCache("run/teacher", views=4).fill(teacher, samples)
        for batch in samples.batches(order, seed=cache.seed, view=epoch % cache.views):
            cache.view(batch)

    Parameters
    ----------
    folder : path
        Made where it does not exist.
    top : int, optional
        Keep only so many largest logits per place, with the probability they leave out; the rest
        share it evenly. For one class out of many; see `left_out` for the bound of the error.
        All logits by default.
    views : int, optional
        Augmented versions of each sample. Must be given where samples are augmented.
    layers : sequence of str
        Layers whose outputs are stored too, as in `Capture`.
    seed : int
        What augmentations are drawn from.
    dtype : {"float32", "float16", "float64"}
        Of stored numbers.

    Notes
    -----
    Where sequences differ in length, per-token outputs are stored unpadded, in slots sized for the
    longest sequence; a batch gets them where its attention mask has tokens, and what lies elsewhere
    is of no meaning. Before that every sample is drawn once for its length.

    What is refused: a teacher whose weights, structure or configuration changed, or that answers 16
    stored rows differently; samples whose content as delivered changed, among those hashed (see
    `Samples.hashed`); other settings. What is compared at every use: up to 256 entries of each
    input with a mark stored beside its answer, so that a change of preprocessing, a foreign
    augmentation or a shifted data set is refused in the batch where it appears (on an accelerator,
    in one batch of 16). Not seen: a change of inputs, outside the hashed samples, that leaves the
    entries which are read as they were.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> from limbeck.networks import Samples, TeacherCache
    >>> samples, teacher = Samples.of(torch.randn(6, 4)), torch.nn.Linear(4, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = TeacherCache(folder).fill(teacher, samples)
    ...     print(tuple(cache.view(samples.fetch([0, 2])).logits.shape))
    (2, 3)
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        top: int | None = None,
        views: int | None = None,
        layers: Sequence[str] = (),
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        for name, value in (("top", top), ("views", views)):
            if value is not None and value < 1:
                raise InvalidInput(f"{name} is {value}.", "Give at least 1, or leave it out.")
        if dtype not in ("float16", "float32", "float64"):
            raise InvalidInput(f"dtype is {dtype!r}.", "Give float32, float16 or float64.")
        self.folder = Path(folder)
        self._given_views = views
        self._settings: dict[str, Any] = {
            "top": top,
            "layers": list(dict.fromkeys(layers)),
            "seed": seed,
            "dtype": dtype,
        }
        self._file: CacheFile | None = None
        self._served = 0

    @classmethod
    def open(cls, folder: str | Path) -> TeacherCache:
        """A cache that exists, with the settings it was made with.

        Raises
        ------
        FileRefused
            If there is none, or it is damaged.
        """
        file = CacheFile.open(Path(folder))
        if file is None:
            raise FileRefused(f"There is no teacher cache in {str(folder)!r}.", "Fill one first.")
        head = file.head
        return cls(
            folder,
            top=head["top"],
            views=head["views"],
            layers=head["layers"],
            seed=head["seed"],
            dtype=head["dtype"],
        )

    @property
    def seed(self) -> int:
        """The seed that augmentations were drawn from."""
        return int(self._settings["seed"])

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that are stored."""
        return tuple(self._settings["layers"])

    @property
    def views(self) -> int:
        """How many versions of each sample are stored."""
        return int(self._ready().head["views"])

    @property
    def nbytes(self) -> int:
        """Bytes of the stored arrays on disk, when complete."""
        return self._ready().nbytes

    def fill(
        self,
        teacher: nn.Module,
        samples: Samples,
        *,
        batch_size: int | None = None,
        again: bool = False,
        progress: Progress = quiet,
    ) -> Self:
        """Ask the teacher for every sample and view that is not stored yet.

        Goes on where an earlier run stopped. Returns at once where all is there and still true.

        Parameters
        ----------
        teacher : nn.Module
            Asked in eval mode, without gradients, where it is; its modes are restored.
        samples : Samples
            What it is asked.
        batch_size : int, optional
            By default that of the samples, else 128.
        again : bool
            Start anew over what is there.
        progress : Progress
            Told of rows.

        Raises
        ------
        InvalidInput
            If samples are augmented and ``views`` is not given, or draw what cannot be repeated;
            if outputs differ in shape from batch to batch otherwise than the attention mask; if
            answers depend on how far a batch is padded; if ``top`` is no part of the outputs.
        FileRefused
            If the folder holds answers of another teacher, other samples, or other settings; if
            the disk is full (what is complete stays).
        TeacherFailed
            If the teacher returns what is not a number.
        """
        check_random(samples, self._given_views)
        views = self._given_views or 1
        head = {
            **self._settings,
            "views": views,
            "samples": len(samples),
            "hashed": samples.hashed,
            "data": samples.fingerprint(labels=False),
            "teacher": fingerprint(teacher),
        }
        self._file = None
        with locked(self.folder):
            file = CacheFile.open(self.folder)
            if file is not None and again:
                file.remove()
                file = None
            if file is not None:
                check_settings(file, head)
                check_answers(file, teacher, samples)
            if file is None or file.done < file.rows:
                ask = Filling(self._recorder(file), teacher, samples, batch_size, progress)
                file = ask.go_on(file) if file is not None else ask.start(self.folder, head)
        self._load(file)
        return self

    def check(
        self, samples: Samples, *, layers: Sequence[str] = (), task: Task | None = None
    ) -> None:
        """Refuse, before training, what these answers cannot serve.

        Parameters
        ----------
        samples : Samples
            What the student is going to learn from.
        layers : sequence of str
            Layers of the teacher that the objective reads.
        task : Task, optional
            What outputs mean.

        Raises
        ------
        InvalidInput
            If a layer is not stored, or ``top`` has no meaning for the task.
        FileRefused
            If the cache is incomplete, or the samples are not those it was filled with.
        """
        head = self._ready().head
        absent = [n for n in layers if n not in self.layers]
        if absent:
            raise InvalidInput(
                f"The teacher cache holds no outputs of the layer {absent[0]!r}.",
                f"Fill one with layers={sorted({*self.layers, *layers})}, or give the teacher.",
            )
        if head["top"] is not None and task is not None and not task.classifies:
            raise InvalidInput(
                f"The cache keeps the top {head['top']} outputs, and the task is {task.kind}.",
                "Fill it without top: only one class out of many leaves out a probability.",
            )
        check_random(samples, head["views"])
        told = {"samples": len(samples), "data": samples.fingerprint(labels=False)}
        check_settings(self._ready(), told)

    def view(self, batch: Batch) -> View:
        """The teacher's answers to a batch, on the batch's device; as if it had been asked.

        Raises
        ------
        InvalidInput
            If the batch is of another seed or a view that is not stored, or its inputs are not
            those that the teacher answered.
        FileRefused
            If the cache is incomplete.
        """
        file = self._ready()
        rows = batch.index.numpy()
        n, views = int(file.head["samples"]), int(file.head["views"])
        if file.head["augmented"]:
            if batch.seed != self.seed or not 0 <= batch.view < views:
                raise InvalidInput(
                    f"The batch is view {batch.view} of seed {batch.seed}; stored are views 0 to"
                    f" {views - 1} of seed {self.seed}.",
                    "Draw batches with seed=cache.seed and view=epoch % cache.views.",
                )
            rows = rows + batch.view * n
        device = batch.device
        self._served += 1
        if device.type == "cpu" or self._served % _SPARSELY == 1:
            check_inputs(batch, file.read("marks", rows))
        recorder, mask = self._recorder(file), batch.mask

        def stored(name: str) -> Tensor:
            found = file.read(name, rows)
            if recorder.packing is not None and mask is not None:
                found = recorder.packing.unpack(name, found, mask)
            return torch.from_numpy(found).to(device, non_blocking=True)

        return recorder.restore(stored, file.head["outputs"])

    def left_out(self, temperature: float = 1.0) -> TruncationError:
        """Bounds of what storing only the largest logits changes, over all stored rows.

        Of sequences that differ in length over their tokens, without padding.

        Raises
        ------
        InvalidInput
            If the temperature is below 1.
        """
        file = self._ready()
        if file.head["top"] is None:
            return TruncationError(temperature, 0.0, 0.0, 0.0, 0.0)
        bounds: list[tuple[Tensor, Tensor]] = []
        for start in range(0, file.rows, 4096):
            some = np.arange(start, min(start + 4096, file.rows))
            values, log_rest = (
                torch.from_numpy(file.read(name, some)) for name in ("values", "log_rest")
            )
            found = error_bounds(values, log_rest, file.head["outputs"], temperature)
            there = torch.ones_like(found[0], dtype=torch.bool)
            if "lengths" in file.arrays and there.ndim == 2:
                lengths = torch.from_numpy(file.read("lengths", some))
                there = torch.arange(there.shape[1]) < lengths[:, None]  # (rows, length)
            bounds.append((found[0][there], found[1][there]))
        variation, divergence = (torch.cat(parts) for parts in zip(*bounds, strict=True))
        return TruncationError(
            temperature,
            float(variation.mean()),
            float(variation.max()),
            float(divergence.mean()),
            float(divergence.max()),
        )

    def _recorder(self, file: CacheFile | None) -> Recorder:
        packing = None if file is None else Packing.from_dict(file.head.get("packing"))
        return Recorder(self._settings["top"], self.layers, self._settings["dtype"], packing)

    def _ready(self) -> CacheFile:
        """The file, complete and made with these settings."""
        if self._file is None:
            file = CacheFile.open(self.folder)
            if file is None:
                raise FileRefused(
                    f"There is no teacher cache in {str(self.folder)!r}.",
                    "Call fill(teacher, samples) first.",
                )
            told = dict(self._settings)
            if self._given_views is not None:
                told["views"] = self._given_views
            check_settings(file, told)
            self._load(file)
        assert self._file is not None  # noqa: S101  (loaded above)
        return self._file

    def _load(self, file: CacheFile) -> None:
        if file.done < file.rows:
            raise FileRefused(
                f"The teacher cache in {str(self.folder)!r} holds {file.done:,} of"
                f" {file.rows:,} rows.",
                "Call fill(teacher, samples): it goes on where it stopped.",
            )
        self._file = file
