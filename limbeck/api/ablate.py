"""Which parts of an objective matter: each dropped in turn, on a small budget."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from limbeck.api.prepare.checks import (
    check_lacking,
    loader_settings,
    makers_of,
    one_teacher,
    settings_of,
    task_of,
)
from limbeck.api.prepare.leakage import fresh_rows
from limbeck.api.prepare.outputs import read_outputs, readings_kept
from limbeck.api.prepare.splits import two_sides
from limbeck.api.removals import removals
from limbeck.certificates.binomial import check_share
from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.progress import Progress, shown
from limbeck.evaluation.comparison import Difference
from limbeck.evaluation.convergence import too_short
from limbeck.evaluation.intervals import gain_over, mean_over
from limbeck.evaluation.networks import Said, agreement, ask, right
from limbeck.modules.outputs import read_by
from limbeck.networks.analysis.ablate import without_each
from limbeck.networks.analysis.layer_groups import freeze, layer_groups
from limbeck.networks.datasets.vocabularies import pad_token
from limbeck.networks.losses.loss import Objective
from limbeck.networks.pruning.pruned import Pruned
from limbeck.networks.strategies.train_network import make, started
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import Trained, train
from limbeck.results.ablation import Ablation, Dropped
from limbeck.results.removals import Removals

__all__ = ["ablate"]

_EPOCHS, _UPDATES = 3, 1000  # by default, at least

Scores = tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]
"""On labels and on the teacher's answers, each (seeds, n)."""


@readings_kept
def ablate(
    teacher: Any,
    data: Any,
    y: Any = None,
    *,
    into: Any,
    objective: Any = None,
    parts: Literal["objective", "layers"] = "objective",
    filter: Any = None,  # noqa: A002  (the field's word)
    start: Any = None,
    validation: Any = None,
    holdout: float = 0.3,
    rows: int | None = None,
    seeds: int = 3,
    seed: int = 0,
    task: Any = None,
    tokenizers: Sequence[Any] | None = None,
    output: Any = None,
    delta: float = 0.05,
    progress: bool | None = None,
    **training: Any,
) -> Ablation | Removals:
    """Rank the terms and layer pairs of an objective by what they bring.

    The student is trained with the whole objective, and again without each term and without each
    pair of layers, from the same starts and in the same order of rows; what a part brings is
    the difference, row by row and seed by seed. The weights of what is left stay as they are.

    Parameters
    ----------
    teacher, data, y, into, filter, start, task, tokenizers, output
        As for a network in :func:`limbeck.distill`.
        :class:`limbeck.networks.Pruned` with shares leaves each layer and group of channels out
        alone, before and after healing; see :func:`limbeck.api.removals.removals`.
    objective : Loss or Objective
        Not needed for a cut. A sum of terms, or a term with several pairs of layers.
    parts : {"objective", "layers"}
        What is dropped in turn: a part of the objective; or the training of one group of layers,
        which stay as they start, so that the table says where distilling acts.
    validation : as data, optional
        Rows to measure on; without them a share ``holdout`` of the data is set aside. They
        choose nothing: every student is that of the last epoch.
    rows : int, optional
        Train on so many rows only, drawn once.
    seeds : int
        Number of training seeds; with two or more, intervals include seed variance.
    seed : int
        The first seed.
    delta : float
        One less the level at which the intervals of a column hold together.
    progress : bool, optional
        A progress bar; by default only on a terminal.
    **training
        Settings of `limbeck.networks.training.settings.Training`; ``epochs`` are as many as make
        1,000 updates, at least 3, unless given.
    holdout : float
        Share of the data that is set aside to measure on where ``validation`` is not given.

    Returns
    -------
    Ablation, or Removals for a cut
        Prints as a table.

    Raises
    ------
    InvalidInput
        If an argument cannot be used, or there is nothing to drop; before any work.

    Examples
    --------
    >>> import torch
    >>> import limbeck
    >>> from limbeck.networks import GoldLabels, SoftTargets
    >>> _ = torch.manual_seed(0)
    >>> X = torch.randn(60, 4)
    >>> teacher = torch.nn.Linear(4, 2)
    >>> found = limbeck.ablate(
    ...     teacher, X, teacher(X).argmax(1), into=torch.nn.Linear(4, 2),
    ...     objective=SoftTargets() + GoldLabels(), seeds=1, epochs=1, progress=False)
    >>> sorted(found.to_frame()["without"])
    ['GoldLabels', 'SoftTargets', 'nothing']
    """
    if isinstance(into, Pruned):
        _check_for_cuts(filter=filter, start=start, rows=rows, tokenizers=tokenizers)
        return removals(
            teacher, data, y, into=into, objective=objective, validation=validation,
            holdout=holdout, seeds=seeds, seed=seed, task=task, delta=delta, progress=progress,
            **training,
        )  # fmt: skip
    if objective is None:
        raise InvalidInput(
            "There is no objective whose parts could be dropped.",
            "Give objective=SoftTargets() + GoldLabels(), or a cut: into=Pruned(mlp=0.5).",
        )
    if parts not in ("objective", "layers"):
        raise InvalidInput(f"parts is {parts!r}.", "Give 'objective' or 'layers'.")
    check_share("delta", delta)
    seeds, seed = whole_number("seeds", seeds, 1), whole_number("seed", seed)
    settings = settings_of(loader_settings(data, training)[0])
    if settings.metrics:
        raise InvalidInput(
            "metrics was given, and ablations compare accuracy and agreement.", "Leave metrics out."
        )
    tutor, maker = one_teacher(teacher), makers_of(into)[0]
    pad = pad_token(tutor, maker)
    samples, aside, _ = two_sides(data, y, validation, holdout, seed, settings, pad)
    samples = samples if rows is None else _drawn(samples, rows, seed)
    _, _, aside, _ = fresh_rows(samples, aside, validation is not None, settings, what="validation")
    settings = _budget(settings, len(samples)).settled(len(samples), validated=False)
    pupil = make(maker, seed)
    (reading,), _ = read_outputs(samples, tutor, [pupil], output, task)
    found = task_of(samples, tutor, [pupil], task, tokenizers)
    samples, aside = samples.aimed(found), aside.aimed(found)
    aim = Objective.of(objective)
    check_lacking(aim, found, samples, tutor, filter=filter)
    runs = _Runs(
        tutor, maker, start, reading, samples, aside, found, settings, filter,
        range(seed, seed + seeds),
    )  # fmt: skip
    with shown(progress) as tell:
        scores, whole = runs.without(_variants(aim, pupil, parts), tell)
    short = too_short({"the whole objective": whole}, None, aim, settings, len(samples), _UPDATES)
    return replace(
        _ranked(scores, len(aside), seeds, delta), untrained="" if short is None else str(short)
    )


