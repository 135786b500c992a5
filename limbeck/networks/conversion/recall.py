"""What conversion loses and perplexity does not notice: recall of what stood far back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limbeck.certificates.binomial import interval
from limbeck.core.errors import InvalidInput
from limbeck.core.measured import Measured
from limbeck.networks.conversion.recall_score import RecallScore

__all__ = [
    "Haystack", "RecallScore", "associative_recall", "check_distances", "copying", "needles",
    "recall", "word_tokens",
]  # fmt: skip

_SAID = "The secret word is"
_WORDS = 256
_PHRASE = 8


def copying(
    tokens: Tensor, count: int, distance: int, seed: int = 0, length: int = _PHRASE
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


@dataclass(frozen=True, eq=False)
class Haystack:
    """A statement that is hidden in a text, and asked for at its end.

    Parameters
    ----------
    said : Tensor of shape (s,), int64
        The statement up to its last word, which is also the question.
    words : Tensor of shape (k,), int64
        One of these ends the statement.
    text : Tensor of shape (t,), int64
        Real text; stretches of it stand in between.
    """

    said: Tensor
    words: Tensor
    text: Tensor

    @classmethod
    def of(cls, tokenizer: Any, texts: Sequence[str]) -> Haystack:
        """A secret word is told somewhere before these texts.

        Parameters
        ----------
        tokenizer : PreTrainedTokenizer
            Of the model.
        texts : sequence of str
            Texts that stand in between.
        """

        def ids(text: str) -> Tensor:
            return torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"])

        return cls(ids(_SAID), word_tokens(tokenizer), ids("\n".join(texts)))


def word_tokens(tokenizer: Any, most: int = _WORDS) -> Tensor:
    """Tokens that are a word of four letters or more with its blank, or all where there are none.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizer
        Of the model.
    most : int
        As many are taken, spread over the vocabulary.
    """
    special = set(tokenizer.all_special_ids)
    ids = sorted(i for i in tokenizer.get_vocab().values() if i not in special)
    texts = tokenizer.batch_decode([[i] for i in ids])
    words = [i for i, t in zip(ids, texts, strict=True)
             if t[:1] == " " and len(t) > 4 and t[1:].isascii() and t[1:].isalpha()]  # fmt: skip
    found = words if len(words) >= 16 else ids
    places = torch.linspace(0, len(found) - 1, min(most, len(found))).long()
    return torch.tensor(found)[places]


def needles(haystack: Haystack, count: int, distance: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A statement, some text, and the statement again without its last word, which is asked.

    Parameters
    ----------
    haystack : Haystack
        Statement and text.
    count : int
        Sequences.
    distance : int
        Tokens from the one place to the other, more than the statement has.
    seed : int
        Draws them.

    Returns
    -------
    tuple of Tensor
        Prompts (count, distance + s) and the tokens that are to come (count,).
    """
    said, between = haystack.said, distance - len(haystack.said) - 1
    if between < 0 or between >= len(haystack.text):
        raise InvalidInput(
            f"distance is {distance}, with a statement of {len(said) + 1} tokens and"
            f" {len(haystack.text)} tokens of text.",
            "Give a distance in between, or more texts.",
        )
    generator = torch.Generator().manual_seed(seed)
    wanted = haystack.words[torch.randint(len(haystack.words), (count,), generator=generator)]
    starts = torch.randint(len(haystack.text) - between, (count,), generator=generator)
    rows = [
        torch.cat([said, word[None], haystack.text[start : start + between], said])
        for word, start in zip(wanted, starts.tolist(), strict=True)
    ]
    return torch.stack(rows), wanted


def recall(
    model: Any,
    tokens: Tensor,
    distances: list[int],
    count: int = 64,
    seed: int = 0,
    haystack: Haystack | None = None,
) -> list[RecallScore]:
    """Both tasks at some distances, on sequences that no text holds; and needles in real text.

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
    haystack : Haystack, optional
        What needles are hidden in; without it there are none.
    """
    model.eval()
    tasks: dict[str, Any] = {
        "copying": lambda distance: copying(tokens, count, distance, seed),
        "associative recall": lambda distance: associative_recall(tokens, count, distance, seed),
    }
    if haystack is not None:
        tasks["needle"] = lambda distance: needles(haystack, count, distance, seed)
    return [
        _scored(model, task, distance, *make(distance))
        for task, make in tasks.items()
        for distance in distances
    ]


@torch.no_grad()
def _scored(model: Any, task: str, distance: int, prompts: Tensor, wanted: Tensor) -> RecallScore:
    device = next(model.parameters()).device
    logits = torch.cat(
        [
            model(input_ids=some.to(device), use_cache=False).logits[:, -1].float().cpu()
            for some in torch.split(prompts, 8)
        ]
    )
    right, count = int((logits.argmax(-1) == wanted).sum()), len(wanted)
    likely = logits.softmax(-1).gather(1, wanted[:, None])
    return RecallScore(
        task, distance, Measured(right / count, *interval(right, count, 0.05)),
        float(np.mean(likely.numpy())),
    )  # fmt: skip


def check_distances(distances: Sequence[int]) -> None:
    """Refuse distances at which a task could not be asked.

    Raises
    ------
    InvalidInput
        If one is not an even number of 8 or more.
    """
    for distance in distances:
        if isinstance(distance, bool) or not isinstance(distance, int):
            raise InvalidInput(f"A distance is {distance!r}.", "Give whole numbers.")
        _far_enough(distance, _PHRASE)


def _far_enough(distance: int, least: int) -> None:
    if distance < least or distance % 2:
        raise InvalidInput(f"distance is {distance}.", f"Give an even number of {least} or more.")
