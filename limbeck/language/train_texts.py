"""The training of a language model on texts: student and controls, with what each one cost."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress
from limbeck.core.task import Task
from limbeck.language.cross_tokenizer.bridge import Bridge
from limbeck.language.cross_tokenizer.objective import CrossTokenizer
from limbeck.language.generation import TokenSampling
from limbeck.language.lora import merged
from limbeck.language.mixture import TeacherMixture
from limbeck.language.models import LanguageModel
from limbeck.language.objectives import SequenceKD
from limbeck.language.prompts import Prompts
from limbeck.language.recorded import RecordedLogits
from limbeck.language.samples import OwnTexts, StudentWriter, TextSamples
from limbeck.language.training_loss import RecordedRows, TextLoss, WritingObjective
from limbeck.modules.capture import hooked
from limbeck.networks.training.gradient_accumulation import Plan
from limbeck.networks.training.processes import summed
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import Trained, joined, train

__all__ = ["Bill", "TextTraining", "TrainedText"]


@dataclass(frozen=True)
class Bill:
    """What one training cost: seconds since it was started or resumed, and counts of all of it.

    Parameters
    ----------
    training : float
        The student's forward and backward passes and updates.
    teacher : float
        The teacher's passes over the batches.
    sampling : float
        Writing: of the student on the way, and of the teacher before.
    updates, tokens, written : int
        Updates; tokens of texts learned from; and how many of these were written.
    """

    training: float
    teacher: float
    sampling: float
    updates: int
    tokens: int
    written: int

    @property
    def total(self) -> float:
        """All of it, in seconds."""
        return self.training + self.teacher + self.sampling


@dataclass(frozen=True, eq=False)
class TrainedText:
    """A trained language model with its history and its bill."""

    model: LanguageModel
    trained: Trained
    bill: Bill


@dataclass(frozen=True, eq=False)
class TextTraining:
    """How students of one kind are trained: the same start, order and number of updates for all.

    Parameters
    ----------
    teacher : LanguageModel
        Who teaches.
    start : LanguageModel
        Where each training starts; it is copied.
    objective : object
        Of the student; controls take cross-entropy.
    task : Task
        Of language, with the size of the vocabulary.
    training : Training
        Settings of the loop.
    sampling : TokenSampling
        Of texts that are written; an objective may say a temperature and a length of its own.
    recorded : RecordedLogits, optional
        The teacher's distributions on disk: no training asks the teacher then.
    bridge : Bridge, optional
        To a teacher with another tokenizer.
    cuts : sequence of callables
        From a trained model to a smaller one, on which the training goes on; the updates are
        divided among all of them.
    finish : callable, optional
        From a trained network to the one that is judged and kept, such as one with rounded weights.
    """

    teacher: LanguageModel
    start: LanguageModel
    objective: Any
    task: Task
    training: Training
    sampling: TokenSampling
    recorded: RecordedLogits | None = None
    bridge: Bridge | None = None
    cuts: Sequence[Callable[[LanguageModel], LanguageModel]] = ()
    finish: Callable[[nn.Module], nn.Module] | None = None

    def student(
        self, prompts: Prompts, seed: int, folder: Path | None, tell: Progress
    ) -> TrainedText:
        """Train with the objective.

        Parameters
        ----------
        prompts : Prompts
            With the texts after them.
        seed : int
            Of order, coins and texts.
        folder : path, optional
            Of checkpoints.
        tell : callable
            Told how far it is.
        """
        return self._run(prompts, self.objective, seed, folder, "distilled", tell)

    def control(
        self, prompts: Prompts, seed: int, folder: Path | None, tell: Progress
    ) -> TrainedText:
        """Train with cross-entropy on the texts that are given.

        Parameters
        ----------
        prompts, seed, folder, tell
            As for `student`.
        """
        return self._run(prompts, SequenceKD(), seed, folder, "control", tell)

    def _run(
        self,
        prompts: Prompts,
        objective: Any,
        seed: int,
        folder: Path | None,
        name: str,
        tell: Progress,
    ) -> TrainedText:
        training = self.training.settled(len(prompts), False)
        if self.cuts:
            parts = training.divided(len(prompts), 1 + len(self.cuts))
            return self._in_steps(parts, prompts, objective, seed, folder, name, tell)
        writer = StudentWriter(None, self._own_sampling(objective))
        samples = self._samples(prompts, objective, writer, seed, training)

        def make() -> nn.Module:
            module: nn.Module = copy.deepcopy(self.start.module)
            writer.model = replace(self.start, module=module)
            return module

        bridge = self.bridge if isinstance(objective, CrossTokenizer) else None
        loss = TextLoss(objective, self._recorded(prompts, objective), bridge)
        teacher = self.teacher.module if loss.needs.teacher else None
        before = time.perf_counter()
        with _timed(teacher if bridge is None else self.teacher.module) as spent:
            samples.clock = lambda: _shared(time.perf_counter() - before, spent(), writer)
            trained = train(
                make, samples, loss, self.task, training=training, seed=seed,
                teacher=teacher, folder=folder, name=name, progress=tell,
            )  # fmt: skip
            seconds = samples.spent()
        module = merged(trained.module)
        model = replace(self.start, module=self.finish(module) if self.finish else module)
        alone, asked, sampling = seconds
        learned, written = summed(samples.learned, writer.tokens)
        bill = Bill(alone, asked, sampling, trained.steps, learned, written)
        return TrainedText(model, trained, bill)

    def _in_steps(
        self,
        parts: Sequence[Training],
        prompts: Prompts,
        objective: Any,
        seed: int,
        folder: Path | None,
        name: str,
        tell: Progress,
    ) -> TrainedText:
        """Train, cut, and train again."""
        done: TrainedText | None = None
        for step, part in enumerate(parts):
            start = self.start if done is None else self.cuts[step - 1](done.model)
            own = replace(self, start=start, training=part, cuts=())
            under = None if folder is None else folder / f"step-{step + 1}"
            made = own._run(prompts, objective, seed, under, name, tell)
            if done is not None:
                bill = Bill(**{
                    n: getattr(done.bill, n) + getattr(made.bill, n)
                    for n in (f.name for f in fields(Bill))
                })  # fmt: skip
                made = replace(made, trained=joined(done.trained, made.trained), bill=bill)
            done = made
        assert done is not None  # noqa: S101  (there are parts)
        return done

    def _recorded(self, prompts: Prompts, objective: Any) -> RecordedRows | None:
        """Where the distributions of each training text are."""
        if self.recorded is None or not objective.needs_teacher:
            return None
        tokens = [self.recorded.tokens(row) for row in range(len(self.recorded))]
        places = {(tuple(p), tuple(t)): row for row, (p, t) in enumerate(tokens)}
        pairs = zip(prompts.ids, prompts.completions, strict=True)
        return RecordedRows(self.recorded, tuple(places[p, t or ()] for p, t in pairs))

    def _own_sampling(self, objective: Any) -> TokenSampling:
        if not isinstance(objective, WritingObjective):
            return self.sampling
        return replace(
            self.sampling,
            temperature=objective.temperature,
            max_new_tokens=objective.max_new_tokens or self.sampling.max_new_tokens,
        )

    def _samples(
        self, prompts: Prompts, objective: Any, writer: StudentWriter, seed: int, training: Training
    ) -> TextSamples:
        pad = self.start.pad
        if not isinstance(objective, WritingObjective) or objective.share == 0:
            return TextSamples(prompts, pad, self.task)
        if objective.teacher_share > 0:
            writer.mixture = TeacherMixture(self.teacher, objective.teacher_share)
        writer.synced = training.strategy == "fsdp"
        plan = Plan(len(prompts), training.batch_size, int(os.environ.get("WORLD_SIZE", "1")),
                    training.gradient_accumulation_steps)  # fmt: skip
        replay = getattr(objective, "replay", 0.0)
        if replay and plan.processes > 1:
            raise InvalidInput(
                f"replay is {replay} in {plan.processes} processes, each of which would keep texts"
                " of its own.",
                "Leave replay out, or train in one process.",
            )
        return OwnTexts(prompts, pad, self.task, writer, objective.share, seed, plan, replay)


def _shared(seconds: float, asked: float, writer: StudentWriter) -> tuple[float, float, float]:
    """Seconds of training alone, of the teacher's passes, and of sampling with all its passes."""
    teacher = max(asked - (writer.seconds if writer.mixture else 0.0), 0.0)
    return max(seconds - teacher - writer.seconds, 0.0), teacher, writer.seconds


@contextmanager
def _timed(module: nn.Module | None) -> Iterator[Any]:
    """Measure the seconds spent in a module's forward passes."""
    if module is None:
        yield lambda: 0.0
        return
    spent, began = [0.0], [0.0]

    def clock() -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter()

    def before(*_: Any) -> None:
        began[0] = clock()

    def after(*_: Any) -> None:
        spent[0] += clock() - began[0]

    with hooked([(module, after)], [(module, before)]):
        yield lambda: spent[0]
