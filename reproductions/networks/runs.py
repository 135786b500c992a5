"""Cells of a table, each one distillation; what is finished is kept, and not done again."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from limbeck.core.atomic_io import write_bytes
from limbeck.reports.numbers import count, duration

HEAD = ("accuracy", "gain over the control", "agreement with the teacher", "calibration error",
        "keeps", "verdict", "time")  # fmt: skip
CONTROL = "gold labels (the control)"


class Table:
    """A table that grows.

    Parameters
    ----------
    folder : path
        Holds a file a cell, and a folder for each distillation while it runs.
    **settings
        What all cells share; a folder of other settings is refused.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder, self._cells = folder, folder / "cells"
        self._cells.mkdir(parents=True, exist_ok=True)
        content, kept = json.dumps(settings), folder / "settings.json"
        if kept.is_file() and kept.read_text() != content:
            sys.exit(f"{folder} holds a table of {kept.read_text()}, not of {content}: give another"
                     " --out.")  # fmt: skip
        write_bytes(content.encode(), kept)

    def cell(self, key: tuple[str, ...], distill: Callable[[Path], Any]) -> None:
        """Distil, unless that is done; ``distill`` gets a folder, of which only a summary stays."""
        if self.found(key) is not None:
            print(f"  {'/'.join(key)}: done before", file=sys.stderr, flush=True)
            return
        began, cpu, place = time.perf_counter(), time.process_time(), self.folder / _name(key)
        found = summary(distill(place))
        found["seconds"] = time.perf_counter() - began
        found["cpu_seconds"] = time.process_time() - cpu
        print(f"  {'/'.join(key)}: {found['verdict']}, {found['seconds']:.0f} s", file=sys.stderr,
              flush=True)  # fmt: skip
        write_bytes(json.dumps(found, indent=1).encode(), self._cells / f"{_name(key)}.json")
        shutil.rmtree(place)

    def found(self, key: tuple[str, ...]) -> dict[str, Any] | None:
        """The numbers of a finished cell."""
        path = self._cells / f"{_name(key)}.json"
        return json.loads(path.read_text()) if path.is_file() else None

    def markdown(self, keys: Sequence[tuple[str, ...]], head: Sequence[str]) -> str:
        """The finished cells of these keys as a table, under their teacher and their control.

        A key's parts are its first columns; cells that differ in the last part only share a
        control. Numbers are percent, with 95% intervals.
        """
        lines = [f"| {' | '.join([*head, *HEAD])} |", "|---" * (len(head) + len(HEAD)) + "|"]
        group: Any = None
        for key in keys:
            found = self.found(key)
            if found is None:
                continue
            if key[:-1] != group:
                group = key[:-1]
                for role, name in (("teacher", "the teacher"), ("control", CONTROL)):
                    lines.append(f"| {' | '.join([*group, name, *row(found, role)])} |")
            lines.append(f"| {' | '.join([*key, *row(found, 'student')])} |")
        return "\n".join(lines)

    def costs(self, keys: Sequence[tuple[str, ...]]) -> str:
        """Sizes and latencies of teacher and student, from the first finished cell."""
        found = next((f for f in map(self.found, keys) if f is not None), None)
        if found is None:
            return ""
        size, time_ = found["parameters"], found["milliseconds"]
        return (
            f"The teacher has {count(size['teacher'])} parameters, the student"
            f" {count(size['student'])} ({size['teacher'] / size['student']:.1f} times fewer); a"
            f" batch takes {time_['teacher']:.0f} and {time_['student']:.0f} ms."
        )


def _name(key: tuple[str, ...]) -> str:
    return re.sub(r"[^a-zA-Z0-9]+", "_", " ".join(key))


def summary(result: Any) -> dict[str, Any]:
    """The numbers of a table's row, out of a result."""
    entries = {e.role: e for e in result.comparison.entries}
    gain = next((d for d in result.comparison.differences if "accuracy" in d.what), None)
    return {
        "seeds": len(result.students),
        "accuracy": {r: _three(entries[r].accuracy) for r in entries},
        "agreement": {r: _three(entries[r].agreement) for r in entries},
        "gain": None if gain is None else _three(gain),
        "verdict": "no control" if gain is None else gain.verdict,
        "verdict_all": result.verdict,
        "parameters": {r: f.parameters for r, f in result.facts.items()},
        "milliseconds": {
            r: f.milliseconds.value for r, f in result.facts.items() if f.milliseconds is not None
        },
        "calibration": {
            r: _three(f.calibration) for r, f in result.facts.items() if f.calibration is not None
        },
    }


def _three(found: Any) -> list[float]:
    return [found.value, found.low, found.high]


def row(found: dict[str, Any], role: str) -> list[str]:
    """The cells of the teacher's, the control's or the student's row."""
    accuracy, student = found["accuracy"], role == "student"
    return [
        _percent(accuracy[role]),
        _percent(found["gain"], "+") if student else "",
        _percent(found["agreement"][role]) if role != "teacher" else "",
        _percent(found["calibration"][role]),
        f"{100 * accuracy[role][0] / (accuracy['teacher'][0] or float('nan')):.1f}",
        found["verdict"] if student else "",
        duration(found["seconds"]) if student else "",
    ]


def _percent(three: Sequence[float], sign: str = "") -> str:
    value, low, high = (100 * x for x in three)
    return f"{value:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"


def machine() -> str:
    """Where and with what the numbers were made."""
    import torch
    import transformers

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return (
        f"{device}, {count(os.cpu_count() or 1)} cores, {torch.get_num_threads()} thread(s); Python"
        f" {platform.python_version()}, torch {torch.__version__}, transformers"
        f" {transformers.__version__}"
    )
