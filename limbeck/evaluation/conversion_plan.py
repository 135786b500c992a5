"""Which layers of a language model keep attention, and what each is worth, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limbeck.core.errors import InvalidInput, did_you_mean, whole_number
from limbeck.core.measured import Measured
from limbeck.core.progress import shown
from limbeck.evaluation.comparison import Difference
from limbeck.evaluation.intervals import gain_over
from limbeck.networks.conversion.hybrid import Hybrid, evenly_spread, kept_layers
from limbeck.networks.conversion.layer_choice import (
    ConvertedStudents,
    all_converted,
    greedy_layers,
)
from limbeck.networks.conversion.opening import open_model
from limbeck.networks.conversion.stage_training import StageSettings
from limbeck.networks.conversion.texts import TokenTexts, read_texts, training_blocks
from limbeck.reports.printed import Tabular
from limbeck.reports.table import Column, Drawing, Table

__all__ = ["ConversionPlan", "LayerWorth", "convert_plan"]

_FEWEST = 20
_FULLY_GREEDY = 12  # layers; deeper models take several in a round


@dataclass(frozen=True)
class LayerWorth:
    """What one layer's attention is worth.

    Parameters
    ----------
    layer : int
        The layer, from 0.
    fall : Difference
        Fall of KL in nats per token when attention is restored in this layer alone.
    rank : int or None
        When the greedy search took it, from 1; None where it did not.
    """

    layer: int
    fall: Difference
    rank: int | None


@dataclass(frozen=True, eq=False, repr=False)
class ConversionPlan(Tabular):
    """Layers that keep attention, chosen greedily; goes into ``Hybrid(keep=plan)``.

    Parameters
    ----------
    keep : tuple of int
        The layers.
    even : tuple of int
        As many layers, evenly spread.
    layers : tuple of LayerWorth
        All layers.
    advantage : Difference
        KL of the evenly spread layers less that of the chosen ones, on texts that chose nothing.
    converted : float
        KL without any attention.
    notes : tuple of str
        How it was found.

    Examples
    --------
    >>> Hybrid(keep=[1, 3]).keep
    [1, 3]
    """

    keep: tuple[int, ...]
    even: tuple[int, ...]
    layers: tuple[LayerWorth, ...]
    advantage: Difference
    converted: float
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Whether the choice is better than evenly spread layers."""
        d = self.advantage
        if self.keep == self.even:
            return "The chosen layers are those evenly spread."
        start = {
            "helped": "The chosen layers are nearer to the teacher than evenly spread ones",
            "hurt": "Evenly spread layers are nearer to the teacher than the chosen ones",
        }.get(d.verdict, "No evidence that the chosen layers are better than evenly spread ones")
        value, low, high = d.numbers
        return f"{start}: {value} nats (95% interval {low} to {high})."

    def sheet(self) -> Table[LayerWorth]:
        """The table."""
        columns: list[Column[LayerWorth]] = [
            Column("layer", lambda r: r.layer, align="right"),
            Column("fall", lambda r: Measured(r.fall.value, r.fall.low, r.fall.high),
                   "fall of KL", unit="nats", drawing=Drawing(zero=True)),
            Column("taken", lambda r: r.rank, align="right"),
            Column("attention", lambda r: "kept" if r.layer in self.keep else "converted"),
            Column("even", lambda r: "kept" if r.layer in self.even else "", "evenly spread"),
        ]  # fmt: skip
        return Table(
            f"KL falls from {self.converted:.3f} nats per token by this much when attention is"
            " restored in one layer; 95% intervals over seeds and texts.",
            columns,
            self.layers,
            notes=(self.sentence, *self.notes),
            strong=lambda r: r.layer in self.keep,
        )


