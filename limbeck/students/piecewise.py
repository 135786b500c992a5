"""What students share that cut rows into pieces (leaves, cells) and give each piece one value."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Rows
from limbeck.data.precision import float32_note
from limbeck.students.readable import Readable
from limbeck.students.targets import predicts_classes

__all__ = ["Finder", "Piecewise"]

Finder = Callable[[NDArray[np.float64]], NDArray[np.integer]]
"""From encoded rows (n, d) to the number of the piece in which each lies, shape (n,)."""


class Piecewise(Readable):
    """A student that looks up one value for each piece.

    It says by :meth:`_pieces` how rows find their pieces. Predicting goes through blocks of rows,
    so that no copy of all is made.
    """

    @abstractmethod
    def _pieces(self) -> tuple[Finder, NDArray[np.float64]]:
        """How rows find their pieces, and the values of the pieces, shape (pieces, k)."""

    def notes(self, rows: Rows) -> tuple[str, ...]:
        """Which columns float32 cannot tell apart, since pieces end only where it can."""
        return (float32_note(rows),)

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

    def _look_up(self, X: Any, find: Finder, answers: NDArray[Any]) -> NDArray[Any]:
        """For each row of X the entry of ``answers`` (pieces, ...) for its piece."""
        blocks = self.features_.blocks(X)
        found = [answers.take(find(block), axis=0) for block in blocks]
        return np.concatenate(found) if found else answers[:0]  # no rows, no answers
