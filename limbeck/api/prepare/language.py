"""What a distillation of language models is given, read and split before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from limbeck.api.prepare.language_request import (
    LanguageData,
    LanguageKnown,
    LanguageRequest,
    LanguageSides,
)
from limbeck.certificates.binomial import check_share
from limbeck.core.errors import InvalidInput, did_you_mean, plural
from limbeck.core.task import Task
from limbeck.language.cross_preflight import bridged, cross_preflight
from limbeck.language.cross_tokenizer.bridge import Bridge
from limbeck.language.cross_tokenizer.objective import CrossTokenizer
from limbeck.language.disk_columns import DiskColumn
from limbeck.language.generation import TokenSampling
from limbeck.language.lora import adapted
from limbeck.language.models import LanguageModel, read_model, share_vocabulary
from limbeck.language.objectives import SequenceKD, TokenKD
from limbeck.language.on_policy import OnPolicy
from limbeck.language.preflight import preflight
from limbeck.language.prompt_rows import read_rows
from limbeck.language.prompts import Prompts, check_room
from limbeck.language.recorded import RecordedLogits
from limbeck.language.token_folder import is_streamed, read_prompts
from limbeck.language.training_loss import (
    check_objective,
    whole_logits_note,
)
from limbeck.networks.training.settings import Training

__all__ = [
    "read_language",
    "recorded_prompts",
    "split_language",
    "understand_language",
]

_TOKENS = 128
_DEFAULTS: Mapping[str, Any] = {"batch_size": 16, "lr": 1e-4, "max_grad_norm": 1.0}
_MOST_JUDGED = 100_000
_NOT_HERE = ("patience", "metrics", "ema")


def read_language(request: LanguageRequest) -> LanguageData:
    """Models, prompts and settings, refused where they cannot be used.

    Raises
    ------
    InvalidInput
        If an argument or a row has no meaning, or the models number tokens differently.
    """
    if request.preflight not in ("refuse", "warn"):
        raise InvalidInput(f"preflight is {request.preflight!r}.", "Choose 'refuse' or 'warn'.")
    objective = check_objective(request.objective or OnPolicy())
    training = _training(request.training)
    most = getattr(objective, "max_new_tokens", None)
    asked = request.max_new_tokens if request.max_new_tokens is not None else most
    sampling = TokenSampling(_TOKENS if asked is None else asked,
                             batch_size=request.judge_batch_size)  # fmt: skip
    for name, metric in request.metrics.items():
        if not callable(metric):
            raise InvalidInput(f"The metric {name!r} is {metric!r}.", "Give a function.")
    inside = request.recorded is None and not is_streamed(request.data)
    rows = read_rows(request.data) if inside else request.data
    teacher = read_model(request.teacher, "teacher", request.tokenizer, request.device)
    start = read_model(request.into, "student", request.tokenizer, request.device)
    bridge = None
    if isinstance(objective, CrossTokenizer):
        bridge, note = bridged(teacher, start)
        outputs = len(bridge.ours.table)
    else:
        outputs, note = share_vocabulary(teacher, start)
    if request.lora is not None:
        start = replace(start, module=adapted(start.module, request.lora, request.seed))
        bridge = None if bridge is None else Bridge(teacher, start)

    def read(data: Any, name: str) -> Prompts:
        under = None if request.folder is None else request.folder / name
        found = read_prompts(
            data, start, sampling.max_new_tokens, prompt_tokens=request.prompt_tokens,
            chat=request.chat, folder=under,
        )  # fmt: skip
        least, most = (m.context or np.inf for m in (teacher, start))
        if bridge is None and least < most:  # the student's was looked at
            for i, ids in enumerate(found.ids):
                check_room(ids, sampling.max_new_tokens, teacher, i)
        return found

    if request.recorded is not None:
        prompts = recorded_prompts(request.recorded, teacher, start, objective)
    else:
        prompts = read(rows, "tokens")
    test = None if request.test is None else read(request.test, "test-tokens")
    for each in (prompts, test):
        if bridge is not None and each is not None:
            bridge.check(each)
    found = (
        f"The judge is the teacher that was recorded, {teacher.name}, whose folder is still there."
        if request.judge_found
        else ""
    )
    unsaid = ""
    if request.recorded is not None and not request.recorded.says_teacher:
        unsaid = (
            "The imported logits do not say whose they are: that the judge is their teacher was not"
            " checked."
        )
    notes = tuple(n for n in (note, found, unsaid, *prompts.notes) if n)
    return LanguageData(teacher, start, objective, training, sampling, prompts, test, notes,
                        outputs, bridge)  # fmt: skip


def split_language(request: LanguageRequest, data: LanguageData) -> LanguageSides:
    """Training prompts and test prompts; equal prompts come to one side.

    Parameters
    ----------
    request : LanguageRequest
        What was asked for.
    data : LanguageData
        With all prompts.

    Raises
    ------
    InvalidInput
        If a side would have none, or a test prompt is among those that train.
    """
    prompts, notes, different = data.prompts, [], len(data.prompts)
    if data.test is not None:
        _check_judged(data.test, len(data.test))
        train, test = prompts, _different(data.test)
        known = set(test.ids)
        shared = known.intersection(train.ids)
        if shared:
            raise InvalidInput(
                f"{plural(len(shared), 'test prompt')} of {len(test):,} are among those that"
                " train.",
                "Leave them out on one side.",
            )
    else:
        check_share("holdout", request.holdout)
        kinds = prompts.kinds()
        different = int(kinds.max(initial=-1)) + 1
        order = np.random.default_rng(request.seed).permutation(different)
        _check_judged(prompts, round(request.holdout * different))
        aside = np.isin(kinds, order[: round(request.holdout * different)])
        test = _different(prompts.subset(np.flatnonzero(aside)))
        train = prompts.subset(np.flatnonzero(~aside))
    alike = different < len(prompts)
    if alike:
        notes.append(
            f"Of {len(prompts):,} prompts {different:,} are different; equal ones came to one"
            " side, and count once in the certificate."
        )
    if not len(train) or not len(test):
        which = f", of which {different:,} are different," if alike else ""
        longer = " Texts that begin alike count as one prompt: a larger prompt_tokens parts them."
        raise InvalidInput(
            f"{plural(len(prompts), 'prompt')}{which} cannot be split into training and test.",
            f"Give more different ones.{longer if alike and request.prompt_tokens else ''}",
        )
    if train.complete is False and any(c is not None for c in train.completions):
        notes.append("Some prompts have no text after them; the teacher writes all texts.")
    return LanguageSides(train, test, tuple(notes))


def understand_language(
    request: LanguageRequest, data: LanguageData, sides: LanguageSides
) -> LanguageKnown:
    """Pre-flight, and what follows from the rows.

    Parameters
    ----------
    request : LanguageRequest
        What was asked for.
    data : LanguageData
        Models, prompts and settings.
    sides : LanguageSides
        Training prompts and test prompts.

    Raises
    ------
    InvalidInput
        If pre-flight finds a fault.
    """
    if data.bridge is not None:
        checks = cross_preflight(
            data.bridge, sides.train, strategy=data.training.strategy, seed=request.seed
        )
    else:
        checks = preflight(
            data.teacher, data.start, sides.train, data.objective, data.sampling,
            strategy=data.training.strategy, seed=request.seed, recorded=request.recorded,
        )  # fmt: skip
    faults = [c for c in checks if c.state == "refused"]
    if faults and request.preflight == "refuse":
        raise InvalidInput(
            f"Pre-flight, {faults[0].name}: {faults[0].message}",
            f"{faults[0].remedy} (preflight='warn' goes on.)",
        )
    notes = [*data.notes, *sides.notes]
    notes += [f"Pre-flight, {c.name}: {c.message} {c.remedy}" for c in checks if c.state != "ok"]
    if not sides.train.complete:
        notes.append(
            "Texts after the training prompts are not known: the teacher wrote them, for the"
            " student and for its control."
        )
    models = {"student": data.start}
    if request.recorded is None:
        models["teacher"] = data.teacher
    notes += filter(None, [whole_logits_note(models)])
    training = data.training
    if training.epochs is None and training.max_steps is None:
        training = replace(training, epochs=1)
    metrics = dict(request.metrics)
    if sides.test.complete and any(
        c[-1] in data.start.ends for c in sides.test.completions if c is not None
    ):
        metrics.setdefault("exact_match", exact_match)
    return LanguageKnown(
        data.teacher, data.start, data.objective, Task.of("language", data.outputs), training,
        data.sampling, sides.train, sides.test, metrics, checks, tuple(notes), request.recorded,
        data.bridge,
    )  # fmt: skip


def recorded_prompts(
    recorded: RecordedLogits, teacher: LanguageModel, start: LanguageModel, objective: Any
) -> Prompts:
    """The texts that were recorded, once the recording is seen to fit both models.

    Parameters
    ----------
    recorded : RecordedLogits
        On disk.
    teacher, start : LanguageModel
        Who judges, and where the student starts.
    objective : object
        Which must take what is on disk.

    Raises
    ------
    InvalidInput
        If the objective needs texts of the student's own.
    FileRefused
        If the logits are of another teacher, tokenizer or template.
    """
    if not isinstance(objective, TokenKD | SequenceKD):
        raise InvalidInput(
            f"{type(objective).__name__} learns from texts that are written while it trains, and"
            " recorded logits are of given texts.",
            "Give TokenKD(), or the teacher itself.",
        )
    recorded.check(tokenizer=start.tokenizer, teacher=teacher.module)
    ids, texts = zip(*(map(tuple, recorded.tokens(i)) for i in range(len(recorded))), strict=True)
    read = [start.tokenizer.decode(list(p)) for p in ids]
    real = [start.tokenizer.decode(list(t), skip_special_tokens=True) for t in texts]
    return Prompts(tuple(read), ids, texts, tuple(real))


def exact_match(text: str, real: str | None) -> float:
    """1 where a text is the real one, but for blanks around it.

    Parameters
    ----------
    text : str
        What a model wrote.
    real : str or None
        What was given.
    """
    return float(real is not None and text.strip() == real.strip())


def _training(given: Mapping[str, Any]) -> Training:
    """Settings of the loop, with the defaults of language models."""
    known = [f.name for f in fields(Training) if f.name not in _NOT_HERE]
    for name in given:
        if name not in known:
            ours = [f.name for f in fields(LanguageRequest) if f.name != "training"]
            raise InvalidInput(
                f"There is no setting {name!r} of language models.",
                did_you_mean(name, [*ours, *known]),
            )
    return Training(**{**_DEFAULTS, **given})


def _check_judged(prompts: Prompts, count: int) -> None:
    """Refuse to judge more prompts of a file than memory holds with what all models write."""
    if count > _MOST_JUDGED and isinstance(prompts.ids, DiskColumn):
        raise InvalidInput(
            f"{count:,} prompts of a file would be judged, each held in memory with what every"
            " model writes after it.",
            f"Give holdout={_MOST_JUDGED / 100 / len(prompts):.1g}, or a test of fewer than"
            f" {_MOST_JUDGED:,} prompts.",
        )


def _different(prompts: Prompts) -> Prompts:
    """Each prompt once, in order, and in memory: all of them are judged."""
    _, firsts = np.unique(prompts.kinds(), return_index=True)
    return prompts.subset(firsts).in_memory()
