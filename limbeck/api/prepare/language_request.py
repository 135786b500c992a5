"""What a distillation of language models is asked for, given and worked with."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from limbeck.core.errors import InvalidInput, plural
from limbeck.core.progress import Progress
from limbeck.core.task import Task
from limbeck.language.cross_tokenizer.bridge import Bridge
from limbeck.language.cross_tokenizer.judge import CrossJudge
from limbeck.language.generation import TokenSampling, generate
from limbeck.language.judge import TextJudge, TextMetric
from limbeck.language.models import LanguageModel
from limbeck.language.preflight_check import Check
from limbeck.language.prompts import Prompts
from limbeck.language.recorded import RecordedLogits
from limbeck.language.training_loss import WritingObjective
from limbeck.networks.training.settings import Training

__all__ = ["LanguageData", "LanguageKnown", "LanguageRequest", "LanguageSides"]


@dataclass(frozen=True, eq=False)
class LanguageRequest:
    """The arguments of `limbeck.api.distill_language.distill_language`."""

    teacher: Any
    data: Any
    into: Any
    objective: Any
    tokenizer: Any
    test: Any
    holdout: float
    prompt_tokens: int | None
    chat: bool
    max_new_tokens: int | None
    control: bool
    metrics: Mapping[str, TextMetric]
    distinct_n: int
    judge_batch_size: int
    preflight: str
    lora: Any
    seeds: int
    seed: int
    epsilon: float
    delta: float
    device: str | None
    folder: Path | None
    training: Mapping[str, Any]
    recorded: RecordedLogits | None = None
    judge_found: bool = False

    @property
    def all(self) -> range:
        """The training seeds."""
        return range(self.seed, self.seed + self.seeds)

    def under(self, seed: int, name: str) -> Path | None:
        """The folder of checkpoints of one training.

        Parameters
        ----------
        seed : int
            Its seed.
        name : str
            What is trained.
        """
        return None if self.folder is None else self.folder / f"seed-{seed}" / name


@dataclass(frozen=True, eq=False)
class LanguageData:
    """Models, prompts as tokens, and settings."""

    teacher: LanguageModel
    start: LanguageModel
    objective: Any
    training: Training
    sampling: TokenSampling
    prompts: Prompts
    test: Prompts | None
    notes: tuple[str, ...]
    outputs: int
    bridge: Bridge | None = None


@dataclass(frozen=True, eq=False)
class LanguageSides:
    """Prompts that train, and prompts of table and certificate."""

    train: Prompts
    test: Prompts
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class LanguageKnown:
    """All that the training works with."""

    teacher: LanguageModel
    start: LanguageModel
    objective: Any
    task: Task
    training: Training
    sampling: TokenSampling
    train: Prompts
    test: Prompts
    metrics: Mapping[str, TextMetric]
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    recorded: RecordedLogits | None = None
    bridge: Bridge | None = None

    @property
    def complete(self) -> bool:
        """Whether the texts after the training prompts were given."""
        return self.train.complete

    @property
    def writes(self) -> bool:
        """Whether the student learns from texts that it writes itself."""
        return isinstance(self.objective, WritingObjective) and self.objective.share > 0

    def given(self, seed: int, tell: Progress) -> tuple[Prompts, tuple[float, int]]:
        """The texts to train on, and seconds and tokens of the teacher where it writes them.

        Parameters
        ----------
        seed : int
            Of what it writes.
        tell : callable
            Told that it writes.
        """
        return (self.train, (0.0, 0)) if self.complete else self.written(seed, tell)

    def written(self, seed: int, tell: Progress) -> tuple[Prompts, tuple[float, int]]:
        """The training prompts with what the teacher writes after them.

        Parameters
        ----------
        seed, tell
            As for `given`.
        """
        tell("the teacher writes", 0, 1)
        began = time.perf_counter()
        if self.bridge is not None:
            texts = self.bridge.written(self.train, self.sampling, seed + 2)
        else:
            texts = generate(self.teacher, self.train.ids, self.sampling, seed=seed + 2)
        if not any(texts):
            raise InvalidInput(
                f"The teacher wrote nothing after {plural(len(texts), 'prompt')}.",
                "Check its tokenizer, or give texts after the prompts.",
            )
        cost = time.perf_counter() - began, sum(map(len, texts))
        return self.train.followed_by(texts), cost

    def judge(self, request: LanguageRequest) -> TextJudge:
        """Who judges all models on the test prompts.

        Parameters
        ----------
        request : LanguageRequest
            What was asked for.
        """
        sampling = replace(self.sampling, batch_size=request.judge_batch_size)
        given = self.teacher, self.test, sampling, request.seed, self.metrics
        return TextJudge(*given) if self.bridge is None else CrossJudge(*given, bridge=self.bridge)
