"""Texts as numbers: one for each word or character, and keys of the n-grams that they form.

Whole blocks of texts are counted at once: a key of n numbers follows from that of n - 1 by one
multiplication, so that no n-gram is ever built as a string while predicting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Unit", "blocks", "character_codes", "keys_of", "normalised", "units_of", "word_codes"]

Unit = Literal["words", "characters"]
"""Of what n-grams are made."""
Keys = NDArray[np.uint64]

_BLOCK = 2**15  # characters that are read at once: their keys stay in cache
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd: no two keys of one length merge by chance
_BETWEEN = np.uint64(0xD6E8FEB86659FD93)  # between texts, and for unknown words: in no n-gram
_PUNCTUATION = r"!-/:-@\[-`{-~¡-¿×÷‐-⁞、-〿！-／：-＠［-｀｛-･"
_WORD = re.compile(rf"[^\s{_PUNCTUATION}]+|[{_PUNCTUATION}]")


def normalised(text: str) -> str:
    """A text in lower case, with compatible characters (Unicode NFKC) made one.

    Examples
    --------
    >>> normalised("Ｇood ﬁlm")
    'good film'
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).casefold()


def units_of(text: str, unit: Unit) -> Sequence[str]:
    """The words and punctuation marks, or the characters, of a text, in order.

    A word is a run of characters that are neither white space nor punctuation, in any script; of
    scripts that write no spaces use characters, which are counted with single spaces between
    words and one at either end.

    Parameters
    ----------
    text : str
        One text.
    unit : {"words", "characters"}
        Which.

    Examples
    --------
    >>> units_of("Not bad!", "words")
    ['not', 'bad', '!']
    """
    if unit == "words":
        return _WORD.findall(normalised(text))
    return f" {' '.join(normalised(text).split())} "


def blocks(texts: NDArray[Any]) -> Iterator[slice]:
    """Slices of texts of together about 33,000 characters.

    Parameters
    ----------
    texts : ndarray of shape (n,), object
        The texts.
    """
    start, size = 0, 0
    for i, text in enumerate(texts):
        size += len(text) + 1
        if size >= _BLOCK:
            yield slice(start, i + 1)
            start, size = i + 1, 0
    if start < len(texts):
        yield slice(start, len(texts))


def character_codes(units: Sequence[Sequence[str]]) -> tuple[Keys, NDArray[np.int64]]:
    """Code points of texts one after the other, and to which text each belongs.

    Parameters
    ----------
    units : sequence of n str
        What `units_of` made of each text.

    Returns
    -------
    codes : ndarray of shape (m,), uint64
        A separator follows each text.
    row : ndarray of shape (m,), int64
        The text's position.
    """
    joined = "".join(f"{text}\0" for text in units)
    raw = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    codes = raw.astype(np.uint64)
    lengths = np.array([len(text) + 1 for text in units], dtype=np.int64)
    codes[np.cumsum(lengths) - 1] = _BETWEEN
    return codes, np.repeat(np.arange(len(units)), lengths)


def word_codes(
    units: Sequence[Sequence[str]], known: Mapping[str, int]
) -> tuple[Keys, NDArray[np.int64]]:
    """Numbers of the words of texts one after the other, and to which text each belongs.

    Parameters
    ----------
    units : sequence of n lists of words
        What `units_of` made of each text.
    known : mapping from str to int
        The number of each known word, from 1.

    Returns
    -------
    codes : ndarray of shape (m,), uint64
        A separator follows each text, and stands for a word that is not known.
    row : ndarray of shape (m,), int64
        The text's position.
    """
    get = known.get
    flat = [get(word, 0) for words in units for word in (*words, None)]  # type: ignore[arg-type]
    codes = np.array(flat, dtype=np.uint64)
    codes[codes == 0] = _BETWEEN
    lengths = np.array([len(words) + 1 for words in units], dtype=np.int64)
    return codes, np.repeat(np.arange(len(units)), lengths)


def keys_of(codes: Keys, orders: Sequence[int]) -> Iterator[tuple[int, Keys]]:
    """For each n the keys of the n-grams that begin at each place, shape (m - n + 1,).

    Parameters
    ----------
    codes : ndarray of shape (m,), uint64
        Numbers of words or characters.
    orders : sequence of int
        The lengths n that are wanted, increasing.
    """
    key = codes * _MULTIPLIER
    for n in range(1, max(orders, default=0) + 1):
        if n > 1:
            if len(key) < 2:
                return
            key = (key[:-1] + codes[n - 1 :]) * _MULTIPLIER
            key ^= key >> np.uint64(29)
        if n in orders:
            yield n, key
