"""Which network, and which tensors: SHA-256 over everything that is told."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.modules.quantized_tensors import plain_tensors

__all__ = ["digest", "fingerprint"]

_VOLATILE = ("_name_or_path", "transformers_version", "dtype", "torch_dtype")


def fingerprint(module: nn.Module) -> str:
    """SHA-256 of a network, in hexadecimal.

    Its class, its printed structure (which tells strides, dropout rates and so on), its
    configuration where it has one as in transformers, and name, dtype, shape and bytes of every
    parameter and buffer. The device, the mode (train or eval) and ``requires_grad`` do not enter.

    Not seen: what ``forward`` does beyond its submodules, such as a temperature kept as a plain
    attribute, or new code under the same name.
    """
    kind = type(module)
    config: Any = getattr(module, "config", None)
    told = config.to_dict() if hasattr(config, "to_dict") else {}
    told = {k: v for k, v in told.items() if k not in _VOLATILE}
    shown = re.sub(r" at 0x[0-9a-f]+", "", repr(module))  # where a function lies in memory
    head = json.dumps([f"{kind.__module__}.{kind.__qualname__}", shown, told], default=str)
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    return digest((head, tensors))


def digest(value: Any) -> str:
    """SHA-256 of tensors in tuples, lists and mappings, with names, dtypes and shapes."""
    found = hashlib.sha256(b"limbeck tensors 1\n")
    for part in _parts(value):
        found.update(part)
    return found.hexdigest()


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, Tensor):
        parts = plain_tensors({"": value})
        if len(parts) > 1:
            yield from _parts(parts)
            return
        flat = value.detach().to("cpu").contiguous()
        yield f"{flat.dtype} {tuple(flat.shape)}\n".encode()
        yield flat.reshape(-1).view(torch.uint8).numpy().data  # no copy
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield f"name {name}\n".encode()
            yield from _parts(entry)
    elif isinstance(value, tuple | list):
        yield f"{len(value)} entries\n".encode()
        for entry in value:
            yield from _parts(entry)
    else:
        text = str(value).encode()
        yield b"text %d\n" % len(text) + text
