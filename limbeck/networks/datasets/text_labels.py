"""Labels that are text, inside the items of a data set: they become places among the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.data.labels import UNLABELLED, encode_labels
from limbeck.modules.batch import IGNORED

__all__ = ["first_text", "flattened", "places_of_text", "regrouped"]

_NUMBERS = {int, float, bool, Tensor}
Names = tuple[Any, ...] | None
"""The classes in their order; None where they are not known; empty where no label is read."""


def first_text(value: Any) -> str | None:
    """The first text in a label, or in labels of places; None where they are no text."""
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist() if value.dtype.kind in "UO" else ()
    if not isinstance(value, list | tuple):
        return None
    return next((found for v in value if (found := first_text(v)) is not None), None)


def flattened(labels: Sequence[Any]) -> list[Any]:
    """Labels one after another, of rows of labels those of all places."""
    rows = labels.tolist() if isinstance(labels, np.ndarray) else labels
    return [v for row in rows for v in (flattened(row) if _several(row) else [row])]


def regrouped(labels: Sequence[Any], flat: Sequence[Any]) -> list[Any]:
    """What `flattened` made, again row by row in the form of the labels.

    Parameters
    ----------
    labels : sequence
        Labels per row, each one label or several.
    flat : sequence
        What became of the labels, one after another.
    """
    left = iter(flat)

    def like(rows: Any) -> list[Any]:
        return [like(row) if _several(row) else next(left) for row in rows]

    return like(labels.tolist() if isinstance(labels, np.ndarray) else labels)


def places_of_text(labels: Sequence[Any], names: Names) -> Sequence[Any]:
    """Labels of a batch: places among the classes where they are text, else as they are.

    Parameters
    ----------
    labels : sequence
        One per row: text, a number, None, or a sequence of them, one for each place.
    names : tuple or None
        The classes in the order of the outputs. Without any the labels stay as they are.

    Raises
    ------
    InvalidInput
        If a text is none of the classes, or these are not known.
    """
    if names == () or isinstance(labels, Tensor) or _NUMBERS.issuperset(map(type, labels)):
        return labels  # at once, since this is on the way of every batch
    found = first_text(list(labels))
    if found is None:
        return labels
    if names is None:
        raise InvalidInput(
            f"Labels in the data set are text, such as {found!r}.",
            "Say the classes in the order of the outputs: classes=[...].",
        )
    codes = encode_labels(flattened(labels), names, unlabelled=UNLABELLED, what="the labels",
                          owner="the classes")  # fmt: skip
    return regrouped(labels, np.where(codes < 0, IGNORED, codes).tolist())


def _several(row: Any) -> bool:
    return isinstance(row, list | tuple | np.ndarray)
