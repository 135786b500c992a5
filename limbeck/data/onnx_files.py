"""ONNX files, checked and opened: what may be hostile is refused before onnxruntime reads it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limbeck.core.errors import FileRefused, MissingExtra
from limbeck.data.onnx_external import check_external_data, external_data

__all__ = ["OpenedOnnx", "open_onnx"]


@dataclass(frozen=True, eq=False)
class OpenedOnnx:
    """A file that was read and checked.

    Parameters
    ----------
    path : Path
        Where it lies.
    model : onnx.ModelProto
        What it is, without weights in other files.
    content : bytes
        The file as it lies on disk.
    whole : bool
        Whether all weights are in it.
    """

    path: Path
    model: Any
    content: bytes
    whole: bool

    def session(self, edited: bool = False) -> Any:
        """Run it on the CPU: a new `onnxruntime.InferenceSession`.

        Parameters
        ----------
        edited : bool
            Whether ``model`` was changed since it was read, and is to be run as it is now.

        Raises
        ------
        FileRefused
            If onnxruntime cannot.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what it reports is raised as well
        own = self.model.SerializeToString() if edited else self.content
        held = own if self.whole else str(self.path)
        try:
            return onnxruntime.InferenceSession(held, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise FileRefused(
                f"{self.path.name!r} cannot be run by onnxruntime: {str(error).splitlines()[0]}",
                "Export it again, with operations of ONNX and without those of other libraries.",
            ) from None


def open_onnx(path: Path, external: bool = False) -> OpenedOnnx:
    """Read and check a file.

    Weights in other files would be looked for beside the file or in the current folder, so that
    the same file, with the same hash, answers differently elsewhere.

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
        import onnxruntime  # noqa: F401  (needed to run what is read)
    except ImportError:
        raise MissingExtra(
            "Reading an .onnx file needs onnx and onnxruntime.", "pip install 'limbeck[onnx]'."
        ) from None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileRefused(
            f"{str(path)!r} cannot be read: {error.strerror}.", "Check the path."
        ) from None
    model = _parsed(path, content, onnx)
    others = external_data(model)
    check_external_data(path, others, external)
    return OpenedOnnx(path, model, content, whole=not others)


def _parsed(path: Path, content: bytes, onnx: Any) -> Any:
    """The model without what lies in other files."""
    model = onnx.ModelProto()
    parsed = False
    with contextlib.suppress(Exception):  # protobuf has several kinds of errors
        model.ParseFromString(content)
        parsed = bool(model.graph.node) and bool(model.graph.output)
    if not parsed:
        raise FileRefused(
            f"{path.name!r} is no ONNX file, or is cut off: {len(content):,} bytes without a whole"
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
