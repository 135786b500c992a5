"""A teacher that is a column of stored scores in the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.networks.teachers.outside import lines_of, without

__all__ = ["score_column"]


def score_column(teacher: Any, data: Any, validation: Any, test: Any) -> tuple[Any, Any, Any, Any]:
    """Take the column that a teacher names out of the data; other teachers are left as they are.

    Parameters
    ----------
    teacher : Any
        Where it is text and no ``.onnx`` file, the name of a column.
    data, validation, test : Any
        Hugging Face data sets, or mappings of columns; each that is there must hold the scores.

    Returns
    -------
    teacher : Any
        Rows and their scores.
    data, validation, test : Any
        Without the column.

    Raises
    ------
    InvalidInput
        If there is no such column.
    """
    if not isinstance(teacher, str) or teacher.endswith(".onnx"):
        return teacher, data, validation, test
    sides = {"training": data, "validation": validation, "test": test}
    rows, scores = [], []
    for what, side in sides.items():
        if side is None or isinstance(side, float | int):
            continue
        columns = getattr(side, "column_names", list(side) if isinstance(side, Mapping) else None)
        if columns is None or teacher not in columns:
            raise InvalidInput(
                f"The teacher is {teacher!r}, and the {what} rows have no column of that name.",
                did_you_mean(teacher, map(str, columns))
                if columns
                else "Give the teacher itself, or its scores as an array, one line for each row.",
            )
        plain = side.with_format(None)[:] if hasattr(side, "with_format") else side
        sides[what] = without(side, teacher)
        rows.append(lines_of(sides[what]))
        scores.append(np.asarray(plain[teacher]))
    stored = np.concatenate(rows), np.concatenate(scores)
    return stored, sides["training"], sides["validation"], sides["test"]
