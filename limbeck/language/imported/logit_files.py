"""Log-probabilities that vLLM, OpenAI-like servers and DistillKit write, one text after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.strict_json import parse_json
from limbeck.language.imported.distillkit import DistillKitLayout, parquet_rows
from limbeck.language.token_bytes import TokenBytes

__all__ = ["WRITERS", "LogitReader", "TextLogits"]

WRITERS = ("vllm", "openai", "distillkit")


@dataclass(frozen=True, eq=False)
class TextLogits:
    """The largest log-probabilities of the tokens of one text.

    Parameters
    ----------
    prompt, text : list of int
        Tokens; there is a distribution for each of the text.
    ids : list of ndarray of int64
        Of each place, the tokens that are known, the most probable first.
    log_p : list of ndarray of float64
        Their log-probabilities.
    """

    prompt: list[int]
    text: list[int]
    ids: list[NDArray[np.int64]]
    log_p: list[NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class LogitReader:
    """Reads a file, as often as it is asked to, a text at a time.

    Parameters
    ----------
    path : Path
        JSON lines (or one JSON list) of responses; or a .parquet file of DistillKit, or a folder of
        them.
    written_by : {"vllm", "openai", "distillkit"}
        Who wrote it.
    tokens : TokenBytes
        Of the teacher's tokenizer.
    prompt_tokens : int
        Of whole texts: the first so many tokens are the prompt.
    layout : DistillKitLayout, optional
        Of "distillkit".
    outputs : int, optional
        Of the teacher; by default the tokens of the tokenizer.
    """

    path: Path
    written_by: str
    tokens: TokenBytes
    prompt_tokens: int = 1
    layout: DistillKitLayout | None = None
    outputs: int | None = None

    def __iter__(self) -> Iterator[TextLogits]:
        """Text after text.

        Raises
        ------
        FileRefused
            Names the row that cannot be read.
        """
        read = {"vllm": self._vllm, "openai": self._openai, "distillkit": self._distillkit}
        for number, row in enumerate(self._rows()):
            try:
                if not isinstance(row, Mapping):
                    raise ValueError(f"it is {str(row)[:40]!r}, no mapping")
                found = read[self.written_by](row)
                self._check(found)
            except (LookupError, TypeError, ValueError, AttributeError, OverflowError,
                    InvalidInput) as error:  # fmt: skip
                what = f"lacks {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
                raise FileRefused(
                    f"Row {number} of {str(self.path)!r} cannot be read as {self.written_by}:"
                    f" {what}.",
                    "Check written_by=, tokenizer= and the file.",
                ) from None
            yield found

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        if self.written_by == "distillkit":
            yield from parquet_rows(self.path)
            return
        number = 1
        try:
            with self.path.open(encoding="utf-8-sig") as file:
                for line in file:
                    if line.strip():
                        found = parse_json(line)
                        yield from found if isinstance(found, list) else [found]
                    number += 1
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise FileRefused(
                f"{str(self.path)!r} cannot be read near line {number}: {error}.",
                "Write one JSON response a line.",
            ) from None

    def _check(self, found: TextLogits) -> None:
        """Tokens that exist, and probabilities that can be ones."""
        if not found.prompt or not found.text:
            raise ValueError("it has no prompt, or no text after it")
        size = len(self.tokens.table) if self.outputs is None else self.outputs
        size = min(size, len(self.tokens.table))
        for token in (*found.prompt, *found.text):
            if type(token) is not int or not 0 <= token < size:
                raise ValueError(f"it has token {token!r}, and they are numbered 0 to {size - 1:,}")
        for place, (ids, log_p) in enumerate(zip(found.ids, found.log_p, strict=True)):
            if not len(ids) or np.isnan(log_p).any() or len(set(ids.tolist())) < len(ids):
                raise ValueError(f"place {place} has no numbers, or a token twice")
            if not 0 <= ids.min() <= ids.max() < size:
                wrong = ids.min() if ids.min() < 0 else ids.max()
                raise ValueError(f"place {place} has token {wrong}, and there are {size:,}")
            if np.exp(np.minimum(log_p, 1)).sum() > 1.01:
                raise ValueError(f"the probabilities of place {place} add up to more than 1")
            most = float(np.exp(log_p.max()))
            if most < 0.99 / size:  # the largest of so many is no smaller
                raise ValueError(
                    f"the largest probability of place {place} is {most:.2g}, and the most probable"
                    f" of {size:,} tokens has more: it is not among them"
                )
            if self.written_by == "vllm" and found.text[place] not in ids:
                raise ValueError(  # vLLM gives it whatever its rank: places and tokens do not fit
                    f"place {place} does not hold token {found.text[place]} of the text itself"
                )

    def _vllm(self, row: Mapping[str, Any]) -> TextLogits:
        """A RequestOutput or a response of its server, with prompt_logprobs."""
        first = (row.get("choices") or [row])[0]
        logs = first.get("prompt_logprobs") or row["prompt_logprobs"]
        ids = first.get("prompt_token_ids") or row.get("prompt_token_ids")
        if ids is None:
            raise ValueError("prompt_token_ids is lacking: ask the server for token ids")
        if len(ids) != len(logs):
            raise ValueError(f"{len(ids)} tokens have {len(logs)} places")
        cut = self.prompt_tokens
        if not isinstance(logs, list) or None in logs[cut:]:
            raise ValueError(f"prompt_logprobs lacks a place after token {cut}")
        known = [{int(k): _number(v) for k, v in p.items()} for p in logs[cut:]]
        places = [_ordered(here) for here in known]
        return TextLogits(list(ids[:cut]), list(ids[cut:]), *_columns(places))

    def _openai(self, row: Mapping[str, Any]) -> TextLogits:
        """A prompt with the response of chat completions, with top_logprobs."""
        tokenizer = self.tokens.tokenizer
        if isinstance(row.get("prompt"), str):
            prompt = list(tokenizer(row["prompt"])["input_ids"])
        else:
            text = tokenizer.apply_chat_template(
                row["messages"], tokenize=False, add_generation_prompt=True
            )
            prompt = list(tokenizer(text, add_special_tokens=False)["input_ids"])
        response = row.get("response", row)
        content = response["choices"][0]["logprobs"]["content"]
        text_ids, places = [], []
        for one in content:
            text_ids.append(self._id(one))
            known = {self._id(t): _number(t) for t in one["top_logprobs"]}
            places.append(_ordered(known))
        return TextLogits(prompt, text_ids, *_columns(places))

    def _id(self, token: Mapping[str, Any]) -> int:
        """The id of a token that is named by its bytes or its text."""
        named = str(token["token"])
        if named in self._special:
            return self._special[named]
        given = token.get("bytes")
        raw = named.encode() if given is None else bytes(given)
        if raw not in self._by_bytes:
            raise ValueError(f"the tokenizer has no token {named!r}")
        return self._by_bytes[raw]

    @cached_property
    def _special(self) -> dict[str, int]:
        return {token.content: i for i, token in self.tokens.tokenizer.added_tokens_decoder.items()}

    @cached_property
    def _by_bytes(self) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for i, token in enumerate(self.tokens.table):
            found.setdefault(token, i)
        return found

    def _distillkit(self, row: Mapping[str, Any]) -> TextLogits:
        """A row of its Parquet files, packed or as ids and values."""
        ids = [int(i) for i in row["input_ids"]]
        if "top_values" in row:
            top = np.array(row["token_ids"], dtype=np.int64)
            logs = np.array(row["top_values"], dtype=np.float64)
        else:
            if self.layout is None:
                raise ValueError("compression= is lacking, which DistillKit does not store")
            packed = [np.array(row[n], dtype=np.uint8)
                      for n in ("compressed_logprobs", "bytepacked_indices")]  # fmt: skip
            top, logs = self.layout.unpacked(*packed)
        if len(top) != len(ids) - 1:
            raise ValueError(f"{len(ids)} tokens have {len(top)} places")
        cut, tokenizer = self.prompt_tokens, self.tokens.tokenizer
        if ids[-1] == tokenizer.pad_token_id != tokenizer.eos_token_id:
            ids = ids[:-1]  # which DistillKit adds, so that the last token has a distribution
        here = slice(cut - 1, len(ids) - 1)  # place t predicts token t + 1, as logits do
        return TextLogits(ids[:cut], ids[cut:], list(top[here]), list(logs[here]))


def _ordered(known: Mapping[int, float]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Tokens and log-probabilities, the most probable first."""
    order = sorted(known, key=lambda i: -known[i])
    return np.array(order, dtype=np.int64), np.array([known[i] for i in order])


def _columns(
    places: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.float64]]]:
    return [ids for ids, _ in places], [log_p for _, log_p in places]


def _number(given: Any) -> float:
    """A log-probability: a number, or a mapping with one."""
    found = given["logprob"] if isinstance(given, Mapping) else given
    if type(found) not in (int, float):
        raise ValueError(f"a log-probability is {found!r}")
    return float(found)
