"""What a distiller may see of a model: one file a kind of model, and ``as_teacher`` to choose it.

Each teacher is imported when first used, so that torch costs nothing to those without it.
"""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from os import PathLike
from typing import TYPE_CHECKING, Any

from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.registry import TEACHERS
from limbeck.teachers.entry import entries
from limbeck.teachers.files import check_file, unknown_file
from limbeck.teachers.reading import read_outputs

if TYPE_CHECKING:
    from limbeck.teachers.boosters.catboost import CatBoostTeacher
    from limbeck.teachers.boosters.lightgbm import LightGBMTeacher
    from limbeck.teachers.boosters.xgboost import XGBoostTeacher
    from limbeck.teachers.callable import CallableTeacher
    from limbeck.teachers.endpoints.chat import Chat
    from limbeck.teachers.endpoints.endpoint import Endpoint
    from limbeck.teachers.ensemble import Ensemble
    from limbeck.teachers.onnx.teacher import OnnxTeacher
    from limbeck.teachers.sklearn import SklearnTeacher
    from limbeck.teachers.stored import StoredScores
    from limbeck.teachers.torch import TorchTeacher

__all__ = [
    "CallableTeacher",
    "CatBoostTeacher",
    "Chat",
    "Endpoint",
    "Ensemble",
    "LightGBMTeacher",
    "OnnxTeacher",
    "SklearnTeacher",
    "StoredScores",
    "TorchTeacher",
    "XGBoostTeacher",
    "as_teacher",
    "teacher_class",
]

_MODULES = {
    "CallableTeacher": "callable",
    "CatBoostTeacher": "boosters.catboost",
    "Ensemble": "ensemble",
    "LightGBMTeacher": "boosters.lightgbm",
    "OnnxTeacher": "onnx.teacher",
    "Chat": "endpoints.chat",
    "Endpoint": "endpoints.endpoint",
    "SklearnTeacher": "sklearn",
    "StoredScores": "stored",
    "TorchTeacher": "torch",
    "XGBoostTeacher": "boosters.xgboost",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    if name[:1].isupper():
        for _, made in TEACHERS.items():
            if made.__name__ == name:
                return made
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def as_teacher(obj: Any, y: Any = None, *, example: Any = None, **options: Any) -> Teacher:
    """Turn a model, or what a model once said, into a teacher.

    Parameters
    ----------
    obj : object
        A teacher, which is returned as it is; a torch module; a fitted scikit-learn estimator or
        pipeline; a function from rows to scores; a pair ``(X, scores)``; the path of a model's
        file, such as ``"model.onnx"``; or whatever else a registered kind accepts: `limbeck
        teachers` lists them (docs/teachers.md).
    y : array-like of shape (n,), optional
        The true labels. Where ``options`` do not say what is predicted, they do for all but
        estimators, together with the outputs: see `limbeck.data.labels.classes_of`.
    example : rows, optional
        Some rows about which a module or function is asked at once, so that its outputs tell what
        they are: see `limbeck.data.scores.read_scores`.
    **options
        Passed on to the teacher's class, for example ``classes``, ``score_kind``, ``preprocess``;
        and ``regression=True``, to say of any of them that it predicts a number.

    Returns
    -------
    Teacher
        What was guessed is in its ``note``.

    Raises
    ------
    InvalidInput
        If ``obj`` is none of these or has not been fitted, an option is unknown, or outputs may be
        read in two ways.
    FileRefused
        If it is the path of a file that is absent, unreadable or a pickle.
    MissingExtra
        If the package that the model needs is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from limbeck import as_teacher
    >>> teacher = as_teacher(lambda rows: rows[:, 0] > 0, classes=(False, True), score_kind="label")
    >>> teacher.scores(np.array([[1.0], [-1.0]])).shape
    (2, 2)
    """
    if isinstance(obj, type):
        raise InvalidInput(
            f"{obj.__name__} is a class and not a model.", f"Give a fitted {obj.__name__}(...)."
        )
    if isinstance(obj, Teacher):
        if options:
            raise InvalidInput(
                f"Options {sorted(options)} were given with a teacher that is already made.",
                "Give them where the teacher is made.",
            )
        return obj
    if hasattr(options.get("classes"), "tolist"):  # an array, such as an estimator's classes_
        options["classes"] = tuple(options["classes"].tolist())
    made = teacher_class(obj)
    make = _hook(made, "from_object") or made
    _check_options(made.__name__, make, options)
    if _hook(made, "first_outputs") is None:
        return _says_itself(made, make, obj, options)
    read, obj = read_outputs(made, obj, y, example, options)
    number = bool(options.pop("regression", False))
    if read is not None:
        options["classes"] = read.task.classes or None
        options["score_kind"] = read.kind if read.task.classifies else None
        number = not read.task.classifies
    if number and "regression" in signature(make).parameters:
        options["regression"] = True
    teacher = make(obj, **options)
    if read is not None:
        teacher.note, teacher.order_guessed = read.note, read.order_guessed
    found: Teacher = teacher
    return found


def teacher_class(obj: Any) -> Any:
    """The class of teachers that accepts a model, a file or the name of one.

    Every registered kind is asked by its ``accepts``; nothing is run or unpickled for that.

    Parameters
    ----------
    obj : object
        As `as_teacher` takes it.

    Raises
    ------
    FileRefused
        If it is a file that is not there, or a pickle.
    InvalidInput
        If no kind accepts it; lists what is known.
    """
    named = isinstance(obj, str | PathLike)
    if named:
        check_file(obj)
    for _, registered, _ in entries():
        if registered.accepts(obj):
            return registered.load() if hasattr(registered, "load") else registered
    if named:
        raise unknown_file(obj)
    raise InvalidInput(
        f"A {type(obj).__name__} cannot be a teacher.",
        "Give a torch module, a fitted scikit-learn estimator or pipeline, a function from rows to"
        " scores, a pair (X, scores), the path of a model's file, or an object with the methods"
        " of limbeck.core.contract.Teacher; `limbeck teachers` lists all kinds.",
    )


def _hook(made: Any, name: str) -> Any:
    """A hook of a class, unless it is inherited past a constructor that the class changed."""
    for cls in made.__mro__:
        if name in vars(cls):
            return getattr(made, name)
        if "__init__" in vars(cls):
            return None
    return None


def _check_options(name: str, make: Any, options: dict[str, Any]) -> None:
    known = [*list(signature(make).parameters)[1:], "regression"]
    for option in options:
        if option not in known:
            raise InvalidInput(f"{name} has no option {option!r}.", did_you_mean(option, known))


def _says_itself(made: Any, make: Any, obj: Any, options: dict[str, Any]) -> Teacher:
    """A teacher that says itself what it predicts."""
    takes = "regression" in signature(make).parameters
    number = not takes and options.pop("regression", False)
    teacher: Teacher = make(obj, **options)
    if number and teacher.task.classifies:
        raise InvalidInput(
            f"{teacher.name} predicts classes, and regression=True was given.", "Leave it out."
        )
    return teacher
