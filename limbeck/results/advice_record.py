"""What a pilot measured and forecasts: its fields, and what they say in a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from limbeck.certificates.wording import in_percent
from limbeck.core.measured import ROUNDING, Measured, signed

__all__ = ["AdviceRecord", "Kind", "Outlook", "PilotPoint"]

Kind = Literal[
    "these data", "twice the inputs", "four times the epochs", "a student twice the size"
]


@dataclass(frozen=True)
class PilotPoint:
    """One cell of the pilot: a student and its control, trained on a part of the rows.

    Parameters
    ----------
    model : str
        ``student``, or ``student of twice the size``.
    rows, updates, seeds : int
        Training rows, updates of the weights, pairs that were trained.
    student, control, gain : Measured
        Means over seeds, with intervals that cover other seeds and other rows.
    seconds : float
        What a pair took.
    """

    model: str
    rows: int
    updates: int
    seeds: int
    student: Measured
    control: Measured
    gain: Measured
    seconds: float


@dataclass(frozen=True)
class Outlook:
    """What a later run is forecast to measure.

    Parameters
    ----------
    name : str
        What is changed.
    rows, epochs : int
        Training rows and passes over them.
    student, control, gain : Measured
        Forecast means, with prediction intervals; NaN where nothing is known.
    doublings : float
        How far it lies beyond what was run; 0 means that the pilot ran it.
    seconds : float
        What a student and its control of one seed would take.
    """

    name: Kind
    rows: int
    epochs: int
    student: Measured
    control: Measured
    gain: Measured
    doublings: float
    seconds: float

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.gain.low) and math.isfinite(self.gain.high)

    @property
    def verdict(self) -> str:
        """Whether the interval of the gain excludes zero, and on which side."""
        if not self.known:
            return "not known"
        above, below = self.gain.low > ROUNDING, self.gain.high < -ROUNDING
        return "pays" if above else "hurts" if below else "no evidence"

    @property
    def basis(self) -> str:
        """Whether it was measured, or over how many doublings it is extrapolated."""
        return "measured" if not self.doublings else f"x{2**self.doublings:.3g} beyond"


@dataclass(frozen=True, eq=False, repr=False)
class AdviceRecord:
    """The fields of an advice.

    Parameters
    ----------
    outlooks : tuple of Outlook
        These data first.
    points : tuple of PilotPoint
        All that was run.
    teacher : Measured or None
        The teacher's score on the measured rows.
    score : str
        What the scores are: accuracy, or R².
    level : float
        Level of each interval.
    notes : tuple of str
        How data and networks were understood, and what was not measured.
    settings : mapping
        Everything needed to run it again.
    """

    outlooks: tuple[Outlook, ...]
    points: tuple[PilotPoint, ...]
    teacher: Measured | None
    score: str
    level: float
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def now(self) -> Outlook:
        """These data, as they are."""
        return self.outlooks[0]

    @property
    def best(self) -> Outlook:
        """The outlook that the recommendation is about.

        These data, unless distilling is not forecast to pay there and is elsewhere: then where its
        gain is surest.
        """
        paying = [o for o in self.outlooks if o.verdict == "pays"]
        if self.now.verdict != "no evidence" or not paying:
            return self.now
        return max(paying, key=lambda o: o.gain.low)

    @property
    def hopeless(self) -> bool:
        """Whether the teacher knows no more than the control is forecast to learn."""
        return self.teacher is not None and self.teacher.value <= self.now.control.value

    @property
    def sentence(self) -> str:
        """The recommendation."""
        now, best = self.now, self.best
        if not now.known:
            return (
                "The budget was too short to say anything: give at least"
                f" {_time(self.settings['enough'])}."
            )
        gain = (
            f"{_written(best.gain)[0]} in {self.score} ({in_percent(self.level)} interval"
            f" {_between(best.gain)})"
        )
        if now.verdict == "hurts":
            return f"Do not distil here: the forecast is {gain}; train on the labels alone."
        if best is not now:
            return (
                f"On these data there is no evidence that distilling pays ({_between(now.gain)});"
                f" with {best.name} the forecast is {gain}."
            )
        if now.verdict == "pays":
            return f"Distil: the forecast is {gain} against the same student on labels alone."
        if now.doublings and not self.hopeless:
            return (
                f"The pilot cannot tell yet whether distilling pays: the forecast is {gain};"
                f" {_time(self.settings['enough'])} would be enough to run these data themselves."
            )
        why = ""
        if self.teacher is not None and self.hopeless:
            why = f"; the teacher ({self.teacher.value:.3f}) knows no more than the student learns"
            why += f" from the labels ({now.control.value:.3f})"
        return (
            f"No evidence that distilling pays here: the forecast is {gain}{why}; train on the"
            " labels alone, or change what the forecasts below are of."
        )

    @property
    def code(self) -> str:
        """The line to run next."""
        best, call = self.best, dict(self.settings["call"])
        data = "more_data" if best.name == "twice the inputs" else "data"
        more = ", unlabelled=more_inputs" if self.settings.get("unlabelled") else ""
        into = "larger_student" if best.name == "a student twice the size" else "student"
        unsure = best.verdict == "no evidence" and best.doublings and not self.hopeless
        if not self.now.known or unsure:
            longer = call | {"budget": _time(self.settings["enough"])}
            return _call("advise", data, into, longer, more)
        pays = best.verdict == "pays"
        call |= {"epochs": best.epochs, "seeds": self.settings["later_seeds"]}
        if not pays:
            return _call("distill", data, into, call, ", objective=limbeck.networks.GoldLabels()")
        return _call("distill", data, into, call, more)


def _call(verb: str, data: str, into: str, settings: Mapping[str, Any], last: str = "") -> str:
    more = "".join(f", {name}={value!r}" for name, value in settings.items())
    return f"limbeck.{verb}(teacher, {data}, into={into}{more}{last})"


def _written(gain: Measured) -> tuple[str, str, str]:
    return signed(gain.value, gain.low, gain.high)


def _between(gain: Measured) -> str:
    _, low, high = _written(gain)
    return f"{low} to {high}"


def _time(seconds: float) -> str:
    return f"{max(1, math.ceil(seconds))} s" if seconds < 120 else f"{math.ceil(seconds / 60)} min"
