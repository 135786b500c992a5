"""The linear regions of a ReLU network, as a tree whose questions are its units.

Where every unit is either on or off, a ReLU network is a linear function. Asking one unit after
the other whether it is on, layer by layer, is a decision tree whose leaves are these regions. A
question is left out where the answers before it leave only one answer, so that every leaf is a
region that some input is in (any input, not a row of the data only).

Whether both answers are possible is seen in two ways, the cheaper first: the unit's weights are
linearly independent of those asked before, so that a step orthogonal to these changes its sign and
no other; else a known point of the region is on one side, and a linear programme looks for one on
the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from limbeck.core.errors import InvalidInput
from limbeck.students.oblique_tree.counting import regions_at_least

__all__ = ["Layer", "RegionTree", "planes_of", "regions_of"]

Array = NDArray[np.float64]
Layer = tuple[Array, Array]
"""Weights of shape (out, in) and biases of shape (out,)."""
_INSIDE = 1e-7  # a region that holds no ball of this radius is none
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class RegionTree:
    """A binary tree of m nodes, node 0 the root, each before its children.

    Parameters
    ----------
    layer, unit : ndarray of shape (m,), int32
        The unit that a node asks about; the layer is -1 for a leaf. A unit that is on goes left.
    left, right : ndarray of shape (m,), int32
        The children; -1 for a leaf.
    on : ndarray of shape (m, units), bool
        Which units of all layers are on in a leaf; for a question, in its first leaf.
    programmes : int
        Linear programmes that were solved.
    """

    layer: NDArray[np.int32]
    unit: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    on: NDArray[np.bool_]
    programmes: int = 0

    @property
    def size(self) -> int:
        """The number of leaves, which are the regions."""
        return int((self.layer < 0).sum())


@dataclass(frozen=True, eq=False)
class _Region:
    """What the answers so far say."""

    layer: int
    unit: int
    on: NDArray[np.bool_]  # units of all layers; False where not decided yet
    sums: Array  # of this layer's units as affine functions of the inputs, (out, d + 1)
    planes: Array  # (c, d + 1): plane @ (x, 1) >= 0 in the region
    basis: Array  # (r, d), orthonormal: what the planes' normals span
    point: Array  # (d + 1,), in the region; the last entry is 1


def regions_of(layers: Sequence[Layer], max_regions: int) -> RegionTree:
    """The regions of a network with ReLU between its layers.

    Parameters
    ----------
    layers : sequence of (W, b)
        The last one has no ReLU after it.
    max_regions : int
        The most regions.

    Raises
    ------
    InvalidInput
        If there are more regions; says how many were reached.

    Examples
    --------
    >>> W = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> layers = [(W, np.array([0.0, -1.0, 0.0])), (np.ones((1, 3)), np.zeros(1))]
    >>> regions_of(layers, 100).size  # x0 below 0, between 0 and 1, above 1; x1 on either side of 0
    6
    """
    d, hidden = layers[0][0].shape[1], len(layers) - 1
    widths = [len(b) for _, b in layers[:-1]]
    least = regions_at_least(layers, max_regions)
    if least > max_regions:
        raise _too_many(least, max_regions, widths)
    starts = np.cumsum([0, *widths])
    point = np.append(np.random.default_rng(0).normal(size=d), 1.0)
    sums = _next(layers[0], np.eye(d, d + 1))
    none = np.zeros((0, d + 1))
    root = _Region(0, 0, np.zeros(starts[-1], np.bool_), sums, none, none[:, :-1], point)
    nodes, patterns = [[-1, 0, -1, -1]], {}
    stack, programmes = [(0, root)], 0
    while stack:
        at, region = stack.pop()
        sides = [region]
        while len(sides) == 1 and sides[0].layer < hidden:
            region = sides[0]
            sides, solved = _answers(region, starts, layers)
            programmes += solved
        if len(sides) == 1:
            patterns[at] = sides[0].on
            if len(patterns) > max_regions:
                raise _too_many(len(patterns), max_regions, widths)
            continue
        first = len(nodes)
        nodes[at] = [region.layer, region.unit, first, first + 1]
        nodes += [[-1, 0, -1, -1], [-1, 0, -1, -1]]
        stack += [(first + 1, sides[1]), (first, sides[0])]
    on = np.zeros((len(nodes), starts[-1]), dtype=np.bool_)
    for i in reversed(range(len(nodes))):
        on[i] = patterns[i] if i in patterns else on[nodes[i][2]]
    layer, unit, left, right = np.array(nodes, dtype=np.int32).T
    return RegionTree(layer, unit, left, right, on, programmes)


def planes_of(tree: RegionTree, layers: Sequence[Layer]) -> tuple[Array, Array]:
    """Questions and leaves in terms of the inputs.

    Parameters
    ----------
    tree : RegionTree
        As :func:`regions_of` gave it.
    layers : sequence of (W, b)
        Those of the network.

    Returns
    -------
    questions : ndarray of shape (m, d + 1)
        Weights of the inputs and a constant: a row goes left where the sum is above 0. Zeros for
        leaves.
    leaves : ndarray of shape (m, k, d + 1)
        Outputs as affine functions of the inputs; zeros for questions.
    """
    d, k, hidden = layers[0][0].shape[1], len(layers[-1][1]), len(layers) - 1
    starts = np.cumsum([0, *(len(b) for _, b in layers)])
    questions = np.zeros((len(tree.layer), d + 1))
    leaves = np.zeros((len(tree.layer), k, d + 1))
    stack = [(0, 0, _next(layers[0], np.eye(d, d + 1)))]
    while stack:
        i, layer, sums = stack.pop()
        to = int(tree.layer[i]) if tree.layer[i] >= 0 else hidden
        while layer < to:
            on = tree.on[i, starts[layer] : starts[layer + 1]]
            layer, sums = layer + 1, _next(layers[layer + 1], sums * on[:, None])
        if tree.layer[i] < 0:
            leaves[i] = sums
            continue
        questions[i] = sums[tree.unit[i]]
        stack += [(int(tree.right[i]), layer, sums), (int(tree.left[i]), layer, sums)]
    return questions, leaves


def _next(layer: Layer, inputs: Array) -> Array:
    """Sums of a layer's units (out, d + 1) from its inputs as affine functions (in, d + 1)."""
    out = layer[0] @ inputs
    out[:, -1] += layer[1]
    return np.asarray(out)


