"""A vector for each token: one pass of the encoder over the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.core.contract import Teacher
from limbeck.core.progress import Progress
from limbeck.students.static_embedding.words import frequent_words, word_tokenizer

__all__ = ["Vocabulary", "vocabulary_of"]

_BATCH = 256
_WORDS = 30_000


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """A tokenizer, and what the encoder says of each of its tokens.

    Parameters
    ----------
    tokenizer : str
        The content of a tokenizer.json.
    vectors : ndarray of shape (V, D)
        The encoder's vector of each token alone; zeros of special tokens.
    unknown : int or None
        The number of the token for what is unknown.
    source : str
        Whose tokens these are, in words.
    """

    tokenizer: str
    vectors: NDArray[np.float64]
    unknown: int | None
    source: str


def vocabulary_of(teacher: Teacher, texts: NDArray[np.object_], tell: Progress) -> Vocabulary:
    """The encoder's own tokens where it is a folder of transformers; else the words of texts.

    Parameters
    ----------
    teacher : Teacher
        A sentence encoder.
    texts : ndarray of shape (n,), object
        The user's texts.
    tell : callable
        Told how many tokens are done.
    """
    tokenizer = getattr(teacher, "tokenizer", None)
    if tokenizer is None or not getattr(tokenizer, "is_fast", False):
        words = frequent_words(texts, _WORDS)
        tell("asking about words", 0, 1)
        asked = np.empty(len(words), dtype=object)
        asked[:] = words
        vectors = np.asarray(teacher.scores(asked), dtype=np.float64)
        vectors = np.vstack([np.zeros((1, vectors.shape[1])), vectors])
        return Vocabulary(word_tokenizer(words), vectors, 0, f"{len(words):,} words of the texts")
    size = int(tokenizer.backend_tokenizer.get_vocab_size())
    parts = []
    for start in range(0, size, _BATCH):
        tell("asking about tokens", start, size)
        ids = range(start, min(start + _BATCH, size))
        parts.append(teacher.token_vectors(ids))  # type: ignore[attr-defined]  # it has a tokenizer
    vectors = np.concatenate(parts)
    vectors[[i for i in tokenizer.all_special_ids if i is not None and i < size]] = 0.0
    unknown = tokenizer.unk_token_id
    return Vocabulary(
        str(tokenizer.backend_tokenizer.to_str()), vectors,
        None if unknown is None else int(unknown), f"{size:,} tokens of the teacher",
    )  # fmt: skip
