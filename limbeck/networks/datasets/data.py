"""Samples of any kind, in batches: same sample, same view, same input, in any order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.modules.batch import IGNORED
from limbeck.modules.fingerprint import digest
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.collate import Padding
from limbeck.networks.datasets.labels import label_notes, labelled, shaped, unlabelled
from limbeck.networks.datasets.opening import opened
from limbeck.networks.datasets.ordering import alike, tokens
from limbeck.networks.datasets.seeding import mixed, restored
from limbeck.networks.datasets.sources import Arrays, Items, Source

__all__ = ["Samples"]

_PROBES = 16  # samples that are drawn again to see what is random
_HASHED = 256  # samples of a data set that enter its fingerprint
_BYTES = 1 << 30  # bytes of arrays that do


class Samples:
    """What networks learn from. Made by `Samples.of`.

    Parameters
    ----------
    source : Source
        Fetches inputs and labels.
    batch_size : int, optional
        Samples per batch, as a DataLoader asked for.
    workers : mapping, optional
        Settings of a DataLoader's worker processes.
    notes : tuple of str
        What was left out of the data, in sentences.
    task : Task, optional
        What labels are shaped for.
    by_length : bool
        Whether an epoch puts samples of about one length into one batch.
    cases : ndarray of shape (n,), optional
        The case that each sample belongs to.
    drop_last : bool
        Whether an epoch leaves out rows that fill no batch.
    partial : bool
        Whether a number that is NaN is the label of a sample without one, rather than refused.

    Attributes
    ----------
    batch_size : int or None
        As a DataLoader, or the caller, asked for.
    notes : tuple of str
        What was left out of the data, in sentences.
    task : Task or None
        What labels are shaped for; see `aimed`.
    cases : ndarray of shape (n,) or None
        The case that each sample belongs to, such as a patient.
    drop_last : bool
        Whether an epoch of training leaves out rows that fill no batch, as a DataLoader says.
    partial : bool
        Whether samples without a label were joined to these.

    Examples
    --------
    >>> import torch
    >>> from limbeck.networks import Samples
    >>> samples = Samples.of(torch.randn(6, 4), torch.tensor([0, 1, 0, 1, 0, 1]))
    >>> len(samples), samples.fetch([0, 2]).labels.tolist()
    (6, [0, 0])
    """

    def __init__(
        self,
        source: Source,
        *,
        batch_size: int | None = None,
        workers: Mapping[str, Any] | None = None,
        notes: tuple[str, ...] = (),
        task: Task | None = None,
        by_length: bool = False,
        cases: NDArray[Any] | None = None,
        drop_last: bool = False,
        partial: bool = False,
    ) -> None:
        if len(source) == 0:
            raise InvalidInput("There are no samples.", "Give at least one.")
        if batch_size is not None and batch_size < 1:
            raise InvalidInput(f"batch_size is {batch_size}.", "Give at least 1.")
        self.source = source
        self.batch_size = batch_size
        self.notes = notes
        self.task = task
        self.by_length = by_length
        self.cases = cases
        self.drop_last = drop_last
        self.partial = partial
        self._workers = dict(workers or {})
        self._ready = False  # whether labels are shaped already
        self._partly = False  # whether some of those have no label

    @classmethod
    def of(
        cls,
        data: Any,
        labels: Any = None,
        *,
        batch_size: int | None = None,
        pad: int = 0,
        length: int | None = None,
        by_length: bool = False,
        num_workers: int | None = None,
        classes: Sequence[Any] | None = None,
    ) -> Samples:
        """Samples from whatever torch users have.

        Parameters
        ----------
        data : Samples, DataLoader, Dataset, arrays, Hugging Face data set, str or Path
            A path or a pattern names Parquet or Arrow files, see
            `limbeck.networks.datasets.shards.shards`. A DataLoader's data set, batch size,
            ``drop_last``, workers and ``collate_fn`` are taken over;
            shuffling is done here. Items and arrays are one input, tuples with labels last, or
            mappings with ``labels``, ``label``, ``targets``, ``target`` or ``y``. A pair of arrays
            is (inputs, labels).
        labels : array or False, optional
            Labels given apart, rows first: items and arrays are then inputs alone. False where
            the data holds none although items are tuples.
        batch_size : int, optional
            Samples in a batch, where the caller of `batches` asks for no other.
        pad : int
            The token that fills up ``input_ids`` of different length.
        length : int, optional
            Pad to this length in every batch, rather than to the longest of the batch.
        by_length : bool
            Put sequences of similar length into one batch, so that little is padded; give
            ``batch_size`` too. Each sample is drawn once, to see its length.
        num_workers : int, optional
            Processes that load items; by default as a DataLoader says, else none. Arrays need
            none.
        classes : sequence, optional
            The classes in the order of the outputs, where labels of items or columns are text.

        Raises
        ------
        InvalidInput
            If the data has no length or places (a stream), no numbers, or is drawn by a sampler.
        """
        if isinstance(data, Samples):
            if labels is not None:
                raise InvalidInput("Labels are given beside Samples.", "Give them to Samples.of.")
            return data
        found = opened(
            data, labels, Padding(pad, length, None if classes is None else tuple(classes))
        )
        return cls(
            found.source,
            batch_size=found.batch_size if batch_size is None else batch_size,
            workers={**found.workers, **({} if num_workers is None
                                         else {"num_workers": num_workers})},
            notes=found.notes,
            by_length=by_length,
            drop_last=found.drop_last,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.source)

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of them, beside seeds and places: counts of some samples."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Parameters
        ----------
        state : mapping
            As `state` returned it.
        """

    @cached_property
    def has_labels(self) -> bool:
        """Whether samples come with labels: not where all that is looked at is -1 or -100.

        All labels of arrays are looked at, and where the first is such a mark those of 256
        samples of a data set.
        """
        first = self.source.fetch(torch.tensor([0]), 0, 0)[1]
        if _known(first):
            return True
        if isinstance(self.source, Arrays):
            return first is not None and _known(self.whole_labels())
        some = _spread(len(self), _PROBES if first is None else _HASHED).tolist()
        with restored():
            return any(_known(self.source.fetch(torch.tensor([i]), 0, 0)[1]) for i in some)

    @cached_property
    def random(self) -> bool:
        """Whether samples are augmented: drawing one uses a global random generator.

        Seen from 16 samples spread over the data, each drawn once with the generators watched;
        an augmentation that touches the generators for fewer samples can be missed.
        """
        source = self.source
        if not isinstance(source, Items):
            return False
        with restored():
            return not self.repeatable or any(source.draws(i, mixed(i))[0] for i in self._probes())

    @cached_property
    def repeatable(self) -> bool:
        """Whether a sample is the same for the same seed and view: 16 are drawn twice.

        It is not where a data set holds a generator of its own or draws without a seed, nor where
        the ``collate_fn`` draws for a whole batch.
        """
        source = self.source
        if not isinstance(source, Items):
            return True
        with restored():
            return all(
                digest(self.fetch([i]).inputs) == digest(self.fetch([i]).inputs)
                and not source.draws(i, mixed(i))[1]
                for i in self._probes()
            )

    @cached_property
    def hashed(self) -> int:
        """How many samples enter the fingerprint.

        All of the arrays up to 1 GiB, else as many as that holds; 256 of a data set of items.
        They are spread evenly, first and last included.
        """
        if not isinstance(self.source, Arrays):
            return min(len(self), _HASHED)
        one = self.fetch([0]).inputs
        held = [one] if isinstance(one, Tensor) else one
        size = sum(t.nbytes for t in (held.values() if isinstance(held, Mapping) else held))
        return min(len(self), max(_HASHED, _BYTES // max(size, 1)))

    def fingerprint(self, *, labels: bool = True) -> str:
        """SHA-256 of the samples as delivered, in hexadecimal: after preprocessing, view 0.

        Parameters
        ----------
        labels : bool
            Whether labels enter it.
        """
        rows = _spread(len(self), self.hashed)
        at_once = 1024 if isinstance(self.source, Arrays) else 1
        parts: list[Any] = [torch.tensor([len(self)])]
        with restored() if isinstance(self.source, Items) else nullcontext():
            for some in torch.split(rows, at_once):
                batch = self.fetch(some)
                parts.append(digest((batch.inputs, batch.labels if labels else None)))
        return digest(parts)

    def order(self, epoch: int, seed: int) -> Tensor:
        """The permutation (n,) int64 in which an epoch visits the samples.

        Parameters
        ----------
        epoch : int
            The epoch, from 0.
        seed : int
            The seed of the training.
        """
        generator = torch.Generator().manual_seed(mixed(seed, epoch) >> 1)
        order = torch.randperm(len(self), generator=generator)
        if not self.by_length:
            return order
        return alike(order, self.lengths, self.batch_size or 128, generator)

    @cached_property
    def lengths(self) -> Tensor:
        """Tokens of each sample, (n,): its attention mask's sum, or the length of ``input_ids``.

        Raises
        ------
        InvalidInput
            If inputs have neither.
        """
        chunks = torch.split(torch.arange(len(self)), 512)
        return torch.cat([tokens(self.fetch(rows).inputs).cpu() for rows in chunks])

    def fetch(self, rows: Sequence[int] | Tensor, *, seed: int = 0, view: int = 0) -> Batch:
        """One batch, in this process.

        Parameters
        ----------
        rows : sequence of int, or Tensor of shape (n,)
            Positions of the samples.
        seed : int
            The seed of augmentations.
        view : int
            Which augmented view of the samples.
        """
        rows = torch.as_tensor(rows, dtype=torch.int64)
        return self._batch(rows, self.source.fetch(rows, seed, view), seed, view)

    def batches(
        self,
        order: Sequence[int] | Tensor,
        batch_size: int | Sequence[int] | None = None,
        *,
        seed: int = 0,
        view: int = 0,
        device: torch.device | str | None = None,
    ) -> Iterator[Batch]:
        """Batches of samples in an order.

        Parameters
        ----------
        order : sequence of int, of shape (m,)
            Places of samples; the last batch may be smaller.
        batch_size : int or sequence of int, optional
            By default ``self.batch_size``, else 128. With a sequence, of each batch.
        seed, view : int
            What an augmentation draws is a function of these and of the place.
        device : optional
            Where batches are sent; by default they stay where the data is.
        """
        order = torch.as_tensor(order, dtype=torch.int64)
        chunks = torch.split(order, batch_size or self.batch_size or 128)  # type: ignore[arg-type]
        if isinstance(self.source, Arrays) or not self._workers.get("num_workers"):
            for rows in chunks:
                found = self.source.fetch(rows, seed, view)
                yield self._batch(rows, found, seed, view).to(device)
            return
        loader: DataLoader[Any] = DataLoader(
            _Remote(self.source, seed, view),
            batch_size=None,  # an item is a batch
            sampler=chunks,
            collate_fn=_as_it_is,
            generator=torch.Generator(),  # else it draws from the global one
            **self._workers,
        )
        for rows, found in zip(chunks, loader, strict=True):
            yield self._batch(rows, found, seed, view).to(device)

    def subset(self, rows: Sequence[int] | Tensor) -> Samples:
        """Some of the samples, at new places; what is drawn for a sample stays the same."""
        chosen = torch.as_tensor(rows, dtype=torch.int64)
        cases = None if self.cases is None else self.cases[chosen.numpy()]
        before = getattr(self.source, "rows", None)
        chosen = chosen if before is None else before[chosen]
        source = replace(self.source, rows=chosen)  # type: ignore[type-var]
        return self.over(source, cases=cases)

    def over(self, source: Source, **changed: Any) -> Samples:
        """The same settings over another source.

        Parameters
        ----------
        source : Source
            Where the samples are.
        **changed
            Other settings than these, by the names of the constructor.
        """
        kept: dict[str, Any] = {
            "batch_size": self.batch_size,
            "workers": self._workers,
            "notes": self.notes,
            "task": self.task,
            "by_length": self.by_length,
            "drop_last": self.drop_last,
            "partial": self.partial,
        }
        return Samples(source, **kept | changed)

    def aimed(self, task: Task) -> Samples:
        """The same samples, with labels checked and shaped for a task.

        Raises
        ------
        InvalidInput
            If labels do not fit; all of the arrays are read, and 256 of a data set.
        """
        new = self.over(self.source, task=task, cases=self.cases)
        if isinstance(self.source, Arrays) and self.source.labels is not None:
            labels = shaped(self.whole_labels(), task, missing=self.partial)
            new._partly = labelled(labels, task) is not None
            new.notes = _noted(self.notes, labels, task, len(self))
            if (rows := self.source.rows) is not None:
                whole = labels.new_zeros((len(self.source.labels), *labels.shape[1:]))
                labels = whole.index_copy_(0, rows.to(labels.device), labels)
            new.source = replace(self.source, labels=labels)
            new._ready = True  # nothing is left to do, or to check, for each batch
        elif self.has_labels:
            with restored():
                found = [new.fetch([i]).labels for i in _spread(len(self), _HASHED).tolist()]
            new.notes = _noted(self.notes, found, task, len(self))
        return new

    def whole_labels(self) -> Tensor:
        """The labels of all samples, of arrays."""
        assert isinstance(self.source, Arrays)  # noqa: S101  (the callers check)
        found: Tensor = Arrays(self.source.labels, rows=self.source.rows).all()
        return found

    def _probes(self) -> list[int]:
        return [int(i) for i in _spread(len(self), _PROBES)]

    def _batch(self, rows: Tensor, found: tuple[Any, Tensor | None], seed: int, view: int) -> Batch:
        inputs, labels = found
        if not self.has_labels:
            return Batch(inputs, None, rows, view, seed)
        if labels is None:  # the samples of this batch have none, others do
            labels = torch.full((len(rows),), IGNORED)
        known = None
        if self.task is not None:
            if not self._ready:
                labels = shaped(labels, self.task, missing=self.partial)
            known = labelled(labels, self.task) if self._partly or not self._ready else None
        return Batch(inputs, labels, rows, view, seed, known)


def _known(labels: Tensor | None) -> bool:
    """Whether there is any label: not NaN, nor of whole numbers a mark of none."""
    if labels is None:
        return False
    if labels.is_floating_point():
        return not bool(torch.isnan(labels).all())
    return not bool(unlabelled(labels).all())


def _noted(
    notes: tuple[str, ...], labels: Tensor | Sequence[Tensor | None], task: Task, n: int
) -> tuple[str, ...]:
    """Notes on data, and how its labels were understood."""
    return tuple(dict.fromkeys((*notes, *label_notes(labels, task, n))))


class _Remote(Dataset[Any]):
    """A data set whose items are batches, for workers."""

    def __init__(self, source: Source, seed: int, view: int) -> None:
        self.source, self.seed, self.view = source, seed, view

    def __getitem__(self, rows: Tensor) -> Any:
        return self.source.fetch(rows, self.seed, self.view)


def _as_it_is(batch: Any) -> Any:
    return batch


def _spread(n: int, wanted: int) -> Tensor:
    """At most ``wanted`` of n places, evenly spread, first and last included."""
    return torch.linspace(0, n - 1, min(n, wanted), dtype=torch.float64).round().long()
