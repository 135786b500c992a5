"""The wavelet student: a small model of the strongest wavelet coefficients of a signal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features, Rows
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.data.duplicates import ColumnKind, kinds_of
from limbeck.reports.markup import Html, tag
from limbeck.signal.bands import Band, Decomposition
from limbeck.signal.filters import Boundary, Filters, filter_of, usual_levels
from limbeck.students import files
from limbeck.students.additive.additive import Additive
from limbeck.students.readable import Readable
from limbeck.students.targets import TaskLike, predicts_classes, read_target, read_weight
from limbeck.students.wavelet.choice import FOLDS, ChosenFeatures, choose, gather
from limbeck.students.wavelet.file import read, written
from limbeck.students.wavelet.readout import LinearReadout, answers, logistic, shares
from limbeck.students.wavelet.strongest import KEEPS, Keep, Strongest, groups_of
from limbeck.students.wavelet.text import by_group, feature_names, text

__all__ = ["WaveletStudent"]

Matrix = NDArray[np.float64]
_MOST_FEATURES = 1024  # are compared
_MOST_ROWS = 20_000  # for readouts that keep the features of all rows


@STUDENTS.register("wavelet")
class WaveletStudent(Readable):
    """A linear, logistic or additive model of the strongest wavelet coefficients of each band.

    The students of adaptive wavelet distillation (Ha, Singh, Lanusse, Upadhyayula, Yu 2021,
    section 3). Predicting takes numpy and, for signals of more than 1024 points, PyWavelets.

    Parameters
    ----------
    low : array-like of shape (N,) or str
        The low-pass filter, as PyWavelets' ``rec_lo``; or the name of an orthogonal wavelet.
    levels : int, optional
        Levels of the transform; by default up to 4, and the coarsest band has 4 points or more.
    boundary : {"periodic", "symmetric", "zero"}
        How signals go on beyond their ends.
    shape : tuple of int, optional
        The shape of one signal: (length,), (channels, length) or (channels, height, width). By
        default that of the rows.
    largest : int, optional
        How many coefficients of each channel of each band; by default cross-validation chooses.
    keep : {"size", "value", "place"}, optional
        Which are the strongest; see :class:`limbeck.students.wavelet.strongest.Strongest`. By
        default cross-validation chooses.
    model : {"linear", "additive"}
        The readout: ridge regression for values and logistic regression for classes, or
        :class:`limbeck.students.additive.additive.Additive` (values and two classes).
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.
    random_state : int
        Seed of the folds.

    Attributes
    ----------
    decomposition_ : Decomposition
        The wavelet transform.
    strongest_ : Strongest
        Which coefficients are used.
    readout_ : LinearReadout or Additive
        The model on them.
    tried_ : tuple of dict
        Cross-validated share of explained variance for each kind and number (empty for a
        student that was loaded).
    features_, task_, classes_, n_features_in_, feature_names_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 16))
    >>> student = WaveletStudent("haar", levels=2, keep="place").fit(X, X[:, 0] + X[:, 1])
    >>> student.score(X, X[:, 0] + X[:, 1]) > 0.99
    True
    >>> student.reconstruct(X).shape
    (200, 16)
    """

    decomposition_: Decomposition
    strongest_: Strongest
    readout_: LinearReadout | Additive
    tried_: tuple[dict[str, Any], ...]

    size_unit = "coefficients"

    def __init__(
        self,
        low: Any = "db5",
        levels: int | None = None,
        boundary: Boundary = "periodic",
        shape: tuple[int, ...] | None = None,
        largest: int | None = None,
        keep: Keep | None = None,
        model: Literal["linear", "additive"] = "linear",
        task: TaskLike = None,
        random_state: int = 0,
    ) -> None:
        self.low = low
        self.levels = levels
        self.boundary = boundary
        self.shape = shape
        self.largest = largest
        self.keep = keep
        self.model = model
        self.task = task
        self.random_state = random_state

    @property
    def kinds(self) -> tuple[ColumnKind, ...]:
        """What the columns hold: signals, which do not come twice by chance."""
        return kinds_of(self.features_, signals=True)

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Choose the coefficients and fit the readout; rows are read in blocks.

        Parameters
        ----------
        X : array-like, DataFrame or Rows of shape (n, d), or array of shape (n, *shape)
            The signals.
        y : array-like of shape (n,), or of shape (n, k)
            Values or labels; or probabilities of the k classes of ``task``.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.
        groups : array-like of shape (n,), optional
            Rows of one group, such as one cell or patient, stay together in cross-validation.

        Raises
        ------
        InvalidInput
            If signals hold NaN, or rows, targets or settings cannot be used.
        MissingExtra
            If PyWavelets is not installed, or interpret-core for an additive readout.
        """
        flat, target, weight, choice = self._choice(X, y, sample_weight, groups)
        task, rng = self.task_, np.random.default_rng(self.random_state)
        self.strongest_, self.tried_ = choice.strongest, choice.tried
        if self.model == "linear" and not task.classifies:
            self.readout_ = LinearReadout(choice.weights, choice.intercept, choice.spread)
            return self._fold()
        at, Z = self._sample(flat, len(target), rng)
        if self.model == "additive":
            self.readout_ = self._additive(Z, target[at], weight[at])
        else:
            scale = np.where(choice.spread > 0, choice.spread, np.inf)
            w, b = logistic((Z - choice.mean) / scale, target[at], weight[at], rng)
            w /= scale[:, None]
            self.readout_ = LinearReadout(w, b - choice.mean @ w, choice.spread)
        return self._fold()

    def compare(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None
    ) -> tuple[dict[str, Any], ...]:
        """The cross-validated scores of all kinds and numbers of coefficients; nothing is fitted.

        Parameters are those of :meth:`fit`; the records those of ``tried_``. Scores are shares of
        variance explained by ridge regressions, for classes that of their probabilities.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in :meth:`fit`.
        """
        other: Self = clone(self)  # what compares forgets its rows
        return other._choice(X, y, sample_weight, groups)[-1].tried

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,), for signals of shape (n, d) or (n, *shape).

        Raises
        ------
        InvalidInput
            If the signals have another length, or hold NaN or infinite values.
        """
        found = answers(self._sums(X), self.task_)
        return self.classes_[found] if self.task_.classifies else found

    @available_if(lambda self: predicts_classes(self) is not False)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Matrix:
        """Probabilities of shape (n, k); the method is absent from students of values."""
        return shares(self._sums(X), self.task_)

    @property
    def filters(self) -> Filters:
        """The filters of the wavelet: ``low`` and ``high``, each of shape (N,)."""
        check_is_fitted(self)
        return self.decomposition_.filters

    @property
    def bands(self) -> tuple[Band, ...]:
        """Where in :meth:`coefficients` each band is, and its shape."""
        check_is_fitted(self)
        return self.decomposition_.bands

    def coefficients(self, X: Any) -> Matrix:
        """All wavelet coefficients, of shape (n, m), band by band."""
        check_is_fitted(self)
        return np.concatenate([S for _, S in self._transformed(self._rows(X)[0])])

    def reconstruct(self, X: Any) -> Matrix:
        """The signals, in the shape of X, made of nothing but the coefficients that are used."""
        check_is_fitted(self)
        rows, own = self._rows(X)
        kept = [
            self.decomposition_.inverse(self.strongest_.kept(S)) for _, S in self._transformed(rows)
        ]
        flat = np.concatenate(kept) if kept else np.empty((0, self.n_features_in_))
        return flat.reshape(-1, *own)

    @property
    def size(self) -> int:
        """The number of coefficients used."""
        check_is_fitted(self)
        return sum(self.strongest_.counts)

    @property
    def numbers(self) -> int:
        """The filter, and a weight per coefficient and an intercept for each output."""
        filters = len(self.filters.low)
        if isinstance(self.readout_, Additive):
            return filters + self.readout_.numbers
        return filters + self.readout_.weights.size + self.readout_.intercept.size

    def importances(self) -> dict[str, float]:
        """What each band adds to the answers, largest first.

        The sum over its features of |weight| times standard deviation, as a mean over outputs;
        for an additive readout the sum of its features' importances.
        """
        check_is_fitted(self)
        if isinstance(self.readout_, Additive):
            known = self.readout_.importances()
            each = np.array([known[name] for name in self.readout_.features_.names])
        else:
            each = np.abs(self.readout_.weights).mean(axis=1) * self.readout_.spread
        sums = dict.fromkeys((b.name for b in self.bands), 0.0)
        for band, part in by_group(self.bands, self.strongest_, each):
            sums[band.name] += float(part.sum())
        return dict(sorted(sums.items(), key=lambda item: -item[1]))

    def text(self, *, digits: int | None = None, exact: bool = False) -> str:
        """The wavelet, and band by band what its coefficients add, as lines.

        Parameters
        ----------
        digits : int, optional
            Significant digits of the weights.
        exact : bool
            Print all weights, and exactly.
        """
        check_is_fitted(self)
        return text(self, digits, exact)

    def _plot(self, ax: Any) -> Any:
        """The filters, the wavelet, and what each band adds to the answers."""
        from limbeck.students.wavelet.plot import plot_wavelet

        found = self.importances()
        return plot_wavelet(self.filters, {b.name: found[b.name] for b in self.bands}, ax)

    def to_onnx(
        self,
        path: str | Path | None = None,
        dtype: Literal["float64", "float32"] = "float64",
        inputs: Literal["rows", "columns"] = "rows",
    ) -> Any:
        """The student as an ONNX model; see :func:`limbeck.students.wavelet.onnx.to_onnx`.

        Parameters
        ----------
        path : path, optional
            Where to write the model; by default it is only returned.
        dtype, inputs
            Signals are one input of float64.

        Raises
        ------
        InvalidInput
            If another form of inputs is asked for.
        """
        from limbeck.students.wavelet.onnx import to_onnx

        check_is_fitted(self)
        if (dtype, inputs) != ("float64", "rows"):
            raise InvalidInput(
                f"A wavelet student was to be exported with dtype={dtype!r}, inputs={inputs!r}.",
                "Its signals are one input of float64: leave both out.",
            )
        return to_onnx(self, path)

    def to_dict(self) -> dict[str, Any]:
        """All that the student is, ready for JSON."""
        check_is_fitted(self)
        head = self._head("wavelet")
        return {**head, **written(self.decomposition_, self.strongest_, self.readout_)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        FileRefused
            If it is malformed, no wavelet student, or newer than this limbeck.
        """
        features, task = files.read_head(data, "wavelet")
        transform, strongest, readout = files.parsed(data, lambda d: read(d, features, task))
        student = cls(
            low=transform.low, levels=transform.levels, boundary=transform.boundary,
            shape=transform.shape, largest=strongest.largest, keep=strongest.keep,
            model="linear" if isinstance(readout, LinearReadout) else "additive", task=task,
        )._hold(features, task)  # fmt: skip
        student.decomposition_, student.strongest_ = transform, strongest
        student.readout_, student.tried_ = readout, ()
        return student._fold()._recall(data)

    def _check(self) -> None:
        if self.keep is not None and self.keep not in KEEPS:
            raise InvalidInput(f"There is no keep={self.keep!r}.", did_you_mean(self.keep, KEEPS))
        if self.model not in ("linear", "additive"):
            raise InvalidInput(
                f"There is no model {self.model!r}.",
                did_you_mean(str(self.model), ("linear", "additive")),
            )
        if self.largest is not None and not (
            isinstance(self.largest, int | np.integer) and self.largest >= 1
        ):
            raise InvalidInput(f"largest is {self.largest!r}.", "Give a whole number from 1.")

    def _choice(
        self, X: Any, y: Any, sample_weight: Any, groups: Any
    ) -> tuple[Any, Matrix, Matrix, ChosenFeatures]:
        """Rows, targets, weights, and the coefficients that were chosen; sets the transform."""
        self._check()
        flat, own = _flat(X)
        shape = own if self.shape is None else tuple(int(side) for side in self.shape)
        features = Features.of(flat)
        if math.prod(shape) != len(features):
            raise InvalidInput(
                f"shape is {shape}, and the rows have {len(features)} columns.",
                "Give the shape of one signal.",
            )
        n = len(flat)
        task, target = self._target(y, n)
        weight = read_weight(sample_weight, n)
        levels = usual_levels(shape) if self.levels is None else self.levels
        transform = Decomposition(filter_of(self.low), levels, self.boundary, shape)
        self._hold(features, task)
        self.decomposition_ = transform
        fold = _folds(groups, n, np.random.default_rng(self.random_state))
        channels, spread = groups_of(transform.bands), self._spread(flat, weight)
        numbers = [int(self.largest)] if self.largest else _numbers(channels)
        kinds = [
            Strongest(channels, keep, numbers[-1], spread)
            for keep in ([self.keep] if self.keep else KEEPS)
        ]
        blocks = ((S, target[at], weight[at], fold[at]) for at, S in self._transformed(flat))
        return flat, target, weight, choose(gather(blocks, kinds), kinds, numbers)

    def _target(self, y: Any, n: int) -> tuple[Task, Matrix]:
        """The task, and targets (n, k): values, or probabilities of the classes."""
        k = len(self.task.classes) if isinstance(self.task, Task) else 0
        soft = np.asarray(y) if k > 1 and np.ndim(y) == 2 else None
        if soft is not None and soft.shape[1] == k:
            if soft.shape[0] != n or not (np.isfinite(soft).all() and (soft >= 0).all()):
                raise InvalidInput(
                    f"The probabilities have shape {soft.shape}, or one is no number from 0.",
                    f"Give {n} rows of {k} probabilities.",
                )
            assert isinstance(self.task, Task)  # noqa: S101  (it has classes)
            return self.task, soft.astype(np.float64)
        task, target = read_target(y, n, self.task)
        if not task.classifies:
            return task, target[:, None]
        return task, np.eye(len(task.classes))[target]

    def _rows(self, X: Any) -> tuple[Any, tuple[int, ...]]:
        flat, own = _flat(X)
        if len(own) > 1 and own != self.decomposition_.shape:
            raise InvalidInput(
                f"The signals have shape {own}, and {self.decomposition_.shape} was learned from.",
                "Give signals of that shape.",
            )
        return flat, own

    def _transformed(self, flat: Any) -> Iterator[tuple[slice, Matrix]]:
        """Blocks of rows, and their coefficients."""
        start = 0
        for block in self.features_.blocks(flat):
            at = slice(start, start + len(block))
            yield at, self.decomposition_.forward(_present(block, start))
            start = at.stop

    def _sample(
        self, flat: Any, n: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], Matrix]:
        """At most ``_MOST_ROWS`` rows by chance, and their features."""
        at = np.sort(rng.permutation(n)[:_MOST_ROWS])
        found = []
        for rows, S in self._transformed(flat):
            own = at[np.searchsorted(at, rows.start) : np.searchsorted(at, rows.stop)]
            found.append(self.strongest_.features(S[own - rows.start]))
        return at, np.concatenate(found)

    def _spread(self, flat: Any, weight: Matrix) -> Matrix:
        """Standard deviations of the coefficients, (m,)."""
        total, first, second, shift = float(weight.sum()), 0.0, 0.0, None
        for at, S in self._transformed(flat):
            shift = S.mean(axis=0) if shift is None else shift
            first = first + weight[at] @ (S - shift)
            second = second + weight[at] @ (S - shift) ** 2
        return np.asarray(np.sqrt(np.maximum(second / total - (first / total) ** 2, 0.0)))

    def _additive(self, Z: Matrix, target: Matrix, weight: Matrix) -> Additive:
        y = self.classes_[target.argmax(axis=1)] if self.task_.classifies else target[:, 0]
        rows = Rows(Features.of(Z, feature_names(self.bands, self.strongest_)), Z)
        return Additive(task=self.task_, random_state=self.random_state).fit(rows, y, weight)

    def _fold(self) -> Self:
        """Transform and weights in one matrix, where the same places are read in all signals."""
        matrix, readout = self.decomposition_.matrix, self.readout_
        self._folded: tuple[Matrix, Matrix] | None = None
        if (
            self.strongest_.keep == "place"
            and matrix is not None
            and isinstance(readout, LinearReadout)
        ):
            weights = matrix[:, self.strongest_.places] @ readout.weights
            self._folded = weights, readout.intercept
        return self

    def _sums(self, X: Any) -> Matrix:
        """What the readout adds up to, (n, k)."""
        check_is_fitted(self)
        found, start = [], 0
        for block in self.features_.blocks(self._rows(X)[0]):
            rows = _present(block, start)
            start += len(block)
            if self._folded is not None:
                found.append(rows @ self._folded[0] + self._folded[1])
                continue
            Z = self.strongest_.features(self.decomposition_.forward(rows))
            found.append(self.readout_.add_up(Z).reshape(len(Z), -1))
        return np.concatenate(found) if found else np.empty((0, 1))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = False
        return tags

    def drawing(self) -> Html:
        """How much each band adds to the answers, in bars."""
        from limbeck.students.wavelet.drawing import weights

        return weights(self)

    def _repr_html_(self) -> str:
        return str(tag("pre", self.text() if hasattr(self, "readout_") else repr(self)))


