"""Prompts with the texts after them as training samples; some batches are written on the way.

The loop is the one of all networks. What is on-policy is only where a batch comes from: the samples
hold the student, and a batch that is to be the student's own is written when the loop asks for it,
with the weights of that moment.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.language.generation import TokenSampling, generate, padded
from limbeck.language.models import LanguageModel
from limbeck.language.prompts import Prompts
from limbeck.modules.batch import IGNORED
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.seeding import mixed
from limbeck.networks.training.gradient_accumulation import Plan

__all__ = ["OwnTexts", "StudentWriter", "TextSamples", "WrittenInputs"]

_TIMES = 3
"""Kinds of seconds on a bill: of training, of the teacher, of sampling."""
_REPLAYED = 32
"""Batches of own texts that may be learned from again."""
_Kept = tuple[list[int], list[list[int]]]
"""Places of prompts, and the texts after them."""
Mixture = Callable[[Tensor, Tensor, Tensor], Tensor]


class WrittenInputs(dict[str, Tensor]):
    """Inputs of texts that the student wrote itself, which some objectives tell apart."""


@dataclass(frozen=True, eq=False)
class _Tokens:
    """Prompts and texts by place, as inputs and labels."""

    prompts: Prompts
    pad: int

    def __len__(self) -> int:
        return len(self.prompts)

    def fetch(self, rows: Tensor, seed: int, view: int) -> tuple[Any, Tensor | None]:
        """Inputs and labels of a batch.

        Parameters
        ----------
        rows : Tensor of int64, shape (n,)
            Positions of the samples.
        seed, view : int
            Nothing is drawn.
        """
        places = rows.tolist()
        texts = [self.prompts.completions[i] or () for i in places]
        return _batched([self.prompts.ids[i] for i in places], texts, self.pad)


def _batched(
    prompts: Sequence[Sequence[int]], texts: Sequence[Sequence[int]], pad: int
) -> tuple[dict[str, Tensor], Tensor]:
    """Prompts with texts, padded to the right; the tokens of the texts are the labels."""
    whole = [[*p, *t] for p, t in zip(prompts, texts, strict=True)]
    ids, mask = padded(whole, pad, left=False)
    labels = torch.full_like(ids, IGNORED)
    for row, (prompt, text) in enumerate(zip(prompts, texts, strict=True)):
        start = len(prompt)
        labels[row, start : start + len(text)] = ids[row, start : start + len(text)]
    return {"input_ids": ids, "attention_mask": mask}, labels


class TextSamples(Samples):
    """Prompts with the texts that follow them; only tokens of the texts count.

    Parameters
    ----------
    prompts : Prompts
        Each with its text.
    pad : int
        The token that fills up batches.
    task : Task
        Of language, with the size of the vocabulary.

    Attributes
    ----------
    learned : int
        Tokens that counted in the batches of a training.
    clock : callable
        Seconds of this process so far: of training, of the teacher and of sampling.
    """

    def __init__(self, prompts: Prompts, pad: int, task: Task) -> None:
        if not prompts.complete:
            raise InvalidInput("Some prompts have no text after them.", "Let a model write them.")
        super().__init__(_Tokens(prompts, pad), task=task)
        self.prompts, self.pad = prompts, pad
        self._ready = True
        self.learned = 0
        self.clock: Callable[[], tuple[float, ...]] = lambda: (0.0,) * _TIMES
        self._earlier: tuple[float, ...] = (0.0,) * _TIMES

    def aimed(self, task: Task) -> Samples:
        """The same samples: labels are tokens already."""
        return self

    def state(self) -> dict[str, Any]:
        """What was counted and spent so far."""
        return {"learned": self.learned, "spent": list(self.spent())}

    def spent(self) -> tuple[float, ...]:
        """Seconds as of the clock, with those of processes that were cut off."""
        return tuple(a + b for a, b in zip(self._earlier, self.clock(), strict=True))

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on counting.

        Parameters
        ----------
        state : mapping
            As `state` returned it.
        """
        self.learned = int(state.get("learned", 0))
        earlier = tuple(float(x) for x in state.get("spent", ()))
        self._earlier = earlier if len(earlier) == _TIMES else (0.0,) * _TIMES

    def batches(
        self,
        order: Sequence[int] | Tensor,
        batch_size: int | Sequence[int] | None = None,
        *,
        seed: int = 0,
        view: int = 0,
        device: torch.device | str | None = None,
    ) -> Iterator[Batch]:
        """Batches in an order; those of a training have their sizes given, and are counted.

        Parameters
        ----------
        order : sequence of int
            Places of samples.
        batch_size : int or sequence of int, optional
            A sequence marks the rest of an epoch of training.
        seed, view : int
            The view is the epoch.
        device : optional
            Where batches are sent.
        """
        if batch_size is None or isinstance(batch_size, int):
            yield from super().batches(order, batch_size, seed=seed, view=view, device=device)
            return
        rows = torch.as_tensor(order, dtype=torch.int64)
        for batch in self._delivered(rows, list(batch_size), view, device):
            assert batch.labels is not None  # noqa: S101  (texts always have them)
            self.learned += int((batch.labels != IGNORED).sum())
            yield batch

    def _delivered(self, rows: Tensor, sizes: list[int], view: int, device: Any) -> Iterator[Batch]:
        """The rest of an epoch of training."""
        yield from super().batches(rows, sizes, view=view, device=device)


