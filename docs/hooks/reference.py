"""Pages of the API reference, one per public module, made from what the modules export.

Nothing is listed by hand: a name that a package exports, and a student, method or result that
is added, is on its page by itself.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass, replace
from importlib import import_module
from inspect import signature
from types import ModuleType
from typing import Any

__all__ = ["Entry", "Page", "pages", "undocumented"]


@dataclass(frozen=True)
class Entry:
    """One public name: as users write it, where it is defined, and the object."""

    shown: str
    path: str
    object: Any


@dataclass(frozen=True)
class Page:
    """The page of one public module."""

    module: str
    about: str
    entries: tuple[Entry, ...]
    elsewhere: frozenset[str] = frozenset()
    """Paths that an earlier page describes; the table leads there."""

    @property
    def file(self) -> str:
        """Where the page is, below the folder of the documents."""
        return f"reference/{self.module.removeprefix('limbeck.').replace('.', '_')}.md"

    def markdown(self) -> str:
        """A table of the names, then each with its docstring, which mkdocstrings reads."""
        rows = "\n".join(
            f"| [`{e.shown}`][{e.path}] | {_first_line(e.object)} |" for e in self.entries
        )
        parts = "\n".join(
            f"::: {e.path}\n    options:\n      heading: {e.shown}\n"
            f"      toc_label: {e.shown.rpartition('.')[2]}\n"
            for e in self.entries
            if e.path not in self.elsewhere
        )
        return f"# {self.module}\n\n{self.about}\n\n| name | |\n|---|---|\n{rows}\n\n{parts}"


def pages() -> list[Page]:
    """All pages, limbeck's own first."""
    made = [_page("limbeck", "limbeck", "What `import limbeck` offers.")]
    for name in sorted(_exporting()):
        made.append(_page(name, name, _first_line(import_module(name))))
    made.append(_page("limbeck.transforms", "limbeck.signal.transforms"))
    for folder, test in _FOUND.items():
        made = [p for p in made if p.module != folder] + [_page(folder, folder, test=test)]
    for name in ("answers", "certificate", "contract", "progress", "status", "task"):
        made.append(_page(f"limbeck.core.{name}", f"limbeck.core.{name}"))
    made.append(_page("limbeck.core.errors", "limbeck.core.errors", test=_an_error))
    return _once([made[0], *sorted(made[1:], key=lambda p: p.module)])


def _once(made: list[Page]) -> list[Page]:
    """Each object is described on the first page that names it; later ones lead there."""
    seen: set[str] = set()
    out = []
    for page in made:
        paths = frozenset(e.path for e in page.entries)
        out.append(replace(page, elsewhere=paths & seen))
        seen |= paths
    return out


def undocumented(entries: Iterator[Entry] | tuple[Entry, ...]) -> list[str]:
    """Public names, and public methods of public classes, that have no docstring.

    A function of two arguments or more needs a section on its parameters as well.
    """
    missing = []
    for entry in entries:
        if isinstance(entry.object, ModuleType) or not callable(entry.object):
            continue
        if not _documented(entry.object):
            missing.append(entry.shown)
        elif inspect.isfunction(entry.object) and not _parameters_told(entry.object):
            missing.append(f"{entry.shown} (its parameters)")
        if inspect.isclass(entry.object):
            for name, member in vars(entry.object).items():
                public = inspect.isfunction(member) or isinstance(
                    member, property | classmethod | staticmethod
                )
                public = public and not name.startswith("_")
                if public and not inspect.getdoc(getattr(entry.object, name)):
                    missing.append(f"{entry.shown}.{name}")
    return missing


# Folders of which more is public than they export: the classes in their files that pass the test.
_FOUND: dict[str, Callable[[type], bool]] = {
    "limbeck.methods": lambda c: is_dataclass(c) and hasattr(c, "distill"),
    "limbeck.results": lambda c: hasattr(c, "report") and hasattr(c, "to_dict"),
    "limbeck.students": lambda c: hasattr(c, "predict") and hasattr(c, "to_dict"),
}


def _an_error(cls: type) -> bool:
    return issubclass(cls, Exception)


def _page(
    shown: str, module: str, about: str = "", test: Callable[[type], bool] | None = None
) -> Page:
    home = import_module(module)
    names = {n: getattr(home, n) for n in getattr(home, "__all__", ())}
    if test is _an_error:
        names = {n: o for n, o in names.items() if inspect.isclass(o)}
    objects = {n: o for n, o in names.items() if not isinstance(o, ModuleType)}
    if test is not None:
        known = {id(o) for o in objects.values()}
        for cls in _classes(home):
            if id(cls) not in known and not inspect.isabstract(cls) and test(cls):
                objects[cls.__name__] = cls
    entries = []
    for name, found in sorted(objects.items(), key=lambda pair: pair[0].lower()):
        path = _path(found, f"{module}.{name}")
        public = name in names
        entries.append(Entry(f"{shown}.{name}" if public else path, path, found))
    return Page(shown, about or _about(home), tuple(entries))


def _exporting() -> Iterator[str]:
    """The packages directly below limbeck that say what they export; commands have a page."""
    root = import_module("limbeck")
    for found in pkgutil.iter_modules(root.__path__, "limbeck."):
        package = found.ispkg and found.name != "limbeck.cli"
        if package and getattr(import_module(found.name), "__all__", None):
            yield found.name


def _classes(package: ModuleType) -> Iterator[type]:
    for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
        for cls in vars(import_module(found.name)).values():
            own = inspect.isclass(cls) and cls.__module__ == found.name
            if own and not cls.__name__.startswith("_"):
                yield cls


def _path(found: Any, otherwise: str) -> str:
    module, name = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    ours = module and name and str(module).startswith("limbeck")
    return f"{module}.{name}" if ours else otherwise


def _documented(found: Any) -> bool:
    text = found.__doc__
    # What a dataclass writes by itself is its signature.
    return bool(text) and not text.startswith(f"{getattr(found, '__name__', '')}(")


def _parameters_told(function: Any) -> bool:
    text = inspect.getdoc(function) or ""
    return len(signature(function).parameters) < 2 or "\nParameters\n----------\n" in text


def _about(module: ModuleType) -> str:
    return (module.__doc__ or "").partition("\n\n")[0].strip()


def _first_line(found: Any) -> str:
    text = (inspect.getdoc(found) or "").partition("\n\n")[0]
    return " ".join(text.split()).replace("|", "\\|").replace("``", "`")
