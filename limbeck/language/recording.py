"""A teacher job once for texts, and its next-token distributions written to disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import InvalidInput, TeacherFailed, whole_number
from limbeck.core.progress import Progress, shown
from limbeck.language.carriers.carrier import Arrays, Carrier, TokenLayout
from limbeck.language.carriers.named import carrier_of
from limbeck.language.chunked import LMHead, chunk_rows
from limbeck.language.heads import Backbone, backbone_of
from limbeck.language.models import LanguageModel, is_folder, read_model, tokens_of
from limbeck.language.prompt_rows import read_rows
from limbeck.language.prompts import Prompts, encode
from limbeck.language.recorded import RecordedLogits, text_marks, tokenizer_marks
from limbeck.language.shards import ShardFolder
from limbeck.modules.fingerprint import fingerprint
from limbeck.networks.cache.cache_file import locked
from limbeck.networks.datasets.seeding import mixed

__all__ = ["record"]

_SHARD = 16_384
"""Tokens of a shard, about: what a killed run loses at most."""
_TOKENS = 512
_MEASURED = 256
"""Tokens on which what is kept is compared with the full distributions."""


def record(
    teacher: Any,
    texts: Any,
    out: str | PathLike[str],
    *,
    keep: str = "sampled:50",
    tokenizer: Any = None,
    prompt_tokens: int = 1,
    max_new_tokens: int | None = None,
    batch_size: int = 8,
    seed: int = 0,
    device: str | None = None,
    progress: bool | Progress | None = None,
) -> RecordedLogits:
    """Write a teacher's next-token distributions to disk, so that training needs no teacher.

    Goes on where an earlier run of the same teacher, texts and settings stopped, and returns at
    once where all is there.

    Parameters
    ----------
    teacher : str, path or nn.Module
        ``hf:folder``, or a causal model of transformers with its tokenizer.
    texts : sequence or path
        Texts, of which every token after the first ``prompt_tokens`` counts; or prompts with
        completions, or messages that end with an answer, of which the completion counts. As data
        of `limbeck.distill`.
    out : path
        The folder; made where it does not exist.
    keep : str
        "sampled:N": N tokens drawn, unbiased; "top:K": the K largest log-probabilities and the
        mass of the rest; "hidden" or "hidden:int8": the last hidden state, and the head once;
        "full": all log-probabilities in float16.
    tokenizer : object, optional
        Of a module.
    prompt_tokens : int
        Of texts: the first so many tokens are the prompt, with which the models are judged later.
        With 1 all that can be learned is kept, but texts that begin alike have one prompt.
    max_new_tokens : int, optional
        Tokens that count of each text at most; longer ones are cut, as where the context ends. By
        default 512.
    batch_size : int
        Texts that the teacher reads together.
    seed : int
        Of tokens that are drawn.
    device : str, optional
        Where a folder is loaded to.
    progress : bool or callable, optional
        A progress bar; by default only on a terminal. Or a function that is told of texts.

    Returns
    -------
    RecordedLogits

    Raises
    ------
    InvalidInput
        If a text is empty or too long, or the settings make no sense.
    FileRefused
        If the folder holds other logits, or cannot be written to.
    TeacherFailed
        If the teacher returns what is not a number.

    Examples
    --------
    >>> import limbeck
    >>> limbeck.language.record("hf:big", texts, out="logits/")  # doctest: +SKIP
    RecordedLogits(2 texts, 57 tokens, keep='sampled:50', 45.1 bytes a token; ...)
    """
    carrier = carrier_of(keep)
    whole_number("batch_size", batch_size, 1)
    if max_new_tokens is not None:
        whole_number("max_new_tokens", max_new_tokens, 1)
    whole_number("prompt_tokens", prompt_tokens, 1)
    rows = read_rows(texts)
    model = read_model(teacher, "teacher", tokenizer, device)
    prompts = encode(
        rows, model, max_new_tokens or _TOKENS, prompt_tokens=prompt_tokens, reserve=False
    )
    if not prompts.complete:
        raise InvalidInput(
            "Some prompts have no text after them.", "Give completions, or texts alone."
        )
    named = str(Path(fspath(teacher).removeprefix("hf:")).resolve()) if is_folder(teacher) else None
    job = _Recording(model, carrier, backbone_of(model.module), prompts, seed, named)
    carrier.check(job.vocabulary)
    folder = Path(out)
    with locked(folder):
        found = _folder(folder, job)
        if found.done < found.rows:
            with nullcontext(progress) if callable(progress) else shown(progress) as tell:
                _go_on(found, job, batch_size, tell)
    return RecordedLogits(found)


@dataclass(frozen=True, eq=False)
class _Recording:
    """The teacher, the texts, and what is kept."""

    model: LanguageModel
    carrier: Carrier
    backbone: Backbone | None
    prompts: Prompts
    seed: int
    named: str | None
    """The teacher's folder, where it was given as one: it can judge later."""

    @property
    def vocabulary(self) -> int:
        """Outputs of the teacher that stand for tokens."""
        return min(self.model.outputs, tokens_of(self.model.tokenizer))

    def text(self, row: int) -> tuple[Sequence[int], Sequence[int]]:
        """Prompt and completion."""
        return self.prompts.ids[row], self.prompts.completions[row] or ()