def _answers(
    region: _Region, starts: NDArray[np.int64], layers: Sequence[Layer]
) -> tuple[list[_Region], int]:
    """The region with the next unit on, and off, as far as these are; and programmes solved."""
    plane = region.sums[region.unit]
    norm = float(np.linalg.norm(plane[:-1]))
    if norm <= _TINY * (1 + float(np.abs(plane[-1]))):  # a constant
        return [_with(region, plane[-1] > 0, None, None, region.basis, starts, layers)], 0
    plane = plane / norm
    rest = plane[:-1] - region.basis.T @ (region.basis @ plane[:-1])
    rest -= region.basis.T @ (region.basis @ rest)
    left_over, solved = float(np.linalg.norm(rest)), 0
    here = float(plane @ region.point)
    basis, other = region.basis, region.point.copy()
    if left_over > _INSIDE:
        basis = np.vstack([region.basis, rest / left_over])
        other[:-1] -= rest * ((here + np.copysign(1.0, here)) / left_over**2)
    else:
        found = _inside(np.vstack([region.planes, -np.copysign(1.0, here) * plane]))
        solved = 1
        if found is None:
            return [_with(region, here > 0, None, None, basis, starts, layers)], solved
        other = found
    sides = [
        _with(region, on, plane if on else -plane, region.point if on == (here > 0) else other,
              basis, starts, layers)
        for on in (True, False)
    ]  # fmt: skip
    return sides, solved


def _with(
    region: _Region,
    on: bool,
    plane: Array | None,
    point: Array | None,
    basis: Array,
    starts: NDArray[np.int64],
    layers: Sequence[Layer],
) -> _Region:
    """The region once a unit is answered; of a plane of None nothing is learned."""
    state, layer, unit, sums = region.on, region.layer, region.unit + 1, region.sums
    if on:
        state = state.copy()
        state[starts[layer] + region.unit] = True
    if unit == len(sums):
        held = state[starts[layer] : starts[layer + 1]]
        layer, unit, sums = layer + 1, 0, _next(layers[layer + 1], sums * held[:, None])
    planes = region.planes if plane is None else np.vstack([region.planes, plane])
    return _Region(
        layer, unit, state, sums, planes, basis, region.point if point is None else point
    )


def _inside(planes: Array) -> Array | None:
    """The middle of the largest ball, of radius 1 at most, where all planes are positive."""
    rows = np.hstack([-planes[:, :-1], np.ones((len(planes), 1))])
    d = planes.shape[1] - 1
    goal = np.append(np.zeros(d), -1.0)
    bounds = [(None, None)] * d + [(None, 1.0)]
    found = linprog(goal, A_ub=rows, b_ub=planes[:, -1], bounds=bounds, method="highs")
    if found.x is None or found.x[-1] <= _INSIDE:
        return None
    return np.append(found.x[:-1], 1.0)


def _too_many(reached: float, limit: int, widths: Sequence[int]) -> InvalidInput:
    least = f"{reached:,.0f}" if reached < 1e12 else f"{reached:.1e}"
    return InvalidInput(
        f"The network of {' and '.join(map(str, widths))} hidden units has at least {least}"
        f" linear regions, and max_regions is {limit:,}.",
        "Raise max_regions, distil into a smaller network first, or use another method, such as"
        " 'search_and_stitch', for a tree that is not exact.",
    )
