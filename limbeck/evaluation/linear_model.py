"""The linear model of a table: the plain baseline that a student must be worth its trouble beside.

That of a network is trained by the same loop as the network; see `limbeck.networks.linear_model`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.contract import Task
from limbeck.students.tree.greedy import expand

__all__ = ["LinearModel"]


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