def _folder(folder: Path, job: _Recording) -> ShardFolder:
    """The folder as it is, or a new one."""
    model, carrier = job.model, job.carrier
    head: dict[str, Any] = {
        "keep": carrier.keep,
        "vocabulary": job.vocabulary,
        "seed": job.seed,
        "teacher": fingerprint(model.module),
        **tokenizer_marks(model.tokenizer),
        "texts": text_marks(job.text(i) for i in range(len(job.prompts))),
    }
    content = _lm_head(job) if carrier.states else b""
    if content:
        head["lm_head"] = hashlib.sha256(content).hexdigest()
    found = ShardFolder.open(folder)
    if found is None:
        if content:
            write_bytes(content, folder / "head.safetensors")
        facts: dict[str, Any] = {"name": model.name, "notes": list(job.prompts.notes)}
        if job.named is not None:
            facts["folder"] = job.named
        found = ShardFolder(folder, head, len(job.prompts), facts=facts)
        found.save()
    found.check_head(head)
    return found


def _lm_head(job: _Recording) -> bytes:
    from safetensors.torch import save

    backbone = job.backbone
    if backbone is None:
        raise InvalidInput(
            f"keep is {job.carrier.keep!r}, and the logits of {job.model.name} are not its last"
            " hidden states times its head.",
            'Record with keep="sampled:50".',
        )
    weight = backbone.head.weight.detach()[: job.vocabulary]
    tensors = {"weight": weight.half() if weight.dtype == torch.float32 else weight}
    if getattr(backbone.head, "bias", None) is not None:
        tensors["bias"] = backbone.head.bias.detach()[: job.vocabulary]
    if backbone.softcap is not None:
        tensors["softcap"] = torch.tensor(backbone.softcap)
    tensors["scale"] = torch.tensor(backbone.scale)
    content: bytes = save({name: t.cpu().contiguous() for name, t in tensors.items()})
    return content


def _go_on(folder: ShardFolder, job: _Recording, batch_size: int, progress: Progress) -> None:
    """Record the rows that are lacking, one shard after the other."""
    module = job.model.module
    training = module.training
    module.eval()
    try:
        for rows in _shards(folder.done, job):
            done: dict[int, Arrays] = {}
            by_length = sorted(rows, key=lambda row: sum(map(len, job.text(row))))
            for at in range(0, len(rows), batch_size):
                progress("recording", folder.done + at, folder.rows)
                done |= _recorded(by_length[at : at + batch_size], job, folder.facts)
            places = sum(len(job.text(row)[1]) for row in rows)
            if hasattr(job.carrier, "top"):
                _add_mass(folder, [done[row]["log_rest"] for row in rows])
            folder.append([done[row] for row in rows], places)
    finally:
        module.train(training)


def _shards(start: int, job: _Recording) -> Iterator[list[int]]:
    """Rows of each shard from a row on, the same for every run that stopped between shards."""
    rows: list[int] = []
    tokens = 0
    for row in range(start, len(job.prompts)):
        rows.append(row)
        tokens += len(job.text(row)[1])
        if tokens >= _SHARD:
            yield rows
            rows, tokens = [], 0
    if rows:
        yield rows


def _add_mass(folder: ShardFolder, log_rest: Sequence[Any]) -> None:
    """Go on with the mean mass of the tokens that are kept."""
    rest = np.exp(np.concatenate(log_rest).astype(np.float64))
    before = folder.places
    mean = folder.facts.get("kept_mass", 0.0)
    folder.facts["kept_mass"] = (mean * before + float((1 - rest).sum())) / (before + len(rest))


