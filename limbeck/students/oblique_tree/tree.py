"""The oblique tree: a small ReLU network, written as the tree that it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput, plural
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.reports.markup import Html
from limbeck.students import files
from limbeck.students.formula import Formula
from limbeck.students.oblique_tree import stored
from limbeck.students.oblique_tree import text as words
from limbeck.students.oblique_tree.drawing import drawn_regions
from limbeck.students.oblique_tree.formula import formula
from limbeck.students.oblique_tree.regions import Layer, RegionTree, planes_of, regions_of
from limbeck.students.readable import Readable
from limbeck.students.targets import (
    TaskLike,
    predicts_classes,
    read_training,
)
from limbeck.students.tree.drawing import svg_of
from limbeck.students.tree.folding import Drawn

__all__ = ["ObliqueTree"]

_BLOCK = 4096


@STUDENTS.register("oblique_tree")
class ObliqueTree(Readable):
    """A tree that asks about weighted sums of columns, with a linear function in every leaf.

    It is a ReLU network, region by region: each question is whether a unit is on, and in a leaf
    the network is linear. ``fit`` trains a small network (scikit-learn's, on standardised columns)
    and writes it so; the method ``relu_regions`` makes one of a network that is there. Predicting
    takes numpy alone. A missing value counts as the column's mean over the training rows.

    Parameters
    ----------
    hidden : tuple of int
        Units of the hidden layers that ``fit`` trains.
    max_regions : int
        The most leaves.
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.
    random_state : int
        Seed of the training.

    Attributes
    ----------
    layers_ : tuple of (W, b)
        The network.
    tree_ : RegionTree
        The m nodes.
    questions_ : ndarray of shape (m, d + 1)
        Weights of the columns, and a constant; zeros in leaves.
    leaves_ : ndarray of shape (m, k, d + 1)
        Outputs as linear functions of the columns; zeros in questions.
    fill_ : ndarray of shape (d,)
        What stands for missing values.
    features_, task_, classes_, n_features_in_, feature_names_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> tree = ObliqueTree(hidden=(3,)).fit(X, np.abs(X[:, 0]) > 0.5)
    >>> tree.size <= 8
    True
    """

    size_unit = "regions"

    layers_: tuple[Layer, ...]
    tree_: RegionTree
    questions_: NDArray[np.float64]
    leaves_: NDArray[np.float64]
    fill_: NDArray[np.float64]

    def __init__(
        self,
        hidden: Sequence[int] = (4,),
        max_regions: int = 100_000,
        task: TaskLike = None,
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.max_regions = max_regions
        self.task = task
        self.random_state = random_state

    @classmethod
    def from_layers(
        cls,
        layers: Sequence[Layer],
        features: Features,
        task: Task,
        fill: NDArray[np.float64],
        max_regions: int = 100_000,
    ) -> Self:
        """The tree of a network.

        Parameters
        ----------
        layers : sequence of (W, b)
            Weights (out, in) and biases (out,), ReLU between them. The last has an output a class,
            or one for a value.
        features : Features
            The d columns, numbers all.
        task : Task
            What is predicted.
        fill : ndarray of shape (d,)
            What stands for missing values.
        max_regions : int
            The most leaves.

        Raises
        ------
        InvalidInput
            If there are more regions, or a column is a category.
        """
        tree = regions_of(layers, max_regions)
        student = cls(tuple(len(b) for _, b in layers[:-1]), max_regions, task)
        return student._take(layers, tree, features, task, fill)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a small network and write it as a tree.

        Parameters
        ----------
        X : array-like, DataFrame or Rows of shape (n, d)
            The rows; NaN is missing.
        y : array-like of shape (n,)
            Labels or values.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows: rows are drawn in proportion to them.
        """
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        features, values, task, target, weight = read_training(X, y, self.task, sample_weight)
        _numbers_only(features)
        fill = _means(values, weight)
        filled = np.where(np.isnan(values), fill, values)
        spread = np.where(filled.std(axis=0) > 0, filled.std(axis=0), 1.0)
        if (weight != weight[0]).any():
            drawn = np.random.default_rng(self.random_state).choice(
                len(values), len(values), p=weight / weight.sum()
            )
            filled, target = filled[drawn], target[drawn]
        middle, scale = (0.0, 1.0) if task.classifies else (target.mean(), target.std() or 1.0)
        kind = MLPClassifier if task.classifies else MLPRegressor
        network = kind(
            hidden_layer_sizes=tuple(self.hidden), max_iter=400, solver="lbfgs", alpha=1e-3,
            random_state=self.random_state,
        )  # fmt: skip
        goal = target if task.classifies else (target - middle) / scale
        network.fit((filled - fill) / spread, goal)
        layers = [(W.T.copy(), b.copy()) for W, b in
                  zip(network.coefs_, network.intercepts_, strict=True)]  # fmt: skip
        W, b = layers[0]
        layers[0] = (W / spread, b - W @ (fill / spread))
        W, b = layers[-1]
        if task.classifies:
            layers[-1] = _every_class(W, b, np.asarray(network.classes_), len(task.classes))
        else:
            layers[-1] = (W * scale, b * scale + middle)
        tree = regions_of(layers, self.max_regions)
        return self._take(layers, tree, features, task, fill).measured(values)

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,), for rows of shape (n, d).

        Raises
        ------
        InvalidInput
            If X has other columns than the training rows, or an infinite value.
        """
        outputs = self.outputs(X)
        return self.classes_[outputs.argmax(axis=1)] if self.task_.classifies else outputs[:, 0]

    @available_if(lambda self: predicts_classes(self) is not False)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Softmax of the outputs, of shape (n, k); absent from students of values."""
        return np.asarray(softmax(self.outputs(X), axis=1))

    def outputs(self, X: Any) -> NDArray[np.float64]:
        """The network's outputs (logits or a value), of shape (n, k)."""
        check_is_fitted(self)
        blocks = [self._outputs(block) for block in self.features_.blocks(X)]
        return np.concatenate(blocks) if blocks else np.zeros((0, self.leaves_.shape[1]))

    def apply(self, X: Any) -> NDArray[np.int32]:
        """The leaf that each row reaches, as its position among the m nodes, shape (n,)."""
        check_is_fitted(self)
        blocks = [self._walk(self._with_one(block)) for block in self.features_.blocks(X)]
        return np.concatenate(blocks) if blocks else np.zeros(0, np.int32)

    @property
    def size(self) -> int:
        """The number of regions, which are the leaves."""
        check_is_fitted(self)
        return self.tree_.size

    @property
    def numbers(self) -> int:
        """Weights and constants of all different questions and of all leaves."""
        inner = self.questions_[self.tree_.layer >= 0]
        leaves = self.leaves_[self.tree_.layer < 0]
        return int((np.unique(inner, axis=0) != 0).sum() + (leaves != 0).sum())

    def text(self) -> str:
        """The tree as indented lines: questions as sums, leaves as linear functions; 63 lines."""
        check_is_fitted(self)
        return words.text(
            self.tree_, self.questions_, self.leaves_, self.features_, self.task_, self.fill_
        )

    def svg(self) -> str:
        """A drawing of at most 32 regions, as inline SVG; sums show their largest three terms."""
        return svg_of(self._drawn(), f"Tree of {plural(self.size, 'region', 'regions')}")

    def drawing(self) -> Html:
        """The drawing, for the page of a report."""
        return Html(self.svg())

    def _plot(self, ax: Any) -> Any:
        """The same drawing on matplotlib axes."""
        from limbeck.students.tree.plot import plot_drawn

        return plot_drawn(self._drawn(), ax)

    def _drawn(self) -> Drawn:
        check_is_fitted(self)
        return drawn_regions(self.tree_, self.questions_, self.leaves_, self.features_, self.task_)

    def formula(self) -> Formula:
        """Sums of columns asked in turn; see `limbeck.students.oblique_tree.formula`.

        Raises
        ------
        InvalidInput
            If there are more than 2,000 regions.
        """
        check_is_fitted(self)
        return formula(
            self.tree_, self.questions_, self.leaves_, self.fill_, self.features_, self.task_
        )

    def to_dict(self) -> dict[str, Any]:
        """All that the tree is, ready for JSON: the network, and which units each leaf has on."""
        check_is_fitted(self)
        tree = self.tree_
        leaf = np.packbits(tree.on[tree.layer < 0], axis=1)
        return {
            **self._head("oblique_tree"),
            "layers": [{"weights": W.tolist(), "biases": b.tolist()} for W, b in self.layers_],
            "fill": self.fill_.tolist(),
            "nodes": {n: getattr(tree, n).tolist() for n in ("layer", "unit", "left", "right")},
            "on": [row.tobytes().hex() for row in leaf],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        FileRefused
            If it is malformed, no oblique tree, or newer than this limbeck.
        """
        features, task = files.read_head(data, "oblique_tree")
        layers, tree, fill = files.parsed(data, stored.read_network)
        wrong = stored.problem(layers, tree, len(features), len(task.classes) or 1, fill)
        if wrong:
            raise FileRefused(f"{wrong}.", "Save the tree again; the file was altered.")
        student = cls(tuple(len(b) for _, b in layers[:-1]), tree.size, task)
        return student._take(layers, tree, features, task, fill)._recall(data)

    def _take(
        self,
        layers: Sequence[Layer],
        tree: RegionTree,
        features: Features,
        task: Task,
        fill: NDArray[np.float64],
    ) -> Self:
        _numbers_only(features)
        self.layers_, self.tree_, self.fill_ = tuple(layers), tree, fill
        self.questions_, self.leaves_ = planes_of(tree, layers)
        return self._hold(features, task)

    def _with_one(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.hstack(
            [np.where(np.isnan(values), self.fill_, values), np.ones((len(values), 1))]
        )

    def _walk(self, x: NDArray[np.float64]) -> NDArray[np.int32]:
        tree, at = self.tree_, np.zeros(len(x), dtype=np.int32)
        rows = np.flatnonzero(tree.layer[at] >= 0)
        while len(rows):
            here = at[rows]
            on = np.einsum("nd,nd->n", self.questions_[here], x[rows]) > 0
            at[rows] = np.where(on, tree.left[here], tree.right[here])
            rows = rows[tree.layer[at[rows]] >= 0]
        return at

    def _outputs(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.empty((len(values), self.leaves_.shape[1]))
        for start in range(0, len(values), _BLOCK):
            x = self._with_one(values[start : start + _BLOCK])
            leaf = self._walk(x)
            out[start : start + _BLOCK] = np.einsum("nkd,nd->nk", self.leaves_[leaf], x)
        return out


def _means(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted means of the columns, missing values left out; 0 where there is none."""
    there = np.where(np.isnan(values), 0.0, weight[:, None])
    return np.asarray(np.nansum(values * weight[:, None], axis=0) / np.maximum(there.sum(0), 1e-30))


def _every_class(
    W: NDArray[np.float64], b: NDArray[np.float64], seen: NDArray[Any], k: int
) -> Layer:
    """The last layer with an output a class: two of one logit, -1e9 for classes without rows."""
    if len(b) == 1:
        W, b = np.vstack([np.zeros_like(W), W]), np.array([0.0, b[0]])
    out, bias = np.zeros((k, W.shape[1])), np.full(k, -1e9)
    out[seen], bias[seen] = W[: len(seen)], b[: len(seen)]
    return out, bias


def _numbers_only(features: Features) -> None:
    wrong = [str(c.name) for c in features.columns if c.kind == "categorical"]
    if wrong:
        raise InvalidInput(
            f"An oblique tree adds up columns, and {wrong[0]!r} holds categories.",
            "Give a column of 0 and 1 for each category, or ask for into='tree'.",
        )
