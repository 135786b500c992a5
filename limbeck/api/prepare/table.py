"""What was asked for of a distillation from a table, its rows as they are, and their two sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.contract import Method, Teacher
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.core.texts import are_texts, as_texts
from limbeck.data.cases import read_column
from limbeck.data.class_weights import ClassWeight
from limbeck.data.duplicates import Rule
from limbeck.data.inputs import read_pair
from limbeck.data.labels import read_labels
from limbeck.data.text_files import holds_texts
from limbeck.evaluation.holdout import Apart, set_apart
from limbeck.results.distillation import check_saved_names
from limbeck.students.targets import read_weight

__all__ = ["Known", "LabelledRows", "Request", "read", "split"]


@dataclass(frozen=True, eq=False)
class Request:
    """What was asked for, before anything is read; the fields are `limbeck.distill`'s arguments.

    ``outputs`` are those that say what the teacher's outputs are: classes, regression, unit,
    score_kind, preprocess, output; None where they are to be found out. Of several ``candidates``
    that are certified on the same rows each gets an equal share of delta. ``seen`` are hashes of
    rows that a student on the way was made from before.
    """

    teacher: Any
    X: Any
    y: Any
    method: Method
    into: str
    epsilon: float
    delta: float
    seed: int
    holdout: Any = 0.3
    groups: Any = None
    cases: Any = None
    duplicates: Rule = "auto"
    sample_weight: Any = None
    class_weight: ClassWeight = None
    names: Sequence[str] | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    candidates: int = 1
    unlabelled: Any = None
    seen: NDArray[np.uint64] | None = None

    @property
    def by_class(self) -> bool:
        """Whether the groups of the certificate are the classes that the teacher predicts."""
        return isinstance(self.groups, str) and self.groups == "class"

    def chance(self, step: int) -> np.random.Generator:
        """The randomness of a step: 0 of the student, 1 of the control, 2 of the baselines."""
        return np.random.default_rng(self.seed).spawn(3)[step]


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """The rows as they were understood: without columns that are no features, labels as given."""

    X: Any
    y: NDArray[Any] | None
    labels: Any
    features: Features
    weight: NDArray[np.float64] | None
    weighing: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Known:
    """The teacher, the rows of both sides, and their labels in its classes."""

    teacher: Teacher
    apart: Apart
    features: Features
    weighing: Mapping[str, Any]
    fit_y: NDArray[Any] | None
    test_y: NDArray[Any] | None
    notes: tuple[str, ...]

    @property
    def task(self) -> Task:
        """What the teacher predicts."""
        return self.teacher.task


def read(request: Request) -> LabelledRows:
    """What the rows are; refuses what cannot be used, before any work.

    Raises
    ------
    InvalidInput
        With the argument that is wrong.
    """
    X, y = read_pair(request.X, request.y)
    if request.by_class and "class" in list(getattr(X, "columns", ())):
        raise InvalidInput(
            "groups is 'class', which may be a column of X or the classes of the teacher.",
            "Give groups=X['class'] for the column; rename it for the teacher's classes.",
        )
    weight = request.sample_weight
    if isinstance(weight, str):
        X, weight = _without(X, weight), read_column(weight, X, "weights")
    weight = None if weight is None else read_weight(weight, len(X))
    given = {"sample_weight": weight, "class_weight": request.class_weight}
    weighing = _weighing(request.method, **given)
    cases = request.cases
    rows = _without(X, cases) if isinstance(cases, str) else X
    reads_texts = getattr(request.method, "texts", False)
    features = _text_features(rows, request) if reads_texts else Features.of(rows, request.names)
    if features.text and not reads_texts:
        raise InvalidInput(
            f"The rows are texts, and {request.method.name!r} reads columns of numbers and"
            " categories.",
            "Give into='text_classifier', or columns that you make of the texts.",
        )
    check_saved_names(features.names, None if request.by_class else request.groups, cases)
    labels = read_labels(y, len(X), missing=True)
    return LabelledRows(X, labels, y, features, weight, weighing)


def split(request: Request, data: LabelledRows) -> Apart:
    """The rows that the method sees, and those of the certificate.

    Parameters
    ----------
    request : Request
        The arguments.
    data : LabelledRows
        All rows.
    """
    holdout = request.holdout
    if isinstance(holdout, tuple) and len(holdout) == 2:
        holdout = read_pair(*holdout)
    return set_apart(
        data.X,
        data.y,
        None if request.by_class else request.groups,
        holdout,
        request.seed,
        features=data.features,
        cases=request.cases,
        duplicates=request.duplicates,
        weight=data.weight,
    )


def _text_features(X: Any, request: Request) -> Features:
    """The columns of rows that are read as texts; a table of several is read as one text a row."""
    if hasattr(X, "columns") and hasattr(X, "iloc"):
        if len(X.columns) == 1:
            X = X.iloc[:, 0]
        elif any(holds_texts(X[name]) for name in X.columns):
            return Features.of_written(X)
    if not are_texts(X):
        raise InvalidInput(
            "The rows are no texts, and this student reads nothing else.",
            "Give a list of texts, or a student of numbers such as into='tree'.",
        )
    features = Features.of(X, request.names)
    if not any(text.strip() for text in as_texts(X)):
        raise InvalidInput(f"All {len(X):,} texts are empty.", "Give texts.")
    return features


def _without(X: Any, column: str) -> Any:
    """A table without a column that is no feature, such as one that names cases."""
    read_column(column, X, "cases")  # refuses what is not there
    return X.drop(columns=column)


def _weighing(method: Method, **given: Any) -> dict[str, Any]:
    """Weights that were given, or why the method cannot use them."""
    known = signature(method.distill).parameters
    for name, value in given.items():
        if value is not None and name not in known:
            raise InvalidInput(
                f"{name} was given, and the method {method.name!r} counts all rows alike.",
                f"Leave {name} out, or ask for into='tree' or into='junta'.",
            )
    return {name: value for name, value in given.items() if value is not None}
