"""The engine under the loop: Accelerate, for processes, devices, replicas, shards and precision.

Accelerate rather than Lightning Fabric: in one process it leaves the user's own module as it is,
so that it costs nothing there, and it is what users of transformers know. Its settings are global
to a process; they are put aside while a student is trained, and put back.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.networks.training.settings import Training

__all__ = ["Engine", "device_of", "in_shards", "sharded_like", "whole"]


def device_of(module: nn.Module) -> torch.device | None:
    """Where a network's weights are; None without weights.

    Raises
    ------
    InvalidInput
        If they are on several devices.
    """
    found = {t.device for t in (*module.parameters(), *module.buffers())}
    if len(found) > 1:
        raise InvalidInput(
            f"{type(module).__name__} lies on {', '.join(sorted(map(str, found)))}.",
            "Move it to one device.",
        )
    return next(iter(found), None)


class Engine:
    """What differs between one process and many, and between precisions.

    Use `Engine.started`, which puts Accelerate's global settings back afterwards.

    Parameters
    ----------
    accelerator : accelerate.Accelerator
        Prepares modules and gathers values.
    device : torch.device
        Where this process trains.
    precision : {"fp32", "bf16", "fp16"}
        Of the forward passes.
    sharded : bool
        Whether weights are in shards (FSDP).
    """

    def __init__(self, accelerator: Any, device: torch.device, precision: str, sharded: bool):
        self._accelerator = accelerator
        self.device = device
        self.sharded = sharded
        self.mixed = precision != "fp32"
        self._half = precision == "fp16"

    @classmethod
    @contextmanager
    def started(cls, training: Training, student: torch.device | None) -> Iterator[Engine]:
        """An engine for these settings.

        Parameters
        ----------
        training : Training
            Settings of the loop.
        student : torch.device or None
            Where the student's weights are.

        Raises
        ------
        InvalidInput
            If a precision or a strategy does not fit the device or the number of processes.
        """
        from accelerate import Accelerator
        from accelerate.state import AcceleratorState, GradientState, PartialState

        many = int(os.environ.get("WORLD_SIZE", "1")) > 1
        if training.device in (None, "auto") and (many or training.device == "auto"):
            kind = "cuda" if torch.cuda.is_available() else "cpu"
            place = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if kind == "cuda" else "cpu"
            device = torch.device(place)
        else:
            device = torch.device(training.device or student or "cpu")
            if device.type == "cuda" and device.index is None:
                device = torch.device("cuda", torch.cuda.current_device())
        if training.precision == "fp16" and device.type == "cpu":
            raise InvalidInput("precision is 'fp16' on the CPU.", "Choose 'bf16' or 'fp32' there.")
        sharded = training.strategy == "fsdp"
        if sharded and not many:
            raise InvalidInput(
                "strategy is 'fsdp' in one process.",
                "Start several: torchrun --nproc-per-node 8 -m limbeck distill run.yaml.",
            )
        states = [AcceleratorState, GradientState] + ([] if many else [PartialState])
        before = [dict(s._shared_state) for s in states]
        for state in states:
            state._shared_state.clear()
        try:
            accelerator = Accelerator(cpu=device.type == "cpu", device_placement=False)
            yield cls(accelerator, device, training.precision, sharded)
        finally:
            for state, was in zip(states, before, strict=True):
                state._shared_state.clear()
                state._shared_state.update(was)

    @property
    def processes(self) -> int:
        """How many train together."""
        return cast(int, self._accelerator.num_processes)

    @property
    def rank(self) -> int:
        """Which of them this is, from 0."""
        return cast(int, self._accelerator.process_index)

    @property
    def main(self) -> bool:
        """Whether this one writes the files."""
        return self.rank == 0

    def prepared(self, module: nn.Module, unused: bool) -> nn.Module:
        """The module that is called in training: itself, a replica or a shard.

        Parameters
        ----------
        module : nn.Module
            The student.
        unused : bool
            Whether some of its weights do not enter its outputs, for which replicas must look.
        """
        if self.sharded:
            return _sharded(module)
        if self.processes > 1:
            from accelerate import DistributedDataParallelKwargs

            handler = DistributedDataParallelKwargs(find_unused_parameters=unused)
            self._accelerator.ddp_handler = handler
        return cast(nn.Module, self._accelerator.prepare_model(module))

    def frozen(self, teacher: nn.Module) -> nn.Module:
        """A copy of the teacher in shards of its own, in eval mode and without gradients.

        Parameters
        ----------
        teacher : nn.Module
            Whole; it stays as it is and where it is, for what one process measures alone.
        """
        return _sharded(copy.deepcopy(teacher).requires_grad_(False).eval(), frozen=True)

    def autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision inside."""
        if not self.mixed:
            return nullcontext()
        dtype = torch.float16 if self._half else torch.bfloat16
        return torch.autocast(self.device.type, dtype=dtype)

    def scaler(self) -> torch.amp.GradScaler | None:
        """The scaler of the loss, for fp16 only."""
        return torch.amp.GradScaler(self.device.type) if self._half else None

    def alone(self, prepared: nn.Module, wanted: bool) -> AbstractContextManager[Any]:
        """Gradients of this process only, while a batch is accumulated.

        Parameters
        ----------
        prepared : nn.Module
            The student, as Accelerate prepared it.
        wanted : bool
            Whether it is so; False for the last part of a batch.
        """
        if not wanted or self.processes == 1:
            return nullcontext()
        return cast(AbstractContextManager[Any], self._accelerator.no_sync(prepared))

    def mean(self, value: Tensor) -> Tensor:
        """The mean over processes."""
        if self.processes == 1:
            return value
        return cast(Tensor, self._accelerator.reduce(value, reduction="mean"))

    def gathered(self, value: Any) -> list[Any]:
        """The values of all processes, in their order."""
        if self.processes == 1:
            return [value]
        from accelerate.utils import gather_object

        return list(gather_object([value]))

    def wait(self) -> None:
        """Until all processes are here."""
        self._accelerator.wait_for_everyone()


def _sharded(module: nn.Module, frozen: bool = False) -> nn.Module:
    """Shards of the weights (FSDP2): each list of layers by its layers, then the rest.

    What is frozen has no backward pass, before which the rest would be given back.
    """
    from torch.distributed.fsdp import fully_shard

    for part in module.modules():
        if isinstance(part, nn.ModuleList):
            for layer in part:
                fully_shard(layer)
    fully_shard(module, reshard_after_forward=True if frozen else None)
    return module


def in_shards(module: nn.Module) -> bool:
    """Whether any weight of a network is in shards."""
    return any(hasattr(p, "full_tensor") for p in module.parameters())


def whole(value: Any) -> Any:
    """A nest of mappings and lists with each sharded tensor put together, on every process."""
    if isinstance(value, Tensor):
        full = getattr(value, "full_tensor", None)
        return value if full is None else full()
    if isinstance(value, Mapping):
        return {k: whole(v) for k, v in value.items()}
    return [whole(v) for v in value] if isinstance(value, list | tuple) else value


def sharded_like(tensor: Tensor, model: Tensor) -> Tensor:
    """A whole tensor in the shards of another one of its shape; itself where there are none.

    Parameters
    ----------
    tensor, model : Tensor
        Of one shape; ``model`` may be in shards.
    """
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(model, DTensor) or tensor.shape != model.shape:
        return tensor
    return distribute_tensor(tensor.to(model.device), model.device_mesh, model.placements)
