"""Encoders that read both ways, such as BERT and vision transformers, with recurrent mixers."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.capture import hooked, modes_kept, run
from limbeck.networks.conversion.attention import check_scores
from limbeck.networks.conversion.context import BatchContext
from limbeck.networks.conversion.hybrid import Hybrid, kept_layers
from limbeck.networks.conversion.mixers.base import AttentionParts
from limbeck.networks.conversion.mixers.kinds import make_two_way
from limbeck.networks.conversion.mixers.rows import TokenRows
from limbeck.networks.conversion.mixers.two_way import TwoWay
from limbeck.networks.datasets.seeding import seed_torch

__all__ = ["EncoderMixer", "encoder_attentions", "recurrent_encoder"]


class EncoderMixer(nn.Module):
    """Called like the attention of an encoder; returns the mixer's output and no weights.

    Parameters
    ----------
    mixer : TwoWay
        What replaces attention.
    context : BatchContext
        Where padding is read.
    """

    def __init__(self, mixer: TwoWay, context: BatchContext) -> None:
        super().__init__()
        self.mixer, self.context = mixer, context

    def forward(self, hidden_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, None]:
        """The mixed vectors, and None for the weights.

        Parameters
        ----------
        hidden_states : Tensor of shape (b, t, d)
            Vectors of tokens or patches.
        *_, **__
            What blocks hand on to attention besides.
        """
        return self.mixer(hidden_states, self.context.rows)[0], None


def recurrent_encoder(model: Any, into: Hybrid | None = None, inputs: Any = None) -> Any:
    """A copy of an encoder in which two scans, forward and backward, replace attention.

    It is a network like others: ``limbeck.distill(model, data, into=student)`` trains it, with
    certificate and control.

    Parameters
    ----------
    model : nn.Module
        BERT, MiniLM, RoBERTa, ViT and the like of transformers, or a module that holds one; left
        as it is.
    into : Hybrid, optional
        Which layers keep attention, and the mixer: ``gated_recurrence`` or ``gated_delta``. By
        default half of the layers, evenly spread.
    inputs : Tensor, tuple or mapping, optional
        A batch that the model is called with. On it decay and norm of each head are set in closed
        form, so that they come near to attention's; without it they start at their defaults.

    Returns
    -------
    nn.Module
        Of the same kind as ``model``.

    Raises
    ------
    InvalidInput
        If it has no attention that can be converted, or is a decoder.

    Examples
    --------
    >>> import limbeck
    >>> student = limbeck.networks.recurrent_encoder(bert, inputs=batch)  # doctest: +SKIP
    >>> result = limbeck.distill(bert, dataset, into=student)  # doctest: +SKIP
    """
    hybrid = into or Hybrid()
    student = copy.deepcopy(model)
    found = list(encoder_attentions(student))
    keep = kept_layers(hybrid.keep, len(found))
    context = BatchContext()
    context.watch(_encoder(student))
    made: dict[str, TwoWay] = {}
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        for index, (name, attention, parts) in enumerate(found):
            if index in keep:
                continue
            seed_torch(index)
            made[name] = make_two_way(hybrid.mixer, parts, hybrid.start, hybrid.options)
            made[name].train(attention.training)
    if inputs is not None and hybrid.calibrate and hybrid.start == "neutral":
        _calibrated(student, made, context, inputs)
    for name, mixer in made.items():
        parent, _, last = name.rpartition(".")
        setattr(student.get_submodule(parent), last, EncoderMixer(mixer, context))
    return student


def encoder_attentions(model: Any) -> Iterator[tuple[str, nn.Module, AttentionParts]]:
    """Name, module and parts of every self-attention of an encoder, in their order.

    Parameters
    ----------
    model : nn.Module
        An encoder of transformers, or a module that holds one.

    Raises
    ------
    InvalidInput
        If it is a decoder, or has none that can be converted.
    """
    config = getattr(_encoder(model), "config", None)
    causal = getattr(config, "is_decoder", False) or getattr(config, "is_encoder_decoder", False)
    found = [(n, m, p) for n, m in model.named_modules() if (p := _parts(m)) is not None]
    if causal or any(getattr(m, "is_causal", False) for _, m, _ in found):
        raise InvalidInput(
            f"{type(model).__name__} reads from left to right.",
            "Convert decoders with limbeck.distill('hf:model', texts, into=Hybrid(...)).",
        )
    if not found:
        raise InvalidInput(
            f"{type(model).__name__} has no attention that limbeck can convert.",
            "Give BERT, RoBERTa, MiniLM, ViT or another encoder of transformers with projections"
            " query, key and value, or q_proj to o_proj.",
        )
    yield from found


def _encoder(model: Any) -> nn.Module:
    """The model of transformers in a module, whose calls have the masks."""
    module: Any
    for module in model.modules():
        if hasattr(module, "base_model") and hasattr(module, "config"):
            found: nn.Module = module.base_model
            return found
    raise InvalidInput(
        f"{type(model).__name__} holds no model of transformers.",
        "Give an encoder that transformers loaded, or a module around it.",
    )


def _parts(layer: Any) -> AttentionParts | None:
    """The parts of a self-attention; None for all other modules."""
    if all(isinstance(getattr(layer, n, None), nn.Linear) for n in ("query", "key", "value")):
        projections = layer.query, layer.key, layer.value, nn.Identity()
        size = int(layer.attention_head_size)
    elif all(isinstance(getattr(layer, f"{n}_proj", None), nn.Linear) for n in "qkvo"):
        projections = layer.q_proj, layer.k_proj, layer.v_proj, layer.o_proj
        size = int(layer.head_dim)
    else:
        return None
    check_scores(layer)
    heads, odd = divmod(layer_width := projections[0].out_features, size)
    if odd:
        raise InvalidInput(
            f"{type(layer).__name__} has {layer_width} numbers of queries in heads of {size}.",
            "Its heads must divide them.",
        )
    return AttentionParts(*projections, heads, heads, size, float(layer.scaling))


@torch.no_grad()
def _calibrated(
    student: Any, mixers: Mapping[str, TwoWay], context: BatchContext, inputs: Any
) -> None:
    """Decay and norm of each head, from what attention reads and returns for a batch."""
    seen: dict[str, tuple[Tensor, Tensor, TokenRows]] = {}
    hooks, before = [], []
    for name in mixers:
        attention = student.get_submodule(name)
        hooks.append((attention, _keeper(seen, name, context)))
        if hasattr(attention, "o_proj"):  # its heads are what the output projection reads
            before.append((attention.o_proj, _heads(seen, name)))
    with hooked(hooks, before, with_kwargs=True), modes_kept(student):
        run(student.eval(), inputs)
    for name, mixer in mixers.items():
        read, heads, rows = seen[name]
        shape = mixer.onward.heads, mixer.onward.head_dim
        mixer.calibrate(read, rows, heads.unflatten(-1, shape))  # type: ignore[no-untyped-call]


def _heads(seen: dict[str, Any], name: str) -> Any:
    def keep(_: nn.Module, args: Any) -> None:
        seen[f"{name}:heads"] = args[0]

    return keep


def _keeper(seen: dict[str, Any], name: str, context: BatchContext) -> Any:
    def keep(_: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        read = kwargs["hidden_states"] if "hidden_states" in kwargs else args[0]
        written = output[0] if isinstance(output, tuple) else output
        seen[name] = read, seen.pop(f"{name}:heads", written), context.rows

    return keep