class _Variant(NamedTuple):
    """The objective that is left, and the layers that stay as they start."""

    objective: Objective
    frozen: tuple[str, ...] = ()


def _variants(aim: Objective, pupil: Any, parts: str) -> dict[str, _Variant]:
    """The whole objective under no name, and what is left without each part."""
    if parts == "objective":
        return {name: _Variant(left) for name, left in {"": aim, **without_each(aim)}.items()}
    groups = layer_groups(pupil)
    if len(groups) < 2:
        raise InvalidInput(
            "The student has one group of layers: nothing would be trained without it.",
            "Give a student with several layers.",
        )
    return {"": _Variant(aim)} | {
        f"training of {name}": _Variant(aim, own) for name, own in groups.items()
    }


def _drawn(samples: Any, rows: int, seed: int) -> Any:
    """So many of the rows, in their order."""
    rows = whole_number("rows", rows, 1)
    order = np.random.default_rng(seed).permutation(len(samples))[:rows]
    return samples.subset(sorted(order.tolist()))


@dataclass(frozen=True)
class _Runs:
    """What all students of an ablation are trained and measured with."""

    teacher: Any
    maker: Any
    start: Any
    reading: Any
    samples: Any
    aside: Any
    task: Any
    settings: Training
    filter: Any
    seeds: range

    def without(
        self, variants: Mapping[str, _Variant], tell: Progress
    ) -> tuple[dict[str, Scores], list[Trained]]:
        """The scores of each variant, and the runs of the whole objective."""
        heard = None if self.teacher is None else self._said(self.teacher)
        if heard is None and not self.aside.has_labels:
            raise InvalidInput(
                "The validation rows have no labels, and there is no teacher to agree with.",
                "Give labels, or a teacher.",
            )
        scores: dict[str, Scores] = {}
        whole = []
        for i, (name, variant) in enumerate(variants.items()):
            told = []
            for k, seed in enumerate(self.seeds):
                done = i * len(self.seeds) + k
                tell(f"without {name or 'nothing'}", done, len(variants) * len(self.seeds))
                trained = self._trained(name, variant, seed)
                told.append(self._said(trained.module))
                whole += [] if name else [trained]
            scores[name] = _scores(told, heard)
        return scores, whole

    def _trained(self, name: str, variant: _Variant, seed: int) -> Trained:
        start = started(self.maker, seed, self.samples, self.teacher, self.start)[0]
        student = read_by(start, self.reading)
        freeze(student, variant.frozen)
        asked = variant.objective.needs.teacher
        return train(
            student, self.samples, variant.objective, self.task, training=self.settings, seed=seed,
            teacher=self.teacher if asked else None, filter=self.filter if asked else None,
            name=f"without {name or 'nothing'}, seed {seed}",
        )  # fmt: skip

    def _said(self, module: Any) -> Said:
        rows = self.aside.batches(range(len(self.aside)), self.settings.batch_size)
        return ask(module, rows, self.task)


def _check_for_cuts(**given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise InvalidInput(f"{name} was given for a cut.", f"Leave {name} out.")


def _budget(settings: Training, n: int) -> Training:
    """The settings; if none were given, as many epochs of n rows as a few hundred updates take."""
    if settings.epochs is not None or settings.max_steps is not None:
        return settings
    updates = max(n // settings.batch_size, 1)
    return replace(settings, epochs=max(_EPOCHS, math.ceil(_UPDATES / updates)))


def _scores(told: Sequence[Said], heard: Said | None) -> Scores:
    labels = [right(t) for t in told]
    close = None if heard is None else np.stack([agreement(t, heard) for t in told])
    known = [x for x in labels if x is not None]
    return (np.stack(known) if known else None), close


def _ranked(scores: dict[str, Scores], rows: int, seeds: int, delta: float) -> Ablation:
    each = delta / (len(scores) - 1)
    full = scores.pop("")
    parts = [
        Dropped(
            name,
            mean_over(_first(less), each),
            _gain("accuracy", full[0], less[0], each),
            _gain("agreement", full[1], less[1], each),
        )
        for name, less in scores.items()
    ]
    parts.sort(key=lambda p: -p.brings.value)
    return Ablation(mean_over(_first(full), delta), tuple(parts), seeds, rows, delta)


def _first(scores: Scores) -> NDArray[np.float64]:
    found = scores[0] if scores[0] is not None else scores[1]
    assert found is not None  # noqa: S101  (`ablate` refuses rows with neither)
    return found


def _gain(
    what: str,
    ours: NDArray[np.float64] | None,
    theirs: NDArray[np.float64] | None,
    delta: float,
) -> Difference | None:
    return None if ours is None or theirs is None else gain_over(what, ours, theirs, delta)
