"""Words of the user's texts as tokens, for encoders whose own tokenizer is not at hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limbeck.students.text_tokens import units_of

__all__ = ["UNKNOWN", "frequent_words", "word_tokenizer"]

UNKNOWN = "[UNK]"


def frequent_words(texts: NDArray[np.object_], most: int, least: int = 1) -> list[str]:
    """The words that occur in most texts; of equally frequent ones those that come first.

    Parameters
    ----------
    texts : ndarray of shape (n,), object
        The texts.
    most : int
        How many words at most.
    least : int
        In how many texts a word occurs at least.

    Examples
    --------
    >>> frequent_words(np.array(["good film", "bad film"], object), 2)
    ['film', 'good']
    """
    counted: Counter[str] = Counter()
    for text in texts.tolist():
        counted.update(list(dict.fromkeys(units_of(text, "words"))))
    return [word for word, texts_of in counted.most_common(most) if texts_of >= least]


def word_tokenizer(words: Sequence[str]) -> str:
    """A tokenizer.json of words in any script; number 0 stands for words that are unknown.

    Parameters
    ----------
    words : sequence of str
        Lower case, as `limbeck.students.text_tokens.units_of` writes them.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    known = {word: i for i, word in enumerate([UNKNOWN, *words])}
    made = Tokenizer(models.WordLevel(known, unk_token=UNKNOWN))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return str(made.to_str())
