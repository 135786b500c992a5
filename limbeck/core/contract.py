"""What teachers, students, samplers and methods promise. Shapes: n rows, d columns, k outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Flag, auto
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.columns import Features, Rows
from limbeck.core.progress import Progress
from limbeck.core.status import Status
from limbeck.core.task import Task

__all__ = ["Access", "Method", "MethodResult", "Sampler", "Student", "Teacher"]


class Access(Flag):
    """What a teacher grants, and what a method needs.

    Examples
    --------
    >>> from limbeck import Access
    >>> needed = Access.QUERIES | Access.GRADIENTS
    >>> str(needed), Access.SCORES in needed
    ('queries, gradients', False)
    """

    SCORES = auto()
    """Scores for stored rows only."""
    QUERIES = auto()
    """Scores for any row."""
    ACTIVATIONS = auto()
    GRADIENTS = auto()
    WEIGHTS = auto()

    def __str__(self) -> str:
        return ", ".join(a.name.lower() for a in type(self) if a in self and a.name) or "nothing"


@runtime_checkable
class Teacher(Protocol):
    """What a distiller may see of a model. Rows come in the user's own form."""

    @property
    def access(self) -> Access:
        """What it grants."""
        ...

    @property
    def task(self) -> Task:
        """What is predicted."""
        ...

    @property
    def score_kind(self) -> ScoreKind:
        """What the numbers of `scores` are."""
        ...

    @property
    def name(self) -> str:
        """The name for tables and reports."""
        ...

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Scores of shape (n, k): a column per class, or one column for regression.

        Labels are given one-hot; binary logits as two columns (0, z).
        """
        ...

    def layers(self) -> tuple[str, ...]:
        """Names of the layers whose activations may be read, in order of computation."""
        ...

    def activations(self, X: Any, layers: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Activations by layer, each of shape (n, m), flattened over all but rows.

        Parameters
        ----------
        X : table of n rows
            Rows in the form the model takes.
        layers : sequence of str
            Names of the layers.
        """
        ...

    def gradient(self, X: Any, output: int) -> NDArray[np.float64]:
        """Gradient of one score with respect to the inputs, of shape (n, d).

        Parameters
        ----------
        X : table of n rows
            Rows in the form the model takes.
        output : int
            Position of the score.
        """
        ...


@runtime_checkable
class Student(Protocol):
    """A scikit-learn estimator that can say its size, print, draw and export itself."""

    @property
    def features_(self) -> Features:
        """The columns it was fitted on."""
        ...

    @property
    def task_(self) -> Task:
        """What it predicts."""
        ...

    @property
    def size(self) -> int:
        """Leaves of a tree, cells of a table, weights of a linear model."""
        ...

    @property
    def size_unit(self) -> str:
        """What ``size`` counts, in the plural: leaves, cells."""
        ...

    @property
    def numbers(self) -> int:
        """How many numbers a reader must hold to predict by hand, alike for all kinds."""
        ...

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Learn from rows of shape (n, d) and labels of shape (n,).

        Parameters
        ----------
        X : table of n rows
            The rows, of shape (n, d).
        y : array-like of shape (n,)
            Labels, or values.
        sample_weight : array-like of shape (n,), optional
            How much each row counts.
        """
        ...

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,)."""
        ...

    def measured(self, values: NDArray[np.float64]) -> Self:
        """The student itself, with how much each column matters measured on rows (n, d)."""
        ...

    def notes(self, rows: Rows) -> tuple[str, ...]:
        """What a reader should know of the student on these training rows."""
        ...

    def text(self) -> str:
        """The student in words."""
        ...

    def rules(self) -> list[str]:
        """The student as IF ... THEN ... sentences; empty where it has none."""
        ...

    def drawing(self) -> str:
        """The student drawn in HTML, for the page of a report."""
        ...

    def caption(self) -> str:
        """How the drawing is read; may be empty."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """All that the student is, ready for JSON."""
        ...

    def save(self, path: str | Path) -> Path:
        """Write the student as JSON."""
        ...

    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON of the student, in hexadecimal."""
        ...


class Sampler(Protocol):
    """Where fresh inputs come from."""

    def draw(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw n new rows, near or from the distribution of ``rows``.

        Parameters
        ----------
        rows : Rows
            Observed rows.
        n : int
            Number of rows to draw.
        rng : numpy Generator
            All randomness comes from it.
        """
        ...

    def describe(self) -> str:
        """The distribution in words, for the certificate and the report."""
        ...


@dataclass(frozen=True)
class MethodResult:
    """What a method returns: the student and how it was found.

    Parameters
    ----------
    student : Student
        The student of the chosen size.
    status : Status
        How the search ended.
    queries : int
        Rows beyond the user's own for which the teacher was asked.
    frontier : tuple of Student
        The best student of every size, smallest first (may be only the chosen one).
    trace : mapping
        Numbers of the search, ready for JSON: probes, seconds, layer scores, history.
    rivals : mapping from str to Student
        Baselines of one kind and the student's size, of what they were trained on; the best of
        them is the baseline that is shown. Empty where the method names its own or has none.
    steps : tuple of Student
        Of a way of several steps: all students, the last being ``student``; else empty.
    """

    student: Student
    status: Status
    queries: int = 0
    frontier: tuple[Student, ...] = ()
    trace: Mapping[str, Any] = field(default_factory=dict)
    rivals: Mapping[str, Student] = field(default_factory=dict)
    steps: tuple[Student, ...] = ()


class Method(Protocol):
    """A frozen dataclass of settings and one algorithm."""

    @property
    def needs(self) -> Access:
        """What the teacher must grant."""
        ...

    @property
    def name(self) -> str:
        """The name for tables and reports."""
        ...

    def distill(
        self, teacher: Teacher, rows: Rows, rng: np.random.Generator, progress: Progress
    ) -> MethodResult:
        """Distil the teacher into a student, from rows that no certificate will use.

        Parameters
        ----------
        teacher : Teacher
            Answers queries, as far as its ``access`` goes.
        rows : Rows
            Rows to learn from.
        rng : numpy Generator
            All randomness comes from it.
        progress : Progress
            Called with the stage, what is done, and the total.
        """
        ...

    def learn(self, rows: Rows, y: NDArray[Any], task: Task, rng: np.random.Generator) -> Student:
        """The control: the same student with the same limits, from labels, with no teacher.

        ``y`` holds class indices (int, shape (n,)) or values (float, shape (n,)).

        Parameters
        ----------
        rows : Rows
            The rows that :meth:`distill` learns from.
        y : ndarray of shape (n,)
            Class indices or values.
        task : Task
            What is predicted.
        rng : numpy Generator
            All randomness comes from it.
        """
        ...

    def baselines(
        self,
        teacher: Teacher,
        rows: Rows,
        answers: NDArray[Any],
        finding: MethodResult,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Mapping[str, Student]:
        """Plain students of the same size, taught by the same teacher, by their names.

        Parameters
        ----------
        teacher : Teacher
            Answers queries.
        rows : Rows
            The rows that :meth:`distill` learned from.
        answers : ndarray of shape (n,)
            The teacher's answers on them: class indices or values.
        finding : MethodResult
            What :meth:`distill` returned; its student sets the size.
        rng : numpy Generator
            All randomness comes from it.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        """
        ...
