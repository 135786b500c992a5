"""How far a wavelet spreads the signals, and what a network reads of them, over its coefficients.

    loss(h) = (sparsity * S(h) + trim * T(h)) / (sparsity + trim)

    S(h) = sum_i |W x_i|_1 / sum_i |x_i|_2            the signals
    T(h) = sum_i |W g_i|_1 / sum_i |g_i|_2            saliency: the TRIM attributions
    T(h) = sum_i |(W x_i)(W g_i)|_1 / sum_i |x_i|_2 |g_i|_2       input x gradient

with g_i the gradient of the network at x_i. For an orthogonal W both S and the first T are at least
1, and 1 only where each row is one coefficient: a floor that tells whether a search has arrived.
The weighted L1 terms are those of Ha et al. (2021), equation 5, in units of the rows' lengths; the
gradients by coefficient are W g (Singh et al. 2020), so the network is asked once and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.signal.filters import Boundary
from limbeck.signal.wavelets.bank import analysis, analysis2, attributions, attributions2

__all__ = ["Attribution", "WaveletLoss", "WaveletRows", "coefficients"]

Attribution = Literal["saliency", "input_x_gradient"]
_AT_ONCE = 1 << 20  # numbers held at once: rows are streamed beyond
_SAME = 1e-6  # rows whose cosine is this near to 1 or -1 are one


@dataclass(frozen=True)
class WaveletRows:
    """Rows of unit length and how much each counts.

    Parameters
    ----------
    unit : Tensor of shape (n, C, L) or (n, C, H, W)
        Signals or gradients, each divided by its length (its root sum of squares).
    weights : Tensor of shape (n,)
        Each row's length over the sum of all.
    partners : Tensor of the shape of ``unit``, optional
        For input x gradient: the signals, of unit length, whose gradients ``unit`` are.
    """

    unit: Tensor
    weights: Tensor
    partners: Tensor | None = None

    @classmethod
    def of(
        cls, values: NDArray[np.floating], partners: NDArray[np.floating] | None = None
    ) -> WaveletRows:
        """From arrays (n, C, L) or (n, C, H, W); rows of zeros are left out.

        Without partners, rows that differ by a factor alone become one: where a network reads
        one coefficient, all its gradients do.

        Parameters
        ----------
        values : ndarray of shape (n, C, L) or (n, C, H, W)
            Signals, or gradients.
        partners : ndarray of the same shape, optional
            A second array whose rows belong to the first one's.
        """
        rows, size = _unit(values)
        if partners is None:
            keep = size > 0
            rows, size = _joined(rows[keep], size[keep])
            return cls(rows, size / size.sum())
        others, lengths = _unit(partners)
        size = size * lengths
        keep = size > 0
        return cls(rows[keep], size[keep] / size.sum(), others[keep])

    def __len__(self) -> int:
        return len(self.unit)

    def some(self, most: int, rng: np.random.Generator) -> WaveletRows:
        """At most ``most`` rows: drawn with replacement by weight, each counting as often.

        Parameters
        ----------
        most : int
            Most rows.
        rng : numpy Generator
            Draws them.
        """
        if len(self) <= most:
            return self
        drawn = rng.choice(len(self), most, p=self.weights.numpy())
        at, counts = (torch.from_numpy(a) for a in np.unique(drawn, return_counts=True))
        others = None if self.partners is None else self.partners[at]
        return WaveletRows(self.unit[at], counts.double() / most, others)


@dataclass(frozen=True)
class WaveletLoss:
    """The loss of the module's head, for many filters at once.

    Parameters
    ----------
    signals, gradients : WaveletRows
        What is to be sparse.
    levels : int
        Levels of the transform.
    boundary : {"periodic", "symmetric", "zero"}
        How signals go on beyond their ends.
    sparsity, trim : float
        Weights of S and T.

    Raises
    ------
    InvalidInput
        If both weights are 0, or one is negative, or what a weight asks for has no rows.
    """

    signals: WaveletRows
    gradients: WaveletRows
    levels: int
    boundary: Boundary = "periodic"
    sparsity: float = 1.0
    trim: float = 1.0

    def __post_init__(self) -> None:
        weights = np.array([self.sparsity, self.trim])
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise InvalidInput(
                f"sparsity is {self.sparsity} and trim is {self.trim}.",
                "Give numbers of 0 or more, one of them above 0.",
            )
        for rows, weight, name in (
            (self.signals, self.sparsity, "signals"),
            (self.gradients, self.trim, "gradients"),
        ):
            if weight and not len(rows):
                raise InvalidInput(
                    f"All {name} are zero.",
                    "Give signals to which the teacher's score responds."
                    if name == "gradients"
                    else "Give signals other than zeros.",
                )

    def __call__(self, h: Tensor, smooth: float = 0.0) -> Tensor:
        """The loss of filters (S, N), shape (S,), with |c| taken as sqrt(c^2 + smooth^2)."""
        with torch.no_grad():
            return torch.stack([part(h, smooth) for part in self._parts(len(h))]).sum(0)

    @property
    def floor(self) -> float:
        """A bound that no orthogonal transform goes below.

        1 for L1 norms of rows of unit length; for input x gradient, whose products add up to
        x'g in every transform, the mean of |x_i'g_i|.
        """
        least = 1.0
        if self.gradients.partners is not None and self.trim:
            sums = (self.gradients.unit * self.gradients.partners).flatten(1).sum(1)
            least = float(sums.abs() @ self.gradients.weights)
        return (self.sparsity + self.trim * least) / (self.sparsity + self.trim)

    @property
    def length(self) -> int:
        """Numbers in a row."""
        return int(np.prod(self.signals.unit.shape[1:]))

    def descend(
        self, parameters: Tensor, filters: Callable[[Tensor], Tensor], smooth: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Losses (S,) and their gradients (S, p) by the parameters (S, p) of the filters.

        Rows are streamed: the memory does not grow with their number.

        Parameters
        ----------
        parameters : Tensor of shape (S, p)
            Parameters of S filters.
        filters : callable
            Filters (S, N) from parameters.
        smooth : float
            The absolute value of c is taken as sqrt(c^2 + smooth^2).
        """
        p = parameters.detach().requires_grad_()
        values, slopes = torch.zeros(len(p), dtype=p.dtype), torch.zeros_like(p)
        for part in self._parts(len(p)):
            value = part(filters(p), smooth)
            (slope,) = torch.autograd.grad(value.sum(), p)
            values += value.detach()
            slopes += slope
        return values, slopes

    def some(self, most: int, rng: np.random.Generator) -> WaveletLoss:
        """The same loss over at most ``most`` rows of each kind.

        Parameters
        ----------
        most : int
            Most rows of each kind.
        rng : numpy Generator
            Draws them.
        """
        return replace(
            self, signals=self.signals.some(most, rng), gradients=self.gradients.some(most, rng)
        )

    def _parts(self, many: int) -> list[Callable[[Tensor, float], Tensor]]:
        """The loss as a sum over batches of rows, each small enough for ``many`` filters."""
        parts: list[Callable[[Tensor, float], Tensor]] = []
        total = self.sparsity + self.trim
        for rows, weight in ((self.signals, self.sparsity), (self.gradients, self.trim)):
            if not weight:
                continue
            step = max(1, _AT_ONCE // (many * rows.unit[0].numel()))
            for start in range(0, len(rows), step):
                at = slice(start, start + step)
                parts.append(partial(self._part, rows, at, weight / total))
        return parts

    def _part(self, rows: WaveletRows, at: slice, share: float, h: Tensor, smooth: float) -> Tensor:
        of = partial(coefficients, h=h, levels=self.levels, boundary=self.boundary)
        c = of(rows.unit[at], gradients=rows is self.gradients)  # (S, rows, m)
        if rows.partners is not None:
            c = c * of(rows.partners[at])
        size = (c * c + smooth * smooth).sqrt() - smooth if smooth else c.abs()
        return size.sum(-1) @ (share * rows.weights[at])


def coefficients(
    x: Tensor, h: Tensor, levels: int, boundary: Boundary, gradients: bool = False
) -> Tensor:
    """All coefficients of rows (n, C, L) or (n, C, H, W) side by side, in the order of the bands.

    Parameters
    ----------
    x : Tensor
        Signals or images; with ``gradients`` the network's gradients at them.
    h : Tensor of shape (N,) or (S, N)
        The filter or filters.
    levels : int
        Number of levels.
    boundary : str
        How signals go on beyond their ends.
    gradients : bool
        Whether x holds gradients, whose coefficients are attributions.

    Returns
    -------
    Tensor of shape (n, m) or (S, n, m)
    """
    front = h.ndim  # behind the axis of the filters, where there is one, and of the rows
    if x.ndim == 3:
        bands = (attributions if gradients else analysis)(x, h, levels, boundary)
        return torch.cat([b.flatten(front) for b in bands], -1)
    first, *rest = (attributions2 if gradients else analysis2)(x, h, levels, boundary)
    flat = [first, *(band for level in rest for band in level)]
    return torch.cat([b.flatten(front) for b in flat], -1)  # type: ignore[union-attr]


def _unit(values: NDArray[np.floating]) -> tuple[Tensor, Tensor]:
    """Rows over their lengths, and the lengths (n,); a row of zeros stays as it is."""
    x = torch.from_numpy(np.ascontiguousarray(values, np.float64))
    size = x.flatten(1).norm(dim=1)
    return x / size.where(size > 0, 1.0).reshape(-1, *[1] * (x.ndim - 1)), size


def _joined(rows: Tensor, size: Tensor, most: int = 16) -> tuple[Tensor, Tensor]:
    """Rows that are one up to sign, joined, as long as they make up most of what is left."""
    kept, sizes = [], []
    for _ in range(most):
        if not len(rows):
            break
        first = int(size.argmax())
        same = (rows.flatten(1) @ rows[first].flatten()).abs() > 1 - _SAME
        kept.append(rows[first : first + 1])
        sizes.append(size[same].sum()[None])
        rows, size = rows[~same], size[~same]
    return torch.cat([*kept, rows]), torch.cat([*sizes, size])
