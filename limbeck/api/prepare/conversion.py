"""What a conversion was asked for: read, split and checked before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.certificates.binomial import check_share
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.pieces import NAME
from limbeck.networks.conversion.hybrid import Hybrid, kept_layers
from limbeck.networks.conversion.opening import OpenedModel, open_model
from limbeck.networks.conversion.pipeline import StageBudget, untrained
from limbeck.networks.conversion.preferences import PreferencePairs, read_preferences
from limbeck.networks.conversion.recall import Haystack, check_distances, needles
from limbeck.networks.conversion.stage_training import StageSettings
from limbeck.networks.conversion.texts import TokenTexts, read_texts, training_blocks

__all__ = [
    "ConversionData",
    "ConversionKnown",
    "ConversionRequest",
    "read_conversion",
    "split_conversion",
    "understand_conversion",
]

_FEWEST = 10
_LR = 1e-3
_ASIDE = 0.3  # of the preferences


@dataclass(frozen=True, eq=False)
class ConversionRequest:
    """What was asked for.

    Parameters
    ----------
    teacher : str, path or PreTrainedModel
        ``hf:folder``, or a model that transformers loaded.
    texts : list of str
        Texts, or a pair of these for training and holdout.
    into : Hybrid
        What stands in the place of attention.
    stages : sequence of str
        Of ``mixers``, ``blocks``, ``logits`` and ``preferences``.
    steps : int or mapping
        Updates of each stage.
    length, batch_size : int
        Tokens in a block, and blocks in an update.
    lr : float or mapping
        Largest learning rate; or of each stage, such as ``{"preferences": 1e-5}``, where the
        others have 1e-3.
    seeds, seed : int
        How many, and the first.
    holdout : float or list of str
        Share of texts set aside, or texts.
    epsilon, delta : float
        What is asked of the certificate.
    tokenizer : PreTrainedTokenizer, optional
        Where a model is given and no folder.
    device : str, optional
        Where a folder is opened; by default on a GPU where there is one. A model that is open
        stays where it is.
    recall : sequence of int
        Distances in tokens, even numbers of 8 or more, at which all models are asked to recall
        what stood so far back: copying, associative recall, and needles in the test texts.
    preferences : sequence of mapping or of tuple of str
        For the stage of this name: ``prompt``, ``chosen`` and ``rejected``; three tenths are set
        aside, on which all models are asked which completion is the likelier one.
    beta : float
        How much it costs there to leave the teacher.
    callbacks : sequence of Callback
        Called while each stage is trained, for student and control; they change no result.
    checkpoint_every : int, optional
        Updates from one checkpoint to the next, where ``out`` names a folder; by default one an
        epoch.
    out : Path, optional
        Where checkpoints are kept until the result is saved.
    """

    teacher: Any
    texts: Any
    into: Hybrid
    stages: Sequence[str] = ("mixers", "logits")
    steps: Any = 200
    length: int = 128
    batch_size: int = 8
    lr: Any = 1e-3
    seeds: int = 1
    seed: int = 0
    holdout: Any = 0.3
    epsilon: float = 0.05
    delta: float = 0.05
    tokenizer: Any = None
    device: str | None = None
    recall: Sequence[int] = ()
    preferences: Sequence[Any] = ()
    beta: float = 0.1
    callbacks: Sequence[Any] = ()
    checkpoint_every: int | None = None
    out: Path | None = None

    def under(self, seed: int, role: str) -> Path | None:
        """Where the checkpoints of one training lie; None where nothing is kept.

        Parameters
        ----------
        seed : int
            Of the training.
        role : str
            Student or control.
        """
        return None if self.out is None else self.out / NAME / f"seed-{seed}" / role


@dataclass(frozen=True, eq=False)
class ConversionData:
    """The model, its texts, the layers that keep attention step by step, and the updates."""

    opened: OpenedModel
    texts: TokenTexts
    path: list[tuple[int, ...]]
    budget: StageBudget
    pairs: PreferencePairs | None = None  # of preferences, set aside


@dataclass(frozen=True, eq=False)
class ConversionKnown:
    """What was given, with the texts that train and the texts that are set aside."""

    data: ConversionData
    training: TokenTexts
    test: TokenTexts


def read_conversion(request: ConversionRequest) -> ConversionData:
    """Model, texts and budget, refused before any work where they cannot be used.

    Parameters
    ----------
    request : ConversionRequest
        What was asked for.

    Raises
    ------
    InvalidInput
        If a setting is out of range, or texts, preferences and model do not fit each other.
    """
    r = request
    check_share("epsilon", r.epsilon)
    check_share("delta", r.delta)
    whole_number("seeds", r.seeds, 1, 100)
    rates = r.lr if isinstance(r.lr, Mapping) else {}
    rates = {name: _positive("lr", rate) for name, rate in rates.items()}
    settings = StageSettings(
        batch_size=whole_number("batch_size", r.batch_size, 1),
        lr=_positive("lr", _LR if rates else r.lr),
        seed=whole_number("seed", r.seed), callbacks=r.callbacks,
        checkpoint_every=r.checkpoint_every,
    )  # fmt: skip
    settings.training  # noqa: B018  (refuses what the trainer would)
    budget = StageBudget.of(r.stages, r.steps, settings, rates)
    if ("preferences" in budget.stages) != bool(r.preferences):
        raise InvalidInput(
            "preferences and the stage of this name go together.",
            "Give both: stages=[..., 'preferences'], preferences=[(prompt, chosen, rejected)].",
        )
    budget = replace(budget, beta=_positive("beta", r.beta))
    whole_number("length", r.length, 2)
    check_distances(r.recall)
    opened = open_model(r.teacher, r.tokenizer, r.device)
    layers = opened.layers
    kept_layers(r.into.keep, layers)
    untrained(opened.model, r.into, r.into.steps(layers)[-1], r.seed)  # refuses what it cannot
    texts = read_texts(r.texts, opened.tokenizer, opened.vocabulary)
    pairs = None
    if r.preferences:
        read = read_preferences(r.preferences, opened.tokenizer, r.length)
        order = np.random.default_rng(r.seed).permutation(len(read)).tolist()
        cut = round(len(read) * _ASIDE)
        pairs, budget = (
            read.take(order[:cut]),
            replace(budget, preferences=read.take(order[cut:])),
        )
    return ConversionData(opened, texts, r.into.steps(layers), budget, pairs)


def split_conversion(
    request: ConversionRequest, data: ConversionData
) -> tuple[TokenTexts, TokenTexts]:
    """Texts that train, and texts for table and certificate.

    Parameters
    ----------
    request : ConversionRequest
        What was asked for.
    data : ConversionData
        What was read.

    Raises
    ------
    InvalidInput
        If a text is on both sides, or there are too few for the certificate.
    """
    r, n = request, len(data.texts)
    if not isinstance(r.holdout, float):
        aside = read_texts(r.holdout, data.opened.tokenizer, data.opened.vocabulary)
        both = set(aside.texts) & set(data.texts.texts)
        if both:
            raise InvalidInput(
                f"{len(both)} of the holdout texts are training texts as well.",
                "Give other texts for the holdout.",
            )
        return data.texts, _enough(aside)
    check_share("holdout", r.holdout)
    order = np.random.default_rng(r.seed).permutation(n)
    cut = round(n * r.holdout)
    return data.texts.take(sorted(order[cut:])), _enough(data.texts.take(sorted(order[:cut])))


def understand_conversion(
    request: ConversionRequest, data: ConversionData, sides: tuple[TokenTexts, TokenTexts]
) -> ConversionKnown:
    """All that the training works with.

    Parameters
    ----------
    request : ConversionRequest
        What was asked for.
    data : ConversionData
        What was read.
    sides : tuple of TokenTexts
        The two sides.
    """
    training_blocks(sides[0], request.length, data.opened.end, request.seed)
    for distance in request.recall:  # refused before any training
        needles(Haystack.of(data.opened.tokenizer, list(sides[1].texts)), 1, distance)
    return ConversionKnown(data, *sides)


def _enough(texts: TokenTexts) -> TokenTexts:
    if len(texts) < _FEWEST:
        raise InvalidInput(
            f"There are {len(texts)} texts for the certificate.",
            f"Give {_FEWEST} or more: more texts, or a larger holdout.",
        )
    return texts


def _positive(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < np.inf:
        raise InvalidInput(f"{name} is {value!r}.", "Give a number above 0.")
    return float(value)
