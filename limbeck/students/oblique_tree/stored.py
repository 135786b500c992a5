"""Reading an oblique tree's file, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.students.oblique_tree.regions import Layer, RegionTree

__all__ = ["problem", "read_network"]


def read_network(data: dict[str, Any]) -> tuple[list[Layer], RegionTree, NDArray[np.float64]]:
    """The network, its regions and the means that an oblique tree's file holds."""
    layers = [
        (np.array(one["weights"], dtype=np.float64), np.array(one["biases"], dtype=np.float64))
        for one in data["layers"]
    ]
    nodes = [np.array(data["nodes"][n], dtype=np.int32) for n in ("layer", "unit", "left", "right")]
    units = sum(len(b) for _, b in layers[:-1])
    on = np.zeros((len(nodes[0]), units), dtype=np.bool_)
    packed = np.array([list(bytes.fromhex(row)) for row in data["on"]], dtype=np.uint8)
    if units:
        on[nodes[0] < 0] = np.unpackbits(packed, axis=1, count=units).astype(np.bool_)
    for i in reversed(range(len(on))):
        if nodes[0][i] >= 0:
            on[i] = on[nodes[2][i]]
    layer, unit, left, right = nodes
    return (
        layers,
        RegionTree(layer, unit, left, right, on),
        np.array(data["fill"], dtype=np.float64),
    )


def problem(
    layers: Sequence[Layer], tree: RegionTree, d: int, outputs: int, fill: NDArray[np.float64]
) -> str:
    """What is wrong with what a file holds, in a sentence; empty if nothing is.

    Parameters
    ----------
    layers : sequence of (W, b)
        The network.
    tree : RegionTree
        Its regions.
    d, outputs : int
        The numbers of columns and of outputs that there must be.
    fill : ndarray
        What stands for missing values.
    """
    widths = [d, *(len(b) for _, b in layers)]
    shapes = [W.shape for W, _ in layers]
    if shapes != list(zip(widths[1:], widths[:-1], strict=True)) or widths[-1] != outputs:
        return "The layers do not fit each other"
    if not all(np.isfinite(a).all() for layer in layers for a in layer) or fill.shape != (d,):
        return "A weight is not finite, or a mean is missing"
    m, inner = len(tree.layer), tree.layer >= 0
    children = np.concatenate([tree.left[inner], tree.right[inner]])
    after = np.concatenate([np.flatnonzero(inner)] * 2)
    if m == 0 or (children <= after).any() or (children >= m).any():
        return "The nodes are no tree"
    if (np.bincount(children, minlength=m)[1:m] != 1).any():
        return "The nodes are no tree"
    if (tree.layer >= len(layers) - 1).any():
        return "A node asks about a layer that is not there"
    if (tree.unit < 0).any() or (tree.unit[inner] >= np.array(widths[1:])[tree.layer[inner]]).any():
        return "A node asks about a unit that is not there"
    return ""
