"""Objectives add and scale: ``0.9 * SoftTargets(temperature=4) + 0.1 * GoldLabels()``."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from typing import ClassVar

from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.modules.batch import Over, Step

__all__ = ["Loss", "Needs", "Objective", "Schedule", "Weighted"]

_COLUMNS = (
    "epoch", "gradient_norm", "loss", "lr", "role", "score", "seed", "step", "validation",
    "validation_loss",
)  # fmt: skip

Schedule = Callable[[float], float]
"""A number that changes while training: from the share that is over, in [0, 1]."""


@dataclass(frozen=True)
class Needs:
    """What a term reads. Layers are names of modules, ``name[1]`` for the second of a tuple."""

    labels: bool = False
    teacher: bool = False
    student_layers: tuple[str, ...] = ()
    teacher_layers: tuple[str, ...] = ()
    runs: bool = False
    """Whether it runs the teacher again, so that stored outputs do not do."""
    same_outputs: bool = True
    """Whether the teacher's outputs must mean what the student's do; layers alone need not."""
    takes_head: bool = False
    """Whether a last linear layer may be left out, for the loss to make outputs some at a time."""

    @property
    def compares(self) -> bool:
        """Whether outputs of the teacher are compared with the student's, or with labels."""
        return self.teacher and self.same_outputs

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.labels or other.labels,
            self.teacher or other.teacher,
            tuple(dict.fromkeys(self.student_layers + other.student_layers)),
            tuple(dict.fromkeys(self.teacher_layers + other.teacher_layers)),
            self.runs or other.runs,
            self.compares or other.compares,
            self.takes_head and other.takes_head,
        )


class _Sums:
    """What makes terms and objectives add and scale."""

    def _parts(self) -> tuple[Weighted, ...]:
        raise NotImplementedError

    def __add__(self, other: object) -> Objective:
        if not isinstance(other, _Sums):
            return NotImplemented
        return Objective(self._parts() + other._parts())

    def __rmul__(self, weight: object) -> Objective:
        return Objective(tuple(p.scaled(weight) for p in self._parts()))

    __mul__ = __rmul__


class Loss(_Sums, ABC):
    """One loss. Subclasses are frozen dataclasses of settings; they hold no tensors.

    ``level`` is its place between gold labels (0) and interventions (5).

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from typing import ClassVar
    >>> from limbeck.networks import Loss
    >>> from limbeck.networks.losses.loss import Needs
    >>> @dataclass(frozen=True)
    ... class L1(Loss):
    ...     level: ClassVar[int] = 3
    ...
    ...     @property
    ...     def needs(self):
    ...         return Needs(teacher=True)
    ...
    ...     def loss(self, step, maps):
    ...         aligned = step.aligned
    ...         return (aligned.student - aligned.teacher).abs().mean()
    >>> (L1() + L1()).names
    ('L1', 'L1_2')
    """

    level: ClassVar[int]

    @property
    def name(self) -> str:
        """The name in logs and tables."""
        return type(self).__name__

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """What it reads."""

    @property
    def over(self) -> Over | None:
        """What the loss is the mean over, so that updates in parts add up.

        By default the outputs that count: weighed by the filter where it reads a teacher, else
        with a label where it reads labels. None where the loss takes its `Step.share` itself.
        """
        if self.needs.teacher:
            return Over.WEIGHTS
        return Over.LABELS if self.needs.labels else Over.OUTPUTS

    @property
    def between_rows(self) -> str:
        """Why the loss of a batch is no mean over its rows; "" where it is."""
        return ""

    def check(self, task: Task) -> None:
        """Refuse a task that the term has no meaning for, before any work.

        Raises
        ------
        InvalidInput
            For example a temperature for numbers.
        """

    def maps(self, step: Step) -> nn.Module | None:
        """Learned maps, made from the shapes of the first batch; None where nothing is learned.

        Raises
        ------
        InvalidInput
            If the shapes of two layers cannot be matched; names both.
        """
        return None

    @abstractmethod
    def loss(self, step: Step, maps: nn.Module | None) -> Tensor:
        """The mean loss of the batch, a scalar.

        Parameters
        ----------
        step : Step
            The batch: outputs of student and teacher, labels, layers and weights.
        maps : nn.Module or None
            Projectors that the loss learns, as `maps` made them; None where it has none.
        """

    def _parts(self) -> tuple[Weighted, ...]:
        return (Weighted(self, 1.0),)