def convert_plan(
    teacher: Any,
    texts: Any = None,
    keep: float | int = 0.5,
    *,
    into: Hybrid | None = None,
    seeds: int = 3,
    steps: int | Mapping[str, int] = 50,
    length: int = 128,
    batch_size: int = 8,
    lr: float = 1e-3,
    rounds: int | None = None,
    seed: int = 0,
    tokenizer: Any = None,
    device: str | None = None,
    progress: bool | None = None,
) -> ConversionPlan:
    """Choose the layers that keep attention.

    All layers are converted and their mixers matched to attention; then attention is restored
    where that lowers KL(teacher || student) most, one layer after another (arXiv 2512.20569). There
    each trial is trained briefly, which costs as many short trainings as layers for every layer
    that is chosen: ``steps={"mixers": 50, "logits": 20}`` does so. Half of the texts train, a
    quarter chooses, and the last quarter compares the choice with evenly spread layers.

    Parameters
    ----------
    teacher : str, path or PreTrainedModel
        ``hf:folder``, or a model that transformers loaded.
    texts : list of str
        Texts, 20 or more.
    keep : float or int
        Share or number of layers that keep attention.
    into : Hybrid, optional
        Mixer and start; by default the gated recurrence with its neutral start.
    seeds : int
        Trainings of the mixers, with other orders of the texts.
    steps : int or mapping
        Updates for each mixer; or ``{"mixers": 50, "logits": 20}``, where each trial is trained by
        KL(teacher || student) for so many updates of all weights before it is scored.
    length, batch_size : int
        Tokens in a block, and blocks in an update.
    lr : float
        Largest learning rate.
    rounds : int, optional
        Rounds of the greedy search; each takes several layers where there are fewer rounds than
        layers to keep. By default one layer a round up to 12 layers, and 4 rounds beyond.
    seed : int
        The first seed.
    tokenizer : PreTrainedTokenizer, optional
        Where a model is given and no folder.
    device : str, optional
        Where it runs.
    progress : bool, optional
        A progress bar; by default only on a terminal.

    Returns
    -------
    ConversionPlan
        Prints as a table; ``Hybrid(keep=plan)`` takes it.

    Raises
    ------
    InvalidInput
        If the model cannot be converted, no layer or all would be kept, or texts are too few.

    Examples
    --------
    >>> import limbeck
    >>> plan = limbeck.networks.convert_plan("hf:my-llama", texts, keep=0.5)  # doctest: +SKIP
    >>> hybrid = limbeck.networks.Hybrid(keep=plan)  # doctest: +SKIP
    """
    whole_number("seeds", seeds, 1, 100)
    if texts is None:
        raise InvalidInput(
            "There are no texts: which layers keep attention is measured on them.",
            "Give 20 or more, such as those that the student will learn from.",
        )
    opened = open_model(teacher, tokenizer, device)
    count = _count(keep, opened.layers)
    at_once = _at_once(count, opened.layers, rounds)
    hybrid = into or Hybrid()
    read = read_texts(texts, opened.tokenizer, opened.vocabulary)
    training, choosing, comparing = _split(read, seed)
    updates = _updates(steps)
    seen = range(seed, seed + seeds)
    settings = [StageSettings(updates["mixers"], batch_size, lr, seed=own) for own in seen]
    short = [replace(s, steps=updates["logits"]) for s in settings if updates["logits"]]
    with shown(progress) as tell:
        tokens = [training_blocks(training, length, opened.end, own) for own in seen]
        students = [
            all_converted(opened.model, hybrid, own, given, tell)
            for own, given in zip(tokens, settings, strict=True)
        ]
        trials = ConvertedStudents(opened.model, students, tokens, short)
        found = greedy_layers(
            lambda layers: trials.divergences(choosing, length, layers),
            opened.layers, count, at_once, tell,
        )  # fmt: skip
        even = evenly_spread(count, opened.layers)
        chosen = tuple(sorted(found.keep))
        kl = {layers: trials.divergences(comparing, length, layers) for layers in {chosen, even}}
    advantage = gain_over("KL", kl[even], kl[chosen], 0.05)
    rows = [
        LayerWorth(
            layer, gain_over(f"layer {layer}", fall, np.zeros_like(fall), 0.05),
            found.keep.index(layer) + 1 if layer in found.keep else None,
        )
        for layer, fall in sorted(found.falls.items())
    ]  # fmt: skip
    trained = f", each after {updates['logits']} steps of all weights" if short else ""
    notes = (
        f"{seeds} trainings of all mixers, {updates['mixers']} steps each; {found.evaluated} sets"
        f" of layers{trained}, scored on {len(choosing)} texts; the choice compared on"
        f" {len(comparing)} other texts.",
        *read.notes,
    )
    converted = float(found.converted.mean())
    return ConversionPlan(chosen, even, tuple(rows), advantage, converted, notes)


def _updates(steps: Any) -> dict[str, int]:
    given = steps if isinstance(steps, Mapping) else {"mixers": steps}
    for name in given:
        if name not in ("mixers", "logits"):
            remedy = did_you_mean(str(name), ("mixers", "logits"))
            raise InvalidInput(f"steps names {name!r}, which is no stage of a plan.", remedy)
    return {
        "mixers": whole_number("steps", given.get("mixers", 50), 1),
        "logits": whole_number("steps", given.get("logits", 0)),
    }


def _count(keep: Any, layers: int) -> int:
    if isinstance(keep, bool) or not isinstance(keep, int | float):
        raise InvalidInput(f"keep is {keep!r}.", "Give a share such as 0.5, or a number of layers.")
    if isinstance(keep, int) and not 0 < keep < layers:
        raise InvalidInput(
            f"keep is {keep}, and the model has {layers} layers.",
            f"Keep 1 to {layers - 1} of them; to keep none use Hybrid(keep=0).",
        )
    count = keep if isinstance(keep, int) else len(kept_layers(keep, layers))
    if count == 0:
        raise InvalidInput("keep is 0: there is nothing to choose.", "Use Hybrid(keep=0).")
    return count


def _at_once(count: int, layers: int, rounds: int | None) -> int:
    if rounds is None:
        rounds = count if layers <= _FULLY_GREEDY else 4
    return -(-count // whole_number("rounds", rounds, 1))


def _split(texts: TokenTexts, seed: int) -> tuple[TokenTexts, TokenTexts, TokenTexts]:
    n = len(texts)
    if n < _FEWEST:
        raise InvalidInput(f"There are {n} different texts.", f"Give {_FEWEST} or more.")
    order = np.random.default_rng(seed).permutation(n)
    ends = n // 2, n // 2 + n // 4
    training, choosing, comparing = (texts.take(sorted(some)) for some in np.split(order, ends))
    return training, choosing, comparing
