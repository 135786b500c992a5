"""Tensors that lie in shards over several processes, whole and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

__all__ = ["sharded_like", "whole"]


def whole(value: Any) -> Any:
    """A nest of mappings and lists with each sharded tensor put together, on every process."""
    if isinstance(value, Tensor):
        full = getattr(value, "full_tensor", None)
        return value if full is None else full()
    if isinstance(value, Mapping):
        return {k: whole(v) for k, v in value.items()}
    return [whole(v) for v in value] if isinstance(value, list | tuple) else value


def sharded_like(tensor: Tensor, model: Tensor) -> Tensor:
    """A whole tensor in the shards of another one of its shape; itself where there are none."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(model, DTensor) or tensor.shape != model.shape:
        return tensor
    return distribute_tensor(tensor.to(model.device), model.device_mesh, model.placements)
