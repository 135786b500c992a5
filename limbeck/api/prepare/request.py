"""What was asked for of a network's distillation, and the two sides of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from limbeck.api.prepare.checks import loader_settings, makers_of, one_teacher, settings_of
from limbeck.api.prepare.labels import ClassNames, Coded, coded_labels
from limbeck.api.prepare.score_column import score_column
from limbeck.api.prepare.splits import two_sides
from limbeck.core.task import Task
from limbeck.data.duplicates import Rule
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.datasets.data import Samples
from limbeck.networks.datasets.vocabularies import pad_token
from limbeck.networks.losses.filters import Filter
from limbeck.networks.strategies.together import BornAgain
from limbeck.networks.teachers.outside import is_outside
from limbeck.networks.training.settings import Training

__all__ = ["NetworkData", "NetworkRequest", "NetworkSides", "read", "split"]


@dataclass(frozen=True, eq=False)
class NetworkRequest:
    """What was asked for, before anything is read.

    The fields are the arguments of `limbeck.api.distill_network.compress`; with ``logits_alone``
    the default objective is the teacher's distribution at temperature 1, without labels.
    """

    teacher: Any
    data: Any
    y: Any
    into: Any
    objective: Any = None
    recipe: str | None = None
    mode: BornAgain | None = None
    filter: Filter | None = None
    start: Any = None
    assistants: Any = None
    early_teacher: Any = None
    cache: bool | str | Path | TeacherCache | None = None
    validation: Any = None
    test: Any = None
    unlabelled: Any = None
    holdout: float = 0.3
    cases: Any = None
    duplicates: Rule = "auto"
    seeds: int = 1
    task: str | Task | None = None
    tokenizers: Sequence[Any] | None = None
    output: Any = None
    vocabulary: int | None = None
    classes: Sequence[Any] | None = None
    unit: str = ""
    control: bool | str | Path = True
    calibrate: bool = False
    baseline: bool = True
    timing: bool = True
    epsilon: float = 0.05
    delta: float = 0.05
    seed: int = 0
    folder: Path | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    logits_alone: bool = False


@dataclass(frozen=True, eq=False)
class NetworkData:
    """The data with labels that are numbers, and what is trained from whom.

    Parameters
    ----------
    coded : Coded
        Data, validation and test rows.
    teacher : Any
        As it was given; where its scores are a column of the data, the stored scores.
    tutor : nn.Module or None
        The teacher as one module; None where there is none, or it is no network.
    makers : list
        What students are made from.
    classes : sequence or None
        The classes, as they were given or as labels name them.
    settings : Training
        Settings of the loop.
    notes : list of str
        What was taken over from a DataLoader.
    """

    coded: Coded
    teacher: Any
    tutor: nn.Module | None
    makers: list[Any]
    classes: Sequence[Any] | None
    settings: Training
    notes: list[str]

    @property
    def outside(self) -> bool:
        """Whether the teacher is no network."""
        return is_outside(self.teacher)

    @property
    def pad(self) -> int:
        """The token that fills up sequences."""
        return pad_token(self.tutor, *self.makers)

    @property
    def named(self) -> ClassNames | None:
        """The classes, where labels had names."""
        return self.coded.named


@dataclass(frozen=True, eq=False)
class NetworkSides:
    """Training rows, test rows, and the rule for identical ones of these."""

    rows: Samples
    test: Samples
    duplicates: Rule


def read(request: NetworkRequest) -> NetworkData:
    """What was given: settings, networks, and data whose labels are numbers.

    Raises
    ------
    InvalidInput
        Names the argument, the value and the remedy.
    """
    sized, notes = loader_settings(request.data, request.training)
    settings = settings_of(sized)
    teacher, data, validation, test = score_column(
        request.teacher, request.data, request.validation, request.test
    )
    tutor = None if is_outside(teacher) else one_teacher(teacher)
    makers = makers_of(request.into)
    coded = coded_labels(data, request.y, validation, test, request.classes, teacher, makers)
    classes = request.classes if coded.named is None else coded.named.names
    return NetworkData(coded, teacher, tutor, makers, classes, settings, notes)


def split(request: NetworkRequest, data: NetworkData) -> NetworkSides:
    """Training rows and test rows; see `limbeck.api.prepare.splits.two_sides`.

    Parameters
    ----------
    request : NetworkRequest
        The arguments.
    data : NetworkData
        What was understood of them.
    """
    coded = data.coded
    return NetworkSides(
        *two_sides(
            coded.data, coded.y, coded.test, request.holdout, request.seed, data.settings, data.pad,
            cases=request.cases, duplicates=request.duplicates, classes=coded.names,
        )
    )  # fmt: skip
