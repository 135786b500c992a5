"""An ONNX file as a teacher sees it: what goes in, what comes out, and how large it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.data.onnx_files import open_onnx
from limbeck.teachers.onnx.outputs import OnnxOutput, outputs_of

__all__ = ["OnnxFile", "OnnxInput", "read_onnx"]

_TYPES = {
    "float": "float32", "double": "float64", "float16": "float16", "bool": "bool",
    "string": "object",
    **{f"{u}int{b}": f"{u}int{b}" for u in ("", "u") for b in (8, 16, 32, 64)},
}  # fmt: skip


@dataclass(frozen=True)
class OnnxInput:
    """An input: its name, the dtype that it takes, and its sizes, None where any will do."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """An opened file.

    Parameters
    ----------
    path : Path
        Where it lies.
    session : onnxruntime.InferenceSession
        What runs it.
    inputs : tuple of OnnxInput
        What it takes, in its order.
    outputs : tuple of OnnxOutput
        What it returns, in its order.
    parameters : int
        How many numbers its weights are.
    """

    path: Path
    session: Any = field(repr=False)
    inputs: tuple[OnnxInput, ...]
    outputs: tuple[OnnxOutput, ...]
    parameters: int

    @property
    def batch(self) -> int | None:
        """How many rows it takes at once, where no input takes another number."""
        sizes = {i.shape[0] for i in self.inputs if i.shape}
        return sizes.pop() if len(sizes) == 1 else None

    def run(self, feeds: Mapping[str, NDArray[Any]], output: str) -> NDArray[Any]:
        """One output for some inputs.

        Parameters
        ----------
        feeds : mapping of str to ndarray
            Each input by its name.
        output : str
            The output's name.
        """
        return np.asarray(self.session.run([output], dict(feeds))[0])


def read_onnx(path: Path, external: bool = False) -> OnnxFile:
    """Open a file; see `limbeck.data.onnx_files.open_onnx`.

    Parameters
    ----------
    path : Path
        The file.
    external : bool
        Whether weights in other files of the same folder may be read.

    Raises
    ------
    FileRefused, MissingExtra
        As there.
    """
    opened = open_onnx(path, external)
    outputs = outputs_of(opened.model)  # which takes away what names classes
    session = opened.session(edited=True)
    parameters = sum(int(np.prod(t.dims)) for t in opened.model.graph.initializer)
    return OnnxFile(path, session, tuple(map(_input, session.get_inputs())), outputs, parameters)


def _input(given: Any) -> OnnxInput:
    kind = str(given.type).removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int) else None for size in given.shape or ())
    return OnnxInput(given.name, _TYPES.get(kind, given.type), shape)
