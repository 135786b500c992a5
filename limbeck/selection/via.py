"""A way of several steps by the names of the students on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from limbeck.core.contract import Access, Method
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.methods.base import BaseMethod
from limbeck.methods.composed import Composed
from limbeck.methods.given import Given
from limbeck.results.distillation import Distillation
from limbeck.results.routes_record import STUDENT_ACCESS
from limbeck.selection.routes import method_for, resolved, students

__all__ = ["by_way_of"]


def by_way_of(via: Any, last: Method, **defaults: Any) -> Composed:
    """The method that goes by some students to its end.

    Parameters
    ----------
    via : str, method, class of either, Distillation, or sequence of these
        A student's name, or ``"student:method"``, for each step before the last; an earlier
        result, whose student is taken as it is, may come first.
    last : Method
        The last step.
    **defaults
        Settings of the steps, where they have them.

    Raises
    ------
    InvalidInput
        If there is no such student or method, or none is named, or a result comes later.
    AccessDenied
        If a step needs more than a student grants.

    Examples
    --------
    >>> by_way_of("tree:greedy", method_for("rules", {})).name
    'greedy tree, then rule set'
    """
    given = list(via) if isinstance(via, list | tuple) else [via]
    if not given:
        raise InvalidInput("via is empty.", "Name a student, as in via='tree', or leave via out.")
    if any(isinstance(one, Distillation) for one in given[1:]):
        raise InvalidInput(
            "An earlier result stands second on the way, and its student has a teacher already.",
            "Put it first: its student is the teacher of the next step.",
        )
    steps = [_step(one, defaults) for one in given]
    if not isinstance(last, BaseMethod):
        raise InvalidInput(f"via={via!r} was given for {last.name}.", "Leave via out.")
    for step in (*steps[1:], last):
        lacking = Access(step.needs & ~STUDENT_ACCESS)
        if lacking:
            raise AccessDenied(
                f"{step.name[:1].upper()}{step.name[1:]} needs {lacking} of its teacher, and a"
                f" student grants {STUDENT_ACCESS}.",
                "Put it first, or leave via out; limbeck.routes lists the ways that there are.",
            )
    return Composed((*steps, last))


def _step(one: Any, defaults: dict[str, Any]) -> BaseMethod:
    if isinstance(one, Distillation):
        seen = np.empty(0, np.uint64) if one.holdout is None else one.holdout.seen
        return Given(one.student, seen)
    found = resolved(one)
    if not isinstance(found, str | BaseMethod | type):
        raise InvalidInput(
            f"via is {type(one).__name__}, which is no step of a way.",
            "Give a student's name, as in via='tree', or an earlier result of limbeck.distill: it"
            " knows which rows its student was made from.",
        )
    if isinstance(found, str):
        name, _, method = found.partition(":")
        if name not in students() and ("/" in found or Path(found).is_dir()):
            raise InvalidInput(
                f"via is {found!r}, and a way has students' names and results as its steps.",
                f"For an earlier result give via=limbeck.load({found!r}).",
            )
        made = method_for(name, {}, method or None, **defaults)
    else:
        made = method_for(found, {}, None, **({} if isinstance(found, BaseMethod) else defaults))
    assert isinstance(made, BaseMethod)  # noqa: S101  (those that are registered are)
    return made
