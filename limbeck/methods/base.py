"""What methods share: which student they lead to, and the baselines that it must beat."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import Access, MethodResult, Student, Teacher
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.progress import Progress
from limbeck.core.registry import METHODS
from limbeck.core.task import Task
from limbeck.methods.answered_rows import AllSizes, AnsweredRows
from limbeck.methods.forbidden import hide
from limbeck.students.tree.tree import Tree

__all__ = ["CONSTRAINTS", "BaseMethod"]

CONSTRAINTS = ("monotone", "feature_costs", "forbidden", "max_depth", "min_samples_leaf")
"""What users ask of a student beside its size; see `TreeConstraints`."""


class BaseMethod(ABC):
    """A frozen dataclass of settings and one algorithm; see `limbeck.core.contract.Method`.

    Attributes
    ----------
    into : str
        The student that it leads to, by its name.
    method : str
        What it is called in ``distill(..., method=...)``, where several students have a method of
        this name; by default the name under which it is registered.
    default : bool
        Whether it is the one for its student where no method is named.
    chosen_by : str
        A setting that only this method has: where it is given and no method is named, this is it.
    signals : bool
        Whether it is for signals and images only.
    texts : bool
        Whether it is for texts only.
    form : str
        What kind of model it is for, where not any.
    guarantee : str
        What it promises of its student beside the certificate, in a few words; empty where
        nothing. Its own page says under which conditions.
    effort : float
        How long it takes beside others, about: a tournament begins with the lightest.
    by_numbers : bool
        Whether the greedy tree beside its student holds as many numbers (L leaves hold 2 L - 1);
        else it has as many leaves as the student's size says.
    name : str
        What it is called in tables and errors.
    needs : Access
        What a teacher must grant.
    without : tuple of str
        Settings that it has from another method and refuses.
    """

    into: ClassVar[str] = ""
    method: ClassVar[str] = ""
    default: ClassVar[bool] = False
    chosen_by: ClassVar[str] = ""
    signals: ClassVar[bool] = False
    texts: ClassVar[bool] = False
    form: ClassVar[str] = ""
    guarantee: ClassVar[str] = ""
    effort: ClassVar[float] = 2.0
    by_numbers: ClassVar[bool] = False
    name: ClassVar[str]
    needs: ClassVar[Access] = Access.SCORES
    without: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def distill(
        self, teacher: Teacher, rows: Rows, rng: np.random.Generator, progress: Progress
    ) -> MethodResult:
        """Distil the teacher into a student, from rows that no certificate will use.

        Parameters
        ----------
        teacher, rows, rng, progress
            As in `limbeck.core.contract.Method.distill`.
        """

    @abstractmethod
    def learn(self, rows: Rows, y: NDArray[Any], task: Task, rng: np.random.Generator) -> Student:
        """The control: the same student with the same limits, from labels, with no teacher.

        Parameters
        ----------
        rows, y, task, rng
            As in `limbeck.core.contract.Method.learn`.
        """

    def baselines(
        self,
        teacher: Teacher,
        rows: Rows,
        answers: NDArray[Any],
        finding: MethodResult,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Mapping[str, Student]:
        """Plain students of the same size, taught by the same teacher: a greedy tree by default.

        Parameters
        ----------
        teacher, rows, rng
            As for `distill`.
        answers : ndarray of shape (n,)
            The teacher's answers on the rows: class indices or values.
        finding : MethodResult
            What `distill` returned.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.

        Returns
        -------
        mapping from str to Student
            By their names in the table.
        """
        told = teacher.task.labels[answers] if teacher.task.classifies else answers
        student = finding.student
        leaves = (student.numbers + 1) // 2 if self.by_numbers else student.size
        tree = Tree(max_leaves=max(leaves, 2), task=teacher.task)
        seen = hide(rows.features, rows.values, getattr(self, "forbidden", ()))
        return {"greedy tree": tree.fit(Rows(rows.features, seen), told, sample_weight)}

    def all_sizes(
        self, asked: AnsweredRows, rng: np.random.Generator, progress: Progress
    ) -> AllSizes:
        """Students of all sizes on rows that are answered already, for who chooses among them.

        A tournament leaves out rows itself, so that nothing is gained by cross-fitting within the
        method; those that can do without extend this. By default the frontier of `distill`.

        Parameters
        ----------
        asked : AnsweredRows
            Rows, and queries that all methods share.
        rng : numpy.random.Generator
            The source of chance.
        progress : Progress
            Told of the stages.
        """
        found = self.distill(asked.teacher, asked.rows, rng, progress)
        return AllSizes({"": found.frontier or (found.student,)}, found.queries)

    def variant_sizes(
        self, asked: AnsweredRows, rng: np.random.Generator, progress: Progress, variant: str
    ) -> AllSizes:
        """One variant of `all_sizes`, for who fits it again; by default it is one among all.

        Parameters
        ----------
        asked, rng, progress
            As there.
        variant : str
            Its name there.
        """
        return self.all_sizes(asked, rng, progress)

    def limited(self, numbers: int) -> Self:
        """The method for students of at most so many numbers, where a setting says how many.

        ``max_numbers``, or ``max_leaves`` for trees, whose L leaves are 2 L - 1 numbers; the method
        itself where it has neither.

        Parameters
        ----------
        numbers : int
            What a student may hold; see `limbeck.students.readable.Readable.numbers`.
        """
        assert is_dataclass(self)  # noqa: S101
        known = [f.name for f in fields(self)]
        if "max_numbers" in known:
            return replace(self, max_numbers=max(numbers, 2))
        if "max_leaves" in known:
            return replace(self, max_leaves=max((numbers + 1) // 2, 2))
        return self

    def check_available(self) -> None:
        """Refuse what is in ``without``; for ``__post_init__``.

        Raises
        ------
        InvalidInput
            If such a setting is not at its default.
        """
        for name in self.without:
            if getattr(self, name) not in ({}, None, 1, (), []):
                raise InvalidInput(
                    f"The method {METHODS.name_of(type(self))!r} takes no {name}.",
                    _who_takes(name, self.into),
                )

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], **defaults: Any) -> Self:
        """The method with settings by name; a None leaves a setting at its default.

        Parameters
        ----------
        settings : mapping
            What a user gave.
        **defaults
            Taken where the method has such a setting and the user gave none.

        Raises
        ------
        InvalidInput
            If there is no such setting; proposes the nearest.
        """
        assert is_dataclass(cls)  # noqa: S101
        known = [f.name for f in fields(cls)]
        given = {k: v for k, v in settings.items() if v is not None}
        for name in given:
            if name not in known:
                by = "" if cls.default or not cls.into else f" by {cls.name}"
                raise InvalidInput(
                    f"Distilling into {cls.into or cls.__name__!r}{by} has no setting {name!r}.",
                    _who_takes(name, cls.into) or did_you_mean(name, known),
                )
        return cls(**{k: v for k, v in defaults.items() if k in known} | given)


def _who_takes(name: str, into: str) -> str:
    """Which methods take a constraint; empty for any other setting."""
    if name not in CONSTRAINTS:
        return ""
    takers = [
        (method.into, method.method or known)
        for known, method in METHODS.items()
        if name in method.__dataclass_fields__ and name not in method.without
    ]
    same = [f"method={by!r}" for student, by in takers if student == into]
    if same:
        return f"Use {' or '.join(same)}, which can."
    others = dict.fromkeys(
        f"into={student!r}" + (f", method={by!r}" if student == "tree" else "")
        for student, by in takers
    )
    return f"Use {' or '.join(others)}, which can."
