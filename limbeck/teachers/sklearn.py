"""A fitted scikit-learn estimator, or one that behaves like it, as a teacher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, InvalidInput, TeacherFailed
from limbeck.core.registry import TEACHERS
from limbeck.core.task import Label, Task
from limbeck.data.labels import class_codes
from limbeck.teachers.closed import Closed
from limbeck.teachers.entry import TeacherEntry

__all__ = ["SklearnTeacher"]

Way = Literal["predict_proba", "decision_function", "predict"]
_KINDS = {
    "predict_proba": ScoreKind.PROBABILITY,
    "decision_function": ScoreKind.LOGIT,
    "predict": ScoreKind.LABEL,
}


@TEACHERS.register("sklearn")
class SklearnTeacher(Closed):
    """An estimator or pipeline that is fitted and answers any row.

    A classifier gives probabilities where it has ``predict_proba``, else the values of its
    ``decision_function`` as logits, else labels. A regressor gives its values.

    Parameters
    ----------
    estimator : object
        With ``predict``, and, for a classifier, ``classes_``. Detectors of outliers count as
        classifiers with the classes -1 and 1.
    method : {"predict_proba", "decision_function", "predict"}, optional
        Which answers to take. Choose ``"predict"`` where the label is not that of the largest
        probability: for ``SVC(probability=True)``, or a classifier with a threshold of its own
        (those of scikit-learn are recognised).
    unit : str
        The unit of a predicted number.
    preprocess : callable, optional
        From the user's rows to what the estimator takes, such as ``ColumnTransformer.transform``.
    name : str, optional
        By default the name of the estimator's class, of a pipeline's last step.

    Raises
    ------
    InvalidInput
        If the estimator is not fitted, predicts no classes or numbers, or lacks ``method``.
    """

    entry = TeacherEntry(
        "a fitted scikit-learn estimator or pipeline, or one that behaves like it",
        "limbeck.distill(sklearn.linear_model.LogisticRegression().fit(X, y), X)",
        order=1,
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it can be fitted and predicts."""
        return hasattr(model, "fit") and hasattr(model, "predict")

    def __init__(
        self,
        estimator: Any,
        *,
        method: Way | None = None,
        unit: str = "",
        preprocess: Callable[[Any], Any] | None = None,
        name: str | None = None,
    ) -> None:
        _check_fitted(estimator)
        self.estimator = estimator
        self.preprocess = preprocess
        last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
        self.name = name or type(last).__name__
        classes = _classes(estimator)
        if len(classes) == 1:
            raise InvalidInput(
                f"{self.name} knows one class only, {classes[0]!r}: it answers every row alike.",
                "Give a teacher that was trained on two classes or more.",
            )
        self.task = Task(classes) if classes else Task(unit=unit)
        self.method: str = (method or _best_way(estimator, len(classes))) if classes else "predict"
        if not hasattr(estimator, self.method):
            raise InvalidInput(
                f"{self.name} has no {self.method}.", "Leave method out to take what it has."
            )
        self.score_kind = _KINDS[self.method] if classes else ScoreKind.VALUE
        self.access = Access.SCORES | Access.QUERIES

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Scores of shape (n, k); a binary decision value z becomes (0, z).

        Raises
        ------
        TeacherFailed
            If the estimator raises, or does not answer each row with finite numbers.
        """
        n, classes = np.shape(X)[0], self.task.classes
        try:
            taken = self.preprocess(X) if self.preprocess else X
            raw = np.asarray(getattr(self.estimator, self.method)(taken))
        except Exception as error:
            raise TeacherFailed(
                f"{self.name} raised {type(error).__name__} on rows 0 to {n - 1}: {error}",
                f"Call its {self.method} on these rows by itself.",
            ) from error
        if raw.ndim == 2 and raw.shape[1] == 1:
            raw = raw[:, 0]
        if self.score_kind is ScoreKind.LABEL and raw.ndim == 1:
            codes = class_codes(raw, classes)
            if (codes < 0).any():
                raise TeacherFailed(
                    f"{self.name} answered {raw[codes < 0].tolist()[0]!r}, which is none of its"
                    f" classes {list(classes)[:8]}.",
                    f"Call its {self.method} on these rows by itself.",
                )
            raw = np.eye(len(classes))[codes]
        elif classes and raw.ndim == 1:
            raw = np.column_stack([np.zeros(len(raw)), raw])
        elif raw.ndim == 1:
            raw = raw[:, None]
        if raw.shape != (n, len(classes) or 1):
            raise TeacherFailed(
                f"{self.name} answered {n} rows with shape {raw.shape}.",
                "Use a model with one column per class, or with one predicted number.",
            )
        scores = raw.astype(np.float64)
        if not np.isfinite(scores).all():
            bad = int(np.flatnonzero(~np.isfinite(scores).all(axis=1))[0])
            raise TeacherFailed(
                f"{self.name} gave a score that is not a finite number for row {bad}.",
                "Drop such rows, or mend the model.",
            )
        return scores

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(
            f"{self.name} is asked through scikit-learn, which shows no {what}.",
            "Use a method that asks for scores only.",
        )


def _check_fitted(estimator: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if isinstance(estimator, type) or not hasattr(estimator, "predict"):
        raise InvalidInput(
            f"{estimator!r} cannot predict.", "Give a fitted classifier, regressor or pipeline."
        )
    if not hasattr(estimator, "__sklearn_tags__"):
        return  # no relation of scikit-learn's: it says itself, when asked, what it lacks
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise InvalidInput(
            f"{type(estimator).__name__} is not fitted.", "Call its fit(X, y) first."
        ) from None


def _classes(estimator: Any) -> tuple[Label, ...]:
    """The classes; none for a regressor."""
    found = getattr(estimator, "classes_", None)
    if isinstance(found, list) and found and np.ndim(found[0]) > 0:
        raise InvalidInput(
            f"{type(estimator).__name__} predicts {len(found)} outputs, each with classes.",
            "Distil one output at a time.",
        )
    if found is not None:
        return tuple(np.asarray(found).tolist())
    tags = estimator.__sklearn_tags__() if hasattr(estimator, "__sklearn_tags__") else None
    kind = getattr(tags, "estimator_type", "regressor")
    if kind == "outlier_detector":
        return (-1, 1)
    if kind == "clusterer":
        raise InvalidInput(
            f"{type(estimator).__name__} predicts neither classes nor numbers.",
            "Wrap its predict as CallableTeacher(model.predict, classes=[...]).",
        )
    return ()


def _best_way(estimator: Any, k: int) -> Way:
    own_threshold = ("FixedThresholdClassifier", "TunedThresholdClassifierCV")
    if type(estimator).__name__ in own_threshold:
        return "predict"
    if hasattr(estimator, "predict_proba"):
        return "predict_proba"
    settings = estimator.get_params() if hasattr(estimator, "get_params") else {}
    pairwise = k > 2 and any(
        name.endswith("decision_function_shape") and value == "ovo"
        for name, value in settings.items()
    )  # one column a pair of classes, not a class
    if hasattr(estimator, "decision_function") and not pairwise:
        return "decision_function"
    return "predict"
