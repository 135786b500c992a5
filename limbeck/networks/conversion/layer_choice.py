"""Which layers keep attention: greedily, those whose attention brings the logits nearest."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.core.progress import Progress
from limbeck.networks.conversion.attention import attention_layers
from limbeck.networks.conversion.convert import put_attention
from limbeck.networks.conversion.hybrid import Hybrid
from limbeck.networks.conversion.judge import score_texts
from limbeck.networks.conversion.pipeline import untrained
from limbeck.networks.conversion.stage_training import StageSettings
from limbeck.networks.conversion.stages import match_logits, match_mixers
from limbeck.networks.conversion.texts import TokenTexts

__all__ = ["ConvertedStudents", "LayerFalls", "all_converted", "greedy_layers", "restored"]

Scorer = Callable[[Sequence[int]], NDArray[np.float64]]
"""From layers that keep attention to KL for each seed and text, shape (s, n)."""


@dataclass(frozen=True, eq=False)
class LayerFalls:
    """What the greedy search saw.

    Parameters
    ----------
    keep : tuple of int
        The layers it took, in that order.
    falls : mapping of int to ndarray of shape (s, n)
        By layer: the fall of KL when attention is restored there alone.
    evaluated : int
        Sets of layers that were scored.
    converted : ndarray of shape (s, n)
        KL without any attention.
    """

    keep: tuple[int, ...]
    falls: dict[int, NDArray[np.float64]]
    evaluated: int
    converted: NDArray[np.float64]


def greedy_layers(
    scorer: Scorer, layers: int, count: int, at_once: int = 1, tell: Progress | None = None
) -> LayerFalls:
    """Restore attention where it lowers KL most, again and again (arXiv 2512.20569).

    Parameters
    ----------
    scorer : callable
        KL of a set of layers that keep attention.
    layers : int
        Layers of the model.
    count : int
        How many keep attention.
    at_once : int
        Layers taken in each round, the best ones; 1 is fully greedy.
    tell : Progress, optional
        Told how far it is.
    """
    kept: list[int] = []
    before, evaluated = scorer(()), 1
    converted = before
    falls: dict[int, NDArray[np.float64]] = {}
    while len(kept) < count:
        scored: dict[int, NDArray[np.float64]] = {}
        for layer in (i for i in range(layers) if i not in kept):
            scored[layer] = scorer([*kept, layer])
            evaluated += 1
            if tell is not None:
                tell("layers", len(kept) + layer / layers, count)
        found = {layer: before - score for layer, score in scored.items()}
        falls = falls or found
        taken = sorted(found, key=lambda i: -float(found[i].mean()))[:at_once]
        kept += taken[: count - len(kept)]
        if len(kept) < count and len(taken) == 1:
            before = scored[taken[0]]
        elif len(kept) < count:
            before = scorer(kept)
            evaluated += 1
    return LayerFalls(tuple(kept), falls, evaluated, converted)


def all_converted(
    teacher: Any,
    hybrid: Hybrid,
    tokens: Tensor,
    settings: StageSettings,
    tell: Progress | None = None,
) -> Any:
    """A model without attention after the stage of the mixers.

    Parameters
    ----------
    teacher : PreTrainedModel
        The model with attention.
    hybrid : Hybrid
        Mixer and start.
    tokens : Tensor of shape (n, t), int64
        Blocks of tokens.
    settings : StageSettings
        Steps for each layer.
    tell : Progress, optional
        Told how far it is.
    """
    student = untrained(teacher, hybrid, (), settings.seed, tokens)
    match_mixers(teacher, student, tokens, settings, tell)
    return student


def restored(teacher: Any, student: Any, keep: Sequence[int]) -> list[tuple[int, nn.Module]]:
    """Put the teacher's attention back into some layers; returns what stood there.

    Parameters
    ----------
    teacher, student : PreTrainedModel
        Where attention is taken from, and where it is put.
    keep : sequence of int
        The layers.
    """
    attention = attention_layers(teacher)
    return [(i, put_attention(student, i, copy.deepcopy(attention[i]))) for i in keep]


@dataclass(frozen=True, eq=False)
class ConvertedStudents:
    """Models without attention, one for each seed, in which attention is restored on trial.

    Parameters
    ----------
    teacher : PreTrainedModel
        The model with attention.
    students : sequence of PreTrainedModel
        Models without; left as they are.
    tokens : sequence of Tensor of shape (n, t), int64
        Blocks of training tokens, for each seed.
    settings : sequence of StageSettings, optional
        Of a short training of all weights by KL once attention is restored, for each seed; by
        default none.
    """

    teacher: Any
    students: Sequence[Any]
    tokens: Sequence[Tensor]
    settings: Sequence[StageSettings] = ()

    def divergences(
        self, texts: TokenTexts, length: int, keep: Sequence[int]
    ) -> NDArray[np.float64]:
        """KL by seed and text, (s, n), with attention restored in some layers.

        Parameters
        ----------
        texts : TokenTexts
            Texts, n of them.
        length : int
            Tokens read of each at most.
        keep : sequence of int
            Layers that get attention back.
        """
        found = []
        for place, student in enumerate(self.students):
            if self.settings:  # trained weights are for this trial alone
                one = copy.deepcopy(student)
                restored(self.teacher, one, keep)
                match_logits(self.teacher, one, self.tokens[place], self.settings[place])
                found.append(score_texts(self.teacher, one, texts, length).divergence)
                continue
            before = restored(self.teacher, student, keep)
            found.append(score_texts(self.teacher, student, texts, length).divergence)
            for layer, mixer in before:
                put_attention(student, layer, mixer)
        return np.stack(found)
