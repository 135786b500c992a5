"""Texts as batches of tokens, by length, so that padding is short and memory constant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, plural
from limbeck.core.records import as_table
from limbeck.core.texts import as_texts

__all__ = ["TextBatch", "Tokenized", "context_length", "marks", "text_inputs"]

_WINDOW = 4096  # texts that are sorted by length together
_LARGEST = 10**9  # what tokenizers say that know no limit


@dataclass(frozen=True, eq=False)
class TextBatch:
    """Texts of similar length.

    Parameters
    ----------
    rows : ndarray of shape (b,), int64
        Their positions.
    inputs : dict of Tensor
        ``input_ids`` and ``attention_mask``, (b, t), padded at the end, and what the tokenizer
        gives besides.
    """

    rows: NDArray[np.int64]
    inputs: dict[str, Any]


@dataclass(eq=False)
class Tokenized:
    """Tokenizes texts, and counts those that are longer than the context.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizer
        As transformers loads it.
    max_length : int or None
        Tokens at most.
    truncation : bool
        Whether longer texts are cut, and counted; refused otherwise.
    batch_size : int
        Texts in a batch.
    padded : bool
        Whether texts of different lengths may share a batch.
    """

    tokenizer: Any
    max_length: int | None
    truncation: bool
    batch_size: int
    padded: bool = True
    seen: int = 0
    cut: set[int] = field(default_factory=set)

    @property
    def notes(self) -> tuple[str, ...]:
        """How many different texts were cut."""
        if not self.cut:
            return ()
        are = "text was" if len(self.cut) == 1 else "texts were"
        return (f"{len(self.cut):,} {are} longer than {self.max_length:,} tokens and cut there.",)

    def batches(self, texts: NDArray[Any]) -> Iterator[TextBatch]:
        """All texts once, in windows of 4,096, each sorted by length.

        Parameters
        ----------
        texts : ndarray of shape (n,), object
            The texts, or pairs of texts as tuples.

        Raises
        ------
        InvalidInput
            If texts are longer than the context, and are not to be cut.
        """
        for start in range(0, len(texts), _WINDOW):
            window = texts[start : start + _WINDOW].tolist()
            encoded = self._encoded(window)
            ids = encoded["input_ids"]
            lengths = np.array([len(one) for one in ids])
            order = np.argsort(lengths, kind="stable")
            for rows in self._groups(order, lengths):
                yield TextBatch(rows + start, self.pad({n: [v[i] for i in rows]
                                                        for n, v in encoded.items()}))  # fmt: skip

    def pad(self, columns: dict[str, list[list[int]]]) -> dict[str, Any]:
        """Tensors of lists of tokens, filled up at the end.

        Parameters
        ----------
        columns : dict of lists
            ``input_ids`` and what lies beside them.
        """
        ids = columns["input_ids"]
        longest = max(map(len, ids))
        fill = {"input_ids": self.tokenizer.pad_token_id or 0}
        made = {
            name: torch.tensor([v + [fill.get(name, 0)] * (longest - len(v)) for v in values])
            for name, values in columns.items()
        }
        mask = [[1] * len(v) + [0] * (longest - len(v)) for v in ids]
        return {**made, "attention_mask": torch.tensor(mask)}

    def _encoded(self, window: list[str]) -> dict[str, list[list[int]]]:
        encoded = self._read(window, truncation=False, verbose=False)
        ids = encoded["input_ids"]
        if any(not one for one in ids):
            fill = self.tokenizer.bos_token_id or self.tokenizer.eos_token_id or 0
            ids = [one or [fill] for one in ids]  # an empty text without special tokens
            return {"input_ids": ids}
        most = self.max_length
        long = [i for i, one in enumerate(ids) if most is not None and len(one) > most]
        if long:
            if not self.truncation:
                raise InvalidInput(
                    f"{plural(len(long), 'text')} of {len(window):,} are longer than the context of"
                    f" {most:,} tokens; one has {len(ids[long[0]]):,}.",
                    "Give truncation=True to cut and count them, or split them.",
                )
            self.cut.update(hash(window[i]) for i in long)
            cut = self._read([window[i] for i in long], truncation=True, max_length=most)
            for name in encoded:
                for i, value in zip(long, cut[name], strict=True):
                    encoded[name][i] = value
        return {name: encoded[name] for name in encoded if name != "attention_mask"}

    def _read(self, window: list[Any], **how: Any) -> Any:
        """What the tokenizer makes of texts, or of pairs, with its marks between the two."""
        if isinstance(window[0], tuple):
            first, second = map(list, zip(*window, strict=True))
            return self.tokenizer(first, second, padding=False, **how)
        return self.tokenizer(window, padding=False, **how)

    def _groups(
        self, order: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> Iterator[NDArray[np.int64]]:
        parts: Sequence[NDArray[np.int64]] = [order]
        if not self.padded:
            parts = np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1)
        for part in parts:
            for start in range(0, len(part), self.batch_size):
                yield part[start : start + self.batch_size]


def text_inputs(X: Any) -> NDArray[Any]:
    """Texts, or pairs of texts as tuples, of shape (n,).

    Parameters
    ----------
    X : n texts, list of n pairs, or table of one or two columns of texts
        The rows.

    Raises
    ------
    InvalidInput
        If there are more columns, or one is missing or no text.
    """
    X = as_table(X)
    if not hasattr(X, "columns"):
        return as_texts(X)
    names = list(X.columns)
    if len(names) > 2:
        raise InvalidInput(
            f"There are {len(names)} columns ({', '.join(map(repr, names[:6]))}), and the model"
            " reads one text or two.",
            "Give these columns alone, in the order in which the model was trained on them.",
        )
    columns = [as_texts(X.iloc[:, j]) for j in range(len(names))]
    if len(columns) == 1:
        return columns[0]
    out = np.empty(len(X), dtype=object)
    out[:] = list(zip(*columns, strict=True))
    return out


def context_length(tokenizer: Any, config: Any, told: int | None) -> int | None:
    """Tokens that a model reads at most; None where nothing says so.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizer
        Its ``model_max_length``.
    config : PretrainedConfig
        Its ``max_position_embeddings``, or ``n_positions``; RoBERTa's count from the padding token.
    told : int or None
        What was asked for, or what the folder says.
    """
    limits = [told, getattr(tokenizer, "model_max_length", None)]
    places = getattr(config, "max_position_embeddings", None) or getattr(
        config, "n_positions", None
    )
    if isinstance(places, int) and places > 0 and config.model_type != "t5":
        offset = ("roberta", "xlm-roberta", "camembert", "longformer", "mpnet")
        limits.append(places - 2 if config.model_type in offset else places)
    known = [n for n in limits if isinstance(n, int) and 0 < n < _LARGEST]
    return min(known, default=None)


def marks(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The tokens that are put before and after a text, such as [CLS] and [SEP].

    Parameters
    ----------
    tokenizer : PreTrainedTokenizer
        As transformers loads it.
    """
    whole = list(tokenizer("a")["input_ids"])
    bare = list(tokenizer("a", add_special_tokens=False)["input_ids"])
    for at in range(len(whole) - len(bare) + 1):
        if whole[at : at + len(bare)] == bare:
            return whole[:at], whole[at + len(bare) :]
    return [], []
