"""What a model's outputs are where it does not say so: from some of them, and from labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.task import Label
from limbeck.data.labels import read_labels
from limbeck.data.scores import KnownOutputs, OutputReading, read_scores
from limbeck.data.unlabelled import marked_classes

__all__ = ["FirstOutputs", "read_outputs"]


@dataclass(frozen=True)
class FirstOutputs:
    """Outputs of a model for some rows, and what else is seen of it.

    Parameters
    ----------
    values : ndarray of shape (n,) or (n, k)
        As the model returns them.
    name : str
        The model's, for messages.
    network : bool
        Whether it is a network, which returns no labels.
    sigmoid : bool
        Whether a network is seen to end in a sigmoid or softmax.
    note : str
        Which of several outputs was taken, where there was a choice.
    classes : tuple of labels, optional
        The classes, where the model names them.
    opened : object, optional
        What was opened for it, of which the teacher is made instead of the file.
    """

    values: NDArray[np.generic]
    name: str
    network: bool = False
    sigmoid: bool = False
    note: str = ""
    classes: tuple[Label, ...] | None = None
    opened: Any = None


def read_outputs(
    made: Any, obj: Any, y: Any, example: Any, options: dict[str, Any]
) -> tuple[OutputReading | None, Any]:
    """What the outputs are, and the model; without outputs, ``options`` tell as far as y does.

    Parameters
    ----------
    made : type
        The teacher's class, with ``first_outputs(obj, example, options, k)``, which may fill in
        options such as the output that it chose.
    obj : object
        The model.
    y : array-like or None
        True labels.
    example : rows or None
        Some rows.
    options : dict
        What was said; changed in place.
    """
    labels: tuple[Label, ...] | None = ()
    marks: tuple[int, ...] = ()
    if y is not None:
        read_labels(y, len(y), missing=True)  # refuses what is not one per row
        labels, marks = marked_classes(y)
    classes = options.get("classes") or labels or ()
    k = classes if isinstance(classes, int) else len(classes)
    first: FirstOutputs | None = made.first_outputs(obj, example, options, k)
    said = {n: options[n] for n in ("classes", "unit", "regression") if options.get(n)}
    if first is None:
        if not said and y is not None:
            options["classes"] = labels
            if labels is None:
                options["regression"] = True
        return None, obj
    if first.classes is not None and not said:
        said["classes"] = first.classes
    known = KnownOutputs(
        first.name, labels=labels, marks=marks, kind=options.get("score_kind"),
        network=first.network, sigmoid=first.sigmoid, **said,
    )  # fmt: skip
    read = read_scores(first.values, known)
    note = " ".join(n for n in (first.note, read.note) if n)
    return replace(read, note=note), obj if first.opened is None else first.opened
