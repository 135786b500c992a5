"""What is checked before any training: one check for each fault that others met in public.

Each check asks the models themselves on a few prompts, so that it also finds what only their own
code gets wrong. Vocabularies are compared before, see `limbeck.language.models.share_vocabulary`;
what is asked of tokens and of recordings stands in `token_checks` and `recorded_check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.task import Task
from limbeck.language.chunked import LMHead, chunked_values
from limbeck.language.generation import TokenSampling, padded
from limbeck.language.models import LanguageModel, tokens_of
from limbeck.language.objectives import SequenceKD
from limbeck.language.predictions import TokenPredictor, logits_at
from limbeck.language.preflight_check import Check, half_width
from limbeck.language.prompt_scores import PromptScores, score_texts
from limbeck.language.prompts import Prompts
from limbeck.language.recorded import RecordedLogits
from limbeck.language.recorded_check import recorded_temperature
from limbeck.language.samples import TextSamples
from limbeck.language.text_step import text_step
from limbeck.language.token_checks import guessing, token_ids, vocabulary
from limbeck.language.training_loss import TextLoss, WritingObjective
from limbeck.modules.batch import MASK, HeadWeights, Step, View
from limbeck.modules.capture import modes_kept

__all__ = [
    "judged_gain", "labels", "number_type", "padding", "preflight", "sharding", "shared_weights",
]  # fmt: skip

_PROBES, _SCORED, _TOP = 4, 32, 16
_FAR, _FAR_HALF = 1e-3, 0.1
"""Nats by which batches may differ by rounding, in float32 and in the halved types."""
_LITTLE = 0.2
"""Of the likeliest tokens in common, below which own texts teach little at first."""


def preflight(
    teacher: LanguageModel,
    student: LanguageModel,
    prompts: Prompts,
    objective: Any,
    sampling: TokenSampling,
    *,
    strategy: str = "auto",
    seed: int = 0,
    recorded: RecordedLogits | None = None,
) -> tuple[Check, ...]:
    """All checks, in the order in which they can go wrong.

    Parameters
    ----------
    teacher, student : LanguageModel
        Who teaches, and where the student starts.
    prompts : Prompts
        Of the training.
    objective : object
        What is learned.
    sampling : TokenSampling
        Of texts that are written.
    strategy : str
        Of several processes; see `limbeck.networks.training.settings.Training`.
    seed : int
        Of the prompts that are looked at.
    recorded : RecordedLogits, optional
        The teacher's distributions on disk, in its place.
    """
    draw = np.random.default_rng(seed).permutation(len(prompts))[:_SCORED]
    some = prompts.subset(draw.tolist())
    modules = teacher.module, student.module
    with modes_kept(*modules), torch.no_grad():
        for module in modules:
            module.eval()
        return tuple(_checks(teacher, student, some, objective, strategy, recorded))


def _checks(
    teacher: LanguageModel,
    student: LanguageModel,
    some: Prompts,
    objective: Any,
    strategy: str,
    recorded: RecordedLogits | None,
) -> Iterator[Check]:
    few = some.subset(range(min(_PROBES, len(some))))
    yield chat_template(teacher, student, few)
    yield token_ids(teacher, student, few)
    yield vocabulary(teacher, student, few)
    yield end_of_text(teacher, student, few)
    yield number_type(teacher, student)
    yield shared_weights(teacher, student)
    yield sharding(teacher, student, strategy)
    found = [padding(m, r, few) for m, r in ((teacher, "teacher"), (student, "student"))]
    yield from found
    yield labels(student, few)
    if any(check.state == "refused" for check in found):
        return  # what follows rests on these log-probabilities, and may be no numbers
    if recorded is not None:
        yield recorded_temperature(recorded, teacher)
    scores = _scores(teacher, student, some)
    if scores is not None:
        by_role = {"teacher": scores.teacher_log_p, "student": scores.student_log_q}
        yield guessing(by_role, tokens_of(student.tokenizer))
    if scores is not None and some.complete:
        yield judged_gain(scores.teacher_log_p - scores.student_log_q)
    if isinstance(objective, WritingObjective) and objective.share > 0:
        yield top_tokens(teacher, student, few)


def chat_template(teacher: LanguageModel, student: LanguageModel, few: Prompts) -> Check:
    """Applied once, and alike for both.

    Parameters
    ----------
    teacher, student : LanguageModel
        The models.
    few : Prompts
        Some prompts.
    """
    name = "chat template"
    bos = student.tokenizer.bos_token_id
    twice = [i for i, ids in enumerate(few.ids) if bos is not None and ids[:2] == (bos, bos)]
    if twice:
        return Check(
            name, "refused", f"The prompt {few.texts[twice[0]][:40]!r} begins with two"
            f" {student.tokenizer.bos_token!r}: the tokenizer adds one, and the text has one.",
            "Give prompts without it, or as messages.",
        )  # fmt: skip
    own, theirs = (getattr(m.tokenizer, "chat_template", None) for m in (student, teacher))
    if few.templated and own != theirs:
        return Check(
            name, "refused", "Teacher and student have different chat templates, so the teacher"
            " would judge prompts that it never meets.",
            "Give the student the teacher's: tokenizer.chat_template = ...; then save it.",
        )  # fmt: skip
    if own and not few.templated:
        return Check(
            name, "warning", "Prompts are plain texts, and the tokenizer has a chat template.",
            "Give messages or chat=True where the prompts are a user's.",
        )  # fmt: skip
    return Check(name, "ok", "Applied once and alike." if few.templated else "None is used.")


def end_of_text(teacher: LanguageModel, student: LanguageModel, few: Prompts) -> Check:
    """One end of text for both, which the chat template uses, too.

    Parameters
    ----------
    teacher, student : LanguageModel
        The models.
    few : Prompts
        Some prompts.
    """
    name = "end of text"
    if teacher.ends != student.ends:
        return Check(
            name, "refused", f"The teacher ends a text with tokens {list(teacher.ends)}, and the"
            f" student with {list(student.ends)}.",
            "Set generation_config.eos_token_id of both alike, and save it.",
        )  # fmt: skip
    if not student.ends:
        return Check(name, "ok", "There is none: every text is as long as max_new_tokens.")
    closing = _closing(student.tokenizer) if few.templated else None
    if closing is not None and closing not in student.ends:
        token = student.tokenizer.convert_ids_to_tokens(closing)
        return Check(
            name, "refused", f"The chat template closes an answer with {token!r} (id {closing}),"
            f" and texts end with {list(student.ends)}: answers would not end.",
            "Add it to generation_config.eos_token_id of both models.",
        )  # fmt: skip
    return Check(name, "ok", f"Tokens {list(student.ends)}.")


def _closing(tokenizer: Any) -> int | None:
    """The special token after an answer in the chat template, if there is one."""
    mark = "limbeck"
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": mark}]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    after = tokenizer(text.rpartition(mark)[2], add_special_tokens=False)["input_ids"]
    special = {*tokenizer.all_special_ids, *_added(tokenizer)}
    return next((int(t) for t in after if t in special), None)


def _added(tokenizer: Any) -> set[int]:
    return {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}


def number_type(teacher: LanguageModel, student: LanguageModel) -> Check:
    """Weights that small updates do not vanish in.

    Parameters
    ----------
    teacher, student : LanguageModel
        The models.
    """
    name = "number type"
    own = {p.dtype for p in student.module.parameters()}
    if torch.float16 in own:
        return Check(
            name, "refused", "The student's weights are float16, in which gradients vanish.",
            "Load it in float32, and give precision='bf16' or 'fp16' for the passes.",
        )  # fmt: skip
    if torch.bfloat16 in own:
        return Check(
            name, "warning", "The student's weights are bfloat16: an update smaller than 1/256 of"
            " a weight is lost.", "Load it in float32, and give precision='bf16'.",
        )  # fmt: skip
    theirs = {p.dtype for p in teacher.module.parameters()}
    told = ", ".join(sorted(str(t).removeprefix("torch.") for t in theirs))
    return Check(name, "ok", f"The student trains in float32; the teacher is {told}.")


def shared_weights(teacher: LanguageModel, student: LanguageModel) -> Check:
    """A teacher that shares weights would learn, or turn off the student's dropout.

    Parameters
    ----------
    teacher, student : LanguageModel
        The models.
    """
    name = "shared weights"
    theirs = {p.data_ptr() for p in teacher.module.parameters() if p.numel()}
    if any(p.data_ptr() in theirs for p in student.module.parameters() if p.requires_grad):
        return Check(
            name, "refused", "Teacher and student share weights: evaluation mode of the one turns"
            " off the other's dropout, and training changes both.",
            "Load the folder twice, or copy.deepcopy one of them.",
        )  # fmt: skip
    return Check(name, "ok", "Teacher and student share none.")


def sharding(teacher: LanguageModel, student: LanguageModel, strategy: str) -> Check:
    """Each model is put into shards once at most.

    Parameters
    ----------
    teacher, student : LanguageModel
        The models.
    strategy : str
        Of several processes.
    """
    name = "shards"
    if _sharded(student.module):
        return Check(
            name, "refused", "The student's weights are in shards already, and would be put into"
            " shards again.", "Give it whole, with strategy='fsdp'.",
        )  # fmt: skip
    if strategy == "fsdp" and not _sharded(teacher.module):
        return Check(
            name, "warning", "The teacher lies whole on every process while the student is in"
            " shards.", "Where memory is short, call fully_shard(teacher) once yourself.",
        )  # fmt: skip
    return Check(name, "ok", "Each model is in shards once at most.")


def _sharded(module: Any) -> bool:
    return any(hasattr(p, "full_tensor") for p in module.parameters())


def padding(model: LanguageModel, role: str, few: Prompts) -> Check:
    """What follows a text has the same probabilities alone and in a batch, padded on either side.

    Parameters
    ----------
    model : LanguageModel
        Who is asked.
    role : str
        What it is called.
    few : Prompts
        Some prompts.
    """
    name = f"padding ({role})"
    texts = [list(p) for p in few.ids]
    texts[0] = texts[0][: max(1, len(texts[0]) // 2)]  # so that some are shorter than others
    texts.append(max(texts, key=len) * 2)
    alone = [_last(model, [t], left=False) for t in texts]
    if any(bool(a.isnan().any()) for a in alone):
        return Check(
            name, "refused", f"The {role}'s logits are not numbers.",
            "Check its weights, and load it in float32.",
        )  # fmt: skip
    for left in (False, True):
        both = _last(model, texts, left)
        far = max(float((a[0] - b).abs().max()) for a, b in zip(alone, both, strict=True))
        if not far < _rounding(model):
            side = "left" if left else "right"
            use = "writes" if left else "learns"
            return Check(
                name, "refused", f"The {role}'s log-probabilities change by {far:.3g} where a"
                f" batch is padded to the {side}, as when it {use}.",
                "Check that the model uses attention_mask and position_ids; else give texts of one"
                " length.",
            )  # fmt: skip
    return Check(name, "ok", "Padding changes nothing.")


def _rounding(model: LanguageModel) -> float:
    full = all(p.dtype in (torch.float32, torch.float64) for p in model.module.parameters())
    return _FAR if full else _FAR_HALF


def _last(model: LanguageModel, texts: list[list[int]], left: bool) -> Tensor:
    """Log-probabilities, from -9 on, of the token after each text, (n, vocabulary)."""
    ids, mask = padded(texts, model.pad, left, device=model.module.device)
    more = {"position_ids": (mask.cumsum(-1) - 1).clamp_min(0)} if left else {}
    predicted = TokenPredictor.of(model)(ids, mask, **more)
    ends = torch.full((len(texts),), -1) if left else mask.sum(-1).cpu() - 1
    own = logits_at(predicted, (torch.arange(len(texts)), ends))
    found: Tensor = own.float().log_softmax(-1).clamp_min(-9.0).cpu()
    return found


def labels(student: LanguageModel, few: Prompts) -> Check:
    """The loss of a batch is that of predicting each token of its texts from those before it.

    Parameters
    ----------
    student : LanguageModel
        Who is trained.
    few : Prompts
        Some prompts; where their texts are not known, halves of the prompts stand for them.
    """
    name = "labels"
    if not few.complete:
        few = few.followed_by([ids[-2:] for ids in few.ids])
    few = few.followed_by([(c or ())[:_PROBES] for c in few.completions])
    task = Task.of("language", student.outputs)
    batch = TextSamples(few, student.pad, task).fetch(list(range(len(few))))
    batch = batch.to(student.module.device)
    ask = TokenPredictor.of(student)
    step = Step(batch.inputs, batch.labels, _view(ask(**_named(batch.inputs))), None, task)
    found = float(TextLoss(SequenceKD()).loss(step, None))
    losses = []
    for prompt, text in zip(few.ids, few.completions, strict=True):
        for place, token in enumerate(text or ()):
            before = torch.tensor([[*prompt, *(text or ())[:place]]])
            after = logits_at(ask(before, torch.ones_like(before)), (0, [-1]))[0]
            losses.append(-float(after.float().log_softmax(-1)[token]))
    expected = sum(losses) / len(losses)
    counted = int(text_step(step).counts.sum())
    if counted != len(losses) or not abs(found - expected) < _rounding(student):
        return Check(
            name, "refused", f"The loss of a batch is {found:.4f} over {counted} tokens, and that"
            f" of predicting each of the {len(losses)} tokens from those before it is"
            f" {expected:.4f}.",
            "Logits must stand at the token before the one that they predict, unshifted.",
        )  # fmt: skip
    return Check(name, "ok", f"{counted} tokens of texts count, each predicted from before.")


def _scores(teacher: LanguageModel, student: LanguageModel, some: Prompts) -> PromptScores | None:
    """How both predict the given texts, or else the prompts from their second token on."""
    if some.complete:
        pairs = [(p, c or ()) for p, c in zip(some.ids, some.completions, strict=True)]
    else:
        pairs = [(p[:1], p[1:]) for p in some.ids if len(p) > 1]
    if not pairs:
        return None
    prompts, texts = zip(*pairs, strict=True)
    return score_texts(teacher, student, prompts, texts)


def _named(inputs: Any) -> dict[str, Tensor]:
    """Tokens and mask of a batch, as a `TokenPredictor` calls them."""
    return {"ids": inputs["input_ids"], "mask": inputs[MASK]}


def _view(predicted: Tensor | LMHead) -> View:
    """The same as the loop's losses see it."""
    if isinstance(predicted, LMHead):
        return View(predicted.states, head=HeadWeights(predicted.weight, predicted.bias))
    return View(predicted.float())


