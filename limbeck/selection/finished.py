"""Ways that are done, on disk: a tournament that was stopped goes on with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.contract import Student
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import STUDENTS
from limbeck.core.strict_json import plain, read_json, write_json
from limbeck.methods.answered_rows import AnsweredRows
from limbeck.selection.race import Route, Run

__all__ = ["FinishedRuns", "fingerprint_of"]

_FORMAT, _VERSION = "limbeck-tournament-run", 1
_SETTINGS_FORMAT = "limbeck-tournament-settings"


def fingerprint_of(parts: Sequence[AnsweredRows], fold: NDArray[np.int64]) -> str:
    """A hash of rows, queries, the teacher's answers and folds.

    Parameters
    ----------
    parts : sequence of AnsweredRows
        All rows, and those without each fold.
    fold : ndarray of shape (n,)
        The fold of each row.
    """
    out = hashlib.sha256(np.ascontiguousarray(fold).tobytes())
    for part in parts:
        for array in (part.rows.values, part.queries.values, part.scores, part.query_scores):
            out.update(np.ascontiguousarray(array).tobytes())
        if part.near_scores is not None:
            out.update(np.ascontiguousarray(part.near_scores).tobytes())
    return out.hexdigest()


class FinishedRuns:
    """A folder with a file for each way that is done, each written whole or not at all.

    Parameters
    ----------
    folder : Path
        It is made where it is not there.
    settings : mapping
        What a tournament must have in common with the one that wrote the folder.

    Raises
    ------
    InvalidInput
        If the folder is of a tournament with other settings, rows or answers.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.folder = folder / "runs"
        self.folder.mkdir(parents=True, exist_ok=True)
        path = folder / "settings.json"
        own = plain(dict(settings))
        if path.exists():
            before = read_json(path, _SETTINGS_FORMAT, _VERSION)["settings"]
            other = [name for name in own if before.get(name) != own[name]]
            if other:
                raise InvalidInput(
                    f"{str(folder)!r} holds a tournament with other {' and '.join(other)}.",
                    "Give another folder, or the settings, rows and teacher that it was begun"
                    " with.",
                )
        write_json({"format": _SETTINGS_FORMAT, "version": _VERSION, "settings": own}, path)

    def path(self, route: Route) -> Path:
        """The file of a way."""
        return self.folder / f"{route.into}-{route.name}.json"

    def write(self, run: Run) -> None:
        """Keep a way that is done."""
        by_budget = [
            {
                "numbers": budget,
                "variant": run.variants.get(budget, ""),
                "student": _written(student),
                "losses": run.losses[budget].tolist(),
                "refits": [_written(s) for s in run.refits[budget]],
            }
            for budget, student in run.students.items()
        ]
        write_json(
            {
                "format": _FORMAT, "version": _VERSION, "method": plain(_settings(run.route)),
                "queries": run.queries, "seconds": run.seconds, "students": by_budget,
            },
            self.path(run.route),
        )  # fmt: skip

    def read(self, route: Route) -> Run | None:
        """A way that was done with the same settings; None where there is none."""
        path = self.path(route)
        if not path.exists():
            return None
        data = read_json(path, _FORMAT, _VERSION)
        if data["method"] != plain(_settings(route)):
            return None
        entries = {int(e["numbers"]): e for e in data["students"]}
        return Run(
            route,
            {b: _read(e["student"]) for b, e in entries.items()},
            {b: np.array(e["losses"], dtype=np.float64) for b, e in entries.items()},
            {b: [_read(s) for s in e["refits"]] for b, e in entries.items()},
            int(data["queries"]),
            float(data["seconds"]),
            {b: str(e["variant"]) for b, e in entries.items()},
        )


def _settings(route: Route) -> dict[str, Any]:
    return {name: repr(value) for name, value in asdict(route.method).items()}  # type: ignore[call-overload]


def _written(student: Student) -> dict[str, Any]:
    out: dict[str, Any] = student.to_dict()
    return out


def _read(data: dict[str, Any]) -> Student:
    found: Student = STUDENTS.get(data["kind"]).from_dict(data)
    return found
