"""What the page of some kinds of students has of its own, by the student's registered name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from limbeck.core.registry import STUDENTS
from limbeck.reports.markup import Html
from limbeck.reports.style import FRAGMENT, PAGE
from limbeck.results.distillation_record import DistillationRecord
from limbeck.results.wavelet_sections import sections as wavelet_sections
from limbeck.results.wavelet_sections.style import BARS, WAVELET

__all__ = ["OwnPage", "Section", "own_page"]

Section = Callable[[DistillationRecord], Html | None]
"""A part of the page; None where it has nothing to say."""


@dataclass(frozen=True)
class OwnPage:
    """Sections after the student's drawing, and the styles of page and fragment.

    Parameters
    ----------
    sections : tuple of Section
        In reading order.
    style, fragment : str
        CSS of the page, and of the fragment for notebooks.
    """

    sections: tuple[Section, ...] = ()
    style: str = PAGE
    fragment: str = FRAGMENT


_OWN = {"wavelet": OwnPage(wavelet_sections.SECTIONS, WAVELET, FRAGMENT + BARS)}


def own_page(result: DistillationRecord) -> OwnPage:
    """What the page of a result has beside what all have; plain for most students."""
    return _OWN.get(STUDENTS.name_of(type(result.student)) or "", OwnPage())
