"""What a model's outputs are: labels, probabilities, logits or numbers to be predicted.

It is read from the outputs for some rows, from what was said, and from the true labels. What was
guessed is put in words; a guess that could well be wrong, and would change the answers, is
refused with both readings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.task import Label, Task
from limbeck.data.labels import as_classes, class_codes, classes_of, label_array

__all__ = [
    "KnownOutputs",
    "OutputReading",
    "read_scores",
    "read_table",
    "score_kind_of",
    "sums_to_one",
    "within_one",
]

Classes = tuple[Label, ...]
_KINDS = {
    ScoreKind.LOGIT: ("logit", "logits"),
    ScoreKind.PROBABILITY: ("probability", "probabilities"),
}


@dataclass(frozen=True)
class KnownOutputs:
    """What is known of a model's outputs before they are looked at.

    Parameters
    ----------
    name : str
        The model's, for messages.
    classes : sequence of labels or int, optional
        The classes in the order of the outputs, as they were given.
    labels : tuple of labels or None
        The classes in the true labels; None where these are numbers, empty where there are none.
    marks : tuple of int
        Those of -1 and -100 that stand in the true labels and may mean "no label".
    kind : ScoreKind or str, optional
        What the outputs are.
    regression : bool
        Whether a number is predicted.
    unit : str
        The unit of that number; it implies regression.
    network : bool
        Whether the model is a network, which returns no labels.
    sigmoid : bool
        Whether the network is seen to end in a sigmoid or softmax.
    """

    name: str
    classes: Any = None
    labels: Classes | None = ()
    marks: tuple[int, ...] = ()
    kind: ScoreKind | str | None = None
    regression: bool = False
    unit: str = ""
    network: bool = False
    sigmoid: bool = False


@dataclass(frozen=True)
class OutputReading:
    """The task, the kind of the scores, and in words what of it was guessed (empty: nothing).

    ``order_guessed`` says that nothing but a guess tells which output is which class.
    """

    task: Task
    kind: ScoreKind
    note: str = ""
    order_guessed: bool = False


def score_kind_of(kind: ScoreKind | str) -> ScoreKind:
    """The kind of score that was given by name.

    Raises
    ------
    InvalidInput
        If there is no such kind.
    """
    if kind not in set(ScoreKind):
        raise InvalidInput(
            f"score_kind is {str(kind)!r}.", did_you_mean(str(kind), [str(k) for k in ScoreKind])
        )
    return ScoreKind(kind)


def read_table(scores: Any) -> NDArray[Any]:
    """Stored outputs as an array (n,) or (n, k); tensors too.

    Parameters
    ----------
    scores : array-like
        Labels, numbers, or one column per class.
    """
    shape = np.shape(scores.detach().cpu() if hasattr(scores, "detach") else scores)
    if len(shape) < 2 or shape[1:] == (1,):
        return label_array(scores, "scores")
    return np.asarray(scores.detach().cpu() if hasattr(scores, "detach") else scores)


def within_one(outputs: NDArray[Any]) -> bool:
    """Whether all numbers are between 0 and 1, within their rounding."""
    slack = 1e-2 if outputs.dtype.itemsize < 4 else 1e-4
    return bool((outputs >= -1e-9).all() and (outputs <= 1 + slack).all())


def sums_to_one(outputs: NDArray[Any]) -> bool:
    """Whether each row (last axis) is a distribution: between 0 and 1, with sum 1."""
    slack = 1e-2 if outputs.dtype.itemsize < 4 else 1e-4
    sums = outputs.astype(np.float64).sum(axis=-1)
    return within_one(outputs) and bool((np.abs(sums - 1) <= slack).all())


def read_scores(outputs: NDArray[Any], known: KnownOutputs) -> OutputReading:
    """What outputs are.

    Parameters
    ----------
    outputs : ndarray of shape (n,) or (n, k)
        A model's outputs for some rows.
    known : KnownOutputs
        What is known of the model.

    Returns
    -------
    OutputReading
        Several columns are probabilities where each row is a distribution, and logits elsewhere.
        One column of text, booleans, 0 and 1, or labels of y is labels; of fractions in [0, 1] it
        is the probability of the second of two classes; else it is a number to be predicted.

    Raises
    ------
    InvalidInput
        If two readings are possible, with both; or if what was said does not fit.
    """
    if outputs.ndim == 2 and outputs.shape[1] == 1:
        outputs = outputs[:, 0]
    if outputs.dtype.kind == "f":  # the teacher refuses such rows itself, with their numbers
        finite = np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1)
        outputs = outputs[finite] if finite.any() else outputs
    if known.regression or known.unit or known.kind == ScoreKind.VALUE:
        return _number(known)
    if outputs.ndim == 2:
        return _table(outputs, known)
    if known.labels and not known.network and (class_codes(outputs, known.marks) >= 0).any():
        known = replace(known, labels=(*sorted(known.marks), *known.labels), marks=())
    if outputs.dtype.kind not in "fiu" or known.kind == ScoreKind.LABEL:
        return _labels(outputs, known)
    return _column(outputs, known)


def _number(known: KnownOutputs) -> OutputReading:
    if known.classes is not None or known.kind not in (None, ScoreKind.VALUE):
        given = f"classes={known.classes!r}" if known.kind is None else f"score_kind={known.kind!s}"
        raise InvalidInput(
            f"{given} was given for {known.name}, of which a number was asked.",
            "Give only what is predicted: classes=[...], or regression=True.",
        )
    return OutputReading(Task(unit=known.unit), ScoreKind.VALUE)


def _table(outputs: NDArray[Any], known: KnownOutputs) -> OutputReading:
    """Of k columns."""
    k = outputs.shape[1]
    if outputs.dtype.kind not in "fiub":
        raise InvalidInput(
            f"{known.name} returned {outputs.dtype} of shape (n, {k}), which are not numbers.",
            "Let it return numbers, or one label per row.",
        )
    if known.labels is None and known.classes is None:
        raise InvalidInput(
            f"{known.name} has {k} outputs, and y holds numbers.",
            f"Give classes=[...] of its {k} outputs, or a teacher with one number per row.",
        )
    labels = known.labels or ()
    numbered = len(labels) != k and set(labels) <= set(range(k))  # as when y lacks a class
    guessed = tuple(range(k)) if numbered else labels
    classes = guessed if known.classes is None else as_classes(known.classes)
    if len(classes) != k:
        raise InvalidInput(
            f"{known.name} has {k} output(s) for {len(classes)} classes {list(classes)[:8]}.",
            "Give classes=[...] in the order of the outputs.",
        )
    kind = known.kind
    if kind is None:
        kind = ScoreKind.PROBABILITY if sums_to_one(outputs) else ScoreKind.LOGIT
    return _of_scores(f"The {k} outputs", score_kind_of(kind), classes, known)


def _labels(outputs: NDArray[Any], known: KnownOutputs) -> OutputReading:
    """Of labels, each of which says itself which class it is."""
    if known.kind not in (None, ScoreKind.LABEL):
        raise InvalidInput(
            f"score_kind is {str(known.kind)!r}, and {known.name} returns labels such as"
            f" {outputs.tolist()[0]!r}.",
            "Leave score_kind out, or let it return scores.",
        )
    labels = known.labels or ()
    two = labels if known.classes is None else as_classes(known.classes)
    if outputs.dtype == np.bool_ and len(two) == 2 and not set(two) <= {False, True}:
        return _one_score(ScoreKind.PROBABILITY, two, known)  # True is the second class
    if known.classes is not None:
        return OutputReading(Task(two), ScoreKind.LABEL)
    own = classes_of(label_array(outputs), what=f"the answers of {known.name}")
    if own is None:
        own = tuple(np.unique(outputs).tolist())
    if set(own) <= {False, True} and not labels:
        own = (False, True) if outputs.dtype == np.bool_ else (0, 1)
    if labels and own and not set(own) & set(labels):
        raise InvalidInput(
            f"{known.name} answers with {own[0]!r}, and y holds {labels[0]!r}: no label in common.",
            "Let it return labels of y or scores, or give y in its labels.",
        )
    return _of_labels((*labels, *(c for c in own if c not in labels)), known)


def _column(values: NDArray[Any], known: KnownOutputs) -> OutputReading:
    """Of one column of numbers."""
    classes = known.labels if known.classes is None else as_classes(known.classes)
    if known.kind is not None:
        return _one_score(ScoreKind(known.kind), classes or (0, 1), known)
    if not known.network:
        if classes and (class_codes(values, classes) >= 0).all():
            return _of_labels(classes, known)
        if not classes and bool(((values == 0) | (values == 1)).all()):
            return _of_labels((0, 1), known)
        if classes == () and (own := classes_of(values)):
            if values.dtype.kind in "iu":
                return _of_labels(own, known)
            raise _two_readings(
                f"{known.name} returns whole numbers such as {values[0]:g}",
                ("labels of classes", f"classes={list(own[:4])}"),
                ("amounts", "regression=True"),
            )
        if known.classes is not None and values.dtype.kind in "iu":
            return _of_labels(as_classes(known.classes), known)  # refused later, row by row
    if classes is not None and len(classes) == 2:
        return _one_score(_kind_for_two(values, known, classes), classes, known)
    if classes and (known.classes is not None or any(isinstance(c, str | bool) for c in classes)):
        raise InvalidInput(
            f"{known.name} has one output, {values[0]:.4g} for the first row, for {len(classes)}"
            f" classes {list(classes)[:8]}.",
            "Let it return a score for each class, or labels.",
        )
    if classes == () and (known.network or within_one(values)):
        second = "the probability" if within_one(values) else "the logit"
        raise _two_readings(
            f"{known.name} has one output, {values[0]:.4g} for the first row",
            (f"{second} of the second of two classes", "classes=[first, second]"),
            ("a number to be predicted", "regression=True"),
        )
    note = f"The output of {known.name} was read as a number to be predicted. {_remedy('classes')}"
    return OutputReading(Task(), ScoreKind.VALUE, note)


def _kind_for_two(values: NDArray[Any], known: KnownOutputs, classes: Classes) -> ScoreKind:
    """What one number is, where there are two classes."""
    first = f"{known.name} has one output, {values[0]:.4g} for the first row"
    if within_one(values):
        # As logits these would be the second class everywhere.
        crosses = bool((values > 0.5).any() and (values < 0.5).any())
        if known.sigmoid or crosses or not known.network:
            return ScoreKind.PROBABILITY
        raise _two_readings(
            f"{first} and between 0 and 1 for all {len(values)} rows",
            (f"the probability of {classes[1]!r}", "score_kind='probability'"),
            ("its logit", "score_kind='logit'"),
        )
    if known.network and not (known.marks and known.classes is None):
        return ScoreKind.LOGIT
    beside = f", and y holds {known.marks[0]} beside {_listed(classes)}" if known.marks else ""
    raise _two_readings(
        first + beside,
        (f"the logit of {classes[1]!r}", "score_kind='logit'"),
        ("a number to be predicted", "regression=True"),
    )


def _one_score(kind: ScoreKind, classes: Classes, known: KnownOutputs) -> OutputReading:
    """Of one column of probabilities or logits, which belongs to the second class."""
    if len(classes) != 2:
        raise InvalidInput(
            f"{known.name} has 1 output(s) for {len(classes)} classes {list(classes)[:8]}.",
            "Let it return one score for each class, or give classes=[first, second].",
        )
    return _of_scores("The output", kind, classes, known)


def _of_scores(what: str, kind: ScoreKind, classes: Classes, known: KnownOutputs) -> OutputReading:
    one = what == "The output"
    singular, plural = _KINDS.get(kind, ("label", "labels"))
    names = f"the {singular} of {classes[1]!r}" if one else plural
    listed = _listed(classes) + (" (sorted, from y)" if known.labels == classes else "")
    open_ = [n for n in ("classes", "kind") if getattr(known, n) is None]
    note = (
        f"{what} of {known.name} {'was' if one else 'were'} read as {names}, with the"
        f" classes {listed} in this order. {_remedy(*open_)}"
    )
    return OutputReading(Task(classes), kind, note if open_ else "", known.classes is None)


def _of_labels(classes: Classes, known: KnownOutputs) -> OutputReading:
    if -1 in known.marks and known.classes is None and not any(isinstance(c, str) for c in classes):
        raise _two_readings(
            f"{known.name} answers with labels such as {_listed(classes)}, and y also holds -1",
            ("no label", f"classes={list(classes)}"),
            ("a class that it did not answer with", f"classes={[-1, *classes]}"),
        )
    note = (
        f"The answers of {known.name} were read as labels of the classes {_listed(classes)}."
        f" {_remedy('classes', 'regression')}"
    )
    return OutputReading(Task(classes), ScoreKind.LABEL, "" if known.classes is not None else note)


def _remedy(*open_: str) -> str:
    said = {"classes": "classes=[...]", "kind": "score_kind=...", "regression": "regression=True"}
    return f"Give {' or '.join(said[name] for name in open_)} if that is wrong."


def _listed(classes: Classes) -> str:
    return ", ".join(map(repr, classes[:6])) + (", ..." if len(classes) > 6 else "")


def _two_readings(what: str, one: tuple[str, str], two: tuple[str, str]) -> InvalidInput:
    return InvalidInput(
        f"{what}, which may be {one[0]} or {two[0]}.",
        f"Give {one[1]} for {one[0]}, or {two[1]} for {two[0]}.",
    )