def judged_gain(gain: NDArray[np.float64]) -> Check:
    """Whether the teacher gives texts more probability than the student's start does.

    Parameters
    ----------
    gain : ndarray of shape (n,)
        Of each text, in nats a token.
    """
    name = "teacher better than start"
    middle, half = float(gain.mean()), half_width(gain)
    told = f"{middle:+.3f} nats a token on {len(gain)} given texts (95% +/- {half:.3f})"
    if middle + half < 0:
        return Check(
            name, "refused", f"The teacher is behind the student's start: {told}.",
            "Take another teacher, or texts that this one knows; preflight='warn' if the texts are"
            " not the task.",
        )  # fmt: skip
    if middle - half <= 0:
        return Check(
            name, "warning", f"The teacher is not shown to be better than the start: {told}.",
            "Expect little from distilling it.",
        )  # fmt: skip
    return Check(name, "ok", f"{told}.")


def top_tokens(teacher: LanguageModel, student: LanguageModel, few: Prompts) -> Check:
    """How many of the teacher's likeliest next tokens are among the student's.

    Parameters
    ----------
    teacher, student : LanguageModel
        The models.
    few : Prompts
        Some prompts.
    """
    name = "top tokens in common"
    k = min(_TOP, max(student.outputs // 4, 1))
    ids, mask = padded(few.ids, student.pad, False, device=student.module.device)
    tops = []
    for model in (teacher, student):
        predicted = TokenPredictor.of(model)(ids, mask)
        tops.append(chunked_values(predicted, lambda z, _: z.topk(k).indices, mask.bool()))
    same = (tops[0][:, :, None] == tops[1][:, None, :]).any(-1).float().mean()
    told = f"{float(same):.0%} of the teacher's {k} likeliest tokens are among the student's"
    if float(same) < _LITTLE:
        return Check(
            name, "warning", f"{told}: what the student writes at first is far from all that the"
            " teacher knows.",
            "Train on given texts first (TokenKD), and on own texts from there.",
        )  # fmt: skip
    return Check(name, "ok", f"{told}.")
