"""Attention against what replaces it, by length: a token of generation, and a pass of training.

Attention is scaled_dot_product_attention. Its keys are written into room that was taken before, so
that a token copies none of them (the cache that transformers makes copies all; its time is told,
too). All kinds take turns in one process, the least of several repeats counts: processor seconds,
on a GPU seconds of the wall.

    python benchmarks/conversion.py                                  # one thread, minutes
    python benchmarks/conversion.py --device cuda --dtype bfloat16 --width 1024 --layers 8 \
        --rows 1 64 --batch 4 --training-lengths 512 2048 8192 16384
    python benchmarks/conversion.py --small                          # seconds
"""

from __future__ import annotations

import argparse
import json
import math
import platform
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.cache_utils import DynamicLayer

from limbeck.networks.conversion.attention import attention_layers
from limbeck.networks.conversion.convert import convert
from limbeck.networks.conversion.hybrid import Hybrid
from limbeck.networks.conversion.speed import clock, token_costs

MIXERS = ("gated_recurrence", "gated_delta", "linear_attention")
_TOKENS = 16  # of a measurement, and the room that is taken for them


class Roomy(DynamicLayer):
    """Keys and values in room that was taken before; what is read is a view of it."""

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> Any:
        read = key_states.shape[2]
        if not getattr(self, "read", 0):
            self.room = [torch.cat([x, x[:, :, :_TOKENS]], 2) for x in (key_states, value_states)]
            self.read, self.is_initialized = read, True
        else:
            at = slice(self.read, self.read + read)
            self.room[0][:, :, at], self.room[1][:, :, at] = key_states, value_states
            self.read += read
        self.keys, self.values = (x[:, :, : self.read] for x in self.room)
        return self.keys, self.values


def llama(width: int, layers: int, head: int) -> Any:
    """A random Llama that reads 65 tokens; each head has keys of its own."""
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=65, hidden_size=width, intermediate_size=width * 8 // 3,
            num_hidden_layers=layers, num_attention_heads=width // head,
            max_position_embeddings=1 << 18, pad_token_id=0, attn_implementation="sdpa",
        )
    ).eval()  # fmt: skip


def told(**row: Any) -> None:
    print(json.dumps(row), flush=True)


def generation(given: argparse.Namespace) -> None:
    """Milliseconds of a token after so many, and what is kept of a text."""
    model = llama(given.width, given.layers, given.head).to(given.device, given.dtype)
    kinds = {"attention": model, **{
        m: convert(model, (), Hybrid(0.0, mixer=m)).eval() for m in given.mixers
    }}  # fmt: skip
    for rows in given.rows:
        for length in given.lengths:
            size = (
                4
                * rows
                * length
                * given.width
                * given.layers
                * (torch.finfo(given.dtype).bits // 16)
            )  # bytes of all keys and values
            if (
                torch.device(given.device).type == "cuda"
                and size > 0.7 * torch.cuda.mem_get_info()[0]
            ):
                told(part="token", rows=rows, length=length, skipped="no memory")
                continue
            found: dict[str, Any] = {}
            ways: list[tuple[str, Any, Callable[[], Any]]] = [
                ("attention, keys copied", model, DynamicLayer),
                *((name, kind, Roomy) for name, kind in kinds.items()),
            ]
            for turn in range(given.repeats + 1):
                for name, kind, keys in ways:
                    (cost,) = token_costs(kind, [length], _TOKENS, rows=rows, keys=keys)
                    if turn:  # the first is to warm up
                        found.setdefault(name, []).append(cost.seconds)
                        found[f"{name}, kB"] = cost.state_bytes / 1e3
            ms = {n: 1e3 * min(v) for n, v in found.items() if isinstance(v, list)}
            told(part="token", rows=rows, length=length, ms=ms,
                 kB={n[:-4]: v for n, v in found.items() if n.endswith(", kB")},
                 times_as_quick={m: ms["attention"] / ms[m] for m in given.mixers})  # fmt: skip


def training(given: argparse.Namespace) -> None:
    """Forward and backward pass of one layer, against attention's, by length."""
    model = llama(given.width, 1, given.head).to(given.device, given.dtype)
    layers = {"attention": attention_layers(model)[0]}
    for mixer in given.mixers:
        for chunk in given.chunks if mixer == "gated_delta" else [None]:
            options = None if chunk is None else {"chunk": chunk}
            made = convert(model, (), Hybrid(0.0, mixer=mixer, options=options))
            name = mixer if chunk is None else f"{mixer}, chunks of {chunk}"
            layers[name] = attention_layers(made)[0]
    device = torch.device(given.device)
    for length in given.training_lengths:
        x = torch.randn(given.batch, length, given.width, device=device, dtype=given.dtype)
        places = torch.arange(length, device=device)[None]
        turned = model.model.rotary_emb(x, places)
        ms: dict[str, float] = {}
        for turn in range(given.repeats + 1):
            for name, layer in layers.items():
                spent = 1e3 * passed(layer, x, turned)
                if turn:
                    ms[name] = min(spent, ms.get(name, spent))
        told(part="training", batch=given.batch, length=length, ms=ms,
             times_attention={n: v / ms["attention"] for n, v in ms.items()})  # fmt: skip


def passed(layer: Any, x: Tensor, turned: Any) -> float:
    """Seconds of a forward and a backward pass; infinite where memory does not suffice."""
    layer.zero_grad(set_to_none=True)
    began = clock(x.device)
    try:
        y = layer(hidden_states=x, position_embeddings=turned, attention_mask=None)[0]
        y.float().square().mean().backward()
    except torch.OutOfMemoryError:
        return math.inf
    return clock(x.device) - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", type=lambda name: getattr(torch, name))
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--head", type=int, default=64, help="numbers of a head")
    parser.add_argument("--rows", type=int, nargs="+", default=[1], help="texts that go on at once")
    parser.add_argument("--batch", type=int, default=4, help="rows of a training pass")
    parser.add_argument("--lengths", type=int, nargs="*", default=[512, 2048, 16_384])
    parser.add_argument("--training-lengths", type=int, nargs="*", default=[128, 512, 2048])
    parser.add_argument("--mixers", nargs="+", choices=MIXERS, default=list(MIXERS))
    parser.add_argument("--chunks", type=int, nargs="+", default=[16, 64], help="of gated_delta")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="short lengths, to see that it runs")
    given = parser.parse_args()
    if given.small:
        given.width, given.layers, given.repeats = 64, 1, 1
        given.lengths, given.training_lengths = [32], [32]
    torch.set_num_threads(1)
    cuda = torch.device(given.device).type == "cuda"
    told(part="machine", device=torch.cuda.get_device_name() if cuda else platform.machine(),
         torch=torch.__version__, dtype=str(given.dtype), width=given.width,
         layers=given.layers, head=given.head)  # fmt: skip
    generation(given)
    training(given)


if __name__ == "__main__":
    main()
