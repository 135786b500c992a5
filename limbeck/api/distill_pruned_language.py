"""The steps of a distillation into a language model that is cut out of its teacher."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import nn

from limbeck.api.language_steps import LanguageSteps, TaughtTexts
from limbeck.api.prepare.language import read_language, understand_language
from limbeck.api.prepare.language_request import (
    LanguageData,
    LanguageKnown,
    LanguageRequest,
    LanguageSides,
)
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress
from limbeck.core.task import Task
from limbeck.language.lora import adapted
from limbeck.language.models import LanguageModel, read_model
from limbeck.language.objectives import TokenKD
from limbeck.language.prompt_rows import each_row, read_rows
from limbeck.language.prompts import Prompts
from limbeck.language.samples import TextSamples
from limbeck.language.token_folder import is_streamed
from limbeck.language.train_texts import TextTraining, TrainedText
from limbeck.networks.pruning.pruned import Pruned
from limbeck.networks.pruning.ways import ways_to_size

__all__ = ["PrunedLanguageSteps", "read_own_student"]

_PROMPT = 16  # tokens of a whole text that are its prompt, where nothing else is said


@dataclass(frozen=True, eq=False)
class KnownCut(LanguageKnown):
    """What the training works with, and the starts of the other ways to a model of that size."""

    starts: Mapping[str, Callable[[int], LanguageModel]] = field(default_factory=dict)
    """By role: from a seed to a start."""

    later: Sequence[Callable[[LanguageModel], LanguageModel]] = ()
    """Cuts of further steps."""


@dataclass(frozen=True, eq=False)
class PrunedLanguageSteps(LanguageSteps):
    """The steps where the student is cut out of its teacher, healed, and compared with other cuts.

    Plain texts are whole texts: their first tokens are the prompt, and the student is healed on
    what follows. The control is the same cut, healed by cross-entropy on the same texts.
    """

    def read(self) -> LanguageData:
        """Teacher, prompts and settings, with a copy of the teacher in the student's place."""
        return read_own_student(self.request, "cut", "Pruned(...)")

    def understand(self, data: LanguageData, sides: LanguageSides) -> KnownCut:
        """As for any language model, once the student is cut by training texts.

        Parameters
        ----------
        data : LanguageData
            What was given.
        sides : LanguageSides
            Training prompts and test prompts.
        """
        asked: Pruned = self.request.into
        batch = _calibration(sides.train, data.teacher, data.outputs, asked)
        ways = ways_to_size(
            data.teacher.module, asked, batch, None, "cross-entropy on the same texts"
        )
        name = f"{data.teacher.name}, cut"
        lora = self.request.lora

        def model(module: Any) -> LanguageModel:
            module = module if lora is None else adapted(module, lora, self.request.seed)
            return LanguageModel(module, data.teacher.tokenizer, name)

        known = understand_language(self.request, replace(data, start=model(ways.first)), sides)
        given = {f.name: getattr(known, f.name) for f in fields(LanguageKnown)}
        given["notes"] = (*ways.told, *known.notes, *ways.notes)
        made = {role: _seeded(start, model) for role, start in ways.starts.items()}

        def further(cut: Callable[[nn.Module], nn.Module]) -> Any:
            return lambda trained: model(cut(trained.module))

        return KnownCut(**given, starts=made, later=tuple(map(further, ways.later)))

    def training(self, known: LanguageKnown) -> TextTraining:
        """As for any language model; cut again between steps, if that was asked for.

        Parameters
        ----------
        known : LanguageKnown
            Models, prompts and settings.
        """
        assert isinstance(known, KnownCut)  # noqa: S101  (see `understand`)
        return replace(super().training(known), cuts=known.later)

    def alternatives(
        self, known: LanguageKnown, found: TaughtTexts, tell: Progress
    ) -> Mapping[str, Sequence[TrainedText]]:
        """A random cut, the same size from scratch, the last layers cut: with the same teacher.

        Parameters
        ----------
        known : LanguageKnown
            Models and prompts.
        found : TaughtTexts
            The students.
        tell : Progress
            Told how far their training is.
        """
        assert isinstance(known, KnownCut)  # noqa: S101  (see `understand`)
        out: dict[str, list[TrainedText]] = {}
        if not self.request.control:
            return out
        for role, start in known.starts.items():
            for seed in self.request.all:
                folder = self.request.under(seed, role.replace(" ", "-"))
                method = replace(found.method, start=start(seed), cuts=())
                trained = method.student(found.prompts, seed, folder, tell)
                out.setdefault(role, []).append(trained)
        return out


def read_own_student(request: LanguageRequest, done: str, called: str) -> LanguageData:
    """Teacher, prompts and settings, for a student that is made from its teacher.

    Parameters
    ----------
    request : LanguageRequest
        What was asked for.
    done : str
        What is done to the teacher, for a message.
    called : str
        How such a student is asked for.

    Raises
    ------
    InvalidInput
        If there is no network, but what was recorded of one; or as in `read_language`.
    """
    r = request
    if r.recorded is not None:
        raise InvalidInput(
            f"Recorded logits hold no network that could be {done}.",
            f"Give the teacher itself: limbeck.distill('hf:big', texts, into={called}).",
        )
    notes: list[str] = []
    rows = each_row(r.data) if is_streamed(r.data) else read_rows(r.data)
    whole = all(isinstance(row.prompt, str) and row.completion is None for row in rows)
    if whole and r.prompt_tokens is None and not r.chat:
        r = replace(r, prompt_tokens=_PROMPT)
        notes.append(
            f"Texts were taken as whole texts: their first {_PROMPT} tokens are the prompt, and"
            f" models learn what follows (prompt_tokens={_PROMPT})."
        )
    teacher = read_model(r.teacher, "teacher", r.tokenizer, r.device)
    start = replace(teacher, module=copy.deepcopy(teacher.module))
    data = read_language(
        replace(r, teacher=teacher, into=start, lora=None, objective=r.objective or TokenKD())
    )
    return replace(data, notes=(*notes, *data.notes))


def _calibration(prompts: Prompts, model: LanguageModel, outputs: int, asked: Pruned) -> Any:
    """Inputs of training texts, on which importance is measured."""
    samples = TextSamples(prompts, model.pad, Task.of("language", outputs))
    drawn = samples.order(0, asked.seed)[: min(len(samples), asked.rows)]
    longest = max(
        len(ids) + len(text or ())
        for ids, text in zip(prompts.ids, prompts.completions, strict=True)
    )
    return samples.fetch(drawn[: asked.pieces(longest)]).inputs


def _seeded(start: Any, model: Callable[[Any], LanguageModel]) -> Callable[[int], LanguageModel]:
    """From a network, or a function that makes one, to what makes a model with a seed."""
    if isinstance(start, nn.Module):
        return lambda _: model(start)

    def made(seed: int) -> LanguageModel:
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            torch.manual_seed(seed)
            return model(start())

    return made