def _flat(X: Any) -> tuple[Any, tuple[int, ...]]:
    """Signals as rows (n, d), tables as they are; and the shape of one."""
    if isinstance(X, Rows):
        return X, X.features.shape or (len(X.features),)
    if hasattr(X, "columns") or hasattr(X, "toarray"):
        return X, (X.shape[1],)
    if hasattr(X, "detach"):
        X = X.detach().cpu().numpy()
    array = np.asarray(X)
    flat = array.reshape(len(array), -1) if array.ndim > 2 else array
    return flat, tuple(int(side) for side in array.shape[1:])


def _folds(groups: Any, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The fold of each row; rows of one group are in one fold."""
    if groups is None:
        return rng.permutation(n) % FOLDS
    found, at = np.unique(np.asarray(groups), return_inverse=True)
    if at.shape != (n,):
        raise InvalidInput(
            f"groups has shape {np.shape(groups)}, and there are {n} rows.", "Give one per row."
        )
    return (rng.permutation(len(found)) % FOLDS)[at]


def _present(block: Matrix, start: int) -> Matrix:
    """The rows, if none of them holds NaN."""
    if np.isnan(block.sum()):
        row, column = np.argwhere(np.isnan(block))[0]
        raise InvalidInput(
            f"Signal {start + int(row)} holds a missing value (NaN) at position {int(column)}.",
            "Fill gaps, for example by interpolation, or drop such signals.",
        )
    return block


def _numbers(groups: tuple[slice, ...]) -> list[int]:
    """How many of each group are tried: 1, 2, 3, 4, 6, 8, 12, ... and as many as are allowed."""
    longest = max(g.stop - g.start for g in groups)

    def total(k: int) -> int:
        return sum(min(k, g.stop - g.start) for g in groups)

    tried = [k for e in range(12) for k in (2**e, 3 * 2**e // 2) if (e or k == 1)]
    tried = sorted({min(k, longest) for k in tried})
    return [k for k in tried if total(k) <= _MOST_FEATURES] or [1]
