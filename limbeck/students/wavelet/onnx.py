"""A wavelet student as an ONNX model that gives the same answers in onnxruntime."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import InvalidInput, MissingExtra
from limbeck.core.strict_json import strict_json
from limbeck.core.task import Task
from limbeck.students.additive.additive import Additive
from limbeck.students.files import fingerprint, head
from limbeck.students.wavelet.readout import LinearReadout
from limbeck.students.wavelet.strongest import Strongest

__all__ = ["to_onnx"]

_OPSET, _IR = 21, 10  # as for trees: onnxruntime 1.20
_MOST_INPUTS = 4096  # the transform is written as a matrix


def to_onnx(student: Any, path: str | Path | None = None) -> Any:
    """Export a wavelet student.

    The input ``rows`` is float64 of shape (n, d), a signal per row. Outputs are ``label`` (n,) and
    ``probabilities`` (n, k), or ``value`` (n,) for regression, in float64. The columns are in the
    ``metadata_props``, as in :func:`limbeck.students.tree.onnx.to_onnx`. NaN is not refused: its
    answers are NaN.

    Parameters
    ----------
    student : WaveletStudent
        A fitted student.
    path : str or Path, optional
        A file to write the model to as well.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    MissingExtra
        If onnx is not installed.
    InvalidInput
        If signals have more than 4096 numbers.
    FileRefused
        If the file cannot be written.
    """
    try:
        from onnx import helper
    except ImportError:
        raise MissingExtra(
            "Exporting to ONNX needs the package onnx.", "pip install 'limbeck[onnx]'."
        ) from None
    transform, task = student.decomposition_, student.task_
    d = math.prod(transform.shape)
    if d > _MOST_INPUTS:
        raise InvalidInput(
            f"Signals of {d} numbers would make a matrix of {d} x {transform.bands[-1].stop}.",
            f"Export students of signals with up to {_MOST_INPUTS} numbers, or use predict.",
        )
    graph = _Graph()
    sums = _readout(graph, _coefficients(graph, student, d), student.readout_)
    outputs = _classes(graph, sums, task) if task.classifies else [_value(graph, sums)]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "wavelet", [_double("rows", "n", d)], outputs, graph.constants
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="limbeck",
    )
    columns = head("wavelet", student.features_, task)["features"]
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


class _Graph:
    """Nodes and constants under names of their own."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: str | NDArray[Any], to: str = "", **settings: Any) -> str:
        """One more node; arrays become constants. Returns the name of its first output."""
        from onnx import helper

        names = [i if isinstance(i, str) else self._constant(i) for i in inputs]
        name = to or f"t{len(self.nodes)}"
        if "to_type" in settings:
            settings["to"] = settings.pop("to_type")
        if kind == "TopK":
            self.nodes.append(helper.make_node(kind, names, [name, f"{name}_at"], **settings))
        else:
            self.nodes.append(helper.make_node(kind, names, [name], **settings))
        return name

    def _constant(self, array: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name


def _coefficients(graph: _Graph, student: Any, d: int) -> str:
    """The coefficients (n, m) that the student reads: at fixed places, or the largest."""
    transform, strongest = student.decomposition_, student.strongest_
    matrix = transform.matrix
    matrix = transform.forward(np.eye(d)) if matrix is None else matrix
    if strongest.keep == "place":
        return graph.add("MatMul", "rows", matrix[:, strongest.places])
    return _largest(graph, graph.add("MatMul", "rows", matrix), strongest)


def _value(graph: _Graph, sums: str) -> Any:
    """The output of a regression: the sums, one number a row."""
    graph.add("Reshape", sums, np.array([-1]), to="value")
    return _double("value", "n")


def _classes(graph: _Graph, sums: str, task: Task) -> list[Any]:
    """The outputs of a classifier: labels, and probabilities out of the sums."""
    from onnx import TensorProto, helper

    k = len(task.classes)
    if k == 1:
        shares = graph.add("Add", graph.add("Mul", sums, np.zeros(1)), np.ones(1))
    elif k == 2:
        shares = graph.add("Concat", graph.add("Mul", sums, np.zeros(1)), sums, axis=1)
        shares = graph.add("Softmax", shares, axis=1)
    else:
        shares = graph.add("Softmax", sums, axis=1)
    graph.add("Identity", shares, to="probabilities")
    if k == 2:  # as in predict: the second only where its log-odds are above 0
        above = graph.add("Greater", graph.add("Reshape", sums, np.array([-1])), np.zeros(1))
        at = graph.add("Cast", above, to_type=TensorProto.INT64)
    else:
        at = graph.add("ArgMax", sums, axis=1, keepdims=0)
    labels = task.labels
    if labels.dtype.kind in "UO":
        labels = np.array([str(c) for c in task.classes], dtype=object)
    graph.add("Gather", labels, at, to="label", axis=0)
    text = labels.dtype == object
    kind = TensorProto.STRING if text else helper.np_dtype_to_tensor_dtype(labels.dtype)
    return [helper.make_tensor_value_info("label", kind, ["n"]), _double("probabilities", "n", k)]


def _double(name: str, *shape: str | int) -> Any:
    """What a float64 input or output is declared as."""
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, list(shape))


def _largest(graph: _Graph, S: str, strongest: Strongest) -> str:
    if strongest.keep == "size":
        S = graph.add("Abs", S)
    parts = []
    for group, count in zip(strongest.groups, strongest.counts, strict=True):
        start, stop = np.array([group.start]), np.array([group.stop])
        own = graph.add("Slice", S, start, stop, np.array([1]))
        parts.append(graph.add("TopK", own, np.array([count]), axis=1, largest=1, sorted=1))
    return graph.add("Concat", *parts, axis=1)


def _readout(graph: _Graph, Z: str, readout: LinearReadout | Additive) -> str:
    """The sums (n, k)."""
    from onnx import TensorProto

    if isinstance(readout, LinearReadout):
        return graph.add("Add", graph.add("MatMul", Z, readout.weights), readout.intercept)
    # A table over the bins of a number is a sum of steps, one at each edge.
    at, edges, steps, rest = [], [], [], readout.terms_.intercept
    for (j,), table in zip(readout.terms_.columns, readout.terms_.tables, strict=True):
        own = readout.bins_.edges[j]
        at += [j] * len(own)
        edges.append(own)
        steps.append(np.diff(table[: len(own) + 1]))
        rest += float(table[0])
    columns = graph.add("Gather", Z, np.array(at, dtype=np.int64), axis=1)
    above = graph.add("Greater", columns, np.concatenate(edges))
    hits = graph.add("Cast", above, to_type=TensorProto.DOUBLE)
    return graph.add(
        "Add", graph.add("MatMul", hits, np.concatenate(steps)[:, None]), np.array([rest])
    )
