"""The plain models that a student must be worth its trouble against."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.contract import Status, Task
from limbeck.students.tree.greedy import expand

__all__ = ["LinearModel", "told_constant"]


@dataclass
class LinearModel:
    """A linear model of the teacher's answers on standardised, one-hot columns.

    Logistic regression for classes, ridge regression for numbers, both from scikit-learn.
    """

    features: Features
    task: Task
    model: Any = None

    def fit(
        self,
        values: NDArray[np.float64],
        answers: NDArray[Any],
        sample_weight: NDArray[np.float64] | None = None,
    ) -> LinearModel:
        """Fit on encoded rows (n, d), class indices or values (n,), and weights (n,).

        Parameters
        ----------
        values : ndarray of shape (n, d)
            Encoded rows.
        answers : ndarray of shape (n,)
            Class indices, or values.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression, Ridge
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        if len(np.unique(answers)) < 2:
            self.model = answers[0]
            return self
        last = LogisticRegression(max_iter=300) if self.task.classifies else Ridge()
        fill = SimpleImputer(keep_empty_features=True)
        self.model = make_pipeline(fill, StandardScaler(), last)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            named = {f"{type(last).__name__.lower()}__sample_weight": sample_weight}
            self.model.fit(expand(self.features, values)[0], answers, **named)
        return self

    def predict(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Class indices or values (n,) for encoded rows (n, d)."""
        if not hasattr(self.model, "predict"):
            return np.full(len(values), self.model)
        return np.asarray(self.model.predict(expand(self.features, values)[0]))

    @property
    def size(self) -> int:
        """The number of weights, intercepts included."""
        if not hasattr(self.model, "predict"):
            return 1
        last = self.model[-1]
        return int(np.size(last.coef_) + np.size(last.intercept_))


def told_constant(
    status: Status,
    predicted: NDArray[Any],
    answers: NDArray[Any],
    task: Task,
    epsilon: float,
    reached: bool,
) -> Status:
    """A status that calls a student that is a constant by this name; any other as it is.

    Parameters
    ----------
    status : Status
        How the search ended.
    predicted : ndarray of shape (n,)
        The student's class indices or values on the rows that the search saw.
    answers : ndarray of shape (m,)
        The teacher's class indices or values on the holdout rows.
    task : Task
        Classes, or regression.
    epsilon : float
        What was asked for.
    reached : bool
        Whether the certificate reaches it.
    """
    if (predicted != predicted[0]).any():
        return status
    meets = f"A constant {'meets' if reached else 'does not meet'} epsilon = {epsilon:g}"
    if task.classifies:
        share = float((answers == predicted[0]).mean())
        name = task.labels[predicted[0]]
        shown = repr(name.item() if isinstance(name, np.generic) else name)
        aside = f"all {len(answers):,} rows set aside"
        rows = f"{100 * share:.1f}% of rows" if share < 1 else aside
        said = f"{meets}: the teacher says {shown} on {rows}, and the student always does."
    else:
        said = f"{meets}: the student always says {float(predicted[0]):.4g}."
    if (answers == answers[0]).all():
        remedy = "Give more rows on which the teacher's answers differ."
    else:
        remedy = "For a student that tells rows apart ask for a smaller epsilon" + (
            ", or set leaves." if reached else ", or allow more leaves, or another kind of student."
        )
    return replace(status, message=f"{said} {status.message}", remedy=remedy)
