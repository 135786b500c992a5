"""An ONNX file, checked and opened: what may be hostile is refused before onnxruntime reads it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import FileRefused, MissingExtra
from limbeck.teachers.onnx.external import check_external_data, external_data
from limbeck.teachers.onnx.outputs import OnnxOutput, outputs_of

__all__ = ["OnnxFile", "OnnxInput", "open_onnx"]

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


def open_onnx(path: Path, external: bool = False) -> OnnxFile:
    """Read and check a file, and open it on the CPU.

    Parameters
    ----------
    path : Path
        The file.
    external : bool
        Whether weights in other files of the same folder may be read.

    Raises
    ------
    FileRefused
        If it is no ONNX file, cut off, newer than the runtime, or names other files unasked.
    MissingExtra
        If onnx or onnxruntime is not installed.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError:
        raise MissingExtra(
            "Reading an .onnx file needs onnx and onnxruntime.", "pip install 'limbeck[onnx]'."
        ) from None
    model = _parsed(path, onnx)
    others = external_data(model)
    check_external_data(path, others, external)
    outputs = outputs_of(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what it reports is raised as well
    try:
        held = str(path) if others else model.SerializeToString()
        session = onnxruntime.InferenceSession(held, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        _refuse(path, error)
    parameters = sum(int(np.prod(t.dims)) for t in model.graph.initializer)
    return OnnxFile(path, session, tuple(map(_input, session.get_inputs())), outputs, parameters)


def _parsed(path: Path, onnx: Any) -> Any:
    """The model without what lies in other files."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileRefused(
            f"{str(path)!r} cannot be read: {error.strerror}.", "Check the path."
        ) from None
    model = onnx.ModelProto()
    parsed = False
    with contextlib.suppress(Exception):  # protobuf has several kinds of errors
        model.ParseFromString(data)
        parsed = bool(model.graph.node) and bool(model.graph.output)
    if not parsed:
        raise FileRefused(
            f"{path.name!r} is no ONNX file, or is cut off: {len(data):,} bytes without a whole"
            " model.",
            "Export it again.",
        )
    newest = onnx.defs.onnx_opset_version()
    for used in model.opset_import:
        if used.domain in ("", "ai.onnx") and used.version > newest:
            raise FileRefused(
                f"{path.name!r} needs opset {used.version}, and {newest} is the newest that the"
                " installed onnx knows.",
                f"Update onnx and onnxruntime, or export it with opset {newest} or older.",
            )
    return model


def _input(given: Any) -> OnnxInput:
    kind = str(given.type).removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int) else None for size in given.shape or ())
    return OnnxInput(given.name, _TYPES.get(kind, given.type), shape)


def _refuse(path: Path, error: Exception) -> NoReturn:
    raise FileRefused(
        f"{path.name!r} cannot be run by onnxruntime: {str(error).splitlines()[0]}",
        "Export it again, with operations of ONNX and without those of other libraries.",
    ) from None
