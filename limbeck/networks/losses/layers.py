"""What terms on pairs of layers share: the pairs, the places that count, sizes that differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.core.task import TaskKind
from limbeck.modules.batch import Over, Step
from limbeck.networks.losses.loss import Loss, Needs

__all__ = [
    "OnLayers",
    "Pair",
    "check_option",
    "entry_weights",
    "mismatch",
    "pair_of",
    "pooled_alike",
    "vectors",
]


@dataclass(frozen=True, eq=False)
class Pair:
    """What two layers returned for one batch, and which of it counts.

    Parameters
    ----------
    names : (str, str)
        The teacher's layer and the student's.
    student, teacher : Tensor of shape (n, ...)
        What they returned.
    mask : Tensor of bool, of shape (n, t), optional
        The tokens that are there, for layers (n, t, d) and attention maps (n, h, t, t).
    weight : Tensor of shape (n,) or (n, t), optional
        From the filter.
    """

    names: tuple[str, str]
    student: Tensor
    teacher: Tensor
    mask: Tensor | None
    weight: Tensor | None

    @property
    def row_weight(self) -> Tensor | None:
        """The weight of each row (n,): of tokens that are there, the mean."""
        if self.weight is None or self.weight.ndim == 1:
            return self.weight
        if self.mask is None:
            return self.weight.mean(1)
        return (self.weight * self.mask).sum(1) / self.mask.sum(1).clamp_min(1)

    @property
    def tokens_there(self) -> int:
        """T of layers (n, t, d), and of attention maps (n, t, t) or (n, h, t, t)."""
        return self.student.shape[1 if self.student.ndim == 3 else 2]

    def tokens(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Layers (n, t, d) as the p tokens that count: student, teacher (p, d) and weight (p,)."""
        weight = self.weight
        if weight is not None and weight.ndim == 1:
            weight = weight[:, None].expand(self.student.shape[:2])
        if self.mask is None:
            weight = None if weight is None else weight.flatten()
            return self.student.flatten(0, 1), self.teacher.flatten(0, 1), weight
        weight = None if weight is None else weight[self.mask]
        return self.student[self.mask], self.teacher[self.mask], weight


@dataclass(frozen=True)
class OnLayers(Loss):
    """A term on pairs of layers. Subclasses say what they compare.

    Parameters
    ----------
    pairs : mapping
        Layers of the teacher, and to each the layer of the student that learns from it; names as
        in ``named_modules()``.

    Raises
    ------
    InvalidInput
        If there is no pair, or a name is no text.
    """

    level: ClassVar[int] = 4
    pairs: Mapping[str, str]

    def __post_init__(self) -> None:
        given = self.pairs
        texts = isinstance(given, Mapping) and all(
            isinstance(name, str) and name for pair in given.items() for name in pair
        )
        if not texts or not given:
            raise InvalidInput(
                f"The pairs of layers are {given!r}.",
                'Give {teacher layer: student layer}, such as {"encoder.5": "encoder.2"}.',
            )

    @property
    def needs(self) -> Needs:
        """A teacher and the layers of both; their outputs may differ."""
        return Needs(
            teacher=True,
            same_outputs=False,
            student_layers=tuple(self.pairs.values()),
            teacher_layers=tuple(self.pairs),
        )

    @property
    def over(self) -> Over | None:
        """None: `mean` takes the share of each pair, whose layers may be of rows or tokens."""
        return None

    def mean(self, step: Step, parts: Iterable[tuple[Tensor, Over]]) -> Tensor:
        """The mean over pairs, so that a weight means the same whatever their number.

        Parameters
        ----------
        step : Step
            Of which each pair takes its share.
        parts : iterable of (Tensor, Over)
            The loss of each pair, and what it is the mean over.
        """
        losses = [loss if step.shares is None else loss * step.share(over) for loss, over in parts]
        return losses[0] if len(losses) == 1 else torch.stack(losses).mean()

    def of(self, step: Step) -> Iterator[Pair]:
        """What each pair of layers returned.

        Raises
        ------
        InvalidInput
            If a layer's first dimension is not that of rows, or its tokens are not the mask's.
        """
        assert step.teacher is not None  # noqa: S101  (see needs)
        for t_name, s_name in self.pairs.items():
            student, teacher = step.student.layers[s_name], step.teacher.layers[t_name]
            _check_rows("teacher", t_name, teacher, step)
            _check_rows("student", s_name, student, step)
            yield pair_of(step, (t_name, s_name), student, teacher)


