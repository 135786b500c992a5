"""What the network reads of each band, and when: mean absolute attributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbeck.signal.filters import Boundary, band_names
from limbeck.signal.transforms.wavelet import Wavelet
from limbeck.signal.wavelets.bank import analysis, analysis2, attributions, attributions2

__all__ = ["importance"]

_MOST = 200_000  # numbers of the picture by band and time


def importance(
    x: NDArray[np.float64],
    gradients: NDArray[np.float64],
    low: NDArray[np.float64],
    levels: int,
    boundary: Boundary,
    input_x_gradient: bool,
) -> dict[str, Any]:
    """Mean absolute attributions by band, and by band and time; ready for JSON.

    Parameters
    ----------
    x, gradients : ndarray of shape (m, C, L) or (m, C, H, W)
        Signals and the network's gradients at them.
    low : ndarray of shape (N,)
        The filter.
    levels : int
        Number of levels.
    boundary : str
        How signals go on beyond their ends.
    input_x_gradient : bool
        Whether attributions are coefficient times gradient, instead of the gradient.

    Returns
    -------
    dict
        ``bands`` (names), ``by_band`` (the sum of each band's means), ``by_time`` (for each band
        a list of L numbers, or H lists of W: each coefficient laid over the places that its atom
        covers, see `Transform.spread`, summed over channels; left out where it is long).
    """
    dims = x.ndim - 2
    h = torch.from_numpy(low)
    forward, back = (analysis, attributions) if dims == 1 else (analysis2, attributions2)
    sums: list[Any] = []
    for at in np.array_split(np.arange(len(x)), -(-len(x) // 256)):
        bands = _flat(back(torch.from_numpy(gradients[at]), h, levels, boundary))
        if input_x_gradient:
            own = _flat(forward(torch.from_numpy(x[at]), h, levels, boundary))
            bands = [a * c for a, c in zip(bands, own, strict=True)]
        part = [a.abs().sum(dim=0).numpy() for a in bands]  # over rows: (C, ...)
        sums = [s + p for s, p in zip(sums, part, strict=True)] if sums else part
    means = [s / len(x) for s in sums]
    found: dict[str, Any] = {
        "bands": list(band_names(levels, dims)),
        "by_band": [float(m.sum()) for m in means],
    }
    if len(means) * np.prod(x.shape[2:]) <= _MOST:
        laid = Wavelet(low, levels, boundary).fit(x[:1])  # the transform asks for shapes only
        places = laid.spread(np.concatenate([m.reshape(-1) for m in means]))  # (bands, C, ...)
        found["by_time"] = places.sum(axis=1).tolist()
    return found


def _flat(bands: Any) -> list[torch.Tensor]:
    return [b for part in bands for b in (part if isinstance(part, tuple) else (part,))]
