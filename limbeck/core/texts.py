"""Rows that are texts: what counts as one, and the numbers by which texts are compared.

The encoded matrix of texts holds a hash of each, so that splits, duplicates, fingerprints and
certificates treat texts as they treat rows of numbers. The texts themselves lie beside it.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput

__all__ = ["CODES", "are_texts", "as_texts", "text_codes", "written"]

CODES = 3
"""Columns of the encoded matrix for a column of texts: whole numbers below 2^24, which float32
keeps. Together they are 72 bits of SHA-256: among a million texts two different ones share them
with probability 1e-10."""
_LOOKED_AT = 100


def are_texts(X: Any) -> bool:
    """Whether rows are a list, array or Series of texts, one for each row.

    Parameters
    ----------
    X : object
        Rows in the user's form.

    Examples
    --------
    >>> are_texts(["good", "bad"]), are_texts([[1.0, 2.0]])
    (True, False)
    """
    if isinstance(X, str | bytes) or hasattr(X, "columns"):
        return False
    if isinstance(X, list | tuple):
        some = list(X[:_LOOKED_AT])
    elif getattr(X, "ndim", 0) == 1:
        if getattr(getattr(X, "dtype", None), "kind", "O") in "biufcmM":
            return False
        some = list((X.iloc if hasattr(X, "iloc") else X)[:_LOOKED_AT])
    else:
        return False
    return any(isinstance(value, str) for value in some)


def as_texts(X: Any) -> NDArray[Any]:
    """Texts as an array of Python strings.

    Parameters
    ----------
    X : list, array or Series of n texts
        The rows.

    Returns
    -------
    ndarray of shape (n,), object

    Raises
    ------
    InvalidInput
        If there are none, or one is missing or no text.
    """
    given = X.tolist() if hasattr(X, "tolist") else list(X)
    if not given:
        raise InvalidInput("There are no texts.", "Give at least one.")
    out = np.empty(len(given), dtype=object)
    out[:] = given
    strange = [i for i, value in enumerate(given) if not isinstance(value, str)]
    if strange:
        raise InvalidInput(
            f"{len(strange):,} of {len(given):,} texts are missing or no text: row {strange[0]} is"
            f" {given[strange[0]]!r}.",
            "Drop these rows, or fill them with an empty text.",
        )
    return out


def text_codes(texts: NDArray[Any]) -> NDArray[np.float64]:
    """The numbers by which texts are compared: equal for equal texts, character by character.

    Parameters
    ----------
    texts : ndarray of shape (n,), object
        The texts.

    Returns
    -------
    ndarray of shape (n, 3), float64
        Whole numbers below 2^24.
    """
    digests = b"".join(
        hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[: 3 * CODES]
        for text in texts
    )
    octets = np.frombuffer(digests, dtype=np.uint8).reshape(len(texts), CODES, 3)
    return np.asarray(octets.astype(np.float64) @ [65536.0, 256.0, 1.0])


def written(frame: Any) -> NDArray[Any]:
    """Each row of a table as one text: a line for each column, ``name: value``.

    Parameters
    ----------
    frame : DataFrame of shape (n, d)
        The rows; nothing follows the name where a value is missing.

    Returns
    -------
    ndarray of shape (n,), object
    """
    missing = frame.isna().to_numpy()
    cells = frame.to_numpy(dtype=object)
    out = np.empty(len(frame), dtype=object)
    out[:] = [
        "\n".join(
            f"{name}:" if gone else f"{name}: {value}"
            for name, value, gone in zip(frame.columns, row, lacking, strict=True)
        )
        for row, lacking in zip(cells, missing, strict=True)
    ]
    return out
