"""Docstrings that a user can work from: parameters by name, and examples that run.

Doctest runs the examples themselves; here it is asked that there are any.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import limbeck
import limbeck.networks

pytest.importorskip("torch")


def parameters_in(doc: str) -> set[str]:
    """Names in the Parameters section of a numpydoc docstring."""
    lines = inspect.cleandoc(doc).split("\n")
    starts = [i for i in range(len(lines) - 1) if re.fullmatch(r"-{3,}", lines[i + 1])]
    names: set[str] = set()
    for i, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        if lines[i] in {"Parameters", "Other Parameters"}:
            for line in lines[i + 2 : end]:
                if re.match(r"[*\w]", line):
                    names |= {n.strip(" *") for n in line.split(" : ")[0].split(",")}
    return names


def has_examples(doc: str) -> bool:
    """Whether there is an Examples section with a statement in it."""
    return re.search(r"^Examples\n-{8}\n(?:.*\n)*?>>> ", inspect.cleandoc(doc), re.M) is not None


def arguments(function: Any) -> list[str]:
    """Names of the arguments a caller gives by name or position."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.kind not in kinds and p.name not in {"self", "cls"} and not p.name.startswith("_")
    ]


def public_functions(module: Any) -> Iterator[tuple[str, Any, set[str]]]:
    """Functions and methods of a module's ``__all__``: name, function, parameters documented.

    A method that fulfils one of a base class of limbeck is documented where either is.
    """
    for name in getattr(module, "__all__", ()):
        thing = inspect.getattr_static(module, name, None)
        if getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(thing):
            yield name, thing, parameters_in(thing.__doc__ or "")
        elif inspect.isclass(thing):
            for method, raw in vars(thing).items():
                function = getattr(raw, "__func__", raw)
                own_init = method == "__init__" and not dataclasses.is_dataclass(thing)
                if not inspect.isfunction(function) or (method.startswith("_") and not own_init):
                    continue
                docs = [function.__doc__ or "", (thing.__doc__ or "") if own_init else ""]
                for base in thing.__mro__[1:]:
                    if base.__module__.startswith("limbeck.") and method in vars(base):
                        docs.append(getattr(vars(base)[method], "__doc__", None) or "")
                yield f"{name}.{method}", function, set().union(*map(parameters_in, docs))


def undocumented(module: Any) -> dict[str, list[str]]:
    """Functions of two arguments or more, with the arguments that they do not document."""
    found = {}
    for name, function, documented in public_functions(module):
        names = arguments(function)
        missing = [n for n in names if n not in documented]
        if len(names) > 1 and missing:
            found[name] = missing
    return found


def modules() -> list[str]:
    """All modules of limbeck but commands of the shell, whose options carry their help."""
    walked = (m.name for m in pkgutil.walk_packages(limbeck.__path__, "limbeck."))
    return sorted(
        n for n in walked if not re.fullmatch(r"limbeck\.cli\.(?!options).*|.*__main__", n)
    )


@pytest.mark.parametrize("name", modules())
def test_parameters_are_documented(name: str) -> None:
    assert undocumented(importlib.import_module(name)) == {}


@pytest.mark.parametrize(
    ("package", "name"),
    [(p, n) for p in (limbeck, limbeck.networks) for n in p.__all__],
    ids=lambda x: x if isinstance(x, str) else x.__name__,
)
def test_an_entry_point_has_an_example_that_runs(package: Any, name: str) -> None:
    thing = getattr(package, name)
    assert has_examples(thing.__doc__ or "")


def test_a_missing_parameter_is_found() -> None:
    doc = """One.

    Parameters
    ----------
    a, b : int
        Both.
    *rest : int
        More.

    Returns
    -------
    c : int
    """
    assert parameters_in(doc) == {"a", "b", "rest"}
    assert not has_examples(doc)
    assert has_examples("One.\n\n    Examples\n    --------\n    >>> 1\n    1\n    ")
    assert not has_examples("One.\n\n    >>> 1\n    1\n    ")
