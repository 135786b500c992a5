"""ONNX files, opened so that nothing outside the file can change what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limbeck.core.errors import FileRefused, MissingExtra

__all__ = ["open_onnx"]


def open_onnx(path: str | Path, remedy: str = "Export it again.") -> tuple[Any, bytes]:
    """A session of onnxruntime for a file that holds all its weights, and the bytes of the file.

    Weights in other files are refused: they are looked for beside the file or in the current
    folder, so that the same file, with the same hash, would answer differently elsewhere.

    Parameters
    ----------
    path : path
        The file.
    remedy : str
        What to do about a file that is refused.

    Returns
    -------
    session : onnxruntime.InferenceSession
        It runs on the CPU.
    content : bytes
        The file.

    Raises
    ------
    FileRefused
        If the file cannot be read, is no ONNX file, or has weights elsewhere.
    MissingExtra
        If onnx or onnxruntime is absent.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise MissingExtra(
            f"Reading an .onnx file needs the package {error.name}.", "pip install 'limbeck[onnx]'."
        ) from None
    name = repr(str(path))
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise FileRefused(f"{name} cannot be read: {error.strerror}.", "Check the path.") from None
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:
        raise FileRefused(f"{name} is no ONNX file: {_line(error)}", remedy) from None
    elsewhere = next(_outside(model), None)
    if elsewhere is not None:
        raise FileRefused(
            f"{name} keeps weights in another file, {elsewhere!r}.",
            "Save the model with its weights in one file: onnx.save_model(model, path,"
            " save_as_external_data=False).",
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised, and said once
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise FileRefused(f"{name} is no ONNX file: {_line(error)}", remedy) from None
    return session, content


def _outside(message: Any) -> Iterator[str]:
    """Where tensors lie that are not in the file, of all that it holds at any depth."""
    if message.DESCRIPTOR.name == "TensorProto":
        if message.external_data or message.data_location == message.EXTERNAL:
            yield next((e.value for e in message.external_data if e.key == "location"), "?")
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if hasattr(value, "append") else [value]:
                yield from _outside(part)


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
