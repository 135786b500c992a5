"""A training that was interrupted goes on as if it had not been.

One file, replaced as a whole: tensors as safetensors, everything else as JSON in its header. So a
kill at any moment leaves the older checkpoint or the newer one, never parts of two; and nothing in
it is code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from limbeck.errors import FileRefused, InvalidInput
from limbeck.writing import write_bytes

__all__ = ["NAME", "cloned", "read", "same", "write"]

NAME = "checkpoint.safetensors"
FORMAT = 1
_TENSOR, _NUMBER = "tensor:", "number:"  # a number is NaN or infinite, which JSON lacks


def write(folder: Path, state: Mapping[str, Any]) -> Path:
    """Write a state of nested dicts and lists of tensors, numbers and text.

    Raises
    ------
    FileRefused
        If it cannot be written; the older checkpoint stays.
    InvalidInput
        If something in it is none of these.
    """
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {}
    plain = _taken_apart(state, "", tensors)
    header = {"limbeck": json.dumps({"format": FORMAT, "state": plain}, allow_nan=False)}
    return write_bytes(save(_alone(tensors), header), folder / NAME)


def read(folder: Path) -> dict[str, Any] | None:
    """The state in a folder, with tensors on the CPU; None where there is none.

    Raises
    ------
    FileRefused
        If the file is damaged or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / NAME
    if not path.exists():
        return None
    try:
        with safe_open(str(path), "pt") as file:
            header = json.loads(file.metadata()["limbeck"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if header["format"] > FORMAT:
            raise FileRefused(
                f"{str(path)!r} has format {header['format']}.", "Install a newer limbeck."
            )
        state: dict[str, Any] = _put_together(header["state"], tensors)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, FileRefused):
            raise
        raise FileRefused(
            f"{str(path)!r} is not a checkpoint: {error}.", "Remove it to start anew."
        ) from None
    return state


def same(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Refuse to go on with other settings.

    Raises
    ------
    InvalidInput
        Names each setting that differs, with both values.
    """
    changed = [k for k in {**before, **now} if before.get(k) != now.get(k)]
    if changed:
        shown = "; ".join(f"{k} was {before.get(k)!r} and is {now.get(k)!r}" for k in changed)
        raise InvalidInput(
            f"The training in {str(folder)!r} was started with other settings: {shown}.",
            "Give these again to go on, or another folder to start anew.",
        )


def _taken_apart(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """What JSON holds of a value; tensors go to a table and leave their name."""
    if isinstance(value, Tensor):
        tensors[path] = value.detach()
        return _TENSOR + path
    if isinstance(value, Mapping):
        return {"keys": [[k, _taken_apart(v, f"{path}/{k}", tensors)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_taken_apart(v, f"{path}/{i}", tensors) for i, v in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return f"{_NUMBER}{value}"
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and not value.startswith((_TENSOR, _NUMBER)):
        return value
    raise InvalidInput(
        f"{path} is a {type(value).__name__}, which a checkpoint cannot hold.",
        "Use an optimizer whose state is made of tensors and numbers.",
    )


def _put_together(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, dict):
        return {k: _put_together(v, tensors) for k, v in value["keys"]}
    if isinstance(value, list):
        return [_put_together(v, tensors) for v in value]
    if isinstance(value, str) and value.startswith(_TENSOR):
        return tensors[value.removeprefix(_TENSOR)]
    if isinstance(value, str) and value.startswith(_NUMBER):
        return float(value.removeprefix(_NUMBER))
    return value


def _alone(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors on the CPU, none of which shares memory with another (tied weights)."""
    seen: set[int] = set()
    out = {}
    for name, tensor in tensors.items():
        one = tensor.cpu().contiguous()
        if one.untyped_storage().nbytes() != one.nbytes or one.data_ptr() in seen:
            one = one.clone()
        seen.add(one.data_ptr())
        out[name] = one
    return out


def cloned(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A copy of a state dict that later updates do not change."""
    return {k: torch.clone(v.detach()) for k, v in state.items()}
