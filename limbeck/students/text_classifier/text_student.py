"""What students of texts share: reading texts, sums, answers and probabilities."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features, Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.students.readable import Readable
from limbeck.students.targets import predicts_classes, read_target, read_weight
from limbeck.students.text_classifier.search import TextData
from limbeck.students.text_classifier.text import Deciding

__all__ = ["TextStudent", "texts_of"]


class TextStudent(Readable):
    """A student of texts, which answers by sums: one for values and two classes, else one each."""

    task: Any
    model_: Any

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to labels or values.

        Parameters
        ----------
        X : list, array or Series of n texts, or Rows
            The texts.
        y : array-like of shape (n,)
            Labels or values.
        sample_weight : array-like of shape (n,), optional
            How much each text counts.

        Raises
        ------
        InvalidInput
            If texts, targets or weights cannot be used.
        """
        features = X.features if isinstance(X, Rows) else Features.of(X)
        texts = texts_of(features, X)
        task, target = read_target(y, len(texts), self.task)
        soft = np.eye(len(task.classes))[target] if task.classifies else target[:, None]
        data = TextData(texts, soft, read_weight(sample_weight, len(texts)), task.classifies)
        return self._fitted(data, features, task)

    @abstractmethod
    def _fitted(self, data: TextData, features: Features, task: Task) -> Self:
        """The student itself, fitted."""

    @abstractmethod
    def _sums(self, texts: NDArray[Any]) -> NDArray[np.float64]:
        """The sums of texts, shape (n, 1) or (n, k)."""

    @abstractmethod
    def _deciding(self) -> Deciding:
        """What decides, for each class."""

    def measured(self, values: NDArray[np.float64]) -> Self:
        """The student itself: it does not tell the columns of a written row apart."""
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """The sums: shape (n,) for values and two classes (log-odds of the second), else (n, k).

        Parameters
        ----------
        X : list, array or Series of n texts, or Rows
            The texts.
        """
        check_is_fitted(self)
        out = self._sums(texts_of(self.features_, X))
        return out[:, 0] if out.shape[1] == 1 else out

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,), for n texts.

        Raises
        ------
        InvalidInput
            If X holds no texts, or one is missing.
        """
        total = self.decision_function(X)
        if not self.task_.classifies:
            return total
        places = total.argmax(axis=1) if total.ndim == 2 else (total > 0).astype(np.int64)
        return np.asarray(self.classes_[places])

    @available_if(lambda self: predicts_classes(self) is not False)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of shape (n, k); the method is absent from students of values."""
        total = self.decision_function(X)
        if total.ndim == 2:
            return np.asarray(softmax(total, axis=1))
        return np.column_stack([expit(-total), expit(total)])

    def notes(self, rows: Rows) -> tuple[str, ...]:
        """How many of the training texts are empty."""
        empty = sum(not text.strip() for text in texts_of(self.features_, rows))
        return (f"{empty:,} of {len(rows):,} training texts are empty.",) if empty else ()

    def _answered(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of the answer to the first of n texts, in all of them, shape (n,)."""
        if sums.shape[1] > 1:
            return np.asarray(sums[:, int(sums[0].argmax())])
        sign = -1.0 if self.task_.classifies and sums[0, 0] <= 0 else 1.0
        return np.asarray(sign * sums[:, 0])

    def _plot(self, ax: Any) -> Any:
        from limbeck.students.text_classifier.plot import plot_terms

        return plot_terms(self._deciding(), self.task_, ax)


def texts_of(features: Features, X: Any) -> NDArray[Any]:
    """The texts of rows.

    Parameters
    ----------
    features : Features
        The column of texts.
    X : list, array or Series of n texts, or Rows
        The rows.

    Raises
    ------
    InvalidInput
        If they hold none.
    """
    if not features.text:
        raise InvalidInput(
            "A text classifier reads texts, and the rows are numbers or a table.",
            "Give a list of texts, or the column that holds them: X['text'].",
        )
    return features.texts(X)
