"""Readable students in one row of a table for each data set and teacher, and beside their peers.

`benchmarks/tables.py` measures what these tables are made of.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from readable import KINDS_OF_TABLE, SETS, TEACHERS

__all__ = ["beside", "sized_table", "whole_table"]

NAMES = {
    "sparse_sum": "sparse sum", "scorecard": "scorecard", "linear/l1_path": "line, L1 path",
    "tree": "tree", "rule_list": "rule list", "rules": "rule set", "additive": "additive",
    "figs": "FIGS", "rulefit": "RuleFit", "greedy_rule_list": "greedy rule list",
    "optimal_tree": "optimal tree (pystreed)", "interpret": "interpret",
    "sklearn_tree": "scikit-learn's tree",
}  # fmt: skip
PAIRS = (
    ("sparse_sum", "figs"), ("sparse_sum", "rulefit"), ("tree", "figs"), ("rules", "rulefit"),
    ("rule_list", "greedy_rule_list"), ("tree", "optimal_tree"), ("additive", "interpret"),
    ("tree", "sklearn_tree"), ("sparse_sum", "sklearn_tree"), ("scorecard", "sklearn_tree"),
    ("rule_list", "sklearn_tree"), ("rules", "sklearn_tree"),
)  # fmt: skip
CELLS = [(data, teacher) for data in SETS for teacher in TEACHERS]
LEVEL = 5e-4
Line = dict[str, Any]
Found = dict[tuple[str, str, str], dict[int, Line]]
"""Lines by data, teacher, student, and by seed."""


def sized_table(lines: list[Line], sizes: list[int]) -> str:
    """A row for each cell, a column for each student: means over seeds, their number if fewer."""
    found = by_cell(lines)
    shown = [s for s in NAMES if any(key[2] == s for key in found)]
    out = [
        "| data, teacher, seeds | " + " | ".join(NAMES[s] for s in shown) + " |",
        "|---" * (len(shown) + 1) + "|",
    ]
    for data, teacher in CELLS:
        runs = {s: found.get((data, teacher, s), {}) for s in shown}
        most = max(len(r) for r in runs.values())
        if most:
            cells = [_cell(r, sizes, most) for r in runs.values()]
            out.append(f"| {_named(data)}, {teacher}, {most} | {' | '.join(cells)} |")
    for what, sets in KINDS_OF_TABLE.items():
        cells = [c for c in CELLS if c[0] in sets and any(k[:2] == c for k in found)]
        if not cells:
            continue
        each = {s: [found.get((*c, s), {}) for c in cells] for s in shown}
        values = [" ".join(_mean_of(each[s], size) for size in sizes) for s in shown]
        out.append(f"| **mean, {what} ({len(cells)})** | {' | '.join(values)} |")
    return "\n".join([*out, "", seconds(lines)])


def by_cell(lines: list[Line]) -> Found:
    found: Found = {}
    for line in lines:
        if line.get("found"):
            key = line["data"], line["teacher"], line["student"]
            found.setdefault(key, {})[line["seed"]] = line
    return found


def reached(runs: dict[int, Line], seeds: list[int], size: int) -> float | None:
    """The mean over seeds, if all of them have a student so small."""
    values = [runs[s]["found"].get(str(size), [0, None])[1] for s in seeds]
    return None if not values or None in values else float(np.mean(values))


def _cell(runs: dict[int, Line], sizes: list[int], most: int) -> str:
    if not runs:
        return ""
    text = " ".join(_short(reached(runs, list(runs), size)) for size in sizes)
    return text if len(runs) == most else f"{text} ({len(runs)})"


def _mean_of(cells: list[dict[int, Line]], size: int) -> str:
    values = [reached(runs, list(runs), size) for runs in cells]
    return "—" if not values or None in values else _short(float(np.mean(values)))


def _short(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value:.3f}"[1:] if 0 <= value < 0.9995 else f"{value:.3f}"


def _named(data: str) -> str:
    return {"compas": "COMPAS"}.get(data, data.replace("_", " "))


def seconds(lines: list[Line]) -> str:
    """Processor seconds of each student: the median of its runs, and the most."""
    parts = []
    for student, name in NAMES.items():
        took = [x["seconds"] for x in lines if x["student"] == student and x.get("found")]
        if took:
            parts.append(f"{name} {np.median(took):.2f} ({max(took):.1f})")
    return "Processor seconds, the median (the most): " + ", ".join(parts) + "."


def beside(lines: list[Line], sizes: list[int]) -> str:
    """Each student beside its peers: sizes of cells ahead, level and behind, over shared seeds."""
    found = by_cell(lines)
    out = [
        "| limbeck's | beside | sizes ahead, level, behind | mean difference | worst cell | runs |",
        "|---|---|---|---|---|---|",
    ]
    for ours, theirs in PAIRS:
        gaps, runs = [], 0
        for cell in CELLS:
            mine, other = found.get((*cell, ours), {}), found.get((*cell, theirs), {})
            seeds = sorted(set(mine) & set(other))
            pairs = [(s, reached(mine, seeds, s), reached(other, seeds, s)) for s in sizes]
            new = [(a - b, cell, s) for s, a, b in pairs if a is not None and b is not None]
            gaps += new
            runs += len(seeds) if new else 0
        if not gaps:
            continue
        ahead = sum(gap > LEVEL for gap, *_ in gaps)
        behind = sum(gap < -LEVEL for gap, *_ in gaps)
        worst, (data, teacher), size = min(gaps)
        out.append(
            f"| {NAMES[ours]} | {NAMES[theirs]} | {ahead}, {len(gaps) - ahead - behind}, {behind} |"
            f" {np.mean([gap for gap, *_ in gaps]):+.3f} |"
            f" {worst:+.3f} ({_named(data)}, {teacher}, {size}) | {runs} |"
        )
    return "\n".join(out)


def whole_table(lines: list[Line]) -> str:
    """Students of any size: agreement, numbers and processor seconds, means over seeds."""
    found: Found = {}
    for line in lines:
        if "value" in line:
            key = line["data"], line["teacher"], line["student"]
            found.setdefault(key, {})[line["seed"]] = line
    shown = list(dict.fromkeys(key[2] for key in found))
    out = [
        "| data, teacher, seeds | " + " | ".join(sorted(shown)) + " |",
        "|---" * (len(shown) + 1) + "|",
    ]
    for data, teacher in CELLS:
        runs = [list(found.get((data, teacher, s), {}).values()) for s in sorted(shown)]
        most = max(len(r) for r in runs)
        if most:
            cells = [_whole(r, most) for r in runs]
            out.append(f"| {_named(data)}, {teacher}, {most} | {' | '.join(cells)} |")
    return "\n".join(out)


def _whole(runs: list[Line], most: int) -> str:
    if not runs:
        return ""
    value, numbers, took = (np.mean([r[k] for r in runs]) for k in ("value", "numbers", "seconds"))
    text = f"{_short(float(value))} ({numbers:,.0f}; {took:.1f} s)"
    return text if len(runs) == most else f"{text}, {len(runs)} seeds"
