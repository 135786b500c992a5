"""Classes that are in an order, such as low, middle, high: said by the user, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from limbeck.core.errors import InvalidInput

__all__ = ["check_ordered", "ranks_of"]


def check_ordered(ordered: Any) -> None:
    """Refuse what is neither a truth value nor a list of classes.

    Parameters
    ----------
    ordered : bool or sequence of classes
        What a user gave.

    Raises
    ------
    InvalidInput
        If it is something else, such as a set, or names a class twice.
    """
    if isinstance(ordered, bool):
        return
    if isinstance(ordered, (str, bytes, set, frozenset, dict)) or not isinstance(ordered, Iterable):
        raise InvalidInput(
            f"ordered is {ordered!r}.",
            "Give the classes in their order, such as ordered=['low', 'middle', 'high'].",
        )
    names = [str(one) for one in ordered]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None or len(names) < 2:
        raise InvalidInput(
            f"ordered names {twice!r} twice." if twice else f"ordered is {names}.",
            "Name each class once, in their order.",
        )


def ranks_of(ordered: Any, classes: Sequence[Any]) -> tuple[int, ...] | None:
    """The place of each class in the order; None where none was asked for.

    Parameters
    ----------
    ordered : bool or sequence of classes
        The classes in their order; True for classes that are numbers in theirs.
    classes : sequence of k classes
        In the order of the scores.

    Raises
    ------
    InvalidInput
        If the list does not name each class once, or if True was given for names, whose order in
        the scores is often that of the alphabet.

    Examples
    --------
    >>> ranks_of(["low", "middle", "high"], ["high", "low", "middle"])
    (2, 0, 1)
    >>> ranks_of(True, [1, 2, 3])
    (0, 1, 2)
    """
    if ordered is False:
        return None
    names = [str(one) for one in classes]
    if ordered is True:
        if len(names) > 2 and not _numbers_in_order(names):
            raise InvalidInput(
                f"ordered=True was given for the classes {_listed(names)}, whose order is not"
                " known: names often stand in that of the alphabet.",
                f"Give the list in their order: ordered=[{_listed(names)}] if that is it; in a"
                " shell --ordered, with commas.",
            )
        return tuple(range(len(names)))
    wanted = [str(one) for one in ordered]
    if sorted(wanted) != sorted(names):
        beside = [one for one in wanted if one not in names]
        missing = [one for one in names if one not in wanted]
        what = "lacks" if missing else "holds, beside the classes,"
        raise InvalidInput(
            f"ordered {what} {_listed(missing or beside)}.",
            f"Name each class once: {_listed(names)}.",
        )
    return tuple(wanted.index(name) for name in names)


def _numbers_in_order(names: Sequence[str]) -> bool:
    """Whether all are numbers that rise."""
    try:
        values = [float(name) for name in names]
    except ValueError:
        return False
    return all(a < b for a, b in pairwise(values))


def _listed(names: Sequence[str]) -> str:
    """Names in quotes; of many the first six."""
    return ", ".join(map(repr, names[:6])) + (", ..." if len(names) > 6 else "")
