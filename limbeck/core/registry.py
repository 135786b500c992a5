"""Names and the classes they stand for: limbeck's own, a user's, and those of other packages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import walk_packages
from typing import Any, TypeVar

from limbeck.core.errors import InvalidInput, LimbeckError, MissingExtra, did_you_mean

__all__ = ["BOUNDS", "LOSSES", "METHODS", "SAMPLERS", "STUDENTS", "TEACHERS", "Registry"]

T = TypeVar("T", bound=type[Any])


class Registry:
    """The classes of one kind, by name.

    A class is known once its module is imported, since a decorator registers it. Limbeck's own
    modules are imported when a name is asked for; those of other packages are found by their
    entry points, in the group of the same name as ``package``.

    Parameters
    ----------
    package : str
        Where limbeck's own are, such as ``limbeck.students``; also the group of entry points.
    noun : str
        What one of them is called in errors.
    apart : sequence of str
        Modules of the package that hold none, or none that is asked by name.

    Examples
    --------
    >>> from limbeck.core.registry import STUDENTS
    >>> STUDENTS.get("tree").__name__
    'Tree'
    """

    def __init__(self, package: str, noun: str, apart: Sequence[str] = ()) -> None:
        self.package, self.noun = package, noun
        self._apart = {f"{package}.{module}" for module in apart}
        self._known: dict[str, type[Any]] = {}
        self._complete = False

    def register(self, name: str) -> Callable[[T], T]:
        """Register a class under a name.

        Raises
        ------
        InvalidInput
            If another class has the name.
        """

        def keep(cls: T) -> T:
            other = self._known.get(name)
            if other is not None and _place(other) != _place(cls):
                raise InvalidInput(
                    f"There is a {self.noun} {name!r} already: {_place(other)}.",
                    f"Give {_place(cls)} another name.",
                )
            self._known[name] = cls
            return cls

        return keep

    def get(self, name: str) -> type[Any]:
        """The class of a name.

        Raises
        ------
        InvalidInput
            If there is none; proposes the nearest.
        """
        if name not in self._known:
            self._import_all()
        if name not in self._known:
            raise InvalidInput(
                f"There is no {self.noun} {name!r}.", did_you_mean(str(name), self.names())
            )
        return self._known[name]

    def names(self) -> tuple[str, ...]:
        """All names, in the order of the alphabet."""
        self._import_all()
        return tuple(sorted(self._known))

    def items(self) -> tuple[tuple[str, type[Any]], ...]:
        """All names with their classes."""
        return tuple((name, self._known[name]) for name in self.names())

    def name_of(self, cls: type[Any]) -> str | None:
        """The name of a class, if it is registered."""
        return next((name for name, known in self._known.items() if known is cls), None)

    def _import_all(self) -> None:
        if self._complete:
            return
        self._complete = True
        package = import_module(self.package)
        for module in walk_packages(package.__path__, f"{self.package}."):
            if module.name in self._apart:
                continue
            try:
                import_module(module.name)
            except MissingExtra:
                continue  # what needs an optional package is unknown without it
        for point in entry_points(group=self.package):
            try:
                self.register(point.name)(point.load())
            except LimbeckError:
                raise
            except Exception as error:
                raise InvalidInput(
                    f"The {self.noun} {point.name!r} of {point.value!r} cannot be imported:"
                    f" {type(error).__name__}: {error}",
                    "Repair or uninstall that package.",
                ) from error


def _place(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


STUDENTS = Registry("limbeck.students", "student")
"""What a teacher becomes: `limbeck.load` and `limbeck verify` read them by name."""

METHODS = Registry("limbeck.methods", "method")
"""How a teacher becomes a student; each says by `into` which."""

_OF_TORCH = ("loading", "options", "teacher", "tokenized", "text_writer")
TEACHERS = Registry(
    "limbeck.teachers",
    "teacher",
    ("last_operation", "torch", *(f"huggingface.{module}" for module in _OF_TORCH)),
)
"""Kinds of models, files and services: each says by a class method `accepts(model)` whether it is
one of its kind, and by `entry` what it grants and needs, without importing any heavy package."""

SAMPLERS = Registry("limbeck.samplers", "sampler")
"""Where fresh inputs come from."""

LOSSES = Registry("limbeck.networks.losses", "loss")
"""The terms of an objective of networks, as run files name them."""

BOUNDS = Registry("limbeck.certificates", "bound")
"""Upper confidence bounds for the mean of losses that are no counts."""
