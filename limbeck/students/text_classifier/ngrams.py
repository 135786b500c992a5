"""The columns that a student of texts reads: tf-idf of n-grams of words and of characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, hstack

from limbeck.core.errors import InvalidInput
from limbeck.students.text_tokens import (
    Unit,
    blocks,
    character_codes,
    keys_of,
    units_of,
    word_codes,
)

__all__ = ["Ngrams", "stacked"]

_ROUNDS = 64


@dataclass(frozen=True, eq=False)
class Ngrams:
    """N-grams of one unit, each a column, with the weights that their counts get.

    A text has ``(1 + ln c) idf`` for an n-gram that occurs c times, and all columns of it are
    divided by their Euclidean length (Salton and Buckley 1988; the sublinear tf-idf of
    scikit-learn). ``idf = 1 + ln((1 + n) / (1 + df))`` for an n-gram in df of n texts. No word is
    left out for its language: frequent ones only weigh less.

    Parameters
    ----------
    unit : {"words", "characters"}
        Of what they are made.
    terms : tuple of p str
        The n-grams: words with a space between them, or characters.
    idf : ndarray of shape (p,)
        The weight of each.

    Examples
    --------
    >>> found = Ngrams.of(np.array(["good", "not good", "bad"], object), "words", (1, 2), 1, 10)
    >>> found.terms
    ('good', 'not', 'bad', 'not good')
    >>> found.matrix(np.array(["Good!"], object)).toarray().round(2).tolist()
    [[1.0, 0.0, 0.0, 0.0]]
    """

    unit: Unit
    terms: tuple[str, ...]
    idf: NDArray[np.float64]

    @classmethod
    def of(
        cls, texts: NDArray[Any], unit: Unit, orders: Sequence[int], min_texts: int, most: int
    ) -> Ngrams:
        """The n-grams that occur in most texts; of equally frequent ones those that come first.

        Parameters
        ----------
        texts : ndarray of shape (n,), object
            The texts.
        unit : {"words", "characters"}
            Of what they are made.
        orders : sequence of int
            How many units an n-gram may have.
        min_texts : int
            In how many texts it occurs at least.
        most : int
            How many are kept at most.
        """
        known: dict[str, int] = {}
        keys, counts, terms = [], [], []
        for part in blocks(texts):
            units = [units_of(text, unit) for text in texts[part]]
            if unit == "words":
                for words in units:
                    for word in words:
                        known.setdefault(word, len(known) + 1)
            codes, row = _coded(units, unit, known)
            flat = [u for text in units for u in (*text, "")]  # as long as the codes
            end = np.append(np.flatnonzero(np.diff(row)), len(row) - 1)  # the separators
            for n, key in keys_of(codes, orders):
                inside = np.flatnonzero(np.arange(len(key)) + n <= end[row[: len(key)]])
                found, at, df = _per_text(key[inside], row[inside])
                keys.append(found)
                counts.append(df)
                between = " " if unit == "words" else ""
                terms += [between.join(flat[i : i + n]) for i in inside[at].tolist()]
        if not terms:
            return cls(unit, (), np.zeros(0))
        unique, first, where = np.unique(
            np.concatenate(keys), return_index=True, return_inverse=True
        )
        df = np.bincount(where, np.concatenate(counts), len(unique)).astype(np.int64)
        order = np.lexsort([first, -df])
        kept = order[df[order] >= min_texts][:most]
        idf = 1 + np.log((1 + len(texts)) / (1 + df[kept]))
        return cls(unit, tuple(terms[i] for i in first[kept].tolist()), np.round(idf, 4))

    def __len__(self) -> int:
        return len(self.terms)

    @cached_property
    def orders(self) -> tuple[int, ...]:
        """How many units the n-grams have."""
        return tuple(sorted({len(self._units(term)) for term in self.terms}))

    def matrix(self, texts: NDArray[Any]) -> csr_array:
        """The columns of texts, shape (n, p).

        Parameters
        ----------
        texts : ndarray of shape (n,), object
            The texts.
        """
        parts = [self._block(texts[part]) for part in blocks(texts)]
        if not parts:
            return csr_array((0, len(self)))
        from scipy.sparse import vstack

        return parts[0] if len(parts) == 1 else csr_array(vstack(parts))

    def take(self, columns: NDArray[np.int64]) -> Ngrams:
        """Only some of the n-grams.

        Parameters
        ----------
        columns : ndarray of int
            Their positions.
        """
        return Ngrams(self.unit, tuple(self.terms[i] for i in columns), self.idf[columns])

    def _block(self, texts: NDArray[Any]) -> csr_array:
        units = [units_of(text, self.unit) for text in texts]
        codes, row = _coded(units, self.unit, self._words)
        rows, columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for _, key in keys_of(codes, self.orders):
            at, column = self._table.find(key)
            rows.append(row[at])
            columns.append(column)
        where = (np.concatenate(rows), np.concatenate(columns))
        ones = np.ones(len(where[0]))
        found = csr_array(coo_array((ones, where), shape=(len(texts), len(self))))
        found.sum_duplicates()
        found.data = (1 + np.log(found.data)) * self.idf[found.indices]
        filled = np.flatnonzero(np.diff(found.indptr))  # reduceat needs parts that are not empty
        if len(filled):
            norm = np.sqrt(np.add.reduceat(found.data**2, found.indptr[filled]))
            found.data /= np.repeat(norm, np.diff(found.indptr)[filled])
        return found

    def _units(self, term: str) -> Sequence[str]:
        return term.split(" ") if self.unit == "words" else term

    @cached_property
    def _words(self) -> dict[str, int]:
        known: dict[str, int] = {}
        if self.unit == "words":
            for term in self.terms:
                for word in term.split(" "):
                    known.setdefault(word, len(known) + 1)
        return known

    @cached_property
    def _table(self) -> _Table:
        keys = np.zeros(len(self), dtype=np.uint64)
        lengths = np.array([len(self._units(term)) for term in self.terms], dtype=np.int64)
        for n in self.orders:
            own = np.flatnonzero(lengths == n)
            units = [self._units(self.terms[i]) for i in own]
            codes, row = _coded(units, self.unit, self._words)
            starts = np.flatnonzero(np.diff(row, prepend=-1))
            ((_, key),) = keys_of(codes, (n,))
            keys[own] = key[starts]
        return _Table(keys)


class _Table:
    """Positions of keys, found many at a time: open addressing with linear probing."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        bits = max(10, int(np.ceil(np.log2(8 * max(len(keys), 1)))))
        self._keys, self._shift = keys, np.uint64(64 - bits)
        self._slots = np.full(2**bits, -1, dtype=np.int32)
        self._mask = 2**bits - 1
        left = np.arange(len(keys), dtype=np.int32)
        for self._rounds in range(1, _ROUNDS + 1):
            slot = self._slot(keys[left], self._rounds - 1)
            free = self._slots[slot] < 0
            self._slots[slot[free]] = left[free]
            left = left[self._slots[slot] != left]
            if not len(left):
                return
        raise InvalidInput("Two n-grams are the same.", "Save the student again.")

    def _slot(self, keys: NDArray[np.uint64], step: int) -> NDArray[np.int64]:
        slot = (keys >> self._shift).astype(np.int64) + step
        return np.asarray(slot & self._mask)

    def find(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places of the keys that are known, and their positions."""
        places, positions = [], []
        left = np.arange(len(keys))
        for step in range(self._rounds):
            held = self._slots[self._slot(keys[left], step)]
            there = held >= 0
            left, held = left[there], held[there]
            same = self._keys[held] == keys[left]
            places.append(left[same])
            positions.append(held[same].astype(np.int64))
            left = left[~same]
            if not len(left):
                break
        return np.concatenate(places), np.concatenate(positions)


def stacked(families: Sequence[Ngrams], texts: NDArray[Any]) -> csr_array:
    """The columns of several families side by side, each family with the same length.

    Parameters
    ----------
    families : sequence of Ngrams
        Those of words, those of characters.
    texts : ndarray of shape (n,), object
        The texts.
    """
    parts = [family.matrix(texts) for family in families]
    return parts[0] if len(parts) == 1 else csr_array(hstack(parts)) / np.sqrt(len(parts))


def _coded(units: Sequence[Sequence[str]], unit: Unit, known: dict[str, int]) -> Any:
    return character_codes(units) if unit == "characters" else word_codes(units, known)


def _per_text(
    key: NDArray[np.uint64], row: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Different keys, where each first occurs, and in how many texts."""
    order = np.lexsort([row, key])
    key, row = key[order], row[order]
    new = np.ones(len(key), dtype=np.bool_)
    new[1:] = (key[1:] != key[:-1]) | (row[1:] != row[:-1])
    places = np.minimum.reduceat(order, np.flatnonzero(new)) if len(key) else order
    key = key[new]
    start = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else key
    df = np.diff(np.append(start, len(key))).astype(np.int64)
    return key[start], places[start], df