@torch.inference_mode()
def _recorded(rows: Sequence[int], job: _Recording, facts: dict[str, Any]) -> dict[int, Arrays]:
    """What is stored of some texts, which the teacher reads together."""
    texts = [[*prompt, *completion] for prompt, completion in map(job.text, rows)]
    length = max(map(len, texts))
    ids = torch.full((len(rows), length), job.model.pad)
    mask = torch.zeros_like(ids)
    for i, text in enumerate(texts):
        ids[i, : len(text)], mask[i, : len(text)] = torch.tensor(text), 1
    device = next(job.model.module.parameters()).device
    inputs = {"input_ids": ids.to(device), "attention_mask": mask.to(device)}
    if job.backbone is not None:
        outputs: Tensor | LMHead = job.backbone(inputs)
    else:
        outputs = job.model.module(**inputs, use_cache=False).logits[..., : job.vocabulary]
    found = {}
    for i, row in enumerate(rows):
        start, end = len(job.text(row)[0]) - 1, len(texts[i]) - 1
        if isinstance(outputs, LMHead):
            one: Tensor | LMHead = _of(outputs, outputs.states[i, start:end], job.vocabulary)
        else:
            one = outputs[i, start:end]
        kept = _kept(one, job, mixed(job.seed, row), row, facts)
        found[row] = {
            "tokens": np.array(texts[i], dtype=_id_type(job.vocabulary)),
            "prompt": np.array([start + 1], dtype=np.int32),
            **job.carrier.packed(kept, job.vocabulary),
        }
    return found


def _of(head: LMHead, states: Tensor, first: int) -> LMHead:
    """The head over some states, of its first outputs."""
    bias = None if head.bias is None else head.bias[:first]
    return LMHead(states, head.weight[:first], bias, head.scale, head.softcap)


def _kept(
    one: Tensor | LMHead, job: _Recording, seed: int, row: int, facts: dict[str, Any]
) -> Arrays:
    """What is kept of one text, some tokens at a time."""
    carrier = job.carrier
    source = one.states if isinstance(one, LMHead) else one
    noise = carrier.noise(len(source), seed)
    parts = []
    for at, outputs in _outputs(one, job):
        kept = carrier.kept(outputs, None if noise is None else noise[at])
        if any(a.dtype.kind == "f" and np.isnan(a).any() for a in kept.values()):
            raise TeacherFailed(
                f"The teacher's outputs for text {row} are not numbers.",
                "Check its weights and its dtype, or leave this text out.",
            )
        if facts.get("measured", 0) < _MEASURED:
            _measure(outputs, one, kept, job, facts)
        parts.append(kept)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _outputs(one: Tensor | LMHead, job: _Recording) -> Iterator[tuple[slice, Tensor]]:
    """Logits, or hidden states, of some tokens at a time.

    The head is applied to more tokens at once than are then looked at: a product of few rows is
    slow, and so is what does not fit into a cache.
    """
    source = one.states if isinstance(one, LMHead) else one
    if job.carrier.states:
        yield slice(0, len(source)), source
        return
    step = chunk_rows(job.vocabulary, source.device)
    wide = step if not isinstance(one, LMHead) else 8 * step
    for start in range(0, len(source), wide):
        here = slice(start, start + wide)
        logits = one.logits(here) if isinstance(one, LMHead) else one[here]
        for first in range(0, len(logits), step):
            at = slice(start + first, start + min(first + step, len(logits)))
            yield at, logits[first : first + step].float()


def _measure(
    outputs: Tensor, one: Tensor | LMHead, kept: Arrays, job: _Recording, facts: dict[str, Any]
) -> None:
    """Total variation between what a reader restores and the full distributions, on average."""
    carrier, n = job.carrier, min(len(outputs), _MEASURED)
    layout = TokenLayout(
        np.arange(len(outputs)), len(outputs), job.vocabulary, False, torch.device("cpu")
    )
    head: Mapping[str, Tensor] = {}
    if carrier.states:
        assert isinstance(one, LMHead)  # noqa: S101  (refused before)
        outputs = _of(one, outputs, job.vocabulary).logits(slice(0, n))
        named = {"weight": one.weight, "bias": one.bias}
        head = {name: t.cpu() for name, t in named.items() if t is not None}
        head = {**head, "scale": torch.tensor(one.scale)}
        if one.softcap is not None:
            head["softcap"] = torch.tensor(one.softcap)
    exact = outputs[:n].float().softmax(-1).cpu()
    restored = carrier.probabilities(carrier.signal(kept, layout, head))[:n]
    distance = float((restored - exact).abs().sum()) / 2
    before = facts.get("measured", 0)
    facts["total_variation"] = (facts.get("total_variation", 0.0) * before + distance) / (
        before + n
    )
    facts["measured"] = before + n


def _id_type(vocabulary: int) -> type[np.unsignedinteger[Any]]:
    return np.uint16 if vocabulary <= 1 << 16 else np.uint32
