"""Seeds from files, tables and lists, each checked; a broken line is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.strict_json import parse_json
from limbeck.core.unpacked import unpacked
from limbeck.language.generated.tasks import Instance, SeedTask

__all__ = ["read_seeds", "seed_tasks"]


def read_seeds(path: str | PathLike[str]) -> list[SeedTask]:
    """Seed tasks of a JSONL file, one a line, also packed as ``.jsonl.gz``.

    A line is an object with ``instruction``, and perhaps ``id``, ``is_classification`` and
    ``instances``, a list of objects with ``input`` and ``output``; or ``input`` and ``output``
    themselves. The file of Self-Instruct is read as it is published.

    Parameters
    ----------
    path : path
        The file.

    Raises
    ------
    FileRefused
        If it cannot be read, or a line is no such object: the line is named.
    """
    file = Path(fspath(path))
    lines = unpacked(file).split(b"\n")
    tasks = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            tasks.append(_task(parse_json(line), f"seed_{number}"))
        except ValueError as error:
            raise FileRefused(
                f"Line {number:,} of {str(file)!r} {error}.",
                'Write one object a line, such as {"instruction": "...", "instances": [{"input":'
                ' "", "output": "..."}], "is_classification": false}.',
            ) from None
    return _checked(tasks, str(file))


def seed_tasks(seeds: Any) -> list[SeedTask]:
    """Seed tasks from whatever was given.

    Parameters
    ----------
    seeds : path, sequence of SeedTask, mappings or texts
        A text is an instruction; a mapping holds what a line of the file does.

    Raises
    ------
    InvalidInput
        If there are none, or one is none of these.
    FileRefused
        See `read_seeds`.

    Examples
    --------
    >>> seed_tasks(["Name three rivers of Asia."])[0].instruction
    'Name three rivers of Asia.'
    """
    if isinstance(seeds, str | PathLike):
        return read_seeds(seeds)
    if hasattr(seeds, "to_dict") and hasattr(seeds, "columns"):
        seeds = seeds.to_dict("records")
    elif hasattr(seeds, "tolist"):
        seeds = seeds.tolist()
    if not isinstance(seeds, Sequence):
        raise InvalidInput(
            f"Seeds are a {type(seeds).__name__}.", "Give a JSONL file, or a list of tasks."
        )
    tasks = []
    for number, one in enumerate(seeds):
        if isinstance(one, SeedTask):
            tasks.append(one)
            continue
        try:
            given = {"instruction": one} if isinstance(one, str) else one
            tasks.append(_task(given, f"seed_{number}"))
        except ValueError as error:
            raise InvalidInput(
                f"Seed {number} {error}.", 'Give texts, or {"instruction": "...", ...}.'
            ) from None
    return _checked(tasks, "The list of seeds")


def _task(given: Any, name: str) -> SeedTask:
    """A task of a parsed line; raises ValueError with what completes "line n ..."."""
    if not isinstance(given, Mapping):
        raise ValueError("is no object")
    instruction = given.get("instruction")
    if not isinstance(instruction, str) or not instruction.strip():
        raise ValueError("has no text as 'instruction'")
    listed = given.get("instances")
    if listed is None:
        one = {k: given[k] for k in ("input", "output") if k in given}
        listed = [one] if "output" in one else []
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise ValueError("has no list as 'instances'")
    return SeedTask(
        str(given.get("id", name)), instruction, tuple(_instances(listed)), _truth(given)
    )


def _instances(listed: Iterable[Any]) -> Iterable[Instance]:
    for one in listed:
        if not isinstance(one, Mapping) or not isinstance(one.get("output"), str):
            raise ValueError("has an instance without a text as 'output'")
        read = one.get("input", "")
        if not isinstance(read, str):
            raise ValueError("has an instance whose 'input' is no text")
        yield Instance(read, one["output"])


def _truth(given: Mapping[str, Any]) -> bool:
    found = given.get("is_classification", False)
    if not isinstance(found, bool):
        raise ValueError(f"has {found!r} as 'is_classification', which is neither true nor false")
    return found


def _checked(tasks: list[SeedTask], where: str) -> list[SeedTask]:
    if not tasks:
        raise InvalidInput(f"{where} holds no seed.", "Give at least one task.")
    twice = [task.id for task in tasks]
    if len(set(twice)) < len(twice):
        again = next(one for one in twice if twice.count(one) > 1)
        raise InvalidInput(f"Two seeds are called {again!r}.", "Give each its own id.")
    return tasks