@dataclass(eq=False)
class StudentWriter:
    """Who writes batches, and what that cost.

    Parameters
    ----------
    model : LanguageModel or None
        The student that is being trained; set when it is made.
    sampling : TokenSampling
        Length and temperature.
    mixture : callable, optional
        Other probabilities to draw from; see `limbeck.language.generation.generate`.
    synced : bool
        Whether processes must write in step, as with sharded weights.
    seconds, batches : float, int
        What was written in this process since it started.
    tokens : int
        What was written in all.
    """

    model: LanguageModel | None
    sampling: TokenSampling
    mixture: Mixture | None = None
    synced: bool = False
    seconds: float = 0.0
    tokens: int = 0
    batches: int = 0
    lengths: list[int] = field(default_factory=list)

    def write(
        self, prompts: Sequence[Sequence[int]], seed: int, numbers: Sequence[int]
    ) -> list[list[int]]:
        """Texts after prompts, by the student as it is now.

        Parameters
        ----------
        prompts : sequence of sequence of int
            Tokens of each.
        seed : int
            Of what is drawn.
        numbers : sequence of int
            Of the prompts; see `limbeck.language.generation.generate`.
        """
        assert self.model is not None  # noqa: S101  (set before the loop starts)
        began = time.perf_counter()
        found = generate(
            self.model, prompts, self.sampling, seed=seed, numbers=numbers, mixture=self.mixture,
            synced=self.synced,
        )  # fmt: skip
        self.seconds += time.perf_counter() - began
        self.tokens += sum(map(len, found))
        self.batches += 1
        return found


class OwnTexts(TextSamples):
    """The same prompts; a share of the batches goes on with what the student writes.

    One coin decides for a whole update, drawn from the seed and the update alone: all processes
    and all parts of an update see the same one, and a resumed run sees it again.

    Parameters
    ----------
    prompts, pad, task
        As in `TextSamples`.
    writer : StudentWriter
        Who writes.
    share : float
        Of the updates, in [0, 1].
    seed : int
        Of coins and texts.
    plan : Plan
        Which batches make an update.
    replay : float
        Share of the updates on own texts that take a batch that was written before.
    """

    def __init__(
        self,
        prompts: Prompts,
        pad: int,
        task: Task,
        writer: StudentWriter,
        share: float,
        seed: int,
        plan: Plan,
        replay: float = 0.0,
    ) -> None:
        super().__init__(prompts, pad, task)
        self.writer, self.share, self.seed, self.plan = writer, share, seed, plan
        self.replay = replay
        self._kept: deque[_Kept] = deque(maxlen=_REPLAYED)

    def state(self) -> dict[str, Any]:
        """What was counted and written so far, with the texts that may be learned from again."""
        kept = [[list(places), texts] for places, texts in self._kept]
        return {**super().state(), "written": self.writer.tokens, "kept": kept}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on counting.

        Parameters
        ----------
        state : mapping
            As `state` returned it.
        """
        super().restore(state)
        self.writer.tokens = int(state.get("written", 0))
        self._kept.extend((list(places), texts) for places, texts in state.get("kept", []))

    def own(self, epoch: int, update: int) -> bool:
        """Whether an update, counted within its epoch, learns from the student's own texts.

        Parameters
        ----------
        epoch, update : int
            From 0.
        """
        return mixed(self.seed, 1, epoch, update) / 2**64 < self.share

    def _delivered(self, rows: Tensor, sizes: list[int], view: int, device: Any) -> Iterator[Batch]:
        """The rest of an epoch of training, whose view is the epoch."""
        for update, part in zip(self._updates(len(sizes)), torch.split(rows, sizes), strict=True):
            if self.own(view, update):
                yield self._own_batch(part, view, update, device)
            else:
                yield self._batch(part, self.source.fetch(part, 0, 0), 0, view).to(device)

    def _updates(self, parts: int) -> list[int]:
        """The update of each of the last parts of an epoch."""
        each = [u for u in range(self.plan.updates) for _ in self.plan.sizes(u)]
        return each[len(each) - parts :]

    def _own_batch(self, rows: Tensor, epoch: int, update: int, device: Any) -> Batch:
        """A batch that is written now, or one that was before."""
        again = mixed(self.seed, 3, epoch, update) / 2**64 < self.replay
        if again and self._kept:
            drawn = mixed(self.seed, 4, epoch, int(rows[0])) % len(self._kept)
            places, texts = self._kept[drawn]
        else:
            places = rows.tolist()
            prompts = [self.prompts.ids[i] for i in places]
            texts = self.writer.write(prompts, mixed(self.seed, 2, epoch), places)
            if self.replay:
                self._kept.append((places, texts))
        inputs, labels = _batched([self.prompts.ids[i] for i in places], texts, self.pad)
        index = torch.tensor(places)
        batch = Batch(inputs, labels, index, epoch, self.seed).to(device)
        own = WrittenInputs(batch.inputs)
        return Batch(own, batch.labels, index, epoch, self.seed)
