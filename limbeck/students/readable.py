"""What all students share: they are estimators that hold no teacher, and write themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features, Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.reports.markup import Html, tag
from limbeck.reports.plots import axes_of
from limbeck.students import files
from limbeck.students.formula import Formula
from limbeck.students.importance import MOST_COLUMNS, feature_importances
from limbeck.students.targets import predicts_classes

__all__ = ["Readable"]


class Readable(BaseEstimator, ABC):  # type: ignore[misc]
    """A scikit-learn estimator that can be written as JSON; holds what it learned by ``_hold``."""

    size_unit: ClassVar[str] = "numbers"  # what `size` counts
    features_: Features
    task_: Task
    classes_: NDArray[Any]
    n_features_in_: int
    _importances: NDArray[np.float64] | None = None

    @property
    def numbers(self) -> int:
        """How many numbers a reader must hold to predict by hand: the size that all kinds share.

        A leaf or a cell is one, and so are a threshold, a weight, an intercept and a condition of
        a rule. ``size`` counts what is usual for the kind.
        """
        return int(self.size)

    @property
    @abstractmethod
    def size(self) -> int:
        """How large it is, in ``size_unit``."""

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """How much each of the d columns matters, in shares that add up to 1, shape (d,).

        How far predictions move when a column's values are exchanged between training rows; see
        :func:`limbeck.students.importance.feature_importances`.

        Raises
        ------
        AttributeError
            If the student was made without rows to measure it on, or uses more than 2,000 columns.
        """
        if self._importances is None:
            raise AttributeError(
                f"The importances of this {type(self).__name__} were not measured. Call"
                " student.measured(values) with encoded rows."
            )
        return self._importances

    @abstractmethod
    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,), for rows of shape (n, d)."""

    @abstractmethod
    def text(self) -> str:
        """The student in words."""

    def rules(self) -> list[str]:
        """The student as IF ... THEN ... sentences; none by default."""
        return []

    def drawing(self) -> Html:
        """The student drawn, for the page of a report; by default its text."""
        return tag("pre", self.text())

    def caption(self) -> str:
        """How its drawing is read; nothing by default."""
        return ""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """All that the student is, ready for JSON."""

    def plot(self, ax: Any = None) -> Any:
        """Draw the student on matplotlib axes; one without a drawing of its own, as its text.

        Trees draw their branches, juntas a bar per seen cell, additive students what each column
        adds (the 12 most important), wavelet students filters, functions and what each band adds.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, optional
            Where to draw; a student of several parts divides single axes. By default a new figure.

        Returns
        -------
        matplotlib Axes, or an ndarray of them

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        check_is_fitted(self)
        return self._plot(ax)

    def _plot(self, ax: Any) -> Any:
        """The drawing of this kind of student; its text where it has none."""
        text = str(self.text())
        lines = text.splitlines()
        ax = axes_of(ax, (1 + 0.085 * max(map(len, lines)), 0.5 + 0.2 * len(lines)))
        ax.set_axis_off()
        ax.text(0, 1, text, va="top", family="monospace", transform=ax.transAxes,
                parse_math=False)  # fmt: skip
        return ax

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy for classes, R squared for values.

        Parameters
        ----------
        X : table of n rows
            The rows.
        y : array-like of shape (n,)
            Labels, or values.
        sample_weight : array-like of shape (n,), optional
            How much each row counts.
        """
        from sklearn.metrics import accuracy_score, r2_score

        check_is_fitted(self)
        measure = accuracy_score if self.task_.classifies else r2_score
        return float(measure(y, self.predict(X), sample_weight=sample_weight))

    def notes(self, rows: Rows) -> tuple[str, ...]:
        """What a reader should know of the student on these training rows; nothing by default."""
        return ()

    def save(self, path: str | Path) -> Path:
        """Write the student as JSON, whole or not at all; ``limbeck.students.load`` reads it.

        Raises
        ------
        FileRefused
            If the file cannot be written.
        """
        return files.write(self.to_dict(), path)

    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal."""
        return files.fingerprint(self.to_dict())

    def measured(self, values: NDArray[np.float64]) -> Self:
        """The student itself, with its importances measured on encoded rows of shape (n, d).

        They are left out where it uses more than 2,000 columns.
        """
        check_is_fitted(self)
        used = self._used()
        if len(self.features_ if used is None else set(used)) <= MOST_COLUMNS:
            self._importances = feature_importances(self, self.features_, values, used)
        return self

    def formula(self) -> Formula:
        """The student as a formula over columns, which `limbeck.export` writes as code.

        Raises
        ------
        InvalidInput
            If this kind has none.
        """
        raise InvalidInput(
            f"A {type(self).__name__} cannot be written as a formula.",
            "Save it as JSON, and predict with limbeck.",
        )

    def to_onnx(
        self,
        path: str | Path | None = None,
        dtype: Literal["float64", "float32"] = "float64",
        inputs: Literal["rows", "columns"] = "rows",
    ) -> Any:
        """The student as an ONNX model.

        Parameters
        ----------
        path : path, optional
            Where to write the model; by default it is only returned.
        dtype : {"float64", "float32"}
            Type of the numbers in the inputs.
        inputs : {"rows", "columns"}
            One input of encoded rows, or a named input for each column; see
            :func:`limbeck.students.formula_onnx.formula_to_onnx`.

        Raises
        ------
        InvalidInput
            If this kind is no formula.
        MissingExtra
            If onnx is not installed.
        """
        from limbeck.students.formula_onnx import formula_to_onnx

        check_is_fitted(self)
        return formula_to_onnx(self.formula(), path, dtype, inputs)

    def _used(self) -> Collection[int] | None:
        """Positions of the columns that the student can use; None for all."""
        return None

    def _head(self, kind: str) -> dict[str, Any]:
        """The part of the schema that all students share; see `limbeck.students.files.head`."""
        return files.head(kind, self.features_, self.task_, self._importances)

    def _recall(self, data: dict[str, Any]) -> Self:
        """The student itself, with the importances that its file holds."""
        self._importances = files.importances_of(data, len(self.features_))
        return self

    def _hold(self, features: Features, task: Task) -> Self:
        self.features_, self.task_, self.n_features_in_ = features, task, len(features)
        self._importances = None
        for name in ("classes_", "feature_names_in_"):
            self.__dict__.pop(name, None)  # from an earlier fit
        if task.classifies:
            self.classes_ = task.labels
        if features.frame and not features.numbers:
            self.feature_names_in_ = np.array(features.names, dtype=object)
        return self

    def _repr_html_(self) -> str:
        """For notebooks: the drawing once it is fitted."""
        return str(self.drawing() if hasattr(self, "features_") else tag("pre", repr(self)))

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, RegressorTags

        tags = super().__sklearn_tags__()
        classifies = predicts_classes(self)
        if classifies is not None:
            tags.estimator_type = "classifier" if classifies else "regressor"
            tags.classifier_tags = ClassifierTags() if classifies else None
            tags.regressor_tags = None if classifies else RegressorTags()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        return tags
