"""Logits that others wrote, into the folder that training reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import torch

from limbeck.core.errors import FileRefused, InvalidInput, did_you_mean, whole_number
from limbeck.language.carriers.carrier import Arrays
from limbeck.language.carriers.top import KeepTop
from limbeck.language.imported.distillkit import DistillKitLayout
from limbeck.language.imported.logit_files import WRITERS, LogitReader, TextLogits
from limbeck.language.models import LanguageModel, is_folder, read_model
from limbeck.language.predictions import TokenPredictor, logits_at
from limbeck.language.recorded import RecordedLogits, text_marks, tokenizer_marks
from limbeck.language.shards import ShardFolder
from limbeck.language.token_bytes import TokenBytes
from limbeck.modules.fingerprint import fingerprint
from limbeck.networks.cache.cache_file import locked

__all__ = ["import_logits"]

_SHARD, _PROBED, _PLACES = 16_384, 4, 64
_APART = 0.1
"""Nats by which log-probabilities of another machine may differ from the teacher's, on average."""


def import_logits(
    source: str | PathLike[str],
    out: str | PathLike[str],
    *,
    written_by: str,
    tokenizer: Any,
    teacher: Any = None,
    temperature: float = 1.0,
    prompt_tokens: int = 1,
    vocabulary: int | None = None,
    compression: Mapping[str, Any] | None = None,
    device: str | None = None,
) -> RecordedLogits:
    """Turn log-probabilities that vLLM, an OpenAI-like server or DistillKit wrote into a folder.

    The folder is one of `limbeck.language.record` with ``keep="top:K"``, where K is what every
    place has: train with ``limbeck.distill("logits/", into=...)``. What is not kept of a
    distribution is one outcome, and too little kept mass is refused there.

    Parameters
    ----------
    source : path
        "vllm": JSON lines of outputs with ``prompt_token_ids`` and ``prompt_logprobs``, or of
        responses of its server. "openai": JSON lines with ``prompt`` (or ``messages``) and the
        ``response`` of chat completions with ``top_logprobs``. "distillkit": a .parquet file, or a
        folder of them with its compression_config.yaml.
    out : path
        The folder; made where it does not exist.
    written_by : {"vllm", "openai", "distillkit"}
        Who wrote it.
    tokenizer : str, path or object
        The teacher's: ``hf:folder``, or one of transformers.
    teacher : str, path or nn.Module, optional
        ``hf:folder`` of the model that the log-probabilities are of: it reads a few texts, and
        other numbers are refused. Without it the folder does not say whose they are.
    temperature : float
        At which they were taken. Only 1 can be used: of a part of a distribution no other
        temperature can be restored. vLLM's prompt_logprobs are always at 1.
    prompt_tokens : int
        Of whole texts ("vllm", "distillkit"): the first so many tokens are the prompt.
    vocabulary : int, optional
        Outputs of the teacher; by default the tokens of the tokenizer.
    compression : mapping, optional
        DistillKit's configuration, where it does not lie beside the files.
    device : str, optional
        Where a teacher's folder is loaded to.

    Raises
    ------
    InvalidInput
        If a setting makes no sense, or the temperature is not 1.
    FileRefused
        If a row cannot be read, the numbers are no probabilities or not the teacher's, or the
        folder holds other logits.

    Examples
    --------
    >>> import limbeck
    >>> limbeck.language.import_logits(
    ...     "outputs.jsonl", "logits/", written_by="vllm", tokenizer="hf:big"
    ... )  # doctest: +SKIP
    RecordedLogits(2 texts, 57 tokens, keep='top:20', ...)
    """
    if written_by not in WRITERS:
        raise InvalidInput(f"written_by is {written_by!r}.", did_you_mean(str(written_by), WRITERS))
    if temperature != 1:
        raise InvalidInput(
            f"The log-probabilities were taken at temperature {temperature}, and what was not kept"
            " of them at temperature 1 cannot be known.",
            "Take them at temperature 1 (vLLM: logprobs_mode='raw_logprobs').",
        )
    whole_number("prompt_tokens", prompt_tokens, 1)
    if vocabulary is not None:
        whole_number("vocabulary", vocabulary, 2)
    path = Path(fspath(source))
    if not path.exists():
        raise FileRefused(f"There is no {str(path)!r}.", "Check the path.")
    model = None if teacher is None else read_model(teacher, "teacher", _reader(tokenizer), device)
    tokens = TokenBytes(_reader(tokenizer))
    layout = DistillKitLayout.beside(path, compression) if written_by == "distillkit" else None
    size = vocabulary or len(tokens.table)
    reader = LogitReader(path, written_by, tokens, prompt_tokens, layout, size)
    head, rows = _head(reader, size, model)
    folder = Path(out)
    before = ShardFolder.open(folder)
    if model is not None and (before is None or before.done < before.rows):
        _compare(reader, model)  # before anything is written
    with locked(folder):
        found = _folder(folder, head, rows, model, teacher)
        if found.done < found.rows:
            _write(found, reader, KeepTop(int(head["keep"].partition(":")[2])))
    return RecordedLogits(found)


