"""The authors' adaptive wavelets: taps held near a wavelet by penalties.

Ha, Singh, Lanusse, Upadhyayula, Yu (2021), section 3:

    (1/B) sum_i ||x_i - x^_i||^2                            reconstruction
    + 1/2 (sum h - sqrt 2)^2 + 1/2 (sum g)^2 + 1/2 (||h||^2 - 1)^2
    + 1/2 sum_k (|H_k|^2 + |H_{k+N/2}|^2 - 2)^2             conjugate mirror, H the DFT of h
    + 1/2 sum_j (sum_i h_i h_{i-2j} - delta_j)^2            double shift
    + sparsity * L1 of the coefficients + trim * L1 of the attributions, over batch and bands

minimised by Adam, step 1e-3, over all taps. Kept for comparison: the penalties leak, and the filter
is orthogonal in part only. The angles of :mod:`limbeck.signal.wavelets.search` need none of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.core.progress import Progress, quiet
from limbeck.signal.filters import Boundary
from limbeck.signal.wavelets.bank import (
    analysis,
    analysis2,
    attributions,
    attributions2,
    high_pass,
    synthesis,
    synthesis2,
)

__all__ = ["Penalty", "orthogonality_error", "penalties"]


def penalties(h: Tensor) -> Tensor:
    """All penalties on the taps (N,) but the reconstruction; 0 for an orthogonal wavelet."""
    n = len(h)
    sums = (h.sum() - 2**0.5) ** 2 + high_pass(h).sum() ** 2 + (h @ h - 1) ** 2
    power = torch.fft.fft(h).abs() ** 2
    mirror = (power[: n // 2] + power[n // 2 :] - 2).square().sum()
    whole: Tensor = 0.5 * (sums + mirror + _shifted(h).square().sum())
    return whole


def orthogonality_error(h: NDArray[np.float64]) -> float:
    """The largest |sum_i h_i h_{i-2j} - delta_j| over shifts j, the norm among them."""
    return float(_shifted(torch.from_numpy(h)).abs().max())


def _shifted(h: Tensor) -> Tensor:
    n = len(h)
    products = [h[2 * j :] @ h[: n - 2 * j] - float(j == 0) for j in range(n // 2)]
    return torch.stack(products)


@dataclass(frozen=True)
class Penalty:
    """Settings of the authors' form.

    Parameters
    ----------
    levels, boundary
        The transform; the authors take zero.
    sparsity, trim : float
        Weights lambda and gamma of the two L1 norms.
    input_x_gradient : bool
        Whether an attribution is the coefficient times its gradient, or the gradient alone.
    epochs, batch_size : int
        Passes over the rows, and rows per step.
    rate : float
        Step of Adam.
    """

    levels: int
    boundary: Boundary = "zero"
    sparsity: float = 1e-3
    trim: float = 1e-3
    input_x_gradient: bool = False
    epochs: int = 20
    batch_size: int = 100
    rate: float = 1e-3

    def run(
        self,
        x: NDArray[np.floating],
        gradients: NDArray[np.floating],
        start: NDArray[np.float64],
        rng: np.random.Generator,
        progress: Progress = quiet,
    ) -> NDArray[np.float64]:
        """Taps (N,) learned from signals and gradients (n, C, L) or (n, C, H, W).

        Parameters
        ----------
        x, gradients : ndarray of shape (n, C, L) or (n, C, H, W)
            Signals and the network's gradients at them.
        start : ndarray of shape (N,)
            The filter to start from.
        rng : numpy Generator
            Orders the rows.
        progress : Progress
            Called with the stage, what is done, and the total.
        """
        h = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        adam = torch.optim.Adam([h], lr=self.rate)
        for epoch in range(self.epochs):
            progress("epochs", epoch, self.epochs)
            for at in np.array_split(rng.permutation(len(x)), -(-len(x) // self.batch_size)):
                batch, slopes = (torch.from_numpy(a[at].astype(np.float64)) for a in (x, gradients))
                adam.zero_grad()
                self.loss(h, batch, slopes).backward()  # type: ignore[no-untyped-call]
                adam.step()
        return h.detach().numpy()

    def loss(self, h: Tensor, x: Tensor, gradients: Tensor) -> Tensor:
        """The loss of the module's head for one batch.

        Parameters
        ----------
        h : Tensor of shape (N,)
            The low-pass filter.
        x, gradients : Tensor of shape (n, C, L) or (n, C, H, W)
            Signals and the network's gradients at them.
        """
        forward, back = (analysis, attributions) if x.ndim == 3 else (analysis2, attributions2)
        bands = forward(x, h, self.levels, self.boundary)
        slopes = back(gradients, h, self.levels, self.boundary)
        if x.ndim == 3:
            rebuilt = synthesis(bands, h, x.shape[-1], self.boundary)  # type: ignore[arg-type]
        else:
            shape = (x.shape[-2], x.shape[-1])
            rebuilt = synthesis2(bands, h, shape, self.boundary)  # type: ignore[arg-type]
        c, a = _flat(bands), _flat(slopes)
        if self.input_x_gradient:
            a = [s * b for s, b in zip(a, c, strict=True)]
        over = len(x) * len(c)
        return (
            (x - rebuilt).square().sum() / len(x)
            + penalties(h)
            + self.sparsity * torch.stack([b.abs().sum() for b in c]).sum() / over
            + self.trim * torch.stack([b.abs().sum() for b in a]).sum() / over
        )


def _flat(bands: object) -> list[Tensor]:
    """The bands one after the other, those of images too."""
    if isinstance(bands, Tensor):
        return [bands]
    assert isinstance(bands, list | tuple)  # noqa: S101  (what the bank returns)
    return [b for part in bands for b in _flat(part)]
