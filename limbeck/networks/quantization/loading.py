"""Quantized weights read back from a folder that `limbeck.export.networks.write_student` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import FileRefused, LimbeckError, MissingExtra
from limbeck.core.strict_json import read_json
from limbeck.export.networks import CONFIG, WEIGHTS
from limbeck.modules.quantized_tensors import is_quantized, plain_tensors, unpack_int4
from limbeck.networks.quantization.quantized import Quantized
from limbeck.networks.quantization.rounding import quantize

__all__ = ["load_quantized"]


def load_quantized(module: nn.Module, folder: str | Path) -> nn.Module:
    """The quantized network of a folder that ``result.save`` wrote, as a torch module.

    Parameters
    ----------
    module : nn.Module
        A network of the unrounded architecture, such as the teacher; its weights do not matter, and
        it is left as it is.
    folder : path
        With ``model.safetensors`` and ``config.json``.

    Raises
    ------
    FileRefused
        If the folder holds no quantized network, or one of another architecture.
    MissingExtra
        If torchao is not installed.

    Examples
    --------
    >>> student = load_quantized(net, "run/")  # doctest: +SKIP
    """
    folder = Path(folder)
    config = read_json(folder / CONFIG, "limbeck-network", 1)
    out = _as_written(module, config.get("quantized"), folder)
    stored = _stored(folder / WEIGHTS)
    with torch.no_grad():
        for name, value in out.state_dict(keep_vars=True).items():
            for own, part in plain_tensors({name: value.detach()}).items():
                found = stored.pop(own, None)
                packed = stored.pop(f"{own}.int4", None)
                if packed is not None and 2 * packed.numel() >= part.numel() > 0:
                    found = unpack_int4(packed, part.shape)
                if found is None and own in _tied(out):
                    continue
                if found is None or found.shape != part.shape or found.dtype != part.dtype:
                    raise FileRefused(
                        f"{folder / WEIGHTS} has no {own} of shape {tuple(part.shape)}.",
                        "Give the architecture that was quantized.",
                    )
                part.copy_(found)
    if stored:
        raise FileRefused(
            f"{folder / WEIGHTS} holds {min(stored)}, which {type(module).__name__} does not have.",
            "Give the architecture that was quantized.",
        )
    return out.eval()


def _as_written(module: nn.Module, told: Any, folder: Path) -> nn.Module:
    """The network, rounded in the layers that were."""
    if not isinstance(told, dict):
        raise FileRefused(
            f"{folder / CONFIG} names no quantized weights.",
            "Read plain weights by safetensors.torch.load_model.",
        )
    try:
        asked = Quantized(told.get("weights", ""), told.get("group_size"))
        out = quantize(module, asked.weights, asked.group_size)
    except MissingExtra:
        raise
    except LimbeckError as error:
        raise FileRefused(f"{folder / CONFIG}: {error.problem}", error.remedy) from None
    names = [n for n, v in out.state_dict().items() if is_quantized(v)]
    if names != told.get("names"):
        raise FileRefused(
            f"{folder / CONFIG} names other quantized weights than {type(module).__name__} has.",
            "Give the architecture that was quantized.",
        )
    return out


def _tied(module: nn.Module) -> set[str]:
    """Names of weights that another name before them has, too."""
    first: dict[int, str] = {}
    return {
        n for n, v in module.state_dict(keep_vars=True).items() if first.setdefault(id(v), n) != n
    }


def _stored(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found: dict[str, Tensor] = load_file(str(path))
        return found
    except (SafetensorError, OSError) as error:
        raise FileRefused(f"{path} cannot be read: {error}.", "Write it again.") from None
