"""One family of errors: each gives the value that was refused and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

__all__ = [
    "AccessDenied",
    "FileRefused",
    "InvalidInput",
    "LimbeckError",
    "MissingExtra",
    "TeacherFailed",
    "by_name",
    "did_you_mean",
    "list_of_names",
    "plural",
    "whole_number",
]


class LimbeckError(Exception):
    """Base of all errors raised on purpose by limbeck.

    Parameters
    ----------
    problem : str
        What was refused, with the offending value, as a sentence.
    remedy : str
        What to do instead, as a sentence.

    Examples
    --------
    >>> import limbeck
    >>> try:
    ...     limbeck.budget("tree", epsilon=2.0, delta=0.05, features=3)
    ... except limbeck.LimbeckError as error:
    ...     print(error.problem)
    epsilon is 2.0, and it must lie strictly between 0 and 1.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = f"{problem}." if problem[-1:].isalnum() else problem  # words of others
        self.remedy = remedy
        super().__init__(f"{self.problem} {remedy}")

    def __reduce__(self) -> tuple[type[LimbeckError], tuple[str, str]]:
        return type(self), (self.problem, self.remedy)  # errors cross processes


class InvalidInput(LimbeckError, ValueError):
    """An argument or a data set that cannot be used as given."""


class AccessDenied(LimbeckError):
    """A method needs more of the teacher than the teacher grants."""


class TeacherFailed(LimbeckError, RuntimeError):
    """The teacher raised, or returned something that is not a table of scores."""


class FileRefused(LimbeckError, ValueError):
    """A file that is unreadable, altered, or written by a newer limbeck."""


class MissingExtra(LimbeckError, ImportError):
    """An optional package is needed for what was asked."""


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A sentence that lists what exists, nearest first.

    Parameters
    ----------
    name : str
        The name that was not found.
    known : iterable of str
        The names that exist.
    otherwise : str, optional
        What to say where none is near; the known names by default.

    Returns
    -------
    str
        ``Did you mean 'x'?`` where one is near, else the known names.
    """
    names = [str(k) for k in known]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    if otherwise:
        return otherwise
    shown = ", ".join(repr(n) for n in names[:12]) + (", ..." if len(names) > 12 else "")
    return f"Known: {shown}." if names else "There is none."


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun, such as ``1 leaf`` and ``1,200 leaves``.

    Parameters
    ----------
    count : int
        How many.
    one : str
        The noun for one.
    many : str, optional
        The noun for several; with an s by default.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def whole_number(name: str, value: Any, least: int = 0, most: int | None = None) -> int:
    """A setting as a Python int; whole numbers of numpy are taken as well.

    Parameters
    ----------
    name : str
        What the setting is called.
    value : int or numpy integer
        What was given.
    least : int
        The smallest that is allowed.
    most : int, optional
        The largest that is allowed.

    Raises
    ------
    InvalidInput
        If it is no whole number, smaller or larger.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InvalidInput(f"{name} is {value!r}.", f"Give a whole number of {least} or more.")
    found = int(value)
    if most is not None and found > most:
        raise InvalidInput(f"{name} is {value!r}.", f"Give a whole number of at most {most:,}.")
    return found


def list_of_names(name: str, value: Any) -> tuple[Any, ...]:
    """A setting that lists columns, as a tuple; None is an empty list.

    Parameters
    ----------
    name : str
        What the setting is called.
    value : sequence of str
        What was given.

    Raises
    ------
    InvalidInput
        If it is one name, or no list.
    """
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidInput(f"{name} is {value!r}.", f"Give a list: {name}=[{value!r}].")
    return tuple(value)


def by_name(name: str, value: Any, example: str) -> dict[Any, Any]:
    """A setting that gives something to columns or classes, as a dict; None is an empty one.

    Parameters
    ----------
    name : str
        What the setting is called.
    value : mapping
        What was given.
    example : str
        One that would do, as it is written in Python.

    Raises
    ------
    InvalidInput
        If it is no mapping.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{name} is {value!r}.", f"Give a dict, as in {name}={example}.")
    return dict(value)
