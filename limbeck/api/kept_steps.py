"""Steps of a distillation as pieces of work: what they return is kept, and read by the next run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from limbeck.core.contract import MethodResult, Student
from limbeck.core.pieces import piece
from limbeck.core.registry import STUDENTS
from limbeck.core.status import Status, StatusCode

__all__ = ["kept_result", "kept_student", "kept_students"]


def kept_result(
    name: str, made_from: Callable[[], Any], make: Callable[[], MethodResult]
) -> MethodResult:
    """What a method found, as a piece of work.

    Parameters
    ----------
    name : str
        Of the piece.
    made_from : callable
        All that it depends on.
    make : callable
        The method's own work.
    """
    return piece(name, made_from, make, write=_written_result, read=_read_result)


def kept_student(name: str, made_from: Callable[[], Any], make: Callable[[], Any]) -> Any:
    """A student as a piece of work.

    Parameters
    ----------
    name : str
        Of the piece.
    made_from : callable
        All that it depends on.
    make : callable
        Makes it.
    """
    return piece(name, made_from, make, write=_written, read=_read)


def kept_students(name: str, made_from: Callable[[], Any], make: Callable[[], Any]) -> Any:
    """A linear model, or None, and other baselines by name, as a piece of work.

    Parameters
    ----------
    name : str
        Of the piece.
    made_from : callable
        All that they depend on.
    make : callable
        Makes them.
    """
    return piece(
        name, made_from, make,
        write=lambda pair: [_written(pair[0]), {k: _written(s) for k, s in pair[1].items()}],
        read=lambda pair: (_read(pair[0]), {k: _read(s) for k, s in pair[1].items()}),
    )  # fmt: skip


def _written(student: Student | None) -> Any:
    return None if student is None else student.to_dict()


def _read(data: Any) -> Any:
    return None if data is None else STUDENTS.get(data["kind"]).from_dict(data)


def _written_result(found: MethodResult) -> dict[str, Any]:
    students = [found.student, *found.frontier, *found.steps]
    distinct = {id(s): s for s in students}
    place = {key: i for i, key in enumerate(distinct)}
    return {
        "students": [_written(s) for s in distinct.values()],
        "student": place[id(found.student)],
        "frontier": [place[id(s)] for s in found.frontier],
        "steps": [place[id(s)] for s in found.steps],
        "status": [found.status.code.name, found.status.message, found.status.remedy],
        "queries": found.queries,
        "trace": dict(found.trace),
        "rivals": {name: _written(s) for name, s in found.rivals.items()},
    }


def _read_result(data: dict[str, Any]) -> MethodResult:
    students = [_read(one) for one in data["students"]]
    code, message, remedy = data["status"]
    return MethodResult(
        students[data["student"]],
        Status(StatusCode[code], message, remedy),
        data["queries"],
        tuple(students[i] for i in data["frontier"]),
        data["trace"],
        {name: _read(one) for name, one in data["rivals"].items()},
        tuple(students[i] for i in data["steps"]),
    )
