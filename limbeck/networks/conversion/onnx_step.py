"""One step of generation as an ONNX graph: a token and the states in, logits and states out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.core.atomic_io import write_bytes
from limbeck.core.errors import InvalidInput, MissingExtra
from limbeck.core.strict_json import strict_json
from limbeck.export.onnx_graph import quiet
from limbeck.networks.conversion.attention import attention_layers, parts_of
from limbeck.networks.conversion.cache import RecurrentLayer
from limbeck.networks.conversion.layer import ConvertedAttention

__all__ = ["ExportedStep", "OnnxSteps", "export_step"]

_TOLERANCE = 1e-4


@dataclass(frozen=True)
class ExportedStep:
    """A graph that was checked against the model.

    Parameters
    ----------
    path : Path
        The file.
    difference : float
        The largest difference of the logits, as a share of the largest logit or of 1.
    steps : int
        Tokens over which they were compared.
    state_bytes : int
        What the states of converted layers take for one text.
    """

    path: Path
    difference: float
    steps: int
    state_bytes: int


def export_step(model: Any, path: str | Path, steps: int = 256, seed: int = 0) -> ExportedStep:
    """Write one step of generation as ONNX, and compare it with the model over some tokens.

    Inputs are ``token`` (b, 1), ``position`` (b, 1) and the states; outputs ``logits`` (b, v) and
    the new states, each named as its input with ``new_`` in front. Converted layers have states of
    a constant size; layers that keep attention have keys and values (b, h, s, n), which grow.

    Parameters
    ----------
    model : PreTrainedModel
        The converted model; left as it is.
    path : path
        The file.
    steps : int
        Tokens over which the graph is compared with the model, drawn at random.
    seed : int
        For these tokens.

    Raises
    ------
    MissingExtra
        If onnx, onnxscript or onnxruntime is absent.
    InvalidInput
        If it cannot be exported, or a logit is more than 1e-4 away: nothing is written.
    """
    try:
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
        from onnx import helper
    except ImportError as error:
        raise MissingExtra(
            f"Exporting to ONNX needs the package {error.name}.", "pip install 'limbeck[onnx]'."
        ) from None
    step = _Step(model)
    names, states = step.empty_states(2)
    proto = _traced(step, names, states)
    told = {"states": {n: list(s.shape[1:]) for n, s in zip(names, states, strict=True)},
            "growing": step.growing}  # fmt: skip
    helper.set_model_props(proto, {"limbeck_step": strict_json(told, indent=None)})
    content = proto.SerializeToString()
    apart = _difference(model, OnnxSteps(content), steps, seed)
    if not apart <= _TOLERANCE:  # NaN included
        raise InvalidInput(
            f"Over {steps} tokens the graph is up to {apart:.3g} away from the model.",
            "Use the safetensors file, and report this.",
        )
    constant = [s for n, s in zip(names, states, strict=True) if n not in step.growing]
    size = sum(s[:1].numel() * s.element_size() for s in constant)
    return ExportedStep(write_bytes(content, path), apart, steps, size)


class OnnxSteps:
    """A graph of `export_step` that reads tokens one after another and keeps its states.

    Parameters
    ----------
    graph : bytes, str or Path
        The graph or its file.
    batch : int
        Texts read side by side.
    """

    def __init__(self, graph: bytes | str | Path, batch: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        given = graph if isinstance(graph, bytes) else str(graph)
        self.session = onnxruntime.InferenceSession(
            given, options, providers=["CPUExecutionProvider"]
        )
        self.batch, self.position = batch, 0
        inputs = [i for i in self.session.get_inputs() if i.name not in ("token", "position")]
        kinds = {"tensor(float)": np.float32, "tensor(bool)": np.bool_}
        self.states: dict[str, NDArray[Any]] = {
            i.name: np.zeros(
                [batch, *(d if isinstance(d, int) else 0 for d in i.shape[1:])], kinds[i.type]
            )
            for i in inputs
        }

    def read(self, tokens: Any) -> NDArray[np.float32]:
        """Read one token of each text; returns the logits (b, v) of the next.

        Parameters
        ----------
        tokens : array-like of shape (b,)
            Tokens.
        """
        fed: Mapping[str, Any] = {
            "token": np.asarray(tokens, dtype=np.int64).reshape(self.batch, 1),
            "position": np.full((self.batch, 1), self.position, dtype=np.int64),
            **self.states,
        }
        taken = {i.name for i in self.session.get_inputs()}
        names = [o.name for o in self.session.get_outputs()]
        found = dict(
            zip(names, self.session.run(None, {n: v for n, v in fed.items() if n in taken}),
                strict=True)
        )  # fmt: skip
        self.states = {name: found[f"new_{name}"] for name in self.states}
        self.position += 1
        logits: NDArray[np.float32] = found["logits"]
        return logits


class _Step(nn.Module):
    """A model that takes a token, its position and states one after another."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        import copy

        self.model = copy.deepcopy(model).cpu().float().eval()
        self.keys: list[list[str]] = []
        self.growing: list[str] = []

    def empty_states(self, batch: int) -> tuple[list[str], list[Tensor]]:
        """Names and states of all layers; keys and values of 3 tokens, since none is special."""
        names, states = [], []
        for index, attention in enumerate(attention_layers(self.model)):
            if isinstance(attention, ConvertedAttention):
                found = attention.mixer.empty_state(batch)
            else:
                parts = parts_of(attention)
                found = {
                    kind: torch.zeros(batch, parts.kv_heads, 3, parts.head_dim)
                    for kind in ("keys", "values")
                }
                self.growing += [f"layer_{index}_{kind}" for kind in found]
            self.keys.append(list(found))
            names += [f"layer_{index}_{kind}" for kind in found]
            states += list(found.values())
        return names, states

    def forward(self, token: Tensor, position: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        from transformers.cache_utils import DynamicCache, DynamicLayer

        cache, rest = DynamicCache(), list(states)
        cache.layers, mask = [], None
        for attention, keys in zip(attention_layers(self.model), self.keys, strict=True):
            own = dict(zip(keys, rest[: len(keys)], strict=True))
            rest = rest[len(keys) :]
            layer: Any
            if isinstance(attention, ConvertedAttention):
                layer = RecurrentLayer()
                layer.state = own
            else:
                layer = DynamicLayer()
                layer.keys, layer.values = own["keys"], own["values"]
                layer.dtype, layer.device = own["keys"].dtype, own["keys"].device
                layer.is_initialized = True
                ones = torch.ones_like(own["keys"][:, :1, :, :1]).transpose(2, 3)  # (b, 1, 1, s)
                mask = torch.cat([ones, ones.new_ones(len(token), 1, 1, 1)], -1) - 1.0
            cache.layers.append(layer)
        logits = self.model(
            input_ids=token, position_ids=position, attention_mask=mask, past_key_values=cache,
            use_cache=True,
        ).logits[:, -1]  # fmt: skip
        new: list[Tensor] = []
        for layer, keys in zip(cache.layers, self.keys, strict=True):
            held: Any = layer.state if isinstance(layer, RecurrentLayer) else vars(layer)
            new += [held[key] for key in keys]
        return (logits, *new)


def _traced(step: _Step, names: list[str], states: list[Tensor]) -> Any:
    free, batch = torch.export.Dim, len(states[0])
    shapes = [
        {0: free.DYNAMIC, 2: free.DYNAMIC} if name in step.growing else {0: free.DYNAMIC}
        for name in names
    ]
    token = torch.ones(batch, 1, dtype=torch.long)
    with quiet("torch.onnx", "torch.export", "onnxscript", "onnx_ir"), torch.no_grad():
        try:
            program = torch.onnx.export(
                step,
                (token, token + 2, *states),
                input_names=["token", "position", *names],
                output_names=["logits", *(f"new_{name}" for name in names)],
                dynamic_shapes=({0: free.DYNAMIC}, {0: free.DYNAMIC}, tuple(shapes)),
                dynamo=True,
                verbose=False,
            )
            return program.model_proto  # type: ignore[union-attr]
        except Exception as error:
            name, first = type(step.model).__name__, (str(error).splitlines() or [""])[0]
            raise InvalidInput(
                f"{name} cannot be exported to ONNX: {first[:200]}", "Use the safetensors file."
            ) from error


@torch.no_grad()
def _difference(model: Any, graph: OnnxSteps, steps: int, seed: int) -> float:
    """The largest difference of logits over so many tokens."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(int(model.config.vocab_size), (1, steps), generator=generator)
    device = next(model.parameters()).device
    expected = model.eval()(input_ids=tokens.to(device), use_cache=False).logits[0].float().cpu()
    found = torch.from_numpy(np.concatenate([graph.read(t) for t in tokens[0].numpy()]))
    return float((found - expected).abs().max() / expected.abs().max().clamp_min(1.0))
