"""The steps of every distillation, in their order: for a tree, a wavelet and a network alike."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from limbeck.core.certificate import Certificate
from limbeck.core.progress import Progress, shown

__all__ = ["MOST_SEEDS", "Steps", "run"]

MOST_SEEDS = 1_000
"""Trainings of one distillation at most."""

Data = TypeVar("Data")
Sides = TypeVar("Sides")
Known = TypeVar("Known")
Found = TypeVar("Found")
Compared = TypeVar("Compared")
Outcome = TypeVar("Outcome")


class Steps(ABC, Generic[Data, Sides, Known, Found, Compared, Outcome]):
    """What the steps do for one form of rows: tables (`distill_table`), data sets of networks.

    Each step gets what the steps before it returned. Students and methods say the rest.
    """

    @abstractmethod
    def read(self) -> Data:
        """What was given, refused before any work where it cannot be used."""

    @abstractmethod
    def split(self, data: Data) -> Sides:
        """The rows that the method sees, and those of table and certificate."""

    @abstractmethod
    def understand(self, data: Data, sides: Sides) -> Known:
        """What outputs and labels mean, and whether teacher, method and rows fit each other.

        Parameters
        ----------
        data : Data
            What `read` returned.
        sides : Sides
            What `split` returned.
        """

    @abstractmethod
    def teach(self, known: Known, tell: Progress) -> Found:
        """The student: the method's `distill`.

        Parameters
        ----------
        known : Known
            What `understand` returned.
        tell : Progress
            Told how far the work is.
        """

    @abstractmethod
    def certify(self, known: Known, found: Found, tell: Progress) -> Certificate | None:
        """How far the student is from the teacher, on the rows set aside.

        Parameters
        ----------
        known : Known
            What `understand` returned.
        found : Found
            What `teach` returned.
        tell : Progress
            Told how far the work is.
        """

    @abstractmethod
    def compare(self, known: Known, found: Found, tell: Progress) -> Compared:
        """The control, by the method's `learn`, the baselines, and the table of all.

        Parameters
        ----------
        known : Known
            What `understand` returned.
        found : Found
            What `teach` returned.
        tell : Progress
            Told how far the work is.
        """

    @abstractmethod
    def result(
        self,
        known: Known,
        found: Found,
        certificate: Certificate | None,
        compared: Compared,
        seconds: float,
    ) -> Outcome:
        """All of it as a record that prints, draws and saves itself.

        Parameters
        ----------
        known : Known
            What `understand` returned.
        found : Found
            What `teach` returned.
        certificate : Certificate or None
            What `certify` returned.
        compared : Compared
            What `compare` returned.
        seconds : float
            How long all of it took.
        """


def run(steps: Steps[Any, Any, Any, Any, Any, Outcome], progress: bool | None) -> Outcome:
    """Read, split, understand, teach, certify, compare: the result.

    Parameters
    ----------
    steps : Steps
        What was asked for, in one form of rows.
    progress : bool or None
        A progress bar; None shows one only on a terminal.
    """
    started = time.perf_counter()
    data = steps.read()
    sides = steps.split(data)
    known = steps.understand(data, sides)
    with shown(progress) as tell:
        found = steps.teach(known, tell)
        certificate = steps.certify(known, found, tell)
        compared = steps.compare(known, found, tell)
    seconds = round(time.perf_counter() - started, 3)
    return steps.result(known, found, certificate, compared, seconds)
