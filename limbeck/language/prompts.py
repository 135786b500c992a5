"""Prompts and what follows them, as tokens: read once, with the chat template applied once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, plural
from limbeck.language.disk_columns import DiskColumn
from limbeck.language.models import LanguageModel
from limbeck.language.prompt_rows import PromptRow
from limbeck.language.token_bytes import TokenBytes

__all__ = ["EncodedRow", "Prompts", "check_room", "cut_note", "encode", "encoded"]


@dataclass(frozen=True, eq=False)
class Prompts:
    """Prompts as tokens, each with what follows it where that is known.

    Parameters
    ----------
    texts : sequence of str
        The prompts as the models read them, chat template included. All sequences are tuples, or
        columns on disk that are read by place.
    ids : sequence of tuple of int
        Their tokens.
    completions : sequence of (tuple of int or None)
        The tokens of the text that follows, with the end of text where it was not cut.
    references : sequence of (str or None)
        The same as text.
    notes : tuple of str
        What was cut or guessed.
    templated : bool
        Whether a chat template made the texts.
    """

    texts: Sequence[str]
    ids: Sequence[tuple[int, ...]]
    completions: Sequence[tuple[int, ...] | None]
    references: Sequence[str | None]
    notes: tuple[str, ...] = ()
    templated: bool = False

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def complete(self) -> bool:
        """Whether a text follows every prompt."""
        return all(c is not None for c in self.completions)

    def fingerprint(self) -> str:
        """SHA-256 of the tokens of prompts and texts, in their order."""
        told = json.dumps([tuple(self.ids), tuple(self.completions)], allow_nan=False)
        return hashlib.sha256(f"limbeck prompts 1\n{told}".encode()).hexdigest()

    def kinds(self) -> NDArray[np.int64]:
        """The number of each prompt among the different ones, in the order of their first places.

        They are told apart by 128 bits of a hash, so that not all tokens are in memory at once.
        """
        marks = (hashlib.blake2b(np.array(p).tobytes(), digest_size=16).digest() for p in self.ids)
        held = np.fromiter(marks, dtype="S16", count=len(self))
        _, first, kind = np.unique(held, return_index=True, return_inverse=True)
        number = np.empty(len(first), dtype=np.int64)
        number[np.argsort(first)] = np.arange(len(first))
        found: NDArray[np.int64] = number[kind]
        return found

    def subset(self, rows: Sequence[int] | NDArray[np.int64]) -> Prompts:
        """Some of the prompts, in this order."""
        return Prompts(
            _taken(self.texts, rows),
            _taken(self.ids, rows),
            _taken(self.completions, rows),
            _taken(self.references, rows),
            self.notes,
            self.templated,
        )

    def in_memory(self) -> Prompts:
        """The same prompts, none of them on disk."""
        texts, ids = tuple(self.texts), tuple(self.ids)
        return replace(self, texts=texts, ids=ids, completions=tuple(self.completions),
                       references=tuple(self.references))  # fmt: skip

    def followed_by(self, completions: Sequence[Sequence[int]]) -> Prompts:
        """The same prompts with other texts after them."""
        return replace(self, completions=tuple(tuple(c) for c in completions))


def encode(
    rows: Sequence[PromptRow],
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
    given = {"prompt_tokens": prompt_tokens, "chat": chat, "reserve": reserve}
    found = list(encoded(rows, model, max_new_tokens, **given))  # type: ignore[arg-type]
    texts, ids, completions, references, cut = zip(*found, strict=True)
    notes = cut_note(sum(cut), len(found), max_new_tokens, reserve)
    made = chat or not isinstance(rows[0].prompt, str)
    return Prompts(texts, ids, completions, references, notes, made)


class EncodedRow(NamedTuple):
    """A prompt as tokens, what follows it, and whether that was cut."""

    text: str
    ids: tuple[int, ...]
    completion: tuple[int, ...] | None
    reference: str | None
    cut: bool


def encoded(
    rows: Iterable[PromptRow],
    model: LanguageModel,
    max_new_tokens: int,
    *,
    prompt_tokens: int | None = None,
    chat: bool = False,
    reserve: bool = True,
    first: int = 0,
) -> Iterator[EncodedRow]:
    """The same one row after the other, as they are read.

    Parameters
    ----------
    rows, model, max_new_tokens, prompt_tokens, chat, reserve
        As for `encode`.
    first : int
        The number of the first row.

    Raises
    ------
    InvalidInput
        As for `encode`.
    """
    tokenizer, going_on = model.tokenizer, None
    for i, row in enumerate(rows, first):
        text, templated = _templated(row.prompt, tokenizer, chat, i)
        ids = tokenizer(text, add_special_tokens=not templated)["input_ids"]
        after, reference = None, row.completion
        if prompt_tokens is not None and reference is None:
            ids, after = _parted(ids, prompt_tokens, i)
            text, reference = tokenizer.decode(ids), tokenizer.decode(after)
        elif reference is not None:
            going_on = going_on or _going_on(tokenizer)
            after = going_on(reference)
            after = [*after, *model.ends[:1]] if model.ends else after
            if not after:
                raise InvalidInput(f"The completion of prompt {i} is empty.", "Leave it out.")
        check_room(ids, max_new_tokens if reserve else 1, model, i)
        most = max_new_tokens
        if not reserve and model.context is not None:
            most = min(most, model.context - len(ids))
        cut = after is not None and len(after) > most
        completion = None if after is None else tuple(after[:most])
        yield EncodedRow(text, tuple(ids), completion, reference, cut)


def cut_note(cut: int, rows: int, max_new_tokens: int, reserve: bool = True) -> tuple[str, ...]:
    """What to say of texts that were cut; nothing where none was.

    Parameters
    ----------
    cut, rows : int
        Texts that were cut, of how many.
    max_new_tokens : int
        After how many tokens.
    reserve : bool
        As for `encode`.
    """
    if not cut:
        return ()
    told = f"{plural(cut, 'completion')} of {rows:,} were cut after {max_new_tokens} tokens"
    return (told + ("." if reserve else ", or where the context ends."),)


def _taken(column: Sequence[Any], rows: Sequence[int] | NDArray[np.int64]) -> Sequence[Any]:
    """Some values of a column; one on disk stays there."""
    return column.take(rows) if isinstance(column, DiskColumn) else tuple(column[i] for i in rows)


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


def check_room(ids: Sequence[int], max_new_tokens: int, model: LanguageModel, i: int) -> None:
    """Refuse a prompt that is empty, or leaves no room in a model's context.

    Parameters
    ----------
    ids : sequence of int
        Its tokens.
    max_new_tokens : int
        Tokens after it at most.
    model : LanguageModel
        Whose context counts.
    i : int
        The number of the prompt.

    Raises
    ------
    InvalidInput
        With that number.
    """
    if not ids:
        raise InvalidInput(
            f"Prompt {i} has no tokens.", "Leave it out, or give a text to go on with."
        )
    most = model.context
    if most is not None and len(ids) + max_new_tokens > most:
        raise InvalidInput(
            f"Prompt {i} has {len(ids):,} tokens, and with {max_new_tokens} new"
            f" {'one' if max_new_tokens == 1 else 'ones'} that is more than the context of"
            f" {model.name}, {most:,}.",
            "Shorten the prompt, or give a smaller max_new_tokens.",
        )
