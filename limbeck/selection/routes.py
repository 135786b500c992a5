"""Which methods lead to which student."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, cast

from limbeck.core.contract import Access, Method, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput, did_you_mean
from limbeck.core.registry import METHODS, STUDENTS
from limbeck.methods.base import BaseMethod
from limbeck.networks.pruning.pruned import Pruned
from limbeck.networks.quantization.quantized import Quantized
from limbeck.results.routes_record import STUDENT_ACCESS

__all__ = [
    "OTHER_STUDENTS",
    "check_access",
    "leads_to_hybrid",
    "leads_to_network",
    "method_for",
    "methods_into",
    "reads_texts",
    "resolved",
    "students",
]


OTHER_STUDENTS: Mapping[str, str] = {
    "hf:folder": "A smaller language model of transformers (docs/language.md)",
    "static_embedding": "A table with a vector for each token, from a sentence encoder",
}
"""What ``into`` takes by name beside the students that methods lead to."""


def students() -> dict[str, dict[str, type[BaseMethod]]]:
    """The students that a teacher can be distilled into by name, each with its methods by name.

    The method that is used where none is named comes first.

    Examples
    --------
    >>> next(iter(students()["tree"]))
    'search_and_stitch'
    """
    found: dict[str, dict[str, type[BaseMethod]]] = defaultdict(dict)
    for registered, method in METHODS.items():
        if method.into:
            found[method.into][method.method or registered] = method
    return {
        into: dict(sorted(methods.items(), key=lambda item: not item[1].default))
        for into, methods in sorted(found.items())
    }


def methods_into(student: str) -> dict[str, type[BaseMethod]]:
    """The methods that lead to a student, by name; the usual one first.

    Raises
    ------
    InvalidInput
        If there is no such student; proposes the nearest.
    """
    known = students()
    if student not in known:
        ends = [name for name, methods in known.items() if student in methods]
        if ends:
            ways = " or ".join(f"into={name!r}, method={student!r}" for name in ends)
            raise InvalidInput(f"{student!r} is a method, and no student.", f"Give {ways}.")
        raise InvalidInput(
            f"There is no student {student!r}.", did_you_mean(student, [*known, *OTHER_STUDENTS])
        )
    return known[student]


def resolved(into: Any) -> Any:
    """What ``into`` stands for: a student's class becomes its name; else as it is.

    Raises
    ------
    InvalidInput
        If it is several names, or a class that is no student, method or torch module.
    """
    if isinstance(into, list | tuple | set | frozenset):
        if any(isinstance(i, str) or hasattr(i, "distill") for i in into):
            raise InvalidInput(
                f"into is {into!r}, and a teacher is distilled into one kind of student at a time.",
                "Call distill once for each: {name: distill(teacher, X, into=name) for name in"
                " names}.",
            )
        return into
    if not isinstance(into, type) or issubclass(into, BaseMethod):
        return into
    name = STUDENTS.name_of(into)
    if name in students():
        return name
    torch = sys.modules.get("torch")  # who has a module's class has imported torch
    if torch is not None and issubclass(into, torch.nn.Module):
        return into
    raise InvalidInput(
        f"into is the class {into.__name__}.",
        f"Give {', '.join(map(repr, students()))}, a method, or a torch module or a function that"
        " makes one.",
    )


def leads_to_hybrid(into: Any) -> bool:
    """Whether ``into`` is a :class:`limbeck.networks.Hybrid`; without importing torch."""
    module = sys.modules.get("limbeck.networks.conversion.hybrid")
    return module is not None and isinstance(into, module.Hybrid)


def leads_to_network(into: Any) -> bool:
    """Whether ``into`` is a torch module, a function that makes one, a `Pruned`, or several.

    Parameters
    ----------
    into : Any
        As `resolved` returns it.

    Examples
    --------
    >>> leads_to_network("tree"), leads_to_network(lambda: None)
    (False, True)
    """
    if isinstance(into, list | tuple | Pruned | Quantized):
        return True
    return callable(into) and not _is_method(into)


def reads_texts(into: Any) -> bool:
    """Whether a student reads texts and nothing else.

    Parameters
    ----------
    into : str, method or its class
        As `resolved` returns it.

    Examples
    --------
    >>> reads_texts("text_classifier"), reads_texts("tree")
    (True, False)
    """
    methods = students().get(into, {}).values() if isinstance(into, str) else (into,)
    return any(getattr(method, "texts", False) for method in methods)


def _is_method(into: Any) -> bool:
    return isinstance(into, BaseMethod) or (isinstance(into, type) and issubclass(into, BaseMethod))


def method_for(
    into: Any, settings: Mapping[str, Any], method: str | None = None, **defaults: Any
) -> Method:
    """The method that leads to a student, with its settings.

    Parameters
    ----------
    into : str, method or its class
        A student's name; a method's class, which takes the settings; or a method, which is used
        as it is.
    settings : mapping
        Settings of the method; None values are left at their defaults.
    method : str, optional
        Which of the student's methods; by default the one whose setting is given
        (`BaseMethod.chosen_by`), else the usual one.
    **defaults
        Taken where the method has such a setting and none was given.

    Raises
    ------
    InvalidInput
        If there is no such student, method or setting.
    """
    named = isinstance(into, str)
    if method is not None and not named:
        raise InvalidInput(
            f"method={method!r} was given beside into={into!r}.",
            "Name the student, as in into='tree', or leave method out.",
        )
    if isinstance(into, type) and issubclass(into, BaseMethod):
        return cast(Method, into.from_settings(settings, **defaults))
    if isinstance(into, BaseMethod):
        given = [name for name, value in settings.items() if value is not None]
        if given:
            raise InvalidInput(
                f"{given[0]!r} was given beside a method object.", "Set it on the method object."
            )
        return into
    if not named:
        raise InvalidInput(
            f"into is {type(into).__name__}.",
            f"Give {' or '.join(map(repr, students()))}, or a method object that extends"
            " limbeck.methods.base.BaseMethod.",
        )
    found = methods_into(into)
    if method is None:
        told = {name for name, value in settings.items() if value is not None}
        by_setting = (name for name, known in found.items() if known.chosen_by in told)
        method = next(by_setting, next(iter(found)))
    if method not in found:
        raise InvalidInput(
            f"No method {method!r} leads to into={into!r}.", did_you_mean(str(method), found)
        )
    return cast(Method, found[method].from_settings(settings, **defaults))


def check_access(method: Method, teacher: Teacher) -> None:
    """Compare what a method needs with what the teacher grants.

    Parameters
    ----------
    method : Method
        Its ``needs``.
    teacher : Teacher
        Its ``access``.

    Raises
    ------
    AccessDenied
        If something is lacking; the message names it.
    """
    lacking = Access(method.needs & ~teacher.access)
    if lacking:
        given = "the model itself instead of its stored scores"
        if Access.QUERIES in teacher.access:
            given = f"a PyTorch network, which grants {lacking}"
        raise AccessDenied(
            f"{method.name.capitalize()} needs {lacking} of the teacher, and {teacher.name} grants"
            f" {teacher.access}.",
            f"Give {given}, or choose a method that needs"
            f" scores only, such as into='tree' with queries=0.{_by_a_student(method, teacher)}",
        )


def _by_a_student(method: Method, teacher: Teacher) -> str:
    """The remedy where a student on the way grants what the teacher does not."""
    if method.needs in STUDENT_ACCESS and Access.SCORES in teacher.access:
        return " Or go by a student, which answers any row: via='tree'."
    return ""
