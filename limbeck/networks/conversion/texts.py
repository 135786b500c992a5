"""Texts as tokens: checked, without copies, and as blocks of one length for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput, plural
from limbeck.core.texts import are_texts, as_texts

__all__ = ["TokenTexts", "padded", "read_texts", "training_blocks"]


@dataclass(frozen=True, eq=False)
class TokenTexts:
    """Texts with their tokens, each different from all others.

    Parameters
    ----------
    texts : sequence of str
        The texts, n of them.
    ids : sequence of Tensor of shape (t,), int64
        The tokens of each, two or more.
    notes : tuple of str
        What was left out.
    """

    texts: Sequence[str]
    ids: Sequence[Tensor]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def tokens(self) -> int:
        """Tokens of all texts."""
        return sum(len(i) for i in self.ids)

    def take(self, places: Sequence[int]) -> TokenTexts:
        """Some of them."""
        return TokenTexts([self.texts[i] for i in places], [self.ids[i] for i in places])


def read_texts(texts: Any, tokenizer: Any, vocabulary: int) -> TokenTexts:
    """Tokens of texts; copies and texts of fewer than two tokens are left out.

    Parameters
    ----------
    texts : list, array or Series of n texts
        One text each; a text is what a certificate counts.
    tokenizer : PreTrainedTokenizer
        That of the model.
    vocabulary : int
        Tokens that the model knows.

    Raises
    ------
    InvalidInput
        If there are no texts, they are one long string, or a token is not in the vocabulary.
    """
    if isinstance(texts, str):
        raise InvalidInput(
            "The texts are one string, and a certificate counts texts.",
            "Give a list of texts: cut a long one into parts that can stand alone, such as scenes.",
        )
    if not are_texts(texts):
        raise InvalidInput(
            f"The texts are {type(texts).__name__} of no strings.", "Give a list of texts."
        )
    unique = list(dict.fromkeys(str(text) for text in as_texts(texts)))
    found = [
        (text, torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"]).long())
        for text in unique
    ]
    kept = [(text, ids) for text, ids in found if len(ids) >= 2]
    for _, ids in kept:
        if int(ids.max()) >= vocabulary:
            raise InvalidInput(
                f"The tokenizer gives token {int(ids.max())}, and the model knows"
                f" {vocabulary:,} tokens.",
                "Give the tokenizer of this model.",
            )
    notes = []
    if len(unique) < len(texts):
        copies = plural(len(texts) - len(unique), "copy of another text was", "copies were")
        notes.append(f"{copies} left out.")
    if len(kept) < len(found):
        short = plural(len(found) - len(kept), "text was", "texts were")
        notes.append(f"{short} left out, with fewer than two tokens.")
    return TokenTexts([t for t, _ in kept], [i for _, i in kept], tuple(notes))


def training_blocks(texts: TokenTexts, length: int, end: int | None, seed: int) -> Tensor:
    """All texts one after another, in an order drawn by the seed, cut into blocks (n, length).

    Teacher and student read the same blocks, so that what stands before a token is the same for
    both. Texts are set apart by the token that ends texts, where there is one.

    Parameters
    ----------
    texts : TokenTexts
        The texts.
    length : int
        Tokens in a block.
    end : int or None
        The token that ends a text.
    seed : int
        For the order.

    Raises
    ------
    InvalidInput
        If they hold fewer tokens than one block.
    """
    order = np.random.default_rng(seed).permutation(len(texts))
    mark = [] if end is None else [torch.tensor([end])]
    joined = torch.cat([part for i in order for part in (texts.ids[i], *mark)])
    count = len(joined) // length
    if count == 0:
        raise InvalidInput(
            f"The training texts have {len(joined):,} tokens, fewer than one block of {length}.",
            f"Give more texts, or length={max(len(joined) // 4, 2)}.",
        )
    return joined[: count * length].view(count, length)


def padded(ids: Sequence[Tensor], length: int) -> tuple[Tensor, Tensor]:
    """Token rows of one length, zeros on the right, and their mask; longer ones are cut.

    Parameters
    ----------
    ids : sequence of Tensor of shape (t,)
        Tokens.
    length : int
        Tokens at most.
    """
    cut = [i[:length] for i in ids]
    widest = max(map(len, cut))
    rows = torch.zeros(len(cut), widest, dtype=torch.long)
    mask = torch.zeros_like(rows)
    for place, some in enumerate(cut):
        rows[place, : len(some)] = some
        mask[place, : len(some)] = 1
    return rows, mask
