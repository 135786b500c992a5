"""The bytes of each token of a tokenizer, so that texts can be compared however they are cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput
from limbeck.core.strict_json import parse_json

__all__ = ["TokenBytes", "repaired"]

_BLANK = "▁"  # what SentencePiece writes for a blank
_PROBE = "A 7"


class TokenBytes:
    """What each token adds to a text, in bytes.

    Byte-level BPE (GPT-2, Llama 3, Qwen, SmolLM), SentencePiece with byte fallback (Llama 2,
    Gemma) and tokens that are plain text are read from the tokenizer's own decoder; special tokens
    of more than one character add nothing.

    Parameters
    ----------
    tokenizer : object
        A fast tokenizer of transformers.

    Attributes
    ----------
    table : list of bytes
        By token id.
    lead : int
        1 where the tokenizer puts a blank before every text, which is no part of it; else 0.

    Raises
    ------
    InvalidInput
        If it is no fast tokenizer, or its tokens do not add up to the text.
    """

    def __init__(self, tokenizer: Any) -> None:
        inner = getattr(tokenizer, "backend_tokenizer", None)
        if inner is None:
            raise InvalidInput(
                f"{type(tokenizer).__name__} does not say which bytes its tokens stand for.",
                "Give a fast tokenizer: one with a tokenizer.json.",
            )
        read = _reader(parse_json(inner.to_str()).get("decoder"))
        added = tokenizer.added_tokens_decoder
        ids = tokenizer.get_vocab()
        special = {i for i, t in added.items() if t.special} | set(tokenizer.all_special_ids)
        special -= {i for token, i in ids.items() if len(token) == 1}  # a line break that pads
        self.tokenizer = tokenizer
        self.table = [b""] * (max(ids.values()) + 1)
        for token, i in ids.items():
            if i not in special:
                self.table[i] = token.encode() if i in added else read(token)
        self.lead = int(self.joined(tokenizer(_PROBE)["input_ids"]) == b" " + _PROBE.encode())

    def joined(self, ids: Sequence[int]) -> bytes:
        """The bytes of some tokens, one after another.

        Parameters
        ----------
        ids : sequence of int
            Tokens.
        """
        return b"".join(self.table[i] for i in ids)

    def text(self, ids: Sequence[int]) -> bytes:
        """The bytes of a whole text from its tokens, without a blank that is no part of it.

        Parameters
        ----------
        ids : sequence of int
            From the beginning of the text.
        """
        found = self.joined(ids)
        return found[self.lead :] if found.startswith(b" ") else found

    def ends(self, ids: Sequence[int]) -> NDArray[np.int64]:
        """Where each token ends in the bytes of a whole text.

        Parameters
        ----------
        ids : sequence of int
            From the beginning of the text.
        """
        lead = self.lead if self.joined(ids).startswith(b" ") else 0
        sizes = np.array([len(self.table[i]) for i in ids], dtype=np.int64)
        found: NDArray[np.int64] = np.maximum(sizes.cumsum() - lead, 0)
        return found

    def encoded(self, text: str) -> list[int]:
        """The tokens of a whole text, with what the model expects before it and nothing after it.

        Parameters
        ----------
        text : str
            The text.

        Raises
        ------
        InvalidInput
            If the tokens do not add up to the text.
        """
        ids = list(self.tokenizer(text)["input_ids"])
        while ids and not self.table[ids[-1]] and len(ids) > 1:  # an end that was added
            ids.pop()
        if self.text(ids) != text.encode():
            raise InvalidInput(
                f"The tokens of {text[:40]!r} do not add up to it: the tokenizer changes texts"
                " (lower case, unknown characters), so that its bytes cannot be compared.",
                "Take a model whose tokenizer keeps every byte, or leave such texts out.",
            )
        return ids

    def known(self, text: str) -> str:
        """The text up to the first character that the tokenizer has no tokens for.

        Parameters
        ----------
        text : str
            The text.
        """
        for _ in range(2):  # what stands before may be cut otherwise once the rest is gone
            found, wanted = self.text(self.tokenizer(text)["input_ids"]), text.encode()
            if found == wanted:
                return text
            same = (a == b for a, b in zip(found, wanted, strict=False))
            text = wanted[: sum(takewhile(bool, same))].decode(errors="ignore")
        return text if self.text(self.tokenizer(text)["input_ids"]) == text.encode() else ""

    def continued(self, text: str) -> list[int]:
        """The tokens of a text that follows another one, without anything before or after.

        Parameters
        ----------
        text : str
            What follows.
        """
        tokens = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        if not self.lead or self.joined(tokens) == text.encode():
            return list(tokens)
        before, both = (
            self.tokenizer(t, add_special_tokens=False)["input_ids"] for t in ("\n", "\n" + text)
        )
        if list(both[: len(before)]) == list(before):
            return list(both[len(before) :])
        return list(tokens)

    def blank_starts(self) -> NDArray[np.bool_]:
        """Whether each token begins a new word: with a blank or another space, or ends the text."""
        ends = {self.tokenizer.eos_token_id}
        return np.array(
            [t[:1].isspace() or i in ends for i, t in enumerate(self.table)], dtype=bool
        )


def repaired(raw: bytes) -> tuple[str, NDArray[np.int64]]:
    r"""Bytes as text, and where each place between bytes lies in the bytes of that text.

    Bytes that are no UTF-8 become U+FFFD, as decoders write them; places within are -1.

    Parameters
    ----------
    raw : bytes
        What a model wrote.

    Examples
    --------
    >>> repaired(b"a" + bytes([255]) + b"b")[0].encode()
    b'a\xef\xbf\xbdb'
    """
    parts: list[str] = []
    places = np.full(len(raw) + 1, -1, dtype=np.int64)
    at = shift = 0
    while True:
        try:
            parts.append(raw[at:].decode())
        except UnicodeDecodeError as error:
            good, bad = at + error.start, at + error.end
            parts += [raw[at:good].decode(), "�"]
            places[at : good + 1] = np.arange(at, good + 1) + shift
            at, shift = bad, shift + 3 - (bad - good)
            continue
        places[at:] = np.arange(at, len(raw) + 1) + shift
        return "".join(parts), places


def _reader(decoder: Any) -> Any:
    """From a token as the vocabulary writes it to its bytes."""
    kinds = _kinds(decoder)
    if "ByteLevel" in kinds:
        letters = _letters()
        return lambda token: bytes(letters[c] for c in token)
    if kinds & {"ByteFallback", "Metaspace"} or _BLANK in str(decoder):
        return _piece
    if kinds & {"WordPiece", "BPEDecoder", "CTC"}:
        return lambda token: b""  # blanks are lost: what adds up to no text is refused
    return lambda token: token.encode()


def _kinds(decoder: Any) -> set[str]:
    if not decoder:
        return set()
    inner = [_kinds(d) for d in decoder.get("decoders", ())]
    return {str(decoder.get("type"))}.union(*inner)


def _piece(token: str) -> bytes:
    if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
        return bytes([int(token[3:5], 16)])
    return token.replace(_BLANK, " ").encode()


def _letters() -> dict[str, int]:
    """The letter that byte-level BPE writes for each byte (GPT-2's ``bytes_to_unicode``)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in plain]
    return {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(rest)}
