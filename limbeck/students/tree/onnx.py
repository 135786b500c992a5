"""A tree as an ONNX model that gives the same answers in onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.onnx_file import check_dtype, label_array, onnx_file, require_onnx
from limbeck.students.tree.nodes import EQ, MISSING, Nodes

__all__ = ["to_onnx"]

_LEQ, _EQ = 0, 4  # branch modes of TreeEnsemble


def to_onnx(
    nodes: Nodes,
    features: Features,
    task: Task,
    path: str | Path | None = None,
    dtype: Literal["float64", "float32"] = "float64",
) -> Any:
    """Export a tree.

    The input ``rows`` is the encoded matrix, of shape (n, d): numbers as they are,
    booleans as 0 and 1, a category as its position in the levels, missing as NaN. Outputs are
    ``label`` (n,) and ``probabilities`` (n, k) in float64, or ``value`` (n,) for regression.
    ``metadata_props`` hold the columns with their levels (``limbeck.core.columns``, JSON) and the
    SHA-256 of these (``limbeck.core.columns.sha256``).

    A leaf of the operator ``TreeEnsemble`` (ai.onnx.ml 5) has one number only. Here this is the
    number of the leaf, by which labels and probabilities are looked up: both are exact.

    Parameters
    ----------
    nodes, features, task
        The tree, its columns, and what it predicts.
    path : str or Path, optional
        A file to write the model to as well.
    dtype : {"float64", "float32"}
        That of ``rows``. A tree that limbeck fitted gives the same answers in both, since its
        thresholds lie halfway between float32 numbers.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    MissingExtra
        If onnx is not installed.
    FileRefused
        If the file cannot be written.
    InvalidInput
        If there is no such dtype.
    """
    check_dtype(dtype)
    require_onnx()
    from onnx import helper, numpy_helper

    tables = _tables(nodes, task)
    steps = [
        helper.make_node(
            "TreeEnsemble",
            ["rows"],
            ["found"],
            domain="ai.onnx.ml",
            **_ensemble(nodes, np.dtype(dtype)),
        ),
        helper.make_node("Cast", ["found"], ["leaf_2d"], to=helper.np_dtype_to_tensor_dtype(_INT)),
        helper.make_node("Reshape", ["leaf_2d", "flat"], ["leaf"]),
        *(helper.make_node("Gather", [f"{t}_by_leaf", "leaf"], [t], axis=0) for t in tables),
    ]
    constants = [numpy_helper.from_array(np.array([-1], dtype=np.int64), "flat")]
    constants += [numpy_helper.from_array(t, f"{name}_by_leaf") for name, t in tables.items()]
    outputs = [
        helper.make_tensor_value_info(name, constant.data_type, ["n", *constant.dims[1:]])
        for name, constant in zip(tables, constants[1:], strict=True)
    ]
    rows = helper.make_tensor_value_info(
        "rows", helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), ["n", len(features)]
    )
    return onnx_file("tree", steps, [rows], outputs, constants, features, task, path)


_INT = np.dtype(np.int64)


def _tables(nodes: Nodes, task: Task) -> dict[str, NDArray[Any]]:
    """What is looked up by the number of a leaf."""
    value = nodes.value[nodes.is_leaf]
    if not task.classifies:
        return {"value": value[:, 0].copy()}
    return {"label": label_array(task)[value.argmax(axis=1)], "probabilities": value}


def _ensemble(nodes: Nodes, dtype: np.dtype[Any]) -> dict[str, Any]:
    """The attributes of TreeEnsemble: inner nodes and leaves are numbered apart."""
    from onnx import numpy_helper

    def tensor(array: NDArray[Any], dtype: Any) -> Any:
        return numpy_helper.from_array(array.astype(dtype))

    leaf = nodes.is_leaf
    place = np.where(leaf, np.cumsum(leaf), np.cumsum(~leaf)) - 1
    inner = np.flatnonzero(~leaf)
    left, right = nodes.left[inner], nodes.right[inner]
    missing = nodes.op[inner] == MISSING
    # "Is missing" is spelled x <= -infinity, with missing values going along.
    splits = np.where(missing, -np.inf, nodes.threshold[inner])
    modes = np.where(nodes.op[inner] == EQ, _EQ, _LEQ)
    columns = nodes.feature[inner]
    tracks = nodes.missing_left[inner] | missing
    if not len(inner):  # the operator has no tree of one leaf: ask anything, to no effect
        left = right = columns = np.zeros(1, dtype=np.int32)
        splits, modes, tracks = np.zeros((3, 1))
    return {
        "n_targets": 1,
        "tree_roots": [0],
        "nodes_featureids": columns.astype(int).tolist(),
        "nodes_modes": tensor(modes, np.uint8),
        "nodes_splits": tensor(splits, dtype),
        "nodes_missing_value_tracks_true": tracks.astype(int).tolist(),
        "nodes_truenodeids": place[left].tolist(),
        "nodes_falsenodeids": place[right].tolist(),
        "nodes_trueleafs": leaf[left].astype(int).tolist(),
        "nodes_falseleafs": leaf[right].astype(int).tolist(),
        "leaf_targetids": [0] * nodes.size,
        "leaf_weights": tensor(np.arange(nodes.size), dtype),
    }
