"""Texts that models write: batched with a KV cache, and the same for the same seed and prompt.

One uniform number a token is drawn for each prompt from a generator of its own, and the token is
where the cumulated probabilities pass it. So what follows a prompt depends on the seed and on the
prompt's number, and not on the batch or the process in which it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.language.models import LanguageModel
from limbeck.modules.capture import modes_kept
from limbeck.modules.outputs import reading_of
from limbeck.networks.datasets.seeding import mixed

__all__ = ["TokenSampling", "generate", "padded"]


@dataclass(frozen=True)
class TokenSampling:
    """How texts are sampled.

    Parameters
    ----------
    max_new_tokens : int
        Tokens at most.
    temperature : float
        Logits are divided by it; 0 takes the likeliest token.
    top_p : float
        The likeliest tokens whose probabilities add up to so much may be drawn; 1 is all.
    batch_size : int
        Prompts that are continued at once.

    Raises
    ------
    InvalidInput
        If a number has no meaning.
    """

    max_new_tokens: int = 128
    temperature: float = 1.0
    top_p: float = 1.0
    batch_size: int = 32

    def __post_init__(self) -> None:
        for name, least in (("max_new_tokens", 1), ("batch_size", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise InvalidInput(f"{name} is {value!r}.", f"Give a whole number from {least}.")
        if not self.temperature >= 0:
            raise InvalidInput(f"temperature is {self.temperature!r}.", "Give 0 or more.")
        if not 0 < self.top_p <= 1:
            raise InvalidInput(f"top_p is {self.top_p!r}.", "Give a number in (0, 1].")


def generate(
    model: LanguageModel,
    prompts: Sequence[Sequence[int]],
    sampling: TokenSampling,
    *,
    seed: int,
    numbers: Sequence[int] | None = None,
    mixture: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None,
    synced: bool = False,
) -> list[list[int]]:
    """What a model writes after each prompt, up to and with the end of text.

    Parameters
    ----------
    model : LanguageModel
        Who writes, in evaluation mode; its modes are afterwards as before.
    prompts : sequence of sequence of int
        Tokens of each.
    sampling : TokenSampling
        Length, temperature, and how many at once.
    seed : int
        The same seed and number of a prompt give the same text, whatever the batch, up to
        rounding of the model's own outputs in batches of other shapes.
    numbers : sequence of int, optional
        The number of each prompt, from which its random numbers follow; by default its place.
    mixture : callable, optional
        ``mixture(tokens, mask, log_probabilities)`` gives other log-probabilities to draw from,
        such as those of a mixture with another model.
    synced : bool
        Whether all processes must make the same number of steps, as with sharded weights.

    Returns
    -------
    list of list of int
        New tokens alone, in the order of the prompts.
    """
    numbers = range(len(prompts)) if numbers is None else numbers
    out: list[list[int]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))  # little is padded
    with _writing(model) as config:
        config.max_new_tokens = sampling.max_new_tokens
        for start in range(0, len(order), sampling.batch_size):
            rows = order[start : start + sampling.batch_size]
            uniforms = _uniforms(seed, [numbers[i] for i in rows], sampling.max_new_tokens)
            found = _written(
                model, [prompts[i] for i in rows], sampling, config, uniforms, mixture, synced
            )
            for i, tokens in zip(rows, found, strict=True):
                out[i] = tokens
    return out


def padded(
    sequences: Sequence[Sequence[int]], pad: int, left: bool, device: Any = None
) -> tuple[Tensor, Tensor]:
    """Sequences as one tensor with its mask, both (n, t).

    Parameters
    ----------
    sequences : sequence of sequence of int
        Tokens.
    pad : int
        The token that fills up; it is masked.
    left : bool
        Whether it stands before the tokens, as for generation.
    device : optional
        Where the tensors are made.
    """
    longest = max(map(len, sequences))
    ids, mask = [], []
    for tokens in sequences:
        fill, there = [pad] * (longest - len(tokens)), [1] * len(tokens)
        none = [0] * len(fill)
        ids.append([*fill, *tokens] if left else [*tokens, *fill])
        mask.append([*none, *there] if left else [*there, *none])
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _written(
    model: LanguageModel,
    prompts: Sequence[Sequence[int]],
    sampling: TokenSampling,
    config: Any,
    uniforms: Tensor,
    mixture: Callable[[Tensor, Tensor, Tensor], Tensor] | None,
    synced: bool,
) -> list[list[int]]:
    """New tokens after one batch of prompts."""
    device = model.module.device
    ids, mask = padded(prompts, model.pad, left=True, device=device)
    draw = _Draw(sampling, uniforms.to(device), ids.shape[1], mask, mixture,
                 reading_of(model.module).first)  # fmt: skip
    whole = model.module.generate(
        input_ids=ids, attention_mask=mask, generation_config=config, logits_processor=[draw],
        synced_gpus=synced,
    )  # fmt: skip
    ends, out = set(model.ends), []
    for tokens in whole[:, ids.shape[1] :].tolist():
        stop = next((i + 1 for i, t in enumerate(tokens) if t in ends), len(tokens))
        out.append(tokens[:stop])
    return out


class _Draw:
    """Turns logits into a sure choice: the token that the uniform number of a row falls on."""

    def __init__(
        self,
        sampling: TokenSampling,
        uniforms: Tensor,
        start: int,
        mask: Tensor,
        mixture: Callable[[Tensor, Tensor, Tensor], Tensor] | None,
        first: int | None,
    ) -> None:
        self._sampling, self._uniforms, self._start = sampling, uniforms, start
        self._mask, self._mixture, self._first = mask, mixture, first

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        done, given = input_ids.shape[1] - self._start, scores
        scores = scores[:, : self._first].float()
        if self._mixture is not None:
            scores = self._mixture(input_ids, self._mask, scores.log_softmax(-1))
        chosen = _drawn(scores, self._uniforms[:, done : done + 1], self._sampling)
        return torch.full_like(given, -torch.inf).scatter_(1, chosen, 0.0)


def _drawn(scores: Tensor, uniforms: Tensor, sampling: TokenSampling) -> Tensor:
    """Tokens (n, 1) from logits (n, k), by inversion of the cumulated probabilities."""
    if sampling.temperature == 0:
        return scores.argmax(-1, keepdim=True)
    p = (scores / sampling.temperature).softmax(-1).double()
    if sampling.top_p < 1:
        ordered, where = p.sort(-1, descending=True)
        beyond = ordered.cumsum(-1) - ordered >= sampling.top_p
        p = p.masked_fill(beyond.gather(1, where.argsort(-1)), 0.0)
    sums = p.cumsum(-1)
    places = torch.searchsorted(sums, uniforms * sums[:, -1:], right=True)
    return places.clamp_max(p.shape[1] - 1)


def _uniforms(seed: int, numbers: Sequence[int], count: int) -> Tensor:
    """Numbers in [0, 1), (n, count), of a generator for each prompt."""
    rows = []
    for number in numbers:
        own = torch.Generator().manual_seed(mixed(seed, number) >> 1)
        rows.append(torch.rand(count, generator=own, dtype=torch.float64))
    return torch.stack(rows)


@contextmanager
def _writing(model: LanguageModel) -> Iterator[Any]:
    """A configuration with nothing of the model's own but its ends; modes are put back.

    A folder's generation_config may ask for top-k, or a repetition penalty, which `generate` would
    take over: the text would not be drawn from the model's distribution.
    """
    from transformers import GenerationConfig

    module = model.module
    own = module.generation_config
    bare = GenerationConfig(
        do_sample=False, eos_token_id=list(model.ends) or None, pad_token_id=model.pad
    )
    with modes_kept(module), torch.no_grad():
        module.eval()
        module.generation_config = bare
        try:
            yield bare
        finally:
            module.generation_config = own
