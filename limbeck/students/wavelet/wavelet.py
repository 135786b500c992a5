"""The wavelet student: a small model of the strongest wavelet coefficients of a signal."""

from __future__ import annotations

import math
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
from limbeck.data.duplicates import ColumnKind, kinds_of
from limbeck.reports.markup import Html, tag
from limbeck.signal.bands import Band, Decomposition
from limbeck.signal.filters import Boundary, Filters, filter_of, usual_levels
from limbeck.students import files
from limbeck.students.additive.additive import Additive
from limbeck.students.readable import Readable
from limbeck.students.targets import TaskLike, predicts_classes, read_weight
from limbeck.students.wavelet.choice import ChosenFeatures
from limbeck.students.wavelet.file import read, written
from limbeck.students.wavelet.fitting import chosen_features, folds_of, read_soft_target
from limbeck.students.wavelet.readout import LinearReadout, answers, logistic, shares
from limbeck.students.wavelet.signals import TransformedSignals, flat_signals
from limbeck.students.wavelet.strongest import KEEPS, Keep, Strongest
from limbeck.students.wavelet.text import by_group, feature_names, text

__all__ = ["WaveletStudent"]

Matrix = NDArray[np.float64]
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
        signals, target, weight, choice = self._choice(X, y, sample_weight, groups)
        task, rng = self.task_, np.random.default_rng(self.random_state)
        self.strongest_, self.tried_ = choice.strongest, choice.tried
        if self.model == "linear" and not task.classifies:
            self.readout_ = LinearReadout(choice.weights, choice.intercept, choice.spread)
            return self._fold()
        at = np.sort(rng.permutation(len(target))[:_MOST_ROWS])
        Z = signals.features_of(self.strongest_, at)
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
        return np.concatenate([S for _, S in self._signals(self._rows(X)[0]).blocks()])

    def reconstruct(self, X: Any) -> Matrix:
        """The signals, in the shape of X, made of nothing but the coefficients that are used."""
        check_is_fitted(self)
        rows, own = self._rows(X)
        blocks = self._signals(rows).blocks()
        kept = [self.decomposition_.inverse(self.strongest_.kept(S)) for _, S in blocks]
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
    ) -> tuple[TransformedSignals, Matrix, Matrix, ChosenFeatures]:
        """Signals, targets, weights, and the coefficients that were chosen; sets the transform."""
        self._check()
        flat, own = flat_signals(X)
        shape = own if self.shape is None else tuple(int(side) for side in self.shape)
        features, n = Features.of(flat), len(flat)
        if math.prod(shape) != len(features):
            raise InvalidInput(
                f"shape is {shape}, and the rows have {len(features)} columns.",
                "Give the shape of one signal.",
            )
        task, target = read_soft_target(y, n, self.task)
        weight = read_weight(sample_weight, n)
        levels = usual_levels(shape) if self.levels is None else self.levels
        self._hold(features, task)
        self.decomposition_ = Decomposition(filter_of(self.low), levels, self.boundary, shape)
        fold = folds_of(groups, n, np.random.default_rng(self.random_state))
        signals = self._signals(flat)
        return signals, target, weight, chosen_features(
            signals, target, weight, fold, [self.keep] if self.keep else KEEPS, self.largest
        )  # fmt: skip

    def _rows(self, X: Any) -> tuple[Any, tuple[int, ...]]:
        flat, own = flat_signals(X)
        if len(own) > 1 and own != self.decomposition_.shape:
            raise InvalidInput(
                f"The signals have shape {own}, and {self.decomposition_.shape} was learned from.",
                "Give signals of that shape.",
            )
        return flat, own

    def _signals(self, flat: Any) -> TransformedSignals:
        return TransformedSignals(flat, self.features_, self.decomposition_)

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
        found = []
        for _, rows in self._signals(self._rows(X)[0]).present():
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
