"""What conversion loses and perplexity does not notice: recall of what stood far back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limbeck.certificates.binomial import interval
from limbeck.core.errors import InvalidInput
from limbeck.core.measured import Measured

__all__ = ["RecallScore", "associative_recall", "copying", "recall"]


@dataclass(frozen=True)
class RecallScore:
    """Recall at one distance.

    Parameters
    ----------
    task : str
        ``copying`` or ``associative recall``.
    distance : int
        Tokens between what is to be recalled and where.
    right : Measured
        Share of sequences whose token is right, with its exact 95% interval.
    likelihood : float
        Mean probability of the right token.
    """

    task: str
    distance: int
    right: Measured
    likelihood: float


def copying(
    tokens: Tensor, count: int, distance: int, seed: int = 0, length: int = 8
) -> tuple[Tensor, Tensor]:
    """Sequences in which a random phrase comes again after some filling: its last token is asked.

    Parameters
    ----------
    tokens : Tensor of shape (k,), int64
        Tokens that phrases are made of.
    count : int
        Sequences.
    distance : int
        Tokens between the two places, ``length`` or more.
    seed : int
        Draws them.
    length : int
        Tokens of the phrase.

    Returns
    -------
    tuple of Tensor
        Prompts (count, distance + length - 1), and the tokens that are to come (count,).
    """
    _far_enough(distance, length)
    generator = torch.Generator().manual_seed(seed)

    def drawn(t: int) -> Tensor:
        return tokens[torch.randint(len(tokens), (count, t), generator=generator)]

    phrase, filling = drawn(length), drawn(distance - length)
    return torch.cat([phrase, filling, phrase[:, :-1]], 1), phrase[:, -1]


def associative_recall(
    tokens: Tensor, count: int, distance: int, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Pairs of a key and a value, each key once; then the first key again: its value is asked.

    Parameters
    ----------
    tokens : Tensor of shape (k,), int64
        Half of them are keys, half values.
    count : int
        Sequences.
    distance : int
        Tokens between the key's two places, an even number; more pairs than there are keys leave
        out the one that is asked.
    seed : int
        Draws them.

    Returns
    -------
    tuple of Tensor
        Prompts (count, distance + 1) and the tokens that are to come (count,).
    """
    _far_enough(distance, 2)
    generator, half = torch.Generator().manual_seed(seed), len(tokens) // 2
    rows, wanted = [], []
    for _ in range(count):
        keys = tokens[:half][torch.randperm(half, generator=generator)]
        places = torch.arange(distance // 2)
        places = torch.where(places < half, places, 1 + (places - 1) % (half - 1))
        values = tokens[half:][
            torch.randint(len(tokens) - half, (distance // 2,), generator=generator)
        ]
        rows.append(torch.cat([torch.stack([keys[places], values], 1).flatten(), keys[:1]]))
        wanted.append(values[0])
    return torch.stack(rows), torch.stack(wanted)


@torch.no_grad()
def recall(
    model: Any, tokens: Tensor, distances: list[int], count: int = 64, seed: int = 0
) -> list[RecallScore]:
    """Both tasks at some distances, on sequences that no text holds.

    A model that never learned to recall is near chance at every distance: compare it with its
    teacher, not with 1.

    Parameters
    ----------
    model : PreTrainedModel
        The model.
    tokens : Tensor of shape (k,), int64
        Tokens that sequences are made of, 4 or more.
    distances : list of int
        Even numbers of 8 or more.
    count : int
        Sequences for each.
    seed : int
        Draws them.
    """
    model.eval()
    device = next(model.parameters()).device
    found = []
    for task, make in (("copying", copying), ("associative recall", associative_recall)):
        for distance in distances:
            prompts, wanted = make(tokens, count, distance, seed)
            logits = torch.cat(
                [
                    model(input_ids=some.to(device), use_cache=False).logits[:, -1].float().cpu()
                    for some in torch.split(prompts, 8)
                ]
            )
            right = int((logits.argmax(-1) == wanted).sum())
            likely = logits.softmax(-1).gather(1, wanted[:, None])
            found.append(
                RecallScore(
                    task, distance, Measured(right / count, *interval(right, count, 0.05)),
                    float(np.mean(likely.numpy())),
                )
            )  # fmt: skip
    return found


def _far_enough(distance: int, least: int) -> None:
    if distance < least or distance % 2:
        raise InvalidInput(f"distance is {distance}.", f"Give an even number of {least} or more.")