def pair_of(step: Step, names: tuple[str, str], student: Tensor, teacher: Tensor) -> Pair:
    """What two layers returned, with the mask and the weights of a step.

    Parameters
    ----------
    step : Step
        The batch.
    names : tuple of str
        Names of the teacher's layer and of the student's.
    student, teacher : Tensor
        Outputs of the two layers.
    """
    weight, mask = step.weight, None if step.mask is None else step.mask.bool()
    if weight is not None and weight.ndim == 2 and step.task.kind is TaskKind.LANGUAGE:
        # what is at a place predicts the next token, and before padding nothing
        weight = F.pad((weight if mask is None else weight * mask)[:, 1:], (0, 1))
    return Pair(names, student, teacher, mask, weight)


def entry_weights(pair: Pair) -> Tensor | None:
    """The weight of each pair of query and key, (n, t, t); None where all count alike."""
    if pair.mask is None and pair.weight is None:
        return None
    weight = pair.student.new_ones(len(pair.student), pair.tokens_there, pair.tokens_there)
    if pair.mask is not None:
        weight = weight * pair.mask[:, :, None] * pair.mask[:, None, :]
    if pair.weight is not None:
        weight = (
            weight * (pair.weight[:, None] if pair.weight.ndim == 1 else pair.weight)[..., None]
        )
    return weight


def mismatch(pair: Pair, remedy: str) -> InvalidInput:
    """The error of two layers whose shapes do not match: names both, and both shapes.

    Parameters
    ----------
    pair : Pair
        The two layers.
    remedy : str
        What can be done.
    """
    t_name, s_name = pair.names
    return InvalidInput(
        f"The teacher's layer {t_name!r} returns {tuple(pair.teacher.shape)} and the student's"
        f" layer {s_name!r} {tuple(pair.student.shape)}.",
        remedy,
    )


def check_option(name: str, given: str, known: tuple[str, ...]) -> None:
    """Refuse an option that is not known.

    Parameters
    ----------
    name : str
        Name of the option.
    given : str
        Its value.
    known : tuple of str
        The values it may have.

    Raises
    ------
    InvalidInput
        With what is known.
    """
    if given not in known:
        raise InvalidInput(
            f"{name} is {given!r}.", "Give " + " or ".join(repr(k) for k in known) + "."
        )


def pooled_alike(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Maps (n, c, h, w) brought to the smaller height and width of both, by averages.

    Parameters
    ----------
    student, teacher : Tensor of shape (n, c, h, w)
        Feature maps; the channels may differ.
    """
    size = (
        min(student.shape[2], teacher.shape[2]),
        min(student.shape[3], teacher.shape[3]),
    )
    alike = [
        x if x.shape[2:] == size else F.adaptive_avg_pool2d(x, size) for x in (student, teacher)
    ]
    return alike[0], alike[1]


def vectors(layer: Tensor, mask: Tensor | None) -> Tensor:
    """One vector per row, (n, d): the mean over tokens that are there, or over places of a map.

    Parameters
    ----------
    layer : Tensor of shape (n, d), (n, t, d) or (n, c, h, w)
        Output of a layer.
    mask : Tensor of bool, shape (n, t), or None
        Which tokens are no padding.
    """
    if layer.ndim == 2:
        return layer
    if layer.ndim > 3:
        return layer.flatten(2).mean(-1)  # (n, c, h, w)
    if mask is None:
        return layer.mean(1)  # (n, t, d)
    there = mask[..., None]
    return layer.masked_fill(~there, 0.0).sum(1) / there.sum(1).clamp_min(1)


def _check_rows(of: str, name: str, layer: Tensor, step: Step) -> None:
    rows = len(step.student.logits)
    if layer.ndim < 2 or len(layer) != rows:
        raise InvalidInput(
            f"The {of}'s layer {name!r} returns {tuple(layer.shape)} for {rows} rows.",
            "Name a layer whose first dimension is that of rows (batch_first=True).",
        )
    if step.mask is not None and layer.ndim == 3 and layer.shape[:2] != step.mask.shape:
        raise InvalidInput(
            f"The {of}'s layer {name!r} returns {tuple(layer.shape)}, and the mask of tokens is"
            f" {tuple(step.mask.shape)}.",
            "Name a layer that returns (rows, tokens, width), or (rows, width).",
        )
