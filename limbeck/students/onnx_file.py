"""What the ONNX files of readable students share: their version, labels, and what columns mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.atomic_io import write_bytes
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput, MissingExtra
from limbeck.core.strict_json import strict_json
from limbeck.core.task import Task
from limbeck.students.files import fingerprint, head

__all__ = ["check_dtype", "label_array", "onnx_file", "require_onnx"]

_OPSET, _ML_OPSET, _IR = 21, 5, 10  # the oldest with TreeEnsemble: onnxruntime 1.20


def require_onnx() -> Any:
    """The package onnx.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtra(
            "Exporting to ONNX needs the package onnx.", "pip install 'limbeck[onnx]'."
        ) from None
    return onnx


def check_dtype(dtype: str) -> None:
    """Refuse a type of inputs that students are not exported for.

    Raises
    ------
    InvalidInput
        If it is neither float64 nor float32.
    """
    if dtype not in ("float64", "float32"):
        raise InvalidInput(f"dtype is {dtype!r}.", "Give 'float64' or 'float32'.")


def label_array(task: Task) -> NDArray[Any]:
    """The classes (k,) as ONNX holds them: text where they are a mixture, which has no dtype."""
    classes = task.labels
    if classes.dtype.kind in "UO":
        return np.array([str(c) for c in task.classes], dtype=object)
    return classes


def onnx_file(
    name: str,
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    constants: Sequence[Any],
    features: Features,
    task: Task,
    path: str | Path | None,
) -> Any:
    """The model of a graph; ``metadata_props`` say what its columns mean.

    They hold the columns with their levels (``limbeck.features``, JSON), the SHA-256 of these
    (``limbeck.features.sha256``), and ``limbeck.unit``.

    Parameters
    ----------
    name : str
        Of the graph.
    nodes, inputs, outputs, constants : sequence
        The parts of the graph, as `onnx.helper` makes them.
    features : Features
        The columns.
    task : Task
        What is predicted.
    path : str or Path, optional
        A file to write the model to as well.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    FileRefused
        If the file cannot be written.
    """
    from onnx import helper

    model = helper.make_model(
        helper.make_graph(nodes, name, inputs, outputs, constants),
        opset_imports=[
            helper.make_opsetid("", _OPSET),
            helper.make_opsetid("ai.onnx.ml", _ML_OPSET),
        ],
        ir_version=_IR,
        producer_name="limbeck",
    )
    columns = head(name, features, task)["features"]
    helper.set_model_props(
        model,
        {
            "limbeck.features": strict_json(columns, indent=None),
            "limbeck.features.sha256": fingerprint(columns),
            "limbeck.unit": task.unit,
        },
    )
    if path is not None:
        write_bytes(model.SerializeToString(), path)
    return model
