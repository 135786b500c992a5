"""Labels with names, such as text, beside arrays: they become places among the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from limbeck.api.prepare.text_inside import Inside, text_inside
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.data.labels import (
    UNLABELLED,
    as_classes,
    classes_of,
    encode_labels,
    is_missing,
    label_array,
)
from limbeck.modules.batch import IGNORED
from limbeck.networks.datasets.collate import label_names
from limbeck.networks.datasets.text_labels import first_text, flattened, regrouped

__all__ = ["ClassNames", "Coded", "coded_labels"]

_LOOKED = 256  # rows that say whether there are several labels in each


@dataclass(frozen=True)
class ClassNames:
    """The classes that named labels are places in.

    Parameters
    ----------
    names : tuple of labels
        In the order of the codes.
    guessed : bool
        Whether the order is that of sorting alone.
    fixed : bool
        Whether outputs and labels stay as they are whatever the order: the teacher is asked by
        the names of its classes, or training labels are places already.
    """

    names: tuple[Any, ...]
    guessed: bool = False
    fixed: bool = False

    def refuse(self, task: Task) -> None:
        """Refuse names where numbers, or several labels per row, are predicted.

        Raises
        ------
        InvalidInput
            Names a label, and the task.
        """
        numbers = task.kind is TaskKind.REGRESSION or (
            task.kind is TaskKind.MULTILABEL and task.outputs > 1
        )
        if numbers and not all(isinstance(n, bool) for n in self.names):
            raise InvalidInput(
                f"Labels are names such as {self.names[0]!r}, and the task is {task.kind} with"
                f" {task.outputs} output{'s' * (task.outputs > 1)}.",
                f"Give a student with {len(self.names)} outputs, or labels that are numbers.",
            )


@dataclass(frozen=True, eq=False)
class Coded:
    """Data whose labels are numbers, and the classes where they had names."""

    data: Any
    y: Any
    validation: Any
    test: Any
    named: ClassNames | None = None
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[Any, ...] | None:
        """The classes, for labels that are text inside data sets; None where they are numbers."""
        return None if self.named is None else self.named.names


def coded_labels(
    data: Any,
    y: Any,
    validation: Any,
    test: Any,
    classes: Sequence[Any] | None,
    teacher: Any = None,
    students: Sequence[Any] = (),
) -> Coded:
    """Put places among the classes for labels that are text, booleans, categories or objects.

    The order is that of ``classes``; else that in which the teacher, or a student, names its own
    (``id2label``, ``classes_``); else that of pandas categories, of a data set's ``classes``, or
    of sorting. None and NaN mean that there is no label. Labels that are numbers are left as they
    are. Labels of places, such as tokens, are read alike. Text inside a data set stays there: it
    is read by the classes, see `Coded.names`, batch by batch.

    Parameters
    ----------
    data, y, validation, test : Any
        As in `limbeck.api.distill_network.compress`.
    classes : sequence, optional
        The classes in the order of the outputs.
    teacher, students : Any
        What may know names of classes.

    Raises
    ------
    InvalidInput
        If a label is none of the classes, or of another type than the others, or the classes of
        a data set of items are not known.
    """
    inside = text_inside(data) if y is None else None
    own = inside.labels if inside else _labels_of(data) if y is None else y
    sides = {"validation": validation, "test": test}
    text = {what: text_inside(side) for what, side in sides.items()}
    held = {what: t.labels if (t := text[what]) else _labels_of(side)
            for what, side in sides.items()}  # fmt: skip
    if not any(map(_is_named, (own, *held.values()))):
        return Coded(data, y, validation, test)
    named = _class_names(own, classes, teacher, students, inside)
    strict = classes is None or _is_named(own)
    coded = _coded(own, named, "the training labels", strict)
    if inside is None:
        data, y = (_with_labels(data, coded), None) if y is None else (data, coded)
    for what, labels in held.items():
        coded = _coded(labels, named, f"the {what} labels", strict)
        sides[what] = sides[what] if text[what] else _with_labels(sides[what], coded)
    if named is None:
        return Coded(data, y, sides["validation"], sides["test"])
    order = ", ".join(map(repr, named.names[:20])) + (", ..." if len(named.names) > 20 else "")
    note = f"Labels are names: the outputs stand for {order}, in this order."
    if named.guessed:
        note += " It is that of the sorted classes of the training labels; classes=[...] sets it."
    return Coded(data, y, sides["validation"], sides["test"], named, (note,))


def _class_names(
    y: Any,
    classes: Sequence[Any] | None,
    teacher: Any,
    students: Sequence[Any],
    inside: Inside | None,
) -> ClassNames | None:
    """The classes and where their order is from; None where training labels are plain numbers."""
    if classes is not None:
        names = as_classes(classes)
        return ClassNames(names, fixed=not _is_named(y) or _by_name(teacher, names))
    found = _found(y) if _is_named(y) else ()
    if not any(isinstance(c, str | bool) for c in found):
        return None
    if all(isinstance(c, bool) for c in found):
        return ClassNames((False, True))
    for model in (teacher, *students):
        told = _told(model)
        if set(found) <= set(told):
            return ClassNames(told, fixed=model is teacher and _by_name(teacher, told))
    if inside is not None and set(found) <= set(inside.classes):
        return ClassNames(inside.classes)
    if inside is not None and not inside.whole:
        raise InvalidInput(
            f"Labels in the data set are text, such as {found[0]!r}.",
            "Say the classes in the order of the outputs: classes=[...].",
        )
    return ClassNames(found, guessed=not hasattr(getattr(y, "dtype", None), "categories"))


def _found(y: Any) -> tuple[Any, ...]:
    y = flattened(y) if _nested(y) else y
    return classes_of(y, unlabelled=UNLABELLED, what="the training labels") or ()


def _by_name(teacher: Any, names: Sequence[Any]) -> bool:
    """Whether a model that is no network names these classes itself."""
    told = () if hasattr(teacher, "config") else _told(teacher)
    return len(told) > 0 and set(told) <= set(names)


def _told(model: Any) -> tuple[Any, ...]:
    """The classes that a model names itself, in its order; empty where it names none."""
    named = getattr(getattr(model, "config", None), "id2label", None)
    if named:
        return tuple(named[i] for i in sorted(named))
    own = getattr(model, "classes_", getattr(getattr(model, "task", None), "classes", None))
    return () if own is None else tuple(np.asarray(own, dtype=object).tolist())


def _coded(y: Any, named: ClassNames | None, what: str, strict: bool) -> Any:
    """Labels as places, -100 for none; numbers as they are where they may be places already."""
    if y is None or y is False or not (_is_named(y) or (named and strict)):
        return y
    if _nested(y):
        if first_text(y[:_LOOKED]) is None:
            return y
        found = regrouped(y, _coded(flattened(y), named, what, strict).tolist())
        return np.array(found) if isinstance(y, np.ndarray) else found
    values = label_array(y, what)
    missing = is_missing(values)
    text = any(isinstance(v, str) for v in values[~missing].tolist())
    if named is None or not (text or strict or any(isinstance(n, bool) for n in named.names)):
        if text:
            raise InvalidInput(
                f"There is {str(values[~missing][0])!r} in {what}, and the training labels are not"
                " names.",
                "Give all labels by name, or all as numbers; or say the classes: classes=[...].",
            )
        if missing.all():
            return np.full(len(values), IGNORED)
        return np.where(missing, np.nan, values).astype(np.float64) if missing.any() else values
    codes = encode_labels(y, named.names, unlabelled=UNLABELLED, what=what, owner="the classes")
    return np.where(codes < 0, IGNORED, codes)


def _is_named(y: Any) -> bool:
    """Whether labels are one per row and no plain numbers: text, booleans, categories or objects.

    Those of places, several a row, are where they are text.
    """
    if y is None or y is False or isinstance(y, str):
        return False
    if _nested(y):
        return first_text(y[:_LOOKED]) is not None
    kind = y.dtype if hasattr(y, "dtype") else None
    if isinstance(y, Tensor):
        return y.ndim == 1 and str(kind) == "torch.bool"
    if isinstance(kind, np.dtype) and kind.kind in "iufc":
        return False
    try:
        array = np.asarray(y, dtype=None if kind is not None else object)
    except (ValueError, TypeError):
        return False
    if array.ndim not in (1, 2) or array.shape[1:] not in ((), (1,)):
        return False
    if array.dtype != object:
        return array.dtype.kind not in "iufc"
    held = array.ravel()
    return not any(hasattr(v, "__len__") and not isinstance(v, str | bytes) for v in held) and (
        kind is not None or not all(isinstance(v, int | float) and v is not True for v in held)
    )


def _nested(y: Any) -> bool:
    """Whether there are several labels in a row."""
    if isinstance(y, np.ndarray) and y.dtype.kind in "UO":
        return y.ndim > 1 and y.shape[1:] != (1,)
    rows = y[:_LOOKED] if isinstance(y, list | tuple) else ()
    return any(isinstance(row, list | tuple | np.ndarray) and np.ndim(row) > 0 for row in rows)


def _labels_of(side: Any) -> Any:
    """The labels in a pair, or in arrays with names; None where there are none to be seen."""
    if isinstance(side, tuple) and len(side) == 2:
        return side[1]
    if isinstance(side, Mapping) and (names := label_names(side)):
        return side[names[0]]
    return None


def _with_labels(side: Any, labels: Any) -> Any:
    if labels is None or labels is _labels_of(side):
        return side
    if isinstance(side, tuple):
        return side[0], labels
    return {**side, label_names(side)[0]: labels}
