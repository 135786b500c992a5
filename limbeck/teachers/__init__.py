"""What a distiller may see of a model: one file a kind of model, and ``as_teacher`` to choose it.

Each teacher is imported when first used, so that torch costs nothing to those without it.
"""

from __future__ import annotations

import builtins
import sys
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

from limbeck.contract import Teacher
from limbeck.data.labels import classes_of, read_labels
from limbeck.errors import InvalidInput, did_you_mean

if TYPE_CHECKING:
    from limbeck.teachers.callable import CallableTeacher
    from limbeck.teachers.sklearn import SklearnTeacher
    from limbeck.teachers.stored import StoredScores
    from limbeck.teachers.torch import TorchTeacher

__all__ = ["CallableTeacher", "SklearnTeacher", "StoredScores", "TorchTeacher", "as_teacher"]

_ROOMS = {
    "CallableTeacher": "callable",
    "SklearnTeacher": "sklearn",
    "StoredScores": "stored",
    "TorchTeacher": "torch",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def as_teacher(obj: Any, y: Any = None, **options: Any) -> Teacher:
    """Turn a model, or what a model once said, into a teacher.

    Parameters
    ----------
    obj : object
        A teacher, which is returned as it is; a torch module; a fitted scikit-learn estimator or
        pipeline; a function from rows to scores; or a pair ``(X, scores)``.
    y : array-like of shape (n,), optional
        The true labels. Where ``options`` do not say what is predicted, they do for modules and
        functions: labels give the classes, sorted; numbers, that is, fractions or more than 100
        different whole numbers, mean regression.
    **options
        Passed on to the teacher's class, for example ``classes``, ``score_kind``, ``preprocess``;
        and ``regression=True``, to say of any of them that it predicts a number.

    Raises
    ------
    InvalidInput
        If ``obj`` is none of these or has not been fitted, or an option is unknown.
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
    kind = _kind_of(obj)
    if kind in ("TorchTeacher", "CallableTeacher") and y is not None:
        said = options.get("regression") or options.get("unit")
        if not said and options.get("classes") is None:
            read_labels(y, len(y))  # refuses missing ones
            options["classes"] = classes_of(y)
            if options["classes"] is None and kind == "TorchTeacher":
                options["regression"] = True
    number = bool(options.get("regression"))
    if kind != "TorchTeacher":
        options.pop("regression", None)  # only a module does not know it by itself
    if number and kind == "StoredScores":
        options.setdefault("score_kind", "value")
    made = __getattr__(kind)
    known = list(signature(made).parameters)[1:]
    for option in options:
        if option not in known:
            raise InvalidInput(f"{kind} has no option {option!r}.", did_you_mean(option, known))
    teacher: Teacher = made(*obj, **options) if kind == "StoredScores" else made(obj, **options)
    if number and teacher.task.classifies:
        raise InvalidInput(
            f"{teacher.name} predicts classes, and regression=True was given.", "Leave it out."
        )
    return teacher


def _kind_of(obj: Any) -> str:
    torch = sys.modules.get("torch")  # who has a module has imported torch
    if torch is not None and isinstance(obj, torch.nn.Module):
        return "TorchTeacher"
    if hasattr(obj, "fit") and hasattr(obj, "predict"):
        return "SklearnTeacher"
    if isinstance(obj, tuple) and len(obj) == 2:
        return "StoredScores"
    if builtins.callable(obj):  # the plain name is that of a module here
        return "CallableTeacher"
    raise InvalidInput(
        f"A {type(obj).__name__} cannot be a teacher.",
        "Give a torch module, a fitted scikit-learn estimator or pipeline, a function from rows to"
        " scores, a pair (X, scores), or an object with the methods of limbeck.contract.Teacher.",
    )