@dataclass(frozen=True)
class Weighted:
    """A term and its weight, which may follow a schedule."""

    term: Loss
    weight: float | Schedule

    def at(self, done: float) -> float:
        """The weight when a share ``done`` of the training is over."""
        return self.weight(done) if callable(self.weight) else self.weight

    def scaled(self, factor: object) -> Weighted:
        """The same term, with its weight multiplied."""
        if isinstance(factor, bool) or not (isinstance(factor, int | float) or callable(factor)):
            raise InvalidInput(
                f"A weight is {factor!r}.",
                "Give a number, or a schedule such as LinearSchedule(1, 0).",
            )
        if not callable(factor) and not (math.isfinite(factor) and factor >= 0):
            raise InvalidInput(f"The weight of {self.term.name} is {factor}.", "Give 0 or more.")
        if not callable(factor) and not callable(self.weight):
            return replace(self, weight=float(factor) * self.weight)
        if self.weight == 1.0:
            return replace(self, weight=self._schedule(factor))
        return replace(self, weight=_Product(self._schedule(factor), self._schedule(self.weight)))

    @staticmethod
    def _schedule(value: object) -> Schedule:
        return value if callable(value) else _Constant(float(value))  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Constant:
    value: float

    def __repr__(self) -> str:
        return f"{self.value:g}"

    def __call__(self, done: float) -> float:
        return self.value


@dataclass(frozen=True)
class _Product:
    a: Schedule
    b: Schedule

    def __repr__(self) -> str:
        return f"{self.a!r} * {self.b!r}"

    def __call__(self, done: float) -> float:
        return self.a(done) * self.b(done)


@dataclass(frozen=True)
class Objective(_Sums):
    """A sum of weighted terms.

    Parameters
    ----------
    parts : tuple of Weighted
        Terms with their weights.
    balanced : bool
        Whether weights mean shares of the gradient's norm rather than factors of the loss, so
        that they carry over between losses of different size; see
        `limbeck.networks.training.balance`.

    Examples
    --------
    >>> from limbeck.networks import GoldLabels, SoftTargets
    >>> objective = 0.9 * SoftTargets(temperature=4) + 0.1 * GoldLabels()
    >>> [(p.term.name, p.weight) for p in objective.parts]
    [('SoftTargets', 0.9), ('GoldLabels', 0.1)]
    """

    parts: tuple[Weighted, ...]
    balanced: bool = False

    @classmethod
    def of(cls, given: object) -> Objective:
        """An objective from a term or an objective.

        Raises
        ------
        InvalidInput
            If it is neither, or all weights are 0.
        """
        if isinstance(given, type) or not isinstance(given, _Sums):
            raise InvalidInput(
                f"The objective is {given!r}.",
                "Give a sum of terms, such as 0.9 * SoftTargets(temperature=4) + 0.1 *"
                " GoldLabels().",
            )
        found = given if isinstance(given, Objective) else cls(given._parts())
        if not found.parts or all(p.weight == 0.0 for p in found.parts):
            raise InvalidInput("All weights of the objective are 0.", "Give one of them more.")
        return found

    @property
    def needs(self) -> Needs:
        """What its terms read, together."""
        total = Needs(takes_head=True)
        for part in self.parts:
            total |= part.term.needs
        return total

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A different name for every term, numbered where two are of one name.

        None is that of another column of the history, such as ``loss``.
        """
        taken = set(_COLUMNS)
        out = []
        for part in self.parts:
            own = part.term.name.replace(".", "_")  # names of modules, and of columns
            numbered = (own if n == 1 else f"{own}_{n}" for n in count(1))
            name = next(one for one in numbered if one not in taken)
            taken.add(name)
            out.append(name)
        return tuple(out)

    def check(self, task: Task) -> None:
        """Refuse terms that have no meaning for the task."""
        for part in self.parts:
            part.term.check(task)

    def maps(self, step: Step) -> nn.ModuleDict:
        """The learned maps of all terms, by name."""
        made = {n: p.term.maps(step) for n, p in zip(self.names, self.parts, strict=True)}
        return nn.ModuleDict({n: m for n, m in made.items() if m is not None})

    def losses(self, step: Step, maps: nn.ModuleDict) -> dict[str, Tensor]:
        """The raw loss of every term, scalars, before weights; of a part of an update its part.

        Parameters
        ----------
        step : Step
            The batch: outputs of student and teacher, labels, layers and weights.
        maps : nn.ModuleDict
            Projectors by the name of the loss.
        """
        found = {
            n: p.term.loss(step, maps[n] if n in maps else None)  # noqa: SIM401
            for n, p in zip(self.names, self.parts, strict=True)
        }
        if step.shares is None:
            return found
        overs = [p.term.over for p in self.parts]
        return {
            n: loss if over is None else loss * step.share(over)
            for (n, loss), over in zip(found.items(), overs, strict=True)
        }

    def weights(self, done: float) -> dict[str, float]:
        """The weight of every term at this time."""
        return {n: p.at(done) for n, p in zip(self.names, self.parts, strict=True)}

    def total(self, losses: dict[str, Tensor], done: float) -> Tensor:
        """The weighted sum, a scalar; terms in their order.

        Parameters
        ----------
        losses : dict of Tensor
            The raw losses by name.
        done : float
            Share of the training that is over, for schedules of weights.
        """
        out: Tensor | None = None
        for name, weight in self.weights(done).items():
            part = weight * losses[name]
            out = part if out is None else out + part
        assert out is not None  # noqa: S101  (`of` refuses an empty objective)
        return out

    def _parts(self) -> tuple[Weighted, ...]:
        return self.parts
