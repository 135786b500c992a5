"""Prompts and what follows them, as tokens: read once, with the chat template applied once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from limbeck.core.errors import FileRefused, InvalidInput, plural
from limbeck.core.strict_json import parse_json
from limbeck.language.models import LanguageModel
from limbeck.language.token_bytes import TokenBytes

__all__ = ["Prompts", "encode", "read_rows"]

_PROMPT, _COMPLETION = ("prompt", "messages", "instruction"), ("completion", "answer", "response")
_FILES = (".jsonl", ".json", ".parquet", ".csv")


@dataclass(frozen=True)
class _Row:
    """A prompt as text or as messages, and what follows it, if that is known."""

    prompt: Any
    completion: str | None


@dataclass(frozen=True, eq=False)
class Prompts:
    """Prompts as tokens, each with what follows it where that is known.

    Parameters
    ----------
    texts : tuple of str
        The prompts as the models read them, chat template included.
    ids : tuple of tuple of int
        Their tokens.
    completions : tuple of (tuple of int or None)
        The tokens of the text that follows, with the end of text where it was not cut.
    references : tuple of (str or None)
        The same as text.
    notes : tuple of str
        What was cut or guessed.
    templated : bool
        Whether a chat template made the texts.
    """

    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]
    completions: tuple[tuple[int, ...] | None, ...]
    references: tuple[str | None, ...]
    notes: tuple[str, ...] = ()
    templated: bool = False

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def complete(self) -> bool:
        """Whether a text follows every prompt."""
        return all(c is not None for c in self.completions)

    def fingerprint(self) -> str:
        """SHA-256 of the tokens of prompts and texts, in their order."""
        told = json.dumps([self.ids, self.completions], allow_nan=False)
        return hashlib.sha256(f"limbeck prompts 1\n{told}".encode()).hexdigest()

    def subset(self, rows: Sequence[int]) -> Prompts:
        """Some of the prompts, in this order."""
        return Prompts(
            tuple(self.texts[i] for i in rows),
            tuple(self.ids[i] for i in rows),
            tuple(self.completions[i] for i in rows),
            tuple(self.references[i] for i in rows),
            self.notes,
            self.templated,
        )

    def followed_by(self, completions: Sequence[Sequence[int]]) -> Prompts:
        """The same prompts with other texts after them."""
        return replace(self, completions=tuple(tuple(c) for c in completions))


def read_rows(data: Any) -> list[_Row]:
    """Rows of prompts from whatever users have.

    Parameters
    ----------
    data : sequence, DataFrame, Hugging Face data set, or path
        Texts; lists of messages with role and content; mappings with ``prompt`` (or ``messages``)
        and, if it is known, ``completion``; or ``text`` alone. A path names a .jsonl, .json,
        .parquet or .csv file of these.

    Raises
    ------
    InvalidInput
        If there is no prompt, or one is empty or no text.
    FileRefused
        If the file cannot be read.
    """
    rows = [_row(item, i) for i, item in enumerate(_items(data))]
    if not rows:
        raise InvalidInput("There are no prompts.", "Give at least one.")
    return rows


def encode(
    rows: Sequence[_Row],
    model: LanguageModel,
    max_new_tokens: int,
    *,
    prompt_tokens: int | None = None,
    chat: bool = False,
    reserve: bool = True,
) -> Prompts:
    """Prompts as tokens of a model's tokenizer.

    The chat template is applied once, with its opening of the answer, and the text that it makes
    is tokenized without further special tokens: these stand in the template.

    Parameters
    ----------
    rows : sequence
        As `read_rows` returns them.
    model : LanguageModel
        Whose tokenizer and context count.
    max_new_tokens : int
        Tokens of a text after a prompt at most; longer ones are cut, which notes say.
    prompt_tokens : int, optional
        Split each text after so many tokens: what stands before is the prompt.
    chat : bool
        Whether plain texts are a user's messages, to be put into the chat template.
    reserve : bool
        Whether each prompt must leave room for ``max_new_tokens``. Without it a text is cut where
        the context ends: for texts that are given and read, not written.

    Raises
    ------
    InvalidInput
        If a prompt has no tokens, leaves no room in the context, or there is no chat template.
    """
    tokenizer, out, cut = model.tokenizer, [], 0
    going_on = _going_on(tokenizer) if any(r.completion is not None for r in rows) else None
    for i, row in enumerate(rows):
        text, templated = _templated(row.prompt, tokenizer, chat, i)
        ids = tokenizer(text, add_special_tokens=not templated)["input_ids"]
        after, reference = None, row.completion
        if prompt_tokens is not None and reference is None:
            ids, after = _parted(ids, prompt_tokens, i)
            text, reference = tokenizer.decode(ids), tokenizer.decode(after)
        elif reference is not None:
            assert going_on is not None  # noqa: S101  (there is a completion)
            after = going_on(reference)
            after = [*after, *model.ends[:1]] if model.ends else after
            if not after:
                raise InvalidInput(f"The completion of prompt {i} is empty.", "Leave it out.")
        _check(ids, max_new_tokens if reserve else 1, model, i)
        most = max_new_tokens
        if not reserve and model.context is not None:
            most = min(most, model.context - len(ids))
        if after is not None and len(after) > most:
            cut, after = cut + 1, after[:most]
        out.append((text, tuple(ids), None if after is None else tuple(after), reference))
    texts, ids_, completions, references = zip(*out, strict=True)
    notes = () if not cut else (
        f"{plural(cut, 'completion')} of {len(rows):,} were cut after {max_new_tokens} tokens"
        + ("." if reserve else ", or where the context ends."),
    )  # fmt: skip
    made = chat or not isinstance(rows[0].prompt, str)
    return Prompts(texts, ids_, completions, references, notes, made)


def _going_on(tokenizer: Any) -> Callable[[str], list[int]]:
    """From a text that follows another one to its tokens.

    Tokenizers like Llama 2's put a blank before every text: within one it would be a blank that
    nobody wrote.
    """
    if getattr(tokenizer, "backend_tokenizer", None) is not None:
        return TokenBytes(tokenizer).continued
    return lambda text: list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _templated(prompt: Any, tokenizer: Any, chat: bool, i: int) -> tuple[str, bool]:
    """A prompt as text, and whether it went through the chat template."""
    if isinstance(prompt, str) and not chat:
        return prompt, False
    if not getattr(tokenizer, "chat_template", None):
        raise InvalidInput(
            f"Prompt {i} is a list of messages, and the tokenizer has no chat template.",
            "Give prompts as text, or set tokenizer.chat_template.",
        )
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
    for message in messages:
        held = [t for t in tokenizer.all_special_tokens if t in str(message.get("content"))]
        if held:
            raise InvalidInput(
                f"A message of prompt {i} holds the special token {held[0]!r}: a chat template"
                " seems to be applied already.",
                "Give the plain text of messages, or rendered prompts without chat=True.",
            )
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return str(text), True


def _parted(ids: Sequence[int], prompt_tokens: int, i: int) -> tuple[list[int], list[int]]:
    if len(ids) <= prompt_tokens:
        raise InvalidInput(
            f"Text {i} has {plural(len(ids), 'token')}, and prompt_tokens is {prompt_tokens}.",
            "Leave out shorter texts, or give a smaller number.",
        )
    return list(ids[:prompt_tokens]), list(ids[prompt_tokens:])


def _check(ids: Sequence[int], max_new_tokens: int, model: LanguageModel, i: int) -> None:
    if not ids:
        raise InvalidInput(
            f"Prompt {i} has no tokens.", "Leave it out, or give a text to go on with."
        )
    most = model.context
    if most is not None and len(ids) + max_new_tokens > most:
        raise InvalidInput(
            f"Prompt {i} has {len(ids):,} tokens, and with {max_new_tokens} new"
            f" {'one' if max_new_tokens == 1 else 'ones'} that is more than the context of"
            f" {most:,}.",
            "Shorten the prompt, or give a smaller max_new_tokens.",
        )


def _items(data: Any) -> Iterator[Any]:
    """One item after another."""
    if isinstance(data, str | PathLike) and Path(fspath(data)).suffix in _FILES:
        yield from _file(Path(fspath(data)))
    elif isinstance(data, str):
        raise InvalidInput(f"The prompts are one text: {data[:40]!r}.", "Give a list of texts.")
    elif hasattr(data, "to_dict") and hasattr(data, "columns"):  # a DataFrame
        yield from data.to_dict("records")
    else:
        yield from data


def _file(path: Path) -> Iterator[Any]:
    if path.suffix in (".parquet", ".csv"):
        from limbeck.data.tables import read_table

        yield from read_table(path).to_dict("records")
        return
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileRefused(f"{str(path)!r} cannot be read: {error}.", "Check the path.") from None
    whole = path.suffix == ".json"
    lines = [text] if whole else text.splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = parse_json(line)
        except ValueError as error:
            raise FileRefused(
                f"Line {number} of {str(path)!r} {error}.", "Write one JSON value a line."
            ) from None
        if whole and isinstance(found, list):
            yield from found
        else:
            yield found


def _row(item: Any, i: int) -> _Row:
    if isinstance(item, Mapping):
        names = [n for n in (*_PROMPT, "text") if item.get(n) is not None]
        if not names:
            raise InvalidInput(
                f"Row {i} has {', '.join(map(repr, item)) or 'no column'}, and no prompt.",
                "Name the column prompt (and completion), messages, or text.",
            )
        prompt = item[names[0]]
        found = next((item[n] for n in _COMPLETION if isinstance(item.get(n), str)), None)
        if found is None and isinstance(prompt, list) and _role(prompt[-1:]) == "assistant":
            prompt, found = prompt[:-1], prompt[-1]["content"]
    else:
        prompt, found = item, None
    if isinstance(prompt, tuple):
        prompt = list(prompt)
    messages = isinstance(prompt, list) and all(isinstance(m, Mapping) for m in prompt)
    if not isinstance(prompt, str) and not messages:
        raise InvalidInput(
            f"Prompt {i} is {str(prompt)[:40]!r} ({type(prompt).__name__}).",
            "Give text, or a list of messages with role and content.",
        )
    if not prompt or (isinstance(prompt, str) and not prompt.strip()):
        raise InvalidInput(f"Prompt {i} is empty.", "Leave it out.")
    return _Row(prompt, found)


def _role(messages: Sequence[Any]) -> str | None:
    last = messages[-1] if messages else None
    return str(last.get("role")) if isinstance(last, Mapping) else None
