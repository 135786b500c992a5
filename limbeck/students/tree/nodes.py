"""The nodes of a tree as read-only arrays: what all that read, draw or export a tree share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from limbeck.students.tree.thresholds import midway

__all__ = ["EQ", "LE", "MISSING", "Nodes", "TrainingRange"]

LE, EQ, MISSING = 0, 1, 2
_DTYPES: dict[str, type[np.generic]] = {
    "feature": np.int32,
    "op": np.uint8,
    "threshold": np.float64,
    "missing_left": np.bool_,
    "left": np.int32,
    "right": np.int32,
    "value": np.float64,
    "weight": np.float64,
}
_SEEN: dict[str, type[np.generic]] = {
    "below": np.float64,
    "above": np.float64,
    "missing": np.bool_,
}


@dataclass(frozen=True, eq=False)
class TrainingRange:
    """What the rows on which a tree was found held at each of its m nodes.

    Any threshold from ``below`` up to but not including ``above`` sends these rows the same way.

    Parameters
    ----------
    below, above : ndarray of shape (m,), float64
        The neighbours of the threshold among the values of the rows that reach the node: the
        largest that goes left, and the smallest that goes right. Both are the threshold itself
        for leaves, for questions other than ``LE``, and where all rows go one way.
    missing : ndarray of shape (m,), bool
        Whether the column of the node had missing values in any row.
    """

    below: NDArray[np.float64]
    above: NDArray[np.float64]
    missing: NDArray[np.bool_]

    def __post_init__(self) -> None:
        _freeze(self, _SEEN)

    def __reduce__(self) -> tuple[Any, ...]:
        return TrainingRange, (self.below, self.above, self.missing)


@dataclass(frozen=True, eq=False)
class Nodes:
    """The m nodes of a binary tree; node 0 is the root.

    Arrays are copied and made read-only. Nothing is checked here: see :meth:`problem`.

    Parameters
    ----------
    feature : ndarray of shape (m,), int32
        The column that a node asks about; -1 for a leaf.
    op : ndarray of shape (m,), uint8
        What is asked, and sends a row left: ``LE`` (0) ``x <= threshold``, ``EQ`` (1)
        ``x == threshold`` for the code of a category, ``MISSING`` (2) ``x`` is missing.
    threshold : ndarray of shape (m,), float64
        A number or a code; 0 where it has no meaning.
    missing_left : ndarray of shape (m,), bool
        Where ``LE`` and ``EQ`` send a missing value.
    left, right : ndarray of shape (m,), int32
        The children; -1 for a leaf.
    value : ndarray of shape (m, k), float64
        Class fractions; for regression (k = 1) the mean.
    weight : ndarray of shape (m,), float64
        Weight of the training rows that reach the node, for display.
    seen : TrainingRange, optional
        What the rows on which the tree was found held at its nodes; None where it is not known.
    """

    feature: NDArray[np.int32]
    op: NDArray[np.uint8]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    weight: NDArray[np.float64]
    seen: TrainingRange | None = None

    def __post_init__(self) -> None:
        _freeze(self, _DTYPES)

    def __len__(self) -> int:
        return int(self.feature.size)

    def __reduce__(self) -> tuple[Any, ...]:
        return Nodes, tuple(getattr(self, f.name) for f in fields(self))  # read-only again

    @classmethod
    def leaf(cls, value: ArrayLike, weight: float = 1.0) -> Nodes:
        """A tree of one leaf, with a value of shape (k,).

        Parameters
        ----------
        value : array-like of shape (k,)
            What the leaf predicts.
        weight : float
            How much data it holds.
        """
        row = np.asarray(value, dtype=np.float64).reshape(1, -1)
        none, zero = np.array([-1]), np.zeros(1)
        return cls(none, zero, zero, zero, none, none, row, np.array([weight]))  # type: ignore[arg-type]

    @classmethod
    def from_lists(cls, lists: Mapping[str, Any]) -> Nodes:
        """Nodes from lists by name, as in a file.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a list is lacking, or a number does not fit its dtype exactly.
        """
        seen = lists.get("seen")  # older files have none
        return cls(
            **_arrays(lists, _DTYPES),
            seen=None if seen is None else TrainingRange(**_arrays(seen, _SEEN)),
        )

    def to_lists(self) -> dict[str, Any]:
        """What :meth:`from_lists` reads, ready for JSON; ``seen`` is left out if not known."""
        lists = {name: getattr(self, name).tolist() for name in _DTYPES}
        if self.seen is not None:
            lists["seen"] = {name: getattr(self.seen, name).tolist() for name in _SEEN}
        return lists

    def left_of(self, i: int, x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which entries of a column (n,) node ``i`` sends left.

        Parameters
        ----------
        i : int
            The node.
        x : ndarray of shape (n,)
            Values of the column that it reads.
        """
        if self.op[i] == MISSING:
            return np.isnan(x)
        t = self.threshold[i]
        left = x <= t if self.op[i] == LE else x == t
        return np.asarray(left | np.isnan(x) if self.missing_left[i] else left)

    def settled(self, values: NDArray[np.float64]) -> Nodes:
        """The same tree with thresholds midway between the values of rows, which it remembers.

        Every row keeps its leaf; see :func:`limbeck.students.tree.thresholds.midway`.

        Parameters
        ----------
        values : ndarray of shape (n, d)
            The encoded rows on which the tree was found, all of them.
        """
        threshold, missing = self.threshold.copy(), np.zeros(len(self), np.bool_)
        below, above = threshold.copy(), threshold.copy()
        holes = {f: bool(np.isnan(values[:, f]).any()) for f in set(self.feature[~self.is_leaf])}
        stack = [(0, np.arange(len(values)))]
        while stack:
            i, rows = stack.pop()
            if self.feature[i] < 0:
                continue
            x = values[rows, self.feature[i]]
            goes, there = self.left_of(i, x), ~np.isnan(x)
            left, right = x[goes & there], x[~goes & there]
            if self.op[i] == LE and len(left) and len(right):
                below[i], above[i] = left.max(), right.min()
                threshold[i] = midway(below[i], above[i])
            missing[i] = holes[self.feature[i]]
            stack += [(int(self.right[i]), rows[~goes]), (int(self.left[i]), rows[goes])]
        return replace(self, threshold=threshold, seen=TrainingRange(below, above, missing))

    @property
    def is_leaf(self) -> NDArray[np.bool_]:
        """Which nodes are leaves, shape (m,)."""
        return self.feature < 0

    @property
    def size(self) -> int:
        """The number of leaves."""
        return int(self.is_leaf.sum())

    @property
    def depths(self) -> NDArray[np.int32]:
        """The number of questions before each node, shape (m,)."""
        out = np.zeros(len(self), dtype=np.int32)
        for i in self.preorder():
            if self.feature[i] >= 0:
                out[[self.left[i], self.right[i]]] = out[i] + 1
        return out

    def preorder(self) -> list[int]:
        """The nodes from the root, left before right, each before its children."""
        stack, order = [0], []
        while stack:
            i = stack.pop()
            order.append(i)
            if self.feature[i] >= 0:
                stack += [int(self.right[i]), int(self.left[i])]
        return order

    def problem(self, features: tuple[Any, ...], outputs: int) -> str:
        """What is wrong with these nodes as one sentence; empty for a sound tree.

        Parameters
        ----------
        features : tuple of Feature
            The columns, d of them.
        outputs : int
            The number of classes, or 1 for regression.
        """
        m = len(self)
        shapes = {n: getattr(self, n).shape for n in _DTYPES if n != "value"}
        odd = [f"{n!r} has shape {s}" for n, s in shapes.items() if s != (m,)]
        if odd or m == 0:
            return f"A tree of {m} nodes needs arrays of that length" + "".join(
                f", and {o}" for o in odd[:1]
            )
        if self.value.shape != (m, outputs):
            return f"The values have shape {self.value.shape}, and ({m}, {outputs}) is needed"
        for name in ("threshold", "value", "weight"):
            if not np.isfinite(getattr(self, name)).all():
                return f"The array {name!r} holds a number that is not finite"
        inner = ~self.is_leaf
        if (self.feature >= len(features)).any():
            return f"A node asks about column {self.feature.max()} of {len(features)}"
        if (self.op > MISSING).any():
            return f"There is no question of kind {self.op.max()}"
        return self._broken_links(inner) or self._broken_seen()

    def _broken_seen(self) -> str:
        if self.seen is None:
            return ""
        below, above = self.seen.below, self.seen.above
        if any(a.shape != (len(self),) for a in (below, above, self.seen.missing)):
            return f"What was seen needs arrays of {len(self)} entries"
        if not (np.isfinite(below).all() and np.isfinite(above).all()):
            return "What was seen holds a number that is not finite"
        unknown = (below == self.threshold) & (above == self.threshold)
        if not (unknown | ((below <= self.threshold) & (self.threshold < above))).all():
            return "A threshold lies outside of the values seen on both sides of it"
        return ""

    def _broken_links(self, inner: NDArray[np.bool_]) -> str:
        m = len(self)
        children = np.concatenate([self.left[inner], self.right[inner]])
        if ((children < 1) | (children >= m)).any():
            return f"A child lies outside of nodes 1 to {m - 1}"
        if (np.bincount(children, minlength=m)[1:] != 1).any():
            return "Every node but the root needs exactly one parent"
        # One parent each: only a cycle that is cut off from the root can be wrong still.
        return "" if len(self.preorder()) == m else "Some nodes cannot be reached from the root"


def _freeze(record: Any, dtypes: Mapping[str, type[np.generic]]) -> None:
    """Replace the arrays of a frozen dataclass by read-only copies of their dtypes."""
    for name, dtype in dtypes.items():
        array: NDArray[Any] = np.array(getattr(record, name), dtype=dtype)
        array.flags.writeable = False
        object.__setattr__(record, name, array)


def _arrays(
    lists: Mapping[str, Any], dtypes: Mapping[str, type[np.generic]]
) -> dict[str, NDArray[Any]]:
    """Lists by name as arrays, refused where a number does not fit its dtype exactly."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, dtype in dtypes.items():
        given = np.array(lists[name])
        if given.dtype.kind in "biuf":
            with np.errstate(invalid="ignore"):  # NaN as a whole number is refused below
                arrays[name] = given.astype(dtype)
        if name not in arrays or (arrays[name] != given).any():
            raise ValueError(f"the array {name!r} holds a value that is no {dtype.__name__}")
    return arrays
