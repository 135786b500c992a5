"""What every transform does: rows to coefficients in bands, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.signal.bands import Band

__all__ = ["Band", "Transform", "like", "numbers"]

Matrix = NDArray[np.float64]
_TOGETHER = 256  # atoms at a time


class Transform(ABC):
    """A transform T of rows into m coefficients, and its inverse, exact or not.

    A new one says in ``_learn`` what its bands are, and in ``_parts`` and ``_whole`` how rows
    become one tensor per band, and rows again.
    """

    def __init__(self) -> None:
        self._shape: tuple[int, ...] | None = None
        self._bands: tuple[Band, ...] = ()

    @abstractmethod
    def _learn(self, rows: Matrix) -> Iterable[tuple[str, tuple[int, ...]]]:
        """Look at rows (n, *shape); return the name of each band and the shape of its part."""

    @abstractmethod
    def _parts(self, x: Tensor) -> Sequence[Tensor]:
        """Coefficients of rows (n, *shape): a tensor (n, *band.shape) for each band."""

    @abstractmethod
    def _whole(self, parts: Sequence[Tensor]) -> Tensor:
        """Rows (n, *shape) from a tensor for each band; differentiable."""

    @property
    def fitted(self) -> bool:
        """Whether the shape of the rows, and all that is learned from them, is known."""
        return self._shape is not None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row.

        Raises
        ------
        InvalidInput
            Before ``fit``.
        """
        if self._shape is None:
            raise InvalidInput(
                f"{type(self).__name__} has seen no rows.", "Call fit(X) with rows first."
            )
        return self._shape

    @property
    def bands(self) -> tuple[Band, ...]:
        """The bands, in the order of their columns; known after ``fit``."""
        _ = self.shape  # refuses before fit
        return self._bands

    def fit(self, X: Any) -> Self:
        """Take the shape of the rows, and learn from them what is to be learned.

        Parameters
        ----------
        X : array-like of shape (n, *shape)
            Rows: (n, length), (n, channels, length) or (n, channels, height, width).

        Raises
        ------
        InvalidInput
            If the rows are no finite numbers, or of a shape that the transform cannot take.
        """
        rows = numbers(X)
        bands, start = [], 0
        for name, shape in self._learn(rows):
            bands.append(Band(name, start, start + prod(shape), tuple(shape)))
            start += prod(shape)
        self._bands, self._shape = tuple(bands), rows.shape[1:]
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Coefficients (n, m) of rows (n, *shape)."""
        self._check(tuple(x.shape[1:]), self.shape, "rows")
        return torch.cat([part.reshape(len(x), -1) for part in self._parts(x)], dim=1)

    def inverse(self, s: Tensor) -> Tensor:
        """Rows (n, *shape) from coefficients (n, m)."""
        self._check(tuple(s.shape[1:]), (self.bands[-1].stop,), "coefficients")
        return self._whole([s[:, b.start : b.stop].reshape(-1, *b.shape) for b in self._bands])

    def spread(self, strengths: Matrix) -> Matrix:
        """Strengths of coefficients, laid over the inputs, band by band.

        Coefficient i gives its strength to the inputs by the squares of its atom a_i, what the
        inverse makes of it alone: sum_i strength_i a_i^2. For an orthogonal transform the sum over
        the inputs is the sum over the band.

        Parameters
        ----------
        strengths : ndarray of shape (m,)
            Numbers of 0 or more, such as mean absolute attributions.

        Returns
        -------
        ndarray of shape (bands, *shape)
        """
        m = self.bands[-1].stop
        out = np.zeros((len(self._bands), *self.shape))
        with torch.no_grad():
            origin = self.inverse(torch.zeros(1, m, dtype=torch.float64))
            for row, band in zip(out, self._bands, strict=True):
                for start in range(band.start, band.stop, _TOGETHER):
                    at = torch.arange(start, min(start + _TOGETHER, band.stop))
                    unit = torch.zeros(len(at), m, dtype=torch.float64)
                    unit[torch.arange(len(at)), at] = 1.0
                    atoms = (self.inverse(unit) - origin).numpy()
                    row += np.tensordot(strengths[at.numpy()], atoms**2, axes=1)
        return out

    def _check(self, given: tuple[int, ...], wanted: tuple[int, ...], what: str) -> None:
        if given != wanted:
            raise InvalidInput(
                f"{type(self).__name__} was fitted for {what} of shape {wanted}, and these have"
                f" shape {given}.",
                "Give the same kind of rows, or fit another transform.",
            )


def numbers(X: Any) -> Matrix:
    """Rows as float64 of shape (n, *shape).

    Raises
    ------
    InvalidInput
        If there is no row, no column, or a value that is not a finite number.
    """
    try:
        given = X.detach().cpu() if hasattr(X, "detach") else X
        rows = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(
            "The rows hold values that are not numbers.", "Give an array of numbers."
        ) from None
    if rows.ndim < 2 or rows.size == 0:
        raise InvalidInput(
            f"The rows have shape {rows.shape}.",
            "Give (n, length), (n, channels, length) or (n, channels, height, width), none empty.",
        )
    bad = ~np.isfinite(rows.reshape(len(rows), -1))
    if bad.any():
        row = int(np.flatnonzero(bad.any(axis=1))[0])
        raise InvalidInput(
            f"Row {row} holds {int(bad[row].sum())} values that are missing or infinite, the first"
            f" at place {int(np.flatnonzero(bad[row])[0])}; {int(bad.any(axis=1).sum())} of"
            f" {len(rows)} rows hold some.",
            "Fill them in, for example by interpolation, or drop these rows.",
        )
    return rows if rows.flags.writeable else rows.copy()  # as torch wants it


def like(matrix: NDArray[Any], x: Tensor) -> Tensor:
    """A matrix as a tensor of the dtype and on the device of ``x``.

    Parameters
    ----------
    matrix : ndarray
        The matrix.
    x : Tensor
        Gives dtype and device.
    """
    return torch.as_tensor(matrix, dtype=x.dtype, device=x.device)