def _reader(tokenizer: Any) -> Any:
    """A tokenizer from a folder, or as it is."""
    if not is_folder(tokenizer):
        return tokenizer
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(
        str(Path(fspath(tokenizer).removeprefix("hf:"))), local_files_only=True
    )


def _head(
    reader: LogitReader, size: int, model: LanguageModel | None
) -> tuple[dict[str, Any], int]:
    """What the folder depends on, and its number of texts: one pass over the file."""
    rows, least = 0, size - 1
    marks = hashlib.sha256(b"limbeck imported logits 1\n")

    def texts() -> Any:
        nonlocal rows, least
        for one in reader:
            rows, least = rows + 1, min(least, *map(len, one.ids))
            for log_p in one.log_p:
                marks.update(log_p.tobytes())
            yield one.prompt, one.text

    told = text_marks(texts())
    if not rows:
        raise FileRefused(f"{str(reader.path)!r} holds no texts.", "Check the file.")
    return {
        "keep": f"top:{least}",
        "vocabulary": size,
        "seed": 0,
        "teacher": None if model is None else fingerprint(model.module),
        **tokenizer_marks(reader.tokens.tokenizer),
        "texts": told,
        "logits": marks.hexdigest(),
    }, rows


def _folder(
    folder: Path, head: Mapping[str, Any], rows: int, model: LanguageModel | None, teacher: Any
) -> ShardFolder:
    found = ShardFolder.open(folder)
    if found is None:
        facts: dict[str, Any] = {
            "name": "imported" if model is None else model.name,
            "notes": ["Imported: log-probabilities at temperature 1, as they were given."],
        }
        if is_folder(teacher):
            facts["folder"] = str(Path(fspath(teacher).removeprefix("hf:")).resolve())
        found = ShardFolder(folder, head, rows, facts=facts)
        found.save()
    found.check_head(head)
    return found


def _write(folder: ShardFolder, reader: LogitReader, carrier: KeepTop) -> None:
    """Write the texts that are lacking, one shard after the other."""
    rows: list[Arrays] = []
    places = 0
    for number, one in enumerate(reader):
        if number < folder.done:
            continue
        rows.append(_packed(one, carrier, folder.head["vocabulary"]))
        places += len(one.text)
        if places >= _SHARD or number == folder.rows - 1:
            rest = np.exp(np.concatenate([r["log_rest"] for r in rows]).astype(np.float64))
            before, mean = folder.places, folder.facts.get("kept_mass", 0.0)
            folder.facts["kept_mass"] = (mean * before + float((1 - rest).sum())) / (
                before + len(rest)
            )
            folder.append(rows, places)
            rows, places = [], 0


def _packed(one: TextLogits, carrier: KeepTop, vocabulary: int) -> Arrays:
    """A text as `limbeck.language.record` writes it."""
    k = carrier.top
    logs = np.stack([log_p[:k] for log_p in one.log_p])
    rest = np.log(np.clip(1 - np.exp(logs).sum(1), 1e-7, 1))
    kept = {
        "ids": np.stack([ids[:k] for ids in one.ids]),
        "values": np.maximum(logs, -60_000).astype(np.float16),
        "log_rest": rest.astype(np.float16),
    }
    small = np.uint16 if vocabulary <= 1 << 16 else np.uint32
    return {
        "tokens": np.array([*one.prompt, *one.text], dtype=small),
        "prompt": np.array([len(one.prompt)], dtype=np.int32),
        **carrier.packed(kept, vocabulary),
    }


@torch.inference_mode()
def _compare(reader: LogitReader, model: LanguageModel) -> None:
    """Refuse log-probabilities that are not those of the teacher on the first texts."""
    far: list[float] = []
    ask = TokenPredictor.of(model)
    for _, one in zip(range(_PROBED), reader, strict=False):
        ids = torch.tensor([[*one.prompt, *one.text[:_PLACES]][: (model.context or 1 << 30)]])
        told = logits_at(ask(ids, torch.ones_like(ids)), (0, slice(len(one.prompt) - 1, -1)))
        for place, log_p in enumerate(told.float().log_softmax(-1).cpu()):
            ours = log_p[torch.from_numpy(one.ids[place])].double().numpy()
            share = np.exp(one.log_p[place])
            far.append(float((share * np.abs(ours - one.log_p[place])).sum() / share.sum()))
    if not np.mean(far) <= _APART:
        raise FileRefused(
            f"The log-probabilities in {str(reader.path)!r} are {np.mean(far):.2f} nats from those"
            f" of {model.name} on average: they are of another model, chat template or"
            " temperature.",
            "Give the teacher that they are of, or leave it out.",
        )
