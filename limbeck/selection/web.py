"""The web of reductions: which students can be reached from what a teacher grants."""

from __future__ import annotations

from collections.abc import Sequence

from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied
from limbeck.results.routes_record import STUDENT_ACCESS, FoundRoute, Reduction
from limbeck.selection.routes import methods_into, students

__all__ = ["reductions", "routes_to"]


def reductions() -> tuple[Reduction, ...]:
    """All methods of the registry, as what they declare; the usual one of a student first.

    Examples
    --------
    >>> [r.method for r in reductions() if r.into == "linear"]
    ['dense', 'l1_path']
    """
    return tuple(
        Reduction(
            into, name, method.needs, method.effort, method.form, method.guarantee,
            method.default, not (method.signals or method.texts),
        )
        for into, methods in students().items()
        for name, method in methods.items()
    )  # fmt: skip


def routes_to(
    into: str | None, access: Access, teacher: str, max_steps: int = 2, method: str | None = None
) -> tuple[FoundRoute, ...]:
    """The ways to a student, or to all, from what a teacher grants; those of fewer steps first.

    Parameters
    ----------
    into : str or None
        The student; None for all.
    access : Access
        What the teacher grants.
    teacher : str
        Its name, for errors.
    max_steps : int
        Reductions at most. Steps before the last are by the usual method of their student, or the
        first that the access is enough for; no student comes twice.
    method : str, optional
        Only ways that end by it.

    Raises
    ------
    InvalidInput
        If there is no such student; proposes the nearest.
    AccessDenied
        If there is no way; names those that there are.
    """
    known = reductions()
    if into is not None:
        methods_into(into)  # refuses what does not exist
    last = [r for r in known if (into in (None, r.into)) and method in (None, r.method)]
    found = [
        FoundRoute((*before, r))
        for r in last
        for before in _before(r, access, known, max_steps - 1)
    ]
    if not found:
        raise _no_way(into, method, last, access, teacher, known)
    return tuple(sorted(found, key=lambda route: (len(route.steps), route.effort)))


def _before(
    last: Reduction, access: Access, known: Sequence[Reduction], steps: int
) -> list[tuple[Reduction, ...]]:
    """What may come before a reduction: nothing, or ways to a student that grants enough."""
    found: list[tuple[Reduction, ...]] = [()] if last.needs in access else []
    if steps < 1 or last.needs not in STUDENT_ACCESS:
        return found
    open_ways: list[tuple[Reduction, ...]] = [(r,) for r in _usual(access, known)]
    for _ in range(steps):
        open_ways = [way for way in open_ways if last.into not in {r.into for r in way}]
        found += open_ways
        open_ways = [
            (*way, r)
            for way in open_ways
            for r in _usual(STUDENT_ACCESS, known)
            if r.into not in {s.into for s in way}
        ]
    return found


def _usual(access: Access, known: Sequence[Reduction]) -> list[Reduction]:
    """By student of a table: its first method that an access is enough for."""
    first: dict[str, Reduction] = {}
    for r in known:
        if r.needs in access and r.tabular:
            first.setdefault(r.into, r)
    return list(first.values())


def _no_way(
    into: str | None,
    method: str | None,
    last: Sequence[Reduction],
    access: Access,
    teacher: str,
    known: Sequence[Reduction],
) -> AccessDenied:
    end = " by ".join(repr(name) for name in (into, method) if name)
    if not last:
        return AccessDenied(
            f"No method {method!r} leads to {into!r}.",
            f"Methods: {', '.join(methods_into(str(into)))}.",
        )
    lacking = Access(last[0].needs & ~access)
    reached = sorted({r.into for r in known if r.needs in access})
    name = f"{teacher[:1].upper()}{teacher[1:]}"
    longer = " In more steps it can: give max_steps=2." if last[0].needs in STUDENT_ACCESS else ""
    return AccessDenied(
        f"{name} cannot lead to {end}, which needs {lacking}; it grants {access}.{longer}",
        f"These can be reached: {', '.join(map(repr, reached))}.",
    )
