"""Texts in files that may be larger than memory: tokenized once, to disk, and read by place.

The folder is one of shards: numbered files of tokens with the starts of each row, each written
whole, with a checksum, and mapped into memory when they are read. What was cut off while it
tokenized goes on after the last whole shard.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.language.disk_columns import DiskColumn
from limbeck.language.models import LanguageModel
from limbeck.language.prompt_rows import each_row, prompt_files, read_rows
from limbeck.language.prompts import EncodedRow, Prompts, cut_note, encode, encoded
from limbeck.language.recorded import tokenizer_marks
from limbeck.language.shards import ShardFolder
from limbeck.networks.cache.cache_file import locked

__all__ = ["TokenFolder", "is_streamed", "read_prompts"]

_STREAMED = (".jsonl", ".parquet")
_SHARD = 1 << 22
"""Tokens of a shard, about: what is held while they are made, and what a killed run loses."""
_DONE = "all"


class TokenFolder(ShardFolder):
    """Prompts and texts as tokens, a row each."""

    format, holds, again = "limbeck tokens", "tokens", "run again"


def is_streamed(data: Any) -> bool:
    """Whether prompts are in files whose tokens are kept on disk.

    Raises
    ------
    FileRefused
        If there is no such file.
    """
    return any(path.suffix in _STREAMED for path in prompt_files(data))


def read_prompts(
    data: Any,
    model: LanguageModel,
    max_new_tokens: int,
    *,
    prompt_tokens: int | None = None,
    chat: bool = False,
    folder: Path | None = None,
) -> Prompts:
    """Prompts as tokens: those of .jsonl and .parquet files on disk, all others in memory.

    Parameters
    ----------
    data : sequence, DataFrame, Hugging Face data set, or path
        As for `limbeck.language.prompt_rows.read_rows`.
    model : LanguageModel
        Whose tokenizer and context count.
    max_new_tokens, prompt_tokens, chat
        As for `limbeck.language.prompts.encode`.
    folder : Path, optional
        Where tokens of files are kept and found again; by default a temporary folder, which goes
        when the prompts do.

    Raises
    ------
    InvalidInput
        If a row cannot be used.
    FileRefused
        If a file cannot be read, or the folder holds tokens of other files, of another tokenizer or
        of other settings.
    """
    given: dict[str, Any] = {"prompt_tokens": prompt_tokens, "chat": chat}
    if not is_streamed(data):
        return encode(read_rows(data), model, max_new_tokens, **given)
    if folder is not None:
        return _prompts(_tokens(folder, data, model, max_new_tokens, given), max_new_tokens)
    place = Path(tempfile.mkdtemp(prefix="limbeck-tokens-"))
    try:
        found = _tokens(place, data, model, max_new_tokens, given)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    weakref.finalize(found, shutil.rmtree, place, ignore_errors=True)
    return _prompts(found, max_new_tokens)


def _tokens(
    folder: Path, data: Any, model: LanguageModel, max_new_tokens: int, given: dict[str, Any]
) -> TokenFolder:
    """The folder as it is, or once the rows that it lacks are written."""
    head = _head(prompt_files(data), model, {"max_new_tokens": max_new_tokens, **given})
    with locked(folder):
        found = TokenFolder.open(folder)
        if found is not None and found.facts.get(_DONE):
            found.check_head(head)
            return found
        if found is None or found.head != head:  # parts of something else are no use
            found = TokenFolder(folder, head, 0, facts={"cut": 0})
        rows = islice(each_row(data), found.done, None)
        made = encoded(rows, model, max_new_tokens, first=found.done, **given)
        _fill(found, made, np.min_scalar_type(max(model.outputs, len(model.tokenizer))))
        templated = given["chat"] or not isinstance(next(each_row(data)).prompt, str)
        found.facts |= {"templated": templated, _DONE: True}
        found.save()
    return found


def _head(files: Sequence[Path], model: LanguageModel, settings: dict[str, Any]) -> dict[str, Any]:
    """What the tokens depend on."""
    content = hashlib.sha256(b"limbeck files 1\n")
    for path in files:
        try:
            with path.open("rb") as file:
                content.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise FileRefused(
                f"{str(path)!r} cannot be read: {error.strerror}.", "Check the path."
            ) from None
    tokenizer = tokenizer_marks(model.tokenizer)
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is not None:  # merges and normalization, too; padding changes with every call
        whole = json.loads(backend.to_str()) | {"padding": None, "truncation": None}
        text = json.dumps(whole, sort_keys=True, allow_nan=False)
        tokenizer["tokenizer"] = hashlib.sha256(text.encode()).hexdigest()
    settings = {**settings, "context": model.context, "ends": list(model.ends[:1])}
    return {"files": content.hexdigest(), **tokenizer, "settings": settings}


def _fill(folder: TokenFolder, rows: Iterator[EncodedRow], dtype: np.dtype[Any]) -> None:
    """Write the rows that are lacking, one shard after the other."""
    held: list[dict[str, NDArray[Any]]] = []
    tokens = 0

    def write() -> None:
        folder.rows = folder.done + len(held)
        folder.append(held, tokens)

    for row in rows:
        after = row.completion or ()
        held.append({
            "prompt": np.array(row.ids, dtype=dtype),
            "completion": np.array(after, dtype=dtype),
            "text": _bytes(row.text),
            "reference": _bytes("" if row.reference is None else f"={row.reference}"),
        })  # fmt: skip
        folder.facts["cut"] += row.cut
        tokens += len(row.ids) + len(after)
        if tokens >= _SHARD:
            write()
            held, tokens = [], 0
    if held:
        write()
    if not folder.done:
        raise InvalidInput("There are no prompts.", "Give at least one.")


def _prompts(folder: TokenFolder, max_new_tokens: int) -> Prompts:
    """The rows of a folder; a text after a prompt has tokens, or there is none."""
    cut = folder.facts.get("cut")
    if type(cut) is not int:
        raise FileRefused(
            f"The index of {str(folder.folder)!r} says that {cut!r} texts were cut.",
            "Remove the folder, and run again.",
        )
    return Prompts(
        DiskColumn(folder, "text", _text),
        DiskColumn(folder, "prompt", _ids),
        DiskColumn(folder, "completion", lambda a: _ids(a) or None),
        DiskColumn(folder, "reference", lambda a: _text(a[1:]) if len(a) else None),
        cut_note(cut, folder.done, max_new_tokens),
        bool(folder.facts.get("templated")),
    )


def _ids(array: NDArray[Any]) -> tuple[int, ...]:
    return tuple(array.tolist())


def _text(array: NDArray[np.uint8]) -> str:
    return array.tobytes().decode("utf-8", "surrogatepass")


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
