"""What a distiller may see of a model: one file a kind of model, and ``as_teacher`` to choose it.

Each teacher is imported when first used, so that torch costs nothing to those without it.
"""

from __future__ import annotations

import builtins
import sys
from dataclasses import replace
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

from limbeck.core.contract import Label, Teacher
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.registry import TEACHERS
from limbeck.data.labels import read_labels
from limbeck.data.scores import KnownOutputs, OutputReading, read_scores, read_table
from limbeck.data.unlabelled import marked_classes

if TYPE_CHECKING:
    from limbeck.teachers.callable import CallableTeacher
    from limbeck.teachers.sklearn import SklearnTeacher
    from limbeck.teachers.stored import StoredScores
    from limbeck.teachers.torch import TorchTeacher

__all__ = ["CallableTeacher", "SklearnTeacher", "StoredScores", "TorchTeacher", "as_teacher"]

_ASKED = ("preprocess", "batch_size", "device", "output")
_MODULES = {
    "CallableTeacher": "callable",
    "SklearnTeacher": "sklearn",
    "StoredScores": "stored",
    "TorchTeacher": "torch",
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
        pipeline; a function from rows to scores; a pair ``(X, scores)``; or a model that a
        registered teacher accepts (see docs/extend.md).
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
    for _, registered in TEACHERS.items():
        if registered.accepts(obj):
            _check_options(registered, options)
            own: Teacher = registered(obj, **options)
            return own
    kind = _kind_of(obj)
    made = __getattr__(kind)
    _check_options(made, options, "regression")
    if kind == "SklearnTeacher":
        return _estimator(made, obj, options)
    read = _read(kind, made, obj, y, example, options)
    number = bool(options.pop("regression", False))
    if read is not None:
        options["classes"] = read.task.classes or None
        options["score_kind"] = read.kind if read.task.classifies else None
        number = not read.task.classifies
    if number and kind == "TorchTeacher":
        options["regression"] = True
    if number and kind == "StoredScores":
        options["score_kind"] = "value"
    teacher = made(*obj, **options) if kind == "StoredScores" else made(obj, **options)
    if read is not None:
        teacher.note, teacher.order_guessed = read.note, read.order_guessed
    found: Teacher = teacher
    return found


def _check_options(made: Any, options: dict[str, Any], *more: str) -> None:
    known = [*list(signature(made).parameters)[1:], *more]
    for option in options:
        if option not in known:
            raise InvalidInput(
                f"{made.__name__} has no option {option!r}.", did_you_mean(option, known)
            )


def _estimator(made: Any, obj: Any, options: dict[str, Any]) -> Teacher:
    """An estimator, which says itself what it predicts."""
    number = options.pop("regression", False)
    teacher: Teacher = made(obj, **options)
    if number and teacher.task.classifies:
        raise InvalidInput(
            f"{teacher.name} predicts classes, and regression=True was given.", "Leave it out."
        )
    return teacher


def _read(
    kind: str, made: Any, obj: Any, y: Any, example: Any, options: dict[str, Any]
) -> OutputReading | None:
    """What the outputs are; without any, None, and ``options`` tell as far as y does."""
    labels: tuple[Label, ...] | None = ()
    marks: tuple[int, ...] = ()
    if y is not None:
        read_labels(y, len(y), missing=True)  # refuses what is not one per row
        labels, marks = marked_classes(y)
    said = {n: options[n] for n in ("classes", "unit", "regression") if options.get(n)}
    sigmoid, chosen = False, ""
    if kind == "StoredScores":
        outputs = read_table(obj[1])
    elif example is None:
        if not said and y is not None:
            options["classes"] = labels
            if labels is None:
                options["regression"] = True
        return None
    elif kind == "TorchTeacher":
        asked = {n: v for n, v in options.items() if n in _ASKED}
        looked = made(obj, regression=True, **asked)
        classes = options.get("classes") or labels or ()
        k = classes if isinstance(classes, int) else len(classes)
        looked.output, chosen = looked.find_output(example, k)
        if looked.output is not None:
            options["output"] = looked.output
        outputs, sigmoid = looked.look(example)
    else:
        asked = {n: v for n, v in options.items() if n in ("preprocess", "batch_size")}
        outputs = made(obj, **asked).look(example)
    plain = "stored scores" if kind == "StoredScores" else type(obj).__name__
    name = str(options.get("name") or getattr(obj, "__name__", plain))
    known = KnownOutputs(
        name, labels=labels, marks=marks, kind=options.get("score_kind"),
        network=kind == "TorchTeacher", sigmoid=sigmoid, **said,
    )  # fmt: skip
    read = read_scores(outputs, known)
    return replace(read, note=" ".join(n for n in (chosen, read.note) if n))


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
        " scores, a pair (X, scores), or an object with the methods"
        " of limbeck.core.contract.Teacher.",
    )
