"""How many linear regions a ReLU network has at least, found before they are enumerated.

Two inputs for which different units are on lie in different regions, so that the patterns which
random inputs show are as many regions. And r units of the first layer whose weights are linearly
independent are on and off in all 2^r ways.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["regions_at_least"]

Array = NDArray[np.float64]
_AT_ONCE, _MOST = 50_000, 2_000_000  # inputs
_WORTH = 0.1  # of the inputs drawn at once that show new patterns: with fewer, it ends


def regions_at_least(layers: Sequence[tuple[Array, Array]], enough: int) -> float:
    """A number of regions that a network has at least; it ends once there are more than enough.

    Parameters
    ----------
    layers : sequence of (W, b)
        Weights of shape (out, in) and biases of shape (out,), ReLU between them.
    enough : int
        More than so many need not be counted.

    Examples
    --------
    >>> W = np.random.default_rng(0).normal(size=(40, 30))
    >>> regions_at_least([(W, np.zeros(40)), (np.ones((1, 40)), np.zeros(1))], 1000)
    1073741824.0
    """
    if len(layers) < 2:
        return 1.0
    W, b = layers[0]
    independent = 2.0 ** int(np.linalg.matrix_rank(W))
    if independent > enough or sum(len(b) for _, b in layers[:-1]) <= np.log2(enough):
        return independent  # of so few units there are never too many patterns
    rng, norm = np.random.default_rng(0), np.linalg.norm(W, axis=1)
    apart = np.abs(b[norm > 0]) / norm[norm > 0]  # how far the planes are from 0
    reach = float(np.median(apart)) if len(apart) and np.median(apart) > 0 else 1.0
    seen = np.zeros(0, dtype=f"V{-(-sum(len(b) for _, b in layers[:-1]) // 8)}")
    for _ in range(_MOST // _AT_ONCE):
        x = rng.standard_normal((_AT_ONCE, W.shape[1]))
        x *= reach * 10.0 ** rng.uniform(-1, 2, (_AT_ONCE, 1))
        before, seen = len(seen), np.unique(np.concatenate([seen, _patterns(layers, x)]))
        if len(seen) > enough or len(seen) - before < _WORTH * _AT_ONCE:
            break
    return max(float(len(seen)), independent)


def _patterns(layers: Sequence[tuple[Array, Array]], x: Array) -> NDArray[np.void]:
    """Which hidden units are on for each input (n, d), a record of bits each."""
    on = []
    for W, b in layers[:-1]:
        x = x @ W.T + b
        on.append(x > 0)
        x = np.maximum(x, 0.0)
    bits = np.packbits(np.hstack(on), axis=1)
    return bits.view(f"V{bits.shape[1]}")[:, 0]
