"""ROUGE-L by bit vectors: which earlier text is nearest, without comparing all pairs in full."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["RougeIndex", "lcs_length", "match_masks", "rouge_l", "rouge_tokens"]

_PUBLISHED = re.compile(r"[a-z0-9]+")
# Scripts that put no spaces between words count by the character.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_ANY = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def rouge_tokens(text: str, any_script: bool = False) -> list[str]:
    """The tokens that ROUGE-L counts: runs of ``a-z0-9`` in lower case, without stemming.

    Parameters
    ----------
    text : str
        A text.
    any_script : bool
        Count the letters of every script, which the published rule leaves out.

    Examples
    --------
    >>> rouge_tokens("Don't panic, No. 42!")
    ['don', 't', 'panic', 'no', '42']
    """
    return (_ANY if any_script else _PUBLISHED).findall(text.lower())


def match_masks(a: Sequence[Hashable]) -> dict[Hashable, int]:
    """For each token of a sequence, the places where it stands as bits of a whole number.

    Parameters
    ----------
    a : sequence of m tokens
        The sequence.
    """
    masks: dict[Hashable, int] = {}
    for place, token in enumerate(a):
        masks[token] = masks.get(token, 0) | (1 << place)
    return masks


def lcs_length(masks: dict[Hashable, int], m: int, b: Sequence[Hashable]) -> int:
    """The length of a longest common subsequence, one addition for each token of b.

    Hyyro (2004), "Bit-parallel LCS-length computation revisited": a row of the table of the
    dynamic program is a whole number V of m bits, where a 0 marks that the length grows; for each
    token with the mask M of its places in a: U = V & M, V = (V + U) | (V - U).

    Parameters
    ----------
    masks : dict
        `match_masks` of the first sequence.
    m : int
        Its length.
    b : sequence of tokens
        The second sequence.

    Examples
    --------
    >>> lcs_length(match_masks("abcbdab"), 7, "bdcaba")
    4
    """
    full = (1 << m) - 1
    row = full
    for token in b:
        places = masks.get(token, 0)
        if places:
            both = row & places
            row = ((row + both) | (row - both)) & full
    return m - row.bit_count()


def rouge_l(a: str, b: str, any_script: bool = False) -> float:
    """ROUGE-L F of two texts: 2 LCS / (tokens of a + tokens of b).

    It equals 2PR / (P + R) with P = LCS/|b| and R = LCS/|a| (Lin 2004).

    Parameters
    ----------
    a, b : str
        The texts.
    any_script : bool
        As for `rouge_tokens`.

    Examples
    --------
    >>> round(rouge_l("Name three rivers of Asia.", "Name three large rivers."), 3)
    0.667
    """
    one, two = rouge_tokens(a, any_script), rouge_tokens(b, any_script)
    if not one or not two:
        return 0.0
    return 2 * lcs_length(match_masks(one), len(one), two) / (len(one) + len(two))


class RougeIndex:
    """Texts by their tokens, which tells of the nearest one without reading all of them.

    A common subsequence has at most as many tokens as the texts have in common in any order.
    That bound of F comes from one pass over lists of texts by token; the subsequence itself is
    computed from the largest bound down, and only as long as a bound exceeds what was found.
    So the answer is exact.

    Parameters
    ----------
    any_script : bool
        As for `rouge_tokens`.

    Examples
    --------
    >>> index = RougeIndex()
    >>> for text in ["Name three rivers of Asia.", "Write a short poem about rain."]:
    ...     index.add(text)
    >>> place, score = index.nearest("Write a poem about the rain.")
    >>> place, round(score, 3)
    (1, 0.833)
    """

    def __init__(self, any_script: bool = False) -> None:
        self.any_script = any_script
        self._tokens: list[list[str]] = []
        self._lengths = array("i")
        # The k-th time that a token stands in a text is a feature of its own, so that features in
        # common are tokens in common, repeats included.
        self._texts_with: dict[tuple[str, int], array[int]] = {}

    def __len__(self) -> int:
        return len(self._tokens)

    def add(self, text: str) -> None:
        """Add a text.

        Parameters
        ----------
        text : str
            The text.
        """
        tokens = rouge_tokens(text, self.any_script)
        for feature in _features(tokens):
            self._texts_with.setdefault(feature, array("i")).append(len(self._tokens))
        self._tokens.append(tokens)
        self._lengths.append(len(tokens))

    def nearest(self, text: str, least: float = 0.0) -> tuple[int, float]:
        """The text with the largest ROUGE-L F, and that F; (-1, 0.0) where none is above ``least``.

        Parameters
        ----------
        text : str
            The text that is compared.
        least : float
            Only what is above it is looked for, which is faster.
        """
        tokens = rouge_tokens(text, self.any_script)
        if not tokens or not self._tokens:
            return -1, 0.0
        bound = self._bounds(tokens)
        at = np.flatnonzero(bound > least)
        masks, m = match_masks(tokens), len(tokens)
        place, best = -1, least
        for i in at[np.argsort(-bound[at], kind="stable")]:
            if bound[i] <= best:
                break
            other = self._tokens[i]
            score = 2 * lcs_length(masks, m, other) / (m + len(other))
            if score > best:
                place, best = int(i), score
        return (place, best) if place >= 0 else (-1, 0.0)

    def _bounds(self, tokens: list[str]) -> NDArray[np.float64]:
        """The largest F that each text may have, by its tokens in any order."""
        lists = [self._texts_with[f] for f in _features(tokens) if f in self._texts_with]
        lengths = np.frombuffer(self._lengths, dtype=np.int32) + len(tokens)
        if not lists:
            return np.zeros(len(lengths))
        joined = np.concatenate([np.frombuffer(found, dtype=np.int32) for found in lists])
        common = np.bincount(joined, minlength=len(lengths))
        bounds: NDArray[np.float64] = 2 * common / lengths
        return bounds


def _features(tokens: Sequence[str]) -> list[tuple[str, int]]:
    seen: Counter[str] = Counter()
    found = []
    for token in tokens:
        found.append((token, seen[token]))
        seen[token] += 1
    return found
