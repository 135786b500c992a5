"""How rich a class of students is: its functions, its labelings, its VC dimension."""

from __future__ import annotations

from dataclasses import fields

from limbeck.certificates.class_limits import ClassSize, Limits
from limbeck.certificates.class_measures import MEASURES, READS, TWO_CLASSES
from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.registry import STUDENTS

__all__ = ["CLASSES", "size_up"]

CLASSES = tuple(MEASURES)
"""Students whose class has a known size."""

_MOST_BITS = 1000
"""Larger numbers of functions than 2^(2^1000) are refused; a float holds no more."""


def size_up(into: str, limits: Limits) -> ClassSize:
    """Measure a class of students.

    Parameters
    ----------
    into : str
        One of `CLASSES`.
    limits : Limits
        What bounds it.

    Raises
    ------
    InvalidInput
        If there is no such class, nothing is known of its size, or a size that it needs is
        lacking or does not apply.
    """
    if into in _UNKNOWN:
        raise InvalidInput(f"There is no budget for {into!r}: {_UNKNOWN[into]}.", _KNOWN)
    if into not in MEASURES and into in STUDENTS.names():
        raise InvalidInput(
            f"There is no budget for {into!r}: its class has no known size here.", _KNOWN
        )
    if into not in MEASURES:
        raise InvalidInput(f"There is no class of students {into!r}.", did_you_mean(into, CLASSES))
    if limits.classes < 2 or (into in TWO_CLASSES and limits.classes > 2):
        raise InvalidInput(
            f"classes is {limits.classes}.",
            f"Give 2, or more for all but {', '.join(TWO_CLASSES)}.",
        )
    if limits.thresholds is None and into != "tree":
        raise InvalidInput(
            f"thresholds is None for {into!r}.",
            "Only trees have a budget with any threshold; give the number of cut points.",
        )
    for field in fields(limits):
        name, value = field.name, getattr(limits, field.name)
        if name in ("features", "classes") or name in READS[into] or value == field.default:
            continue
        raise InvalidInput(
            f"{name} is {value}, and does not bound the class {into!r}.",
            f"Leave it out; {into} has {', '.join(('features', *READS[into]))}.",
        )
    for name in ("depth", "k"):
        value = getattr(limits, name)
        if value is not None and value > _MOST_BITS:
            raise InvalidInput(f"{name} is {value}.", f"Give at most {_MOST_BITS}.")
    return MEASURES[into](limits)


_KNOWN = f"Give one of {', '.join(CLASSES)}."
_UNKNOWN = {
    "wavelet": "its filter is learned, and no bound on its functions is known here",
    "text_classifier": "its n-grams are those of the texts; for n-grams that are fixed give"
    " 'linear' with features as their number",
    "embedding_classifier": "its numbers are those of a text encoder; for one that is fixed give"
    " 'linear' with features as their number",
    "network": "no useful bound on the number of its functions is known",
    "forest": "limbeck does not distil into forests",
    "boosting": "limbeck does not distil into boosted trees",
}
