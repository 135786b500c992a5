"""Rows in the user's form as the inputs of an ONNX file: by name, in their shapes and dtypes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.teachers.onnx.file import OnnxFile, OnnxInput

__all__ = ["feeds_of"]

Columns = Mapping[str, Sequence[Any]]


def feeds_of(file: OnnxFile, batch: Any, columns: Columns | None = None) -> dict[str, NDArray[Any]]:
    """What each input gets.

    Parameters
    ----------
    file : OnnxFile
        Its inputs are filled.
    batch : ndarray, DataFrame, mapping or tuple
        Some rows. A mapping or tuple holds the inputs themselves. One input takes all columns;
        several take the columns of a DataFrame that have their names.
    columns : mapping of str to sequence, optional
        For each input the names (of arrays: the positions) of its columns.

    Raises
    ------
    InvalidInput
        If an input has no rows, or rows of another shape or dtype.
    """
    inputs, name = file.inputs, file.path.name
    if isinstance(batch, Mapping):
        given = {i.name: _by_name(batch, i.name, list(batch), name) for i in inputs}
    elif isinstance(batch, tuple):
        if len(batch) != len(inputs):
            raise InvalidInput(
                f"{name} takes {len(inputs)} inputs, and {len(batch)} were given.",
                f"Give {', '.join(i.name for i in inputs)} in this order.",
            )
        given = dict(zip([i.name for i in inputs], batch, strict=True))
    elif columns is not None:
        known = list(columns)
        chosen = {i.name: _by_name(columns, i.name, known, name) for i in inputs}
        given = {n: _columns(batch, list(some), name) for n, some in chosen.items()}
    elif len(inputs) == 1:
        given = {inputs[0].name: batch}
    elif hasattr(batch, "columns"):
        known = [str(c) for c in batch.columns]
        given = {i.name: _one_column(batch, i, known, name) for i in inputs}
    else:
        raise InvalidInput(
            f"{name} takes {len(inputs)} inputs, {', '.join(map(_shown, inputs))}, and the rows are"
            " one array.",
            "Give a DataFrame whose columns have these names, inputs={'name': [columns]}, or a"
            " preprocess that returns a dictionary of arrays.",
        )
    return {i.name: _cast(given[i.name], i, name) for i in inputs}


def _by_name(held: Mapping[str, Any], wanted: str, known: list[Any], name: str) -> Any:
    if wanted not in held:
        raise InvalidInput(
            f"The input {wanted!r} of {name} was not given.",
            did_you_mean(wanted, [str(k) for k in known]),
        )
    return held[wanted]


def _one_column(batch: Any, one: OnnxInput, known: list[str], name: str) -> NDArray[Any]:
    """The column that an input is named after, as (n, 1) or (n,); or ``name[0]``, ``name[1]``..."""
    parts = [f"{one.name}[{j}]" for j in range(len(known))]
    several = [known.index(part) for part in parts if part in known]
    if several and one.name not in known:
        return np.asarray(batch.iloc[:, several]).reshape(
            len(batch), *(s or -1 for s in one.shape[1:])
        )
    if one.name not in known:
        raise InvalidInput(
            f"The input {one.name!r} of {name} is none of the columns"
            f" {', '.join(map(repr, known[:8]))}.",
            f"{did_you_mean(one.name, known)} Or give inputs={{{one.name!r}: [columns], ...}}.",
        )
    values = np.asarray(batch.iloc[:, known.index(one.name)])
    return values[:, None] if len(one.shape) == 2 else values


def _columns(batch: Any, some: list[Any], name: str) -> Any:
    if hasattr(batch, "columns"):
        absent = [c for c in some if c not in batch.columns]
        if absent:
            raise InvalidInput(
                f"There is no column {absent[0]!r} for {name}.",
                did_you_mean(str(absent[0]), [str(c) for c in batch.columns]),
            )
        return batch[some]
    return np.asarray(batch)[:, some]


def _cast(given: Any, one: OnnxInput, name: str) -> NDArray[Any]:
    """An array of the input's dtype and shape."""
    values = np.asarray(given)
    if one.dtype.startswith(("tensor", "seq", "map", "optional", "sparse")):
        raise InvalidInput(
            f"The input {one.name!r} of {name} is {one.dtype}, which rows cannot be.",
            "Export a model whose inputs are tensors.",
        )
    if one.dtype == "object":
        values = _text(values, one, name)
    elif values.dtype.kind not in "fiub":
        values = _numbers(given, values, one, name)
    if np.dtype(one.dtype).kind in "iu" and values.dtype.kind == "f":
        whole = np.isfinite(values) & (values == np.round(values))
        if not whole.all():
            raise InvalidInput(
                f"The input {one.name!r} of {name} takes whole numbers, and a row holds"
                f" {values[~whole][0]}.",
                "Round the column, or fill in what is missing.",
            )
    fits = len(values.shape) == len(one.shape) and all(
        size in (None, got) for size, got in zip(one.shape[1:], values.shape[1:], strict=True)
    )
    if one.shape and not fits:
        rows, wanted = values.shape[1:], tuple(s or "any" for s in one.shape[1:])
        raise InvalidInput(
            f"The input {one.name!r} of {name} takes rows of shape {wanted}, and these have shape"
            f" {rows}.",
            "Give the columns that the model was trained on, or preprocess=... to make them.",
        )
    return np.ascontiguousarray(values, dtype=one.dtype)


def _text(values: NDArray[Any], one: OnnxInput, name: str) -> NDArray[Any]:
    if values.dtype.kind in "fc" or any(not isinstance(v, str) for v in values.ravel()):
        odd = next(v for v in values.ravel().tolist() if not isinstance(v, str))
        raise InvalidInput(
            f"The input {one.name!r} of {name} takes text, and a row holds {odd!r}.",
            "Give text, and a text of its own where it is missing.",
        )
    return values.astype(object)


def _numbers(given: Any, values: NDArray[Any], one: OnnxInput, name: str) -> NDArray[Any]:
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        where = "the rows hold"
        for column in getattr(given, "columns", ()):
            if any(isinstance(v, str) for v in given[column].head(50)):
                where = f"column {str(column)!r} holds"
                break
        cells = values.ravel().tolist()
        odd = next((v for v in cells if isinstance(v, str)), cells[0])
        raise InvalidInput(
            f"The input {one.name!r} of {name} takes {one.dtype}, and {where} {odd!r}.",
            "Give preprocess=... that turns rows into numbers as the model was trained.",
        ) from None


def _shown(one: OnnxInput) -> str:
    return f"{one.name!r} {one.dtype} {tuple(s or 'n' for s in one.shape)}".replace("'n'", "n")
