"""What each kind of teacher declares: for `limbeck teachers`, the table in docs, and errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from limbeck.core.contract import Access
from limbeck.core.registry import TEACHERS

__all__ = ["TeacherEntry", "entries", "entry_of"]


@dataclass(frozen=True)
class TeacherEntry:
    """The declaration of a kind of teacher; a registered class holds it as ``entry``.

    Parameters
    ----------
    summary : str
        What it is, in one line without a full stop.
    example : str
        One line of Python that distils it, where ``X`` are rows.
    grants : Access
        What it grants at most.
    extra : str
        The extra of limbeck that installs what it needs, as in ``pip install 'limbeck[onnx]'``;
        empty where limbeck itself is enough.
    files : tuple of str
        What `limbeck.as_teacher` takes as a string: suffixes such as ``.onnx``, and prefixes
        such as ``hf:``.
    order : int
        Kinds that accept many things are asked after those that accept few: 0 for a file or the
        classes of one library, 1 for what is known by its methods, 2 for any function.

    Examples
    --------
    >>> from limbeck.core.contract import Access
    >>> TeacherEntry("a fitted estimator", "limbeck.distill(model, X)", Access.QUERIES).install
    ''
    """

    summary: str
    example: str
    grants: Access = Access.SCORES | Access.QUERIES
    extra: str = ""
    files: tuple[str, ...] = ()
    order: int = 0

    @property
    def install(self) -> str:
        """The command that installs what it needs; empty where limbeck is enough."""
        return f"pip install 'limbeck[{self.extra}]'" if self.extra else ""


def entry_of(registered: type[Any]) -> TeacherEntry:
    """The declaration of a registered class; of one without, what its class says.

    Parameters
    ----------
    registered : type
        As it stands in `limbeck.core.registry.TEACHERS`.
    """
    found = getattr(registered, "entry", None)
    if isinstance(found, TeacherEntry):
        return found
    line = (registered.__doc__ or registered.__name__).strip().splitlines()[0].rstrip(".")
    granted = getattr(registered, "access", None)
    grants = granted if isinstance(granted, Access) else Access.SCORES | Access.QUERIES
    return TeacherEntry(line, "limbeck.distill(model, X)", grants)


def entries() -> Iterator[tuple[str, type[Any], TeacherEntry]]:
    """Name, class and declaration of every kind, in the order in which they are asked."""
    found = [(name, made, entry_of(made)) for name, made in TEACHERS.items()]
    return iter(sorted(found, key=lambda one: one[2].order))
