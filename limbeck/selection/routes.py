"""Which method leads to which student."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, cast

from limbeck.core.contract import Access, Method, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput, did_you_mean

__all__ = ["method_for", "refuse_without_access", "resolved"]


def _tree() -> type[Any]:
    from limbeck.methods.search_and_stitch.method import SearchAndStitch

    return SearchAndStitch


def _junta() -> type[Any]:
    from limbeck.methods.junta.method import FindJunta

    return FindJunta


def _wavelet() -> type[Any]:
    from limbeck.methods.adaptive_wavelets import AdaptiveWavelets

    return AdaptiveWavelets


ROUTES: dict[str, Callable[[], type[Any]]] = {"tree": _tree, "junta": _junta, "wavelet": _wavelet}


# What a student's class is called in `into`.
_CLASSES = {
    "limbeck.students.tree.tree.Tree": "tree",
    "limbeck.students.junta.junta.Junta": "junta",
    "limbeck.students.wavelet.wavelet.WaveletStudent": "wavelet",
}


def resolved(into: Any) -> Any:
    """What ``into`` stands for: a student's class becomes its name; else as it is.

    Raises
    ------
    InvalidInput
        If it is several names, or a class that is no student, method or torch module.
    """
    known = ", ".join(map(repr, ROUTES))
    if isinstance(into, list | tuple | set | frozenset):
        if any(isinstance(i, str) or hasattr(i, "distill") for i in into):
            raise InvalidInput(
                f"into is {into!r}, and a teacher is distilled into one kind of student at a time.",
                "Call distill once for each: {name: distill(teacher, X, into=name) for name in"
                " names}.",
            )
        return into
    if not isinstance(into, type):
        return into
    name = f"{into.__module__}.{into.__qualname__}"
    if name in _CLASSES:
        return _CLASSES[name]
    torch = sys.modules.get("torch")  # who has a module's class has imported torch
    module = torch is not None and issubclass(into, torch.nn.Module)
    if not module and not (is_dataclass(into) and hasattr(into, "distill")):
        raise InvalidInput(
            f"into is the class {into.__name__}.",
            f"Give {known}, a method, or a torch module or a function that makes one.",
        )
    return into


def method_for(into: str | Method, settings: dict[str, Any]) -> Method:
    """The method that leads to a student, with its settings.

    Parameters
    ----------
    into : str or Method
        ``"tree"``, ``"junta"`` or ``"wavelet"``; a method's class, which takes the settings; or
        a method object, which is used as it is.
    settings : dict
        Settings of the method; None values are left at their defaults.

    Raises
    ------
    InvalidInput
        If there is no such student or no such setting.
    """
    given = {k: v for k, v in settings.items() if v is not None}
    if isinstance(into, type) and is_dataclass(into) and hasattr(into, "distill"):
        return _made(into, into.__name__, given)
    if not isinstance(into, str):
        if not (is_dataclass(into) and hasattr(into, "distill")):
            raise InvalidInput(
                f"into is {type(into).__name__}.",
                f"Give {' or '.join(map(repr, ROUTES))}, or a method object.",
            )
        if given:
            raise InvalidInput(
                f"{next(iter(given))!r} was given beside a method object.",
                "Set it on the method object.",
            )
        return cast(Method, into)
    if into not in ROUTES:
        raise InvalidInput(f"There is no student {into!r}.", did_you_mean(into, ROUTES))
    return _made(ROUTES[into](), repr(into), given)


def _made(cls: type[Any], into: str, given: dict[str, Any]) -> Method:
    known = [f.name for f in fields(cls)]
    for name in given:
        if name not in known:
            raise InvalidInput(
                f"Distilling into {into} has no setting {name!r}.", did_you_mean(name, known)
            )
    return cast(Method, cls(**given))


def refuse_without_access(method: Method, teacher: Teacher) -> None:
    """Compare what a method needs with what the teacher grants.

    Raises
    ------
    AccessDenied
        If something is lacking; the message names it.
    """
    lacking = Access(method.needs & ~teacher.access)
    if lacking:
        raise AccessDenied(
            f"{method.name.capitalize()} needs {lacking} of the teacher, and {teacher.name} grants"
            f" {teacher.access}.",
            "Give the model itself instead of its stored scores, or choose a method that needs"
            " scores only, such as into='tree' with queries=0.",
        )
