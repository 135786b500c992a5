"""Level 5: both networks answer alike when activations are exchanged between rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.registry import LOSSES
from limbeck.core.task import Task
from limbeck.modules.batch import Over, Step
from limbeck.networks.losses.labels import TeacherLabels
from limbeck.networks.losses.layers import OnLayers, Pair, check_option, mismatch
from limbeck.networks.losses.logits import Logits
from limbeck.networks.losses.loss import Loss, Needs, Schedule
from limbeck.networks.losses.probabilities import SoftTargets

__all__ = ["Interchange", "Part", "exchange", "halves", "windows"]

Part = slice | tuple[slice, slice]
"""Units of a layer: of both networks, or of the teacher and of the student."""


def halves(part: Part | None) -> tuple[slice | None, slice | None]:
    """The units of the teacher and of the student."""
    return part if isinstance(part, tuple) else (part, part)


def windows(here: Tensor, share: float, at: Tensor) -> Tensor:
    """A run of consecutive tokens in each row, at a random place among those that are there.

    Parameters
    ----------
    here : Tensor of shape (n, t), bool
        Tokens that both the base and the source have.
    share : float
        Share of them that is exchanged, rounded, but one at least.
    at : Tensor of shape (n,)
        Where each run is: 0 at the first tokens, towards 1 at the last.

    Returns
    -------
    Tensor of shape (n, t), bool
    """
    rank = here.long().cumsum(1) - 1  # (n, t): the place among the tokens that are there
    length = here.sum(1)  # (n,)
    width = (share * length).round().long().clamp_min(1).clamp_max(length)
    start = (at * (length - width + 1)).floor().long()
    return here & (rank >= start[:, None]) & (rank < (start + width)[:, None])


def exchange(
    source: Tensor, part: slice | None, tokens: Tensor | None, layer: str
) -> Callable[[Tensor], Tensor]:
    """The interchange intervention: what takes a part of an activation from a source.

    Geiger et al. (2021), Causal abstractions of neural networks; as a training objective, with
    outcomes of a causal model in place of a teacher's, Geiger et al. (2022).

    Parameters
    ----------
    source : Tensor of shape (n, m), (n, t, m) or (n, c, h, w)
        What the layer returned for the sources. Units are the last axis, or the channels.
    part : slice or None
        Units that are exchanged; None is all of them.
    tokens : Tensor of shape (n, t), bool, optional
        Tokens that are exchanged; of sequences only.
    layer : str
        Its name, for the message.

    Returns
    -------
    callable
        From the activation of the base to that with the part exchanged.

    Raises
    ------
    InvalidInput
        If the part is empty.
    """
    width = source.shape[1 if source.ndim == 4 else -1]
    units = torch.zeros(width, dtype=torch.bool, device=source.device)
    units[slice(None) if part is None else part] = True
    if part is not None and not range(width)[part]:
        raise InvalidInput(
            f"The part {part} holds none of the {width} units of {layer!r}.", "Give another slice."
        )
    chosen = units[:, None, None] if source.ndim == 4 else units
    if tokens is not None:
        chosen = chosen & tokens[..., None]
    return lambda base: torch.where(chosen, source.to(base.dtype), base)


@LOSSES.register("Interchange")
@dataclass(frozen=True)
class Interchange(OnLayers):
    """Level 5: the same counterfactual behaviour as the teacher's.

    Each row of a batch is a base, and another row, drawn by a permutation, is its source. Both
    networks run again on the base while activations of a paired layer are those of the source,
    and the outcomes are to match: Wu et al. (2022), Causal distillation for language models. The
    activations of the sources are at hand from the ordinary run, so this costs one more run of
    each network. One pair of layers is drawn per batch. Gradients reach the student through both
    of its runs, that on the base and that on the source, as in the authors' code; the teacher
    gets none.

    Parameters
    ----------
    pairs : mapping
        Layers of the teacher, and to each the layer of the student that plays its part.
    distance : {"kl", "ce", "mse"}
        Between outcomes: that of `SoftTargets`, of `TeacherLabels` or of `Logits`.
    part : slice, pair of slices, or None
        Units that are exchanged: of both networks, or of the teacher and of the student; None is
        all. Channels, in feature maps.
    share : float
        In layers that return (n, t, d), the share of a row's tokens that is exchanged: a run of
        consecutive ones, at the same places in base and source and in both networks.
    temperature : float or Schedule
        T of ``"kl"``.

    Raises
    ------
    InvalidInput
        If an option is unknown or out of range.

    Notes
    -----
    To exchange the whole of a layer that everything runs through gives the source's own answer,
    which is no more than an ordinary loss: name a part of the units there. In sequences tokens
    are exchanged and the others stay.

    The student's second run is a run of training: it draws its own dropout, and batch
    normalisation takes mean and variance of what it sees there. Its running statistics, which the
    student has in the end, see the first run alone.

    Examples
    --------
    >>> Interchange({"encoder.layer.3": "encoder.layer.1"}).level
    5
    """

    level: ClassVar[int] = 5
    distance: str = "kl"
    part: Part | None = None
    share: float = 0.3
    temperature: float | Schedule = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_option("distance", self.distance, ("kl", "ce", "mse"))
        if not 0 < self.share <= 1:
            raise InvalidInput(
                f"The share of tokens is {self.share}.", "Give more than 0, at most 1."
            )
        self._outcome()  # which checks the temperature

    @property
    def needs(self) -> Needs:
        """The paired layers of both networks, and both networks to run again."""
        return replace(super().needs, runs=True, same_outputs=True)

    @property
    def over(self) -> Over:
        """The outcomes, weighed by the filter."""
        return Over.WEIGHTS

    @property
    def between_rows(self) -> str:
        """Its sources are other rows."""
        return "exchanges activations between the rows of a batch"

    def check(self, task: Task) -> None:
        """Refuse what the distance between outcomes refuses."""
        self._outcome().check(task)

    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean loss between the outcomes of one interchange per row.

        Raises
        ------
        InvalidInput
            If there is no teacher to run, the layers differ in their tokens, or a part is empty.
        """
        if step.run_teacher is None or step.run_student is None:
            raise InvalidInput(
                "Interchange runs the teacher again, and there is none to run.",
                "Give the teacher itself rather than stored outputs.",
            )
        draw = step.generator
        home = torch.device("cpu") if draw is None else draw.device
        pair = list(self.of(step))[
            int(torch.randint(len(self.pairs), (), generator=draw, device=home))
        ]
        n, device = len(pair.student), pair.student.device
        order = torch.randperm(n, generator=draw, device=home).to(device)
        tokens = None
        if pair.student.ndim == 3 or pair.teacher.ndim == 3:
            at = torch.rand(n, generator=draw, device=home).to(device)
            tokens = windows(_shared(pair, order), self.share, at)
        of_teacher, of_student = halves(self.part)
        t_name, s_name = pair.names
        swap_t = exchange(pair.teacher[order], of_teacher, tokens, t_name)
        swap_s = exchange(pair.student[order], of_student, tokens, s_name)
        after = replace(
            step,
            teacher=step.run_teacher(step.inputs, {t_name: swap_t}),
            student=step.run_student(step.inputs, {s_name: swap_s}),
        )
        return self._outcome().loss(after, None)

    def _outcome(self) -> Loss:
        if self.distance == "kl":
            return SoftTargets(temperature=self.temperature)
        return TeacherLabels() if self.distance == "ce" else Logits()


def _shared(pair: Pair, order: Tensor) -> Tensor:
    """Tokens that a row and its source both have, (n, t)."""
    if pair.student.shape[:2] != pair.teacher.shape[:2]:
        raise mismatch(pair, "Pair layers with the same tokens.")
    if pair.mask is None:
        return torch.ones(pair.student.shape[:2], dtype=torch.bool, device=order.device)
    return pair.mask & pair.mask[order]
