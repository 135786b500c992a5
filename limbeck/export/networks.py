"""A network as files: weights with their configuration, and ONNX that was checked."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import FileRefused, LimbeckError
from limbeck.core.strict_json import strict_json
from limbeck.export.onnx_graph import Exported, export_onnx
from limbeck.modules.fingerprint import fingerprint
from limbeck.modules.quantized_tensors import is_quantized, pack_int4, plain_tensors

__all__ = ["Handover", "export_network", "write_student"]

WEIGHTS, CONFIG, GRAPH = "model.safetensors", "config.json", "student.onnx"


@dataclass(frozen=True)
class Handover:
    """What was written.

    Parameters
    ----------
    files : tuple of Path
        Weights, configuration, and the ONNX file if it could be made.
    onnx : Exported or None
        None where the export failed.
    problem : str
        Why there is no ONNX file; empty where there is one.
    """

    files: tuple[Path, ...]
    onnx: Exported | None
    problem: str = ""


def export_network(module: nn.Module, inputs: Any, folder: str | Path) -> Handover:
    """Write a student as safetensors with its configuration, and as ONNX.

    Where the export to ONNX fails, the rest is written all the same, and ``problem`` tells why.

    Parameters
    ----------
    module : nn.Module
        The student; left as it is. Its ``state_dict()`` is the third form of it.
    inputs : Any
        Real rows, as the module is called with them, on which ONNX is checked.
    folder : path
        Made if it does not exist.

    Raises
    ------
    FileRefused
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> from limbeck.networks import export_network
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = export_network(torch.nn.Linear(4, 2), torch.randn(3, 4), folder)
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = write_student(module, folder)
    try:
        exported = export_onnx(module, inputs, folder / GRAPH)
    except FileRefused:
        raise
    except LimbeckError as error:
        return Handover(files, None, str(error))
    return Handover((*files, exported.path), exported)


def write_student(module: nn.Module, folder: str | Path) -> tuple[Path, ...]:
    """Write ``model.safetensors`` and ``config.json``.

    A transformers model is written as its ``save_pretrained`` does, for ``from_pretrained``. Of
    any other module the configuration holds the class, every shape and dtype, and the SHA-256 of
    `limbeck.modules.fingerprint`; ``safetensors.torch.load_model(module, path)`` reads the
    weights back. Tied weights are written once. Of a network with quantized weights the file holds
    the whole numbers and their scales, two numbers of four bits in a byte, for
    `limbeck.networks.load_quantized`.

    Parameters
    ----------
    module : nn.Module
        The student.
    folder : path
        Where; it exists.

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    FileRefused
        If a file cannot be written.
    """
    from safetensors.torch import save_file, save_model

    folder = Path(folder)
    with tempfile.TemporaryDirectory() as made:  # then file by file, each of them whole
        save_pretrained = getattr(module, "save_pretrained", None)  # of transformers
        if any(map(is_quantized, module.state_dict().values())):
            save_file(_whole_numbers(module), str(Path(made) / WEIGHTS))
            (Path(made) / CONFIG).write_text(strict_json(_config(module)))
        elif callable(save_pretrained):
            with _no_bar():
                save_pretrained(made)
        else:
            save_model(module, str(Path(made) / WEIGHTS))
            (Path(made) / CONFIG).write_text(strict_json(_config(module)))
        return tuple(
            write_bytes(file.read_bytes(), folder / file.name)
            for file in sorted(Path(made).iterdir())
        )


def _whole_numbers(module: nn.Module) -> dict[str, Tensor]:
    """What is written of a network with quantized weights, tied ones once."""
    packed: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, value in module.state_dict(keep_vars=True).items():
        if id(value) in seen:
            continue
        seen.add(id(value))
        for own, part in plain_tensors({name: value.detach()}).items():
            four = (
                own.endswith(".qdata") and str(getattr(value, "target_dtype", "")) == "torch.int4"
            )
            packed[f"{own}.int4" if four else own] = pack_int4(part) if four else part.contiguous()
    return packed


def _config(module: nn.Module) -> dict[str, Any]:
    state = module.state_dict()
    return {
        "format": "limbeck-network",
        "version": 1,
        "class": f"{type(module).__module__}.{type(module).__qualname__}",
        "shapes": {name: list(value.shape) for name, value in state.items()},
        "dtypes": {name: str(value.dtype).removeprefix("torch.") for name, value in state.items()},
        "fingerprint": fingerprint(module),
        "torch": torch.__version__,
    } | _rounding(state)


def _rounding(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """How quantized weights were rounded, and which they are."""
    rounded: dict[str, Any] = {n: v for n, v in state.items() if is_quantized(v)}
    if not rounded:
        return {}
    first = next(iter(rounded.values()))
    group = first.block_size[-1]
    return {
        "quantized": {
            "weights": str(first.target_dtype).removeprefix("torch."),
            "group_size": None if group == first.shape[-1] else group,
            "names": list(rounded),
        }
    }


@contextmanager
def _no_bar() -> Iterator[None]:
    """Without the progress bar of transformers."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
