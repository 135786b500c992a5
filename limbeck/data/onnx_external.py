"""Where an ONNX file keeps numbers outside itself, and whether they may be read from there.

A file names others by paths of its own choice, so these are read only where that is asked for, and
only from the folder that the file lies in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limbeck.core.errors import FileRefused

__all__ = ["check_external_data", "external_data"]

_EXTERNAL = 1  # TensorProto.EXTERNAL


def external_data(model: Any) -> dict[str, int]:
    """The other files that a model names, each with the bytes that it must hold.

    Parameters
    ----------
    model : onnx.ModelProto
        The model, read without them.

    Raises
    ------
    FileRefused
        If it does not say how many bytes it needs of a file.
    """
    found: dict[str, int] = {}
    for tensor in _tensors(model):
        if tensor.data_location == _EXTERNAL:
            entry = {e.key: e.value for e in tensor.external_data}
            name = str(entry.get("location", ""))
            end = sum(_bytes(name, entry.get(key) or "0") for key in ("offset", "length"))
            found[name] = max(found.get(name, 0), end)
    return found


def check_external_data(path: Path, files: dict[str, int], allowed: bool) -> None:
    """Refuse other files unless they were asked for and lie beside the model.

    Parameters
    ----------
    path : Path
        The model's file.
    files : dict of str to int
        As from `external_data`.
    allowed : bool
        Whether they were asked for.

    Raises
    ------
    FileRefused
        Names the file.
    """
    folder = path.resolve().parent
    for name, size in files.items():
        if not allowed:
            raise FileRefused(
                f"{path.name!r} keeps its weights in another file, {name!r}, which is not read"
                " unasked.",
                f"Give external_data=True to read it from the folder of {path.name!r}, or save the"
                " model as one file.",
            )
        place = folder / name
        inside = bool(name) and place.resolve().is_relative_to(folder)
        if not inside or Path(name).is_absolute() or ".." in Path(name).parts:
            raise FileRefused(
                f"{path.name!r} names weights outside its own folder: {name!r}.",
                "Save the model anew, as one file or with its weights beside it.",
            )
        if not place.is_file() or place.stat().st_size < size:
            raise FileRefused(
                f"The weights {name!r} of {path.name!r} are not there or cut off.",
                f"Put the whole file into {str(folder)!r}.",
            )


def _bytes(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise FileRefused(
            f"The model names {text!r} bytes of its weights {name!r}, which is no number of bytes.",
            "Save the model anew.",
        )
    return int(text)


def _tensors(model: Any) -> Iterator[Any]:
    """All tensors: of the graph, of graphs within, and of functions."""
    graphs, nodes = [model.graph], [n for f in model.functions for n in f.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes += graph.node
            continue
        for held in nodes.pop().attribute:
            yield from (held.t, *held.tensors)
            for sparse in (held.sparse_tensor, *held.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            graphs += [held.g] if held.HasField("g") else []
            graphs += held.graphs
