"""Vectors of texts from a table: each token has one, and a text is the mean of its tokens'."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from limbeck.core.errors import InvalidInput, MissingExtra, did_you_mean
from limbeck.core.texts import are_texts, as_texts

__all__ = ["StaticEmbedding", "tokenizer_of"]

_BATCH = 512
_DTYPES = ("float32", "float16")


def tokenizer_of(text: str) -> Any:
    """A tokenizer from its JSON, without padding, truncation or special tokens.

    Parameters
    ----------
    text : str
        The content of a tokenizer.json.

    Raises
    ------
    MissingExtra
        If the package tokenizers is not installed.
    InvalidInput
        If it is no tokenizer.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise MissingExtra(
            "Static embeddings need the package tokenizers.", "pip install 'limbeck[embeddings]'"
        ) from None
    try:
        made = Tokenizer.from_str(text)
    except Exception as error:
        raise InvalidInput(f"The tokenizer cannot be read: {error}.", "Write it anew.") from error
    made.no_padding()
    made.no_truncation()
    return made


class StaticEmbedding:
    """A table with a vector for each token of a tokenizer; needs numpy and tokenizers alone.

    A text's vector is the mean of its tokens' vectors, of length 1. A text without a known token
    has zeros. ``basis`` leads back to the teacher's vectors where these are longer.

    Parameters
    ----------
    table : ndarray of shape (V, d)
        The vector of each token, by its number.
    tokenizer : str
        The content of a tokenizer.json.
    basis : ndarray of shape (D, d), optional
        Orthonormal columns: ``encode(X) @ basis.T`` is in the dimensions of the teacher.
    unknown : int, optional
        The number of the token for what is unknown, which counts as no token.

    Raises
    ------
    InvalidInput
        If the table does not fit the tokenizer.

    Examples
    --------
    >>> from limbeck.students.static_embedding.words import word_tokenizer
    >>> student = StaticEmbedding(np.eye(3), word_tokenizer(["good", "bad"]), unknown=0)
    >>> student.encode(["Good, bad good"]).astype(float).round(2).tolist()
    [[0.0, 0.89, 0.45]]
    """

    size_unit = "numbers"

    def __init__(
        self,
        table: NDArray[Any],
        tokenizer: str,
        basis: NDArray[Any] | None = None,
        unknown: int | None = None,
    ) -> None:
        self.tokenizer = tokenizer_of(tokenizer)
        table = np.asarray(table)
        if table.dtype.name not in _DTYPES:
            table = table.astype(np.float32)
        rows = self.tokenizer.get_vocab_size()
        if table.ndim != 2 or len(table) < rows or not np.isfinite(table).all():
            raise InvalidInput(
                f"A table of shape {table.shape} was given for {rows:,} tokens.",
                "Give a finite vector for each token.",
            )
        if basis is not None and (basis.ndim != 2 or basis.shape[1] != table.shape[1]):
            raise InvalidInput(
                f"A basis of shape {basis.shape} was given for {table.shape[1]} columns.",
                "Give one of shape (D, d).",
            )
        self.table, self.unknown = table, unknown
        self.basis = None if basis is None else np.asarray(basis, dtype=np.float32)
        self._text = str(self.tokenizer.to_str())  # as it is saved: without padding and truncation

    @property
    def size(self) -> int:
        """Numbers in the table."""
        return int(self.table.size)

    @property
    def width(self) -> int:
        """d, the length of a vector."""
        return int(self.table.shape[1])

    @property
    def bytes(self) -> int:
        """Bytes of the table."""
        return int(self.table.nbytes)

    def encode(self, X: Any) -> NDArray[np.float32]:
        """Vectors of length 1, of shape (n, d).

        Parameters
        ----------
        X : list, array or Series of n texts
            The texts.

        Raises
        ------
        InvalidInput
            If X holds no texts.
        """
        if isinstance(X, str) or not (len(X) == 0 or are_texts(X)):
            raise InvalidInput("X holds no texts.", "Give a list of texts: [text].")
        texts = as_texts(X).tolist() if len(X) else []
        out = np.zeros((len(texts), self.width), dtype=np.float32)
        for start in range(0, len(texts), _BATCH):
            some = texts[start : start + _BATCH]
            ids, lengths = self._ids(some)
            filled = np.flatnonzero(lengths)
            if len(filled):
                first = np.cumsum(lengths)[filled] - lengths[filled]
                found = self.table[ids].astype(np.float32, copy=False)
                out[start + filled] = np.add.reduceat(found, first, axis=0)
        length = np.linalg.norm(out, axis=1, keepdims=True)
        return np.asarray(out / np.where(length > 0, length, 1))

    def lifted(self, X: Any) -> NDArray[np.float32]:
        """Vectors in the dimensions of the teacher, of shape (n, D).

        Parameters
        ----------
        X : list, array or Series of n texts
            The texts.
        """
        found = self.encode(X)
        return found if self.basis is None else np.asarray(found @ self.basis.T)

    def bags(self, texts: NDArray[Any]) -> csr_array:
        """The share of each token among those of a text, shape (n, V).

        Parameters
        ----------
        texts : ndarray of shape (n,), object
            The texts.
        """
        ids, lengths = self._ids(texts.tolist())
        rows = np.repeat(np.arange(len(texts)), lengths)
        shares = 1 / np.repeat(np.maximum(lengths, 1), lengths)
        found = csr_array((shares, (rows, ids)), shape=(len(texts), len(self.table)))
        found.sum_duplicates()
        return found

    def fingerprint(self) -> str:
        """SHA-256 of table, basis and tokenizer, in hexadecimal."""
        digest = hashlib.sha256(self._text.encode())
        for part in (self.table, self.basis):
            if part is not None:
                digest.update(f"{part.dtype.name}{part.shape}".encode())
                digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def save(self, folder: str | Path) -> Path:
        """Write a folder that sentence-transformers and model2vec load, too.

        Parameters
        ----------
        folder : path
            See `limbeck.students.static_embedding.folder.write_folder`.
        """
        from limbeck.students.static_embedding.folder import write_folder

        text = str(self.tokenizer.to_str())
        return write_folder(
            Path(folder), self.table, text, self.basis, self.unknown, self.fingerprint()
        )

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that `save` or model2vec wrote.

        Parameters
        ----------
        folder : path
            The folder.

        Raises
        ------
        FileRefused
            If it cannot be read.
        """
        from limbeck.students.static_embedding.folder import read_folder

        return cls(*read_folder(Path(folder)))

    def astype(self, dtype: str) -> StaticEmbedding:
        """The same with numbers of 2 or 4 bytes.

        Parameters
        ----------
        dtype : {"float32", "float16"}
            The type.
        """
        if dtype not in _DTYPES:
            raise InvalidInput(f"dtype is {dtype!r}.", did_you_mean(str(dtype), _DTYPES))
        return StaticEmbedding(self.table.astype(dtype), self._text, self.basis, self.unknown)

    def _ids(self, texts: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the tokens one text after the other, and how many each text has."""
        found = [e.ids for e in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
        lengths = np.array([len(ids) for ids in found], dtype=np.int64)
        flat = np.fromiter((i for ids in found for i in ids), np.int64, int(lengths.sum()))
        if self.unknown is None or not (flat == self.unknown).any():
            return flat, lengths
        kept = flat != self.unknown
        owner = np.repeat(np.arange(len(texts)), lengths)
        return flat[kept], np.bincount(owner[kept], minlength=len(texts))
