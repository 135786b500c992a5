"""A network as an ONNX graph that was checked in onnxruntime."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import InvalidInput, MissingExtra
from limbeck.modules.batch import MASK
from limbeck.modules.capture import asking, run
from limbeck.modules.outputs import reading_of

__all__ = ["Exported", "export_onnx", "quiet"]


@dataclass(frozen=True)
class Exported:
    """An ONNX file, and how far onnxruntime is from the module on the rows it was checked on."""

    path: Path
    difference: float
    rows: int


def export_onnx(
    module: nn.Module,
    inputs: Any,
    path: str | Path,
    *,
    metadata: Mapping[str, str] | None = None,
    tolerance: float = 1e-3,
) -> Exported:
    """Export a network to ONNX, and check it in onnxruntime on real rows.

    The graph takes the inputs in their order, with any number of rows, and of any length where
    inputs are tokens (whole numbers of shape (n, t)) and the network allows it; its one output
    is ``logits``, in the axes in which the network returns them. Weights are float32, on the CPU.
    It is run on all rows and on the first alone, and compared with the module; of answers per token
    those that the attention mask shows.

    Parameters
    ----------
    module : nn.Module
        The network; left as it is.
    inputs : Any
        Real rows, two or more, as the module is called with them.
    path : path
        The file.
    metadata : mapping of str to str, optional
        Entries of the file's ``metadata_props``.
    tolerance : float
        The largest difference, relative to the largest logit or to 1, that is let pass.

    Returns
    -------
    Exported
        With the largest absolute difference.

    Raises
    ------
    MissingExtra
        If onnx, onnxscript or onnxruntime is absent.
    InvalidInput
        If the network cannot be exported, or onnxruntime gives other logits: nothing is written.
    FileRefused
        If the file cannot be written.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  (torch's exporter needs it)
        from onnx import helper
    except ImportError as error:
        raise MissingExtra(
            f"Exporting to ONNX needs the package {error.name}.", "pip install 'limbeck[onnx]'."
        ) from None
    names, tensors = _named(inputs)
    if len(tensors[0]) < 2:
        raise InvalidInput(
            f"ONNX is made from {len(tensors[0])} row.", "Give two or more: their number is free."
        )
    named = isinstance(inputs, Mapping)
    plain = _Plain(copy.deepcopy(module).cpu().float(), names if named else None)
    proto = _exported(plain, tensors, names)
    helper.set_model_props(proto, dict(metadata or {}))
    try:
        content = proto.SerializeToString()
    except Exception as error:
        raise InvalidInput(
            f"{type(module).__name__} does not fit into one ONNX file: {_line(error)}",
            "An ONNX file holds less than 2 GB; use the safetensors file.",
        ) from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def difference(rows: Sequence[Tensor]) -> float:
        with asking(plain):
            expected = plain(*rows)
        fed = {i.name: t.numpy() for i, t in zip(session.get_inputs(), rows, strict=True)}
        found = torch.from_numpy(session.run(None, fed)[0])
        mask = rows[names.index(MASK)] if MASK in names else None
        if mask is not None and mask.any() and mask.shape == expected.shape[:2]:
            expected, found = expected[mask.bool()], found[mask.bool()]  # padding may be anything
        scale = max(1.0, float(expected.abs().max()))
        apart = float((found - expected).abs().max())
        if not apart <= tolerance * scale:  # NaN included
            raise InvalidInput(
                f"onnxruntime's logits are up to {apart:.3g} away from those of"
                f" {type(module).__name__}.",
                "Its forward takes another way for other inputs; use the safetensors file.",
            )
        return apart

    apart = max(difference(tensors), difference([t[:1] for t in tensors]))
    return Exported(write_bytes(content, path), apart, len(tensors[0]))


class _Plain(nn.Module):
    """A network that takes tensors one after another and returns its logits."""

    def __init__(self, module: nn.Module, names: Sequence[str] | None) -> None:
        super().__init__()
        self.module = module
        self.names = names

    def forward(self, *tensors: Tensor) -> Tensor:
        named = None if self.names is None else dict(zip(self.names, tensors, strict=True))
        output = run(self.module, tensors if named is None else named)
        return reading_of(self.module).raw(output)


def _named(inputs: Any) -> tuple[list[str], list[Tensor]]:
    """Names for the graph's inputs, and the tensors on the CPU."""
    if isinstance(inputs, Mapping):
        return list(inputs), [_cpu(v) for v in inputs.values()]
    tensors = [_cpu(v) for v in (inputs if isinstance(inputs, tuple | list) else [inputs])]
    return ["input", *(f"input_{i}" for i in range(1, len(tensors)))][: len(tensors)], tensors


def _cpu(value: Tensor) -> Tensor:
    return value.detach().cpu().float() if value.is_floating_point() else value.detach().cpu()


def _exported(plain: nn.Module, tensors: Sequence[Tensor], names: Sequence[str]) -> Any:
    free = torch.export.Dim
    shapes = tuple(
        {0: free.DYNAMIC, 1: free.AUTO}
        if t.ndim == 2 and not t.is_floating_point()
        else {0: free.DYNAMIC}
        for t in tensors
    )
    plain.eval()
    # The exporter speaks of its own inner workings, on three channels.
    with quiet("torch.onnx", "torch.export", "onnxscript", "onnx_ir"), torch.no_grad():
        try:
            program = torch.onnx.export(
                plain,
                tuple(tensors),
                input_names=list(names),
                output_names=["logits"],
                dynamic_shapes=(shapes,),
                dynamo=True,
                verbose=False,
            )
            return program.model_proto  # type: ignore[union-attr]
        except Exception as error:
            name = type(plain.module).__name__
            raise InvalidInput(
                f"{name} cannot be exported to ONNX: {_line(error)}",
                "The safetensors file holds the same weights; torch.export.export names the line"
                " of its forward that is in the way.",
            ) from error


@contextmanager
def quiet(*loggers: str) -> Iterator[None]:
    """No warnings and no log lines of these packages inside."""
    found = [logging.getLogger(name) for name in loggers]
    levels = [logger.level for logger in found]
    try:
        for logger in found:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(found, levels, strict=True):
            logger.setLevel(level)


def _line(error: BaseException) -> str:
    """The first line of what started an error."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{lines[0][:200] if lines else type(error).__name__}"
