"""What a user asks of the curves of an additive student: how many, which, and which way they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import (
    InvalidInput,
    did_you_mean,
    list_of_names,
    whole_number,
)
from limbeck.core.task import Task
from limbeck.data.directions import check_monotone
from limbeck.students.additive.selection import TermLimits
from limbeck.students.additive.steps import StepTerms

__all__ = ["Constraints"]


@dataclass(frozen=True)
class Constraints:
    """TermLimits of an additive student, by names of columns.

    Parameters
    ----------
    pairs : int
        The most pairs of columns with a table of their own.
    max_terms : int, optional
        The most curves and tables.
    max_numbers : int, optional
        The most numbers that a reader must hold; see ``numbers`` of the student.
    monotone : mapping from str to int, optional
        1 for numeric columns whose curve must not fall, -1 for those whose curve must not rise.
        A column that is constrained is in no pair.
    forbidden : sequence of str
        Columns that are not used.

    Raises
    ------
    InvalidInput
        If a number is no whole number of at least 0 (pairs) or 1, or a direction other than 1, -1.
    """

    pairs: int = 0
    max_terms: int | None = None
    max_numbers: int | None = None
    monotone: Mapping[str, int] | None = None
    forbidden: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, least in (("pairs", 0), ("max_terms", 1), ("max_numbers", 2)):
            if name == "pairs" or getattr(self, name) is not None:
                whole_number(name, getattr(self, name), least)
        list_of_names("forbidden", self.forbidden)
        check_monotone(self.monotone)

    def check(self, features: Features, task: Task) -> None:
        """Refuse what cannot be kept to.

        Parameters
        ----------
        features : Features
            The columns.
        task : Task
            What is predicted.

        Raises
        ------
        InvalidInput
            If a name is unknown, all columns are forbidden, or several classes are to be monotone.
        """
        self.usable(features)
        k = len(task.classes)
        self.directions(features, k if k > 2 else 1)

    def directions(self, features: Features, outputs: int = 1) -> NDArray[np.float64]:
        """1, -1 or 0 for each of d columns.

        Parameters
        ----------
        features : Features
            The columns.
        outputs : int
            Scores of the student; constraints need a single one.

        Raises
        ------
        InvalidInput
            If a name is unknown or no number, or there are several outputs.
        """
        found = np.zeros(len(features))
        for name, way in dict(self.monotone or {}).items():
            j = _position(features, name, "monotone")
            if features.columns[j].kind == "categorical":
                raise InvalidInput(
                    f"monotone names {name!r}, a category without an order.",
                    "Leave it out, or encode it as a number.",
                )
            if outputs > 1:
                raise InvalidInput(
                    f"monotone was given for {outputs} classes, whose curves share no direction.",
                    "Ask for one class against the rest, or leave monotone out.",
                )
            found[j] = way
        return found

    def usable(self, features: Features) -> NDArray[np.bool_]:
        """Which of d columns may be used.

        Raises
        ------
        InvalidInput
            If a name is unknown, or all columns are forbidden.
        """
        found = np.ones(len(features), dtype=bool)
        for name in self.forbidden:
            found[_position(features, name, "forbidden")] = False
        if not found.any():
            raise InvalidInput(
                f"forbidden names all {len(features)} columns.", "Leave at least one column."
            )
        return found

    def limits(
        self, steps: StepTerms, features: Features, outputs: int, usable: NDArray[np.bool_]
    ) -> TermLimits:
        """The same for terms.

        Parameters
        ----------
        steps : StepTerms
            The terms.
        features : Features
            The columns.
        outputs : int
            Scores of the student.
        usable : ndarray of bool, shape (d,)
            The columns that may be used.
        """
        ways = self.directions(features, outputs)
        allowed = [
            np.full(len(g.prices), bool(usable[list(g.columns)].all())) for g in steps.groups
        ]
        signs = [
            ways[g.columns[0]] * g.rises if len(g.columns) == 1 else np.zeros(len(g.prices))
            for g in steps.groups
        ]
        most = np.inf if self.max_numbers is None else float(self.max_numbers - outputs)
        return TermLimits(
            steps.prices, steps.group, np.concatenate(allowed), np.concatenate(signs), most,
            self.max_terms,
        )  # fmt: skip


def _position(features: Features, name: str, setting: str) -> int:
    if name not in features.names:
        raise InvalidInput(
            f"{setting} names {name!r}, which is no column.",
            did_you_mean(str(name), features.names),
        )
    return features.index(name)
