"""The common forms of prediction services: what a request holds, and where a reply has answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.teachers.endpoints.client import UnusableReply

__all__ = ["FORMATS", "ServiceFormat", "answers_at", "format_named"]


@dataclass(frozen=True)
class ServiceFormat:
    """A form of requests and replies.

    Parameters
    ----------
    request : callable
        From column names and rows, each a list of values, to the JSON of a request.
    field : str
        Where a reply holds its list of answers, with a dot between the names of levels; empty
        where the reply is the list.
    """

    request: Callable[[Sequence[str], Sequence[list[Any]]], Any]
    field: str


def _records(names: Sequence[str], rows: Sequence[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in rows]


def _kserve(names: Sequence[str], rows: Sequence[list[Any]]) -> dict[str, Any]:
    """Open Inference Protocol, version 2: one tensor of shape (n, d)."""
    flat = [value for row in rows for value in row]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in flat):
        raise InvalidInput(
            "format='kserve_v2' takes numbers, and the rows hold others.",
            "Encode them, or use format='instances' or 'dataframe_split'.",
        )
    tensor = {"name": "input-0", "shape": [len(rows), len(names)], "datatype": "FP64"}
    return {"inputs": [{**tensor, "data": flat}]}


FORMATS = {
    "instances": ServiceFormat(lambda names, rows: {"instances": list(rows)}, "predictions"),
    "instances_named": ServiceFormat(
        lambda names, rows: {"instances": _records(names, rows)}, "predictions"
    ),
    "dataframe_split": ServiceFormat(
        lambda names, rows: {"dataframe_split": {"columns": list(names), "data": list(rows)}},
        "predictions",
    ),
    "inputs": ServiceFormat(lambda names, rows: {"inputs": list(rows)}, "predictions"),
    "kserve_v2": ServiceFormat(_kserve, "outputs.0.data"),
}
"""``instances`` as TensorFlow Serving, KServe V1 and Vertex AI take them, ``dataframe_split`` and
``inputs`` of MLflow's scoring server, and the Open Inference Protocol (KServe V2)."""


def format_named(name: str) -> ServiceFormat:
    """A form by its name.

    Parameters
    ----------
    name : str
        A key of `FORMATS`.

    Raises
    ------
    InvalidInput
        If there is none; proposes the nearest.
    """
    if name not in FORMATS:
        raise InvalidInput(f"There is no format {name!r}.", did_you_mean(str(name), FORMATS))
    return FORMATS[name]


def answers_at(reply: Any, field: str, n: int) -> list[Any]:
    """The answers to n rows in a reply.

    Parameters
    ----------
    reply : JSON value
        The reply.
    field : str
        As in `ServiceFormat`.
    n : int
        Rows that were asked about.

    Raises
    ------
    UnusableReply
        If there is no list of n answers; a flat list of n times k numbers is n answers.
    """
    found = reply
    for level in [part for part in field.split(".") if part]:
        if isinstance(found, list) and level.isdigit() and int(level) < len(found):
            found = found[int(level)]
        elif isinstance(found, dict) and level in found:
            found = found[level]
        else:
            raise UnusableReply(f"the reply has no field {field!r}")
    if not isinstance(found, list):
        raise UnusableReply(f"the field {field!r} of the reply is no list")
    if (
        found
        and n
        and len(found) != n
        and len(found) % n == 0
        and not isinstance(found[0], list | dict)
    ):
        width = len(found) // n  # row-major, as the Open Inference Protocol sends tensors
        found = [found[i : i + width] for i in range(0, len(found), width)]
    if len(found) != n:
        raise UnusableReply(f"the reply holds {len(found)} answers to {n} rows")
    return found
