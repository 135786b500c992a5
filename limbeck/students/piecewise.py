"""What students share that cut rows into pieces (leaves, cells) and give each piece one value."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from limbeck.contract import Task
from limbeck.features import Features
from limbeck.students import files
from limbeck.students.targets import predicts_classes

__all__ = ["Finder", "Piecewise"]

Finder = Callable[[NDArray[np.float64]], NDArray[np.integer]]
"""From encoded rows (n, d) to the number of the piece in which each lies, shape (n,)."""


class Piecewise(BaseEstimator, ABC):  # type: ignore[misc]
    """A scikit-learn estimator that looks up one value for each piece.

    A student holds what it learned by :meth:`_hold`, and says by :meth:`_pieces` how rows find
    their pieces. Predicting goes through blocks of rows, so that no copy of all is made.
    """

    features_: Features
    task_: Task
    classes_: NDArray[Any]
    n_features_in_: int

    @abstractmethod
    def _pieces(self) -> tuple[Finder, NDArray[np.float64]]:
        """How rows find their pieces, and the values of the pieces, shape (pieces, k)."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """All that the student is, ready for JSON."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,), for rows of shape (n, d).

        Raises
        ------
        InvalidInput
            If X has other columns than the training rows, or an infinite value.
        """
        check_is_fitted(self)
        find, value = self._pieces()
        answers = self.classes_[value.argmax(axis=1)] if self.task_.classifies else value[:, 0]
        return self._look_up(X, find, answers)

    @available_if(lambda self: predicts_classes(self) is not False)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Class fractions of shape (n, k); the method is absent from students of values."""
        check_is_fitted(self)
        return self._look_up(X, *self._pieces())

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy for classes, R squared for values."""
        from sklearn.metrics import accuracy_score, r2_score

        check_is_fitted(self)
        measure = accuracy_score if self.task_.classifies else r2_score
        return float(measure(y, self.predict(X), sample_weight=sample_weight))

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

    def _look_up(self, X: Any, find: Finder, answers: NDArray[Any]) -> NDArray[Any]:
        """For each row of X the entry of ``answers`` (pieces, ...) for its piece."""
        blocks = self.features_.blocks(X)
        found = [answers.take(find(block), axis=0) for block in blocks]
        return np.concatenate(found) if found else answers[:0]  # no rows, no answers

    def _hold(self, features: Features, task: Task) -> Self:
        self.features_, self.task_, self.n_features_in_ = features, task, len(features)
        for name in ("classes_", "feature_names_in_"):
            self.__dict__.pop(name, None)  # from an earlier fit
        if task.classifies:
            self.classes_ = task.labels
        if features.frame:
            self.feature_names_in_ = np.array(features.names, dtype=object)
        return self

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
