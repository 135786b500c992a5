"""A small ReLU network exactly as an oblique tree: no approximation, one leaf a linear region."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.columns import Rows
from limbeck.core.contract import Access, MethodResult, Teacher
from limbeck.core.errors import InvalidInput, plural
from limbeck.core.progress import Progress
from limbeck.core.registry import METHODS
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.methods.base import BaseMethod
from limbeck.students.oblique_tree.regions import Layer
from limbeck.students.oblique_tree.tree import ObliqueTree

__all__ = ["ReluRegions", "ReluRegionsTree", "layers_of"]

_PASSED = ("Dropout", "Identity", "Flatten")
_LAST = ("Softmax", "LogSoftmax", "Sigmoid")
_APART = 1e-3


@METHODS.register("relu_regions")
@dataclass(frozen=True)
class ReluRegions(BaseMethod):
    """A small ReLU network exactly as a tree of its linear regions.

    The network is read from its layers: linear ones with ReLU between them, in order; batch
    normalisation is folded into the layer before it. That the tree is the network is checked on the
    rows.

    Parameters
    ----------
    max_regions : int
        The most leaves.
    """

    into: ClassVar[str] = "oblique_tree"
    effort: ClassVar[float] = 5.0
    default: ClassVar[bool] = True
    name: ClassVar[str] = "ReLU regions"
    form: ClassVar[str] = "ReLU networks"
    guarantee: ClassVar[str] = "is the network, for all inputs"
    needs: ClassVar[Access] = Access.SCORES | Access.WEIGHTS

    max_regions: int = 100_000

    def __post_init__(self) -> None:
        if self.max_regions < 1:
            raise InvalidInput(f"max_regions is {self.max_regions}.", "Give 1 or more.")

    def distill(
        self, teacher: Teacher, rows: Rows, rng: np.random.Generator, progress: Progress
    ) -> MethodResult:
        """Write the network as a tree; see :class:`limbeck.core.contract.Method`.

        Parameters
        ----------
        teacher, rows, rng, progress
            As there.

        Raises
        ------
        InvalidInput
            If the teacher is no plain ReLU network of the columns, or has too many regions.
        """
        started = time.perf_counter()
        layers = layers_of(teacher)
        if layers[0][0].shape[1] != len(rows.features):
            raise InvalidInput(
                f"The network takes {layers[0][0].shape[1]} numbers, and the rows have"
                f" {len(rows.features)} columns.",
                "Give the rows in the form in which the network takes them.",
            )
        fill = np.nanmean(rows.values, axis=0)
        tree = ObliqueTree.from_layers(layers, rows.features, teacher.task, fill, self.max_regions)
        _check_same(tree, teacher, rows)
        status = Status(
            StatusCode.EXACT,
            f"The tree of {plural(tree.size, 'region')} is the network, for all inputs.",
        )
        trace = {
            "regions": tree.size, "hidden": list(tree.hidden), "rows": len(rows), "queries": 0,
            "programmes": tree.tree_.programmes, "seconds": time.perf_counter() - started,
        }  # fmt: skip
        return MethodResult(tree.measured(rows.values[:2000]), status, 0, (tree,), trace)

    def learn(
        self,
        rows: Rows,
        y: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> ObliqueTree:
        """The control: a small network (4 hidden units) trained on labels, with no teacher.

        Parameters
        ----------
        rows, y, task, rng
            As in `limbeck.core.contract.Method.learn`.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        """
        told = task.labels[y] if task.classifies else y
        student = ObliqueTree(max_regions=self.max_regions, task=task)
        return student.fit(rows, told, sample_weight)


@METHODS.register("relu_regions_tree")
@dataclass(frozen=True)
class ReluRegionsTree(ReluRegions):
    """A small ReLU network exactly as a tree of its linear regions: an oblique tree."""

    into: ClassVar[str] = "tree"
    effort: ClassVar[float] = 5.0
    method: ClassVar[str] = "relu_regions"
    default: ClassVar[bool] = False


def layers_of(teacher: Teacher) -> list[Layer]:
    """The layers of a plain ReLU network as weights and biases, an output a class.

    Parameters
    ----------
    teacher : Teacher
        Of a torch module.

    Raises
    ------
    InvalidInput
        If it holds anything but linear layers with ReLU between them.
    """
    if getattr(teacher, "preprocess", None) is not None:
        raise InvalidInput(
            "The teacher's rows pass preprocess first, which is no layer.",
            "Put the scaling into the network's first layer, and give rows as it takes them.",
        )
    layers: list[Layer] = []
    open_layer = False  # whether a ReLU may still come after the last layer
    for part in _parts(teacher.module):  # type: ignore[attr-defined]
        kind = type(part).__name__
        if kind == "Linear":
            W, b = _array(part.weight), part.bias
            bias = np.zeros(len(W)) if b is None else _array(b)
            if open_layer:  # two linear layers with nothing between them are one
                before, shift = layers.pop()
                W, bias = W @ before, W @ shift + bias
            layers.append((W, bias))
            open_layer = True
        elif kind == "ReLU" and open_layer:
            open_layer = False
        elif kind == "BatchNorm1d" and open_layer:
            layers[-1] = _normalised(part, *layers[-1])
        elif kind not in (*_PASSED, *_LAST):
            raise InvalidInput(
                f"The network holds {kind}, and an exact tree is made of linear layers with ReLU"
                " between them.",
                "Use another method, such as 'search_and_stitch'.",
            )
    if not layers or not open_layer:
        raise InvalidInput(
            "The network does not end in a linear layer.",
            "Use another method, such as 'search_and_stitch'.",
        )
    W, b = layers[-1]
    if teacher.task.classifies and len(b) == 1:
        layers[-1] = (np.vstack([np.zeros_like(W), W]), np.array([0.0, b[0]]))
    return layers


def _parts(module: Any) -> Sequence[Any]:
    """The modules without children, in order."""
    inner = list(module.children())
    return [part for child in inner for part in _parts(child)] if inner else [module]


def _array(tensor: Any) -> NDArray[np.float64]:
    return np.asarray(tensor.detach().cpu().double().numpy(), dtype=np.float64)


def _normalised(part: Any, W: NDArray[np.float64], b: NDArray[np.float64]) -> Layer:
    """A layer with the batch normalisation after it, as it is when it predicts."""
    mean, spread = _array(part.running_mean), np.sqrt(_array(part.running_var) + part.eps)
    scale = 1.0 / spread if part.weight is None else _array(part.weight) / spread
    shift = 0.0 if part.bias is None else _array(part.bias)
    return W * scale[:, None], (b - mean) * scale + shift


def _check_same(tree: ObliqueTree, teacher: Teacher, rows: Rows) -> None:
    """Refuse a tree that does not say what the network says, on 2,000 rows."""
    some = rows[:2000]
    scores, outputs = teacher.scores(some.native()), tree.outputs(some)
    if teacher.score_kind is ScoreKind.PROBABILITY:
        outputs = tree.predict_proba(some)
    elif teacher.task.classifies:  # logits matter up to a constant of the row
        scores = scores - scores.mean(axis=1, keepdims=True)
        outputs = outputs - outputs.mean(axis=1, keepdims=True)
    apart = float(np.abs(scores - outputs).max())
    if not apart <= _APART * (1.0 + float(np.abs(scores).max())):
        raise InvalidInput(
            f"The network's layers, one after the other, differ from its outputs by {apart:.3g}: it"
            " does more than they do.",
            "Use another method, such as 'search_and_stitch'.",
        )
