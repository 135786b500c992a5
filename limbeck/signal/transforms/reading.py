"""A model read in the coefficients of a transform: f'(s) = f(T^-1(s) + r), for a batch of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput, TeacherFailed
from limbeck.signal.transforms.base import Transform

__all__ = ["BY_SCORES", "TransformedTeacher", "batches"]

Vector = NDArray[np.float64]

BY_SCORES = 'Give attribution="differences", which asks for scores only.'


@dataclass(frozen=True)
class TransformedTeacher:
    """f' for one batch of b rows.

    Parameters
    ----------
    teacher : Teacher
        f; it is asked for scores, and for gradients with respect to its inputs.
    transform : Transform
        T, fitted.
    native : callable
        From rows (b, *shape) to what the teacher takes.
    outputs : ndarray of int, shape (b,)
        The score that is explained, by row.
    residual : Tensor of shape (b, *shape)
        r, what the inverse loses.
    """

    teacher: Teacher
    transform: Transform
    native: Callable[[Vector], Any]
    outputs: NDArray[np.int64]
    residual: Tensor

    def slope(self, s: Tensor, x: Tensor | None = None) -> Vector:
        """The gradient (b, m) of f' at s, where the model sees x: J^T g.

        Parameters
        ----------
        s : Tensor of shape (b, m)
            Coefficients.
        x : Tensor, optional
            The rows that the model sees; by default the inverse of s with the residual.
        """
        s = s.clone().requires_grad_()
        with torch.enable_grad():
            again = self.transform.inverse(s)
        if not again.requires_grad:
            raise InvalidInput(
                f"The inverse of {self.transform!r} cannot be differentiated.",
                f"Write it with torch operations. Or: {BY_SCORES}",
            )
        seen = again.detach() + self.residual if x is None else x
        g = torch.from_numpy(self._gradient(seen.numpy())).reshape(again.shape)
        (found,) = torch.autograd.grad(again, s, g)
        slope: Vector = found.numpy()
        return slope

    def mean_slope(self, s: Tensor, steps: int) -> Vector:
        """The mean gradient (b, m) of f' on the line from 0 to s.

        Parameters
        ----------
        s : Tensor of shape (b, m)
            Coefficients.
        steps : int
            Points of the Gauss-Legendre rule.
        """
        at, weights = np.polynomial.legendre.leggauss(steps)
        pairs = zip((at + 1) / 2, weights / 2, strict=True)
        return np.asarray(sum(w * self.slope(float(t) * s) for t, w in pairs))

    def differences(self, s: Tensor, widths: Vector, batch_size: int) -> Vector:
        """Central differences (b, m) of f' at s, several coefficients in one question.

        Parameters
        ----------
        s : Tensor of shape (b, m)
            Coefficients.
        widths : ndarray of shape (m,)
            How far each coefficient is moved.
        batch_size : int
            Most rows in one call of the model.
        """
        b, m = s.shape
        out = np.empty((b, m))
        together = max(1, batch_size // (2 * b))
        for start in range(0, m, together):
            columns = np.arange(start, min(start + together, m))
            moved = s.repeat(2 * len(columns), 1, 1).reshape(2, len(columns), b, m).clone()
            for i, c in enumerate(columns):
                moved[0, i, :, c] += widths[c]
                moved[1, i, :, c] -= widths[c]
            with torch.no_grad():
                again = self.transform.inverse(moved.reshape(-1, m))
            seen = again.reshape(-1, *self.residual.shape) + self.residual
            scores = self.teacher.scores(self.native(seen.flatten(0, 1).numpy()))
            wanted = scores.reshape(2, len(columns), b, -1)[:, :, np.arange(b), self.outputs]
            out[:, columns] = ((wanted[0] - wanted[1]) / (2 * widths[columns, None])).T
        return out

    def _gradient(self, x: Vector) -> Vector:
        """The gradient (b, d) of each row's own output."""
        out = np.empty((len(x), int(np.prod(x.shape[1:]))))
        try:
            for k in np.unique(self.outputs):
                rows = self.outputs == k
                out[rows] = self.teacher.gradient(self.native(x[rows]), int(k))
        except TeacherFailed as error:
            remedy = f"{error.remedy} If a step cannot be differentiated: {BY_SCORES}"
            raise TeacherFailed(error.problem, remedy) from error
        return out


def batches(
    transform: Transform, rows: Vector, batch_size: int
) -> Iterator[tuple[slice, Tensor, Tensor, Tensor]]:
    """Batches of rows: where they stand, x, s = T(x), and the residual x - T^-1(s).

    Parameters
    ----------
    transform : Transform
        T, fitted.
    rows : ndarray of shape (n, ...)
        The rows.
    batch_size : int
        Most rows in a batch.
    """
    for start in range(0, len(rows), batch_size):
        part = slice(start, min(start + batch_size, len(rows)))
        x = torch.from_numpy(rows[part])
        with torch.no_grad():
            s = transform.forward(x)
            yield part, x, s, x - transform.inverse(s)
