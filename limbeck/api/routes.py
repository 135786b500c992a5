"""Which ways lead from a teacher to a student."""

from __future__ import annotations

from typing import Any

from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import whole_number
from limbeck.core.registry import TEACHERS
from limbeck.results.routes import FoundRoutes
from limbeck.selection.web import reductions, routes_to
from limbeck.teachers import teacher_class
from limbeck.teachers.entry import entry_of

__all__ = ["routes"]


def routes(
    teacher: Any,
    into: str | None = None,
    *,
    method: str | None = None,
    max_steps: int | None = None,
) -> FoundRoutes:
    """List every way from a teacher to a student, with what it needs, costs and guarantees.

    A student is a teacher of the next one, so that ways compose: a network into a tree, the tree
    into rules. ``limbeck.distill(teacher, X, y, into="rules", via="tree")`` runs such a way.
    Methods of other packages are found by their entry points.

    Parameters
    ----------
    teacher : Teacher, model, or str
        Whatever :func:`limbeck.as_teacher` takes, or the name of a kind that `limbeck teachers`
        lists, such as ``"stored"`` or ``"torch"``. Nothing is run: of what is no teacher yet,
        what its kind grants at most counts.
    into : str, optional
        The student; by default all.
    method : str, optional
        Only ways that end by this method.
    max_steps : int, optional
        Steps at most; by default 2 where a student is named, else 1.

    Returns
    -------
    FoundRoutes
        Prints as a table; ``to_frame()``, ``plot()``.

    Raises
    ------
    InvalidInput
        If there is no such student, or the teacher is none.
    AccessDenied
        If no way leads there; names the students that can be reached.

    Examples
    --------
    >>> import limbeck
    >>> found = limbeck.routes("stored", into="tree", max_steps=1)
    >>> sorted(route.steps[0].method for route in found.found)
    ['from_forest', 'greedy', 'optimal', 'search_and_stitch', 'trepan']
    """
    name, access = _granted(teacher)
    usual = 1 if into is None else 2
    steps = usual if max_steps is None else whole_number("max_steps", max_steps, 1)
    found = routes_to(into, access, name, steps, method)
    closed = tuple(
        r
        for r in reductions()
        if r.needs not in access and into in (None, r.into) and method in (None, r.method)
    )
    return FoundRoutes(name, access, found, closed)


def _granted(teacher: Any) -> tuple[str, Access]:
    """What a teacher is called, and what it grants."""
    if isinstance(teacher, str) and teacher in TEACHERS.names():
        return _KINDS.get(teacher, teacher), entry_of(TEACHERS.get(teacher)).grants
    if not isinstance(teacher, type) and isinstance(teacher, Teacher):
        return teacher.name, teacher.access
    made = teacher_class(teacher)
    name = TEACHERS.name_of(made) or made.__name__
    return _KINDS.get(name, name), entry_of(made).grants


_KINDS = {"stored": "stored scores", "function": "a function", "sklearn": "an estimator",
          "torch": "a torch module"}  # fmt: skip
