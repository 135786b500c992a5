"""Tables and the picture of sample_cost.py: rows until a tree is right, and how they grow."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np


def table(rows: list[dict[str, Any]], routes: list[str]) -> str:
    """Median rows and seconds by cell and route; how many seeds got there."""
    cells: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        cells[row["network"], row["d"], row["r"], row["route"]].append(row)
    routes = [route for route in routes if any(row["route"] == route for row in rows)]
    lines = ["| network | d | r | " + " | ".join(routes) + " |", "|---" * (3 + len(routes)) + "|"]
    for network_, d, r in sorted({key[:3] for key in cells}, key=lambda k: (k[0] != "right", k)):
        text = [_cell(cells.get((network_, d, r, route), [])) for route in routes]
        lines.append(f"| {network_} | {d} | {r} | " + " | ".join(text) + " |")
    return "\n".join(lines)


def _cell(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    n = np.array([math.inf if row["rows"] is None else row["rows"] for row in rows])
    there = np.isfinite(n)
    if there.sum() <= len(n) / 2:
        right = np.mean([row["tried"][-1][1] for row in rows if row["tried"]])
        return f"{there.sum()} of {len(n)}; last right on {right:.3f} on average"
    seconds = np.median([row["seconds"] for row in rows if row["rows"] is not None])
    failed = "" if there.all() else f", {there.sum()} of {len(n)}"
    return f"{sorted(n)[len(n) // 2]:,.0f} ({seconds:.2g} s{failed})"


def growth(rows: list[dict[str, Any]], routes: list[str]) -> str:
    """Rows and seconds as c d^a (2^r)^b, by least squares on logarithms over all runs."""
    lines = ["| route | runs | rows: d to the | 2^r to the | seconds: d to the | 2^r to the |",
             "|---" * 6 + "|"]  # fmt: skip
    for route in routes:
        mine = [r for r in rows if r["route"] == route and r["network"] == "right"]
        got = [row for row in mine if row["rows"] is not None]
        if len({(row["d"]) for row in got}) < 2 or len({row["r"] for row in got}) < 2:
            continue
        A = np.array([[1, math.log(row["d"]), row["r"] * math.log(2)] for row in got])
        parts = []
        for what in ("rows", "seconds"):
            y = np.log([max(row[what], 1e-3) for row in got])
            b, *_ = np.linalg.lstsq(A, y, rcond=None)
            error = np.sqrt(np.diag(np.linalg.inv(A.T @ A)) * np.sum((y - A @ b) ** 2))
            error /= math.sqrt(max(len(y) - 3, 1))
            parts += [f"{b[i]:.2f} ± {error[i]:.2f}" for i in (1, 2)]
        lines.append(f"| {route} | {len(got)} of {len(mine)} | " + " | ".join(parts) + " |")
    return "\n".join(lines)


def picture(rows: list[dict[str, Any]], routes: list[str], path: Path) -> None:
    """Rows until right against the depth, and against the number of inputs."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "limbeck"  # the same file from the same runs
    rows = [row for row in rows if row["network"] == "right"]
    d_fixed, r_fixed = _longest(rows, "d", "r"), _longest(rows, "r", "d")
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4.4), sharey=True, layout="constrained")
    panels = (
        ("r", "d", d_fixed, "depth of the tree", f"{d_fixed:,} inputs"),
        ("d", "r", r_fixed, "inputs", f"depth {r_fixed}"),
    )
    most = max(row["most"] for row in rows)
    for axis, (along, fixed, value, name, title) in zip(axes, panels, strict=True):
        mine = [row for row in rows if row[fixed] == value]
        for i, route in enumerate(routes):
            at = sorted({row[along] for row in mine if row["route"] == route})
            n = [[r["rows"] or 2 * most for r in mine if r["route"] == route and r[along] == x]
                 for x in at]  # fmt: skip
            if not at:
                continue
            place = [x + 0.04 * (i - 2) if along == "r" else x * 1.03 ** (i - 2) for x in at]
            middle = [sorted(v)[len(v) // 2] for v in n]  # of two the larger
            axis.plot(place, middle, "o-", color=f"C{i}", label=route)
            axis.vlines(place, [min(v) for v in n], [max(v) for v in n],
                        color=f"C{i}", alpha=0.5)  # fmt: skip
        axis.axhline(most * 1.41, color="0.6", linestyle=":", linewidth=1)
        axis.set(yscale="log", xlabel=name, title=title)
        if along == "d":
            axis.set_xscale("log")
        ticks = sorted({row[along] for row in mine})
        axis.set_xticks(ticks, [f"{t:,}" for t in ticks])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("rows until right on 0.999 of inputs")
    axes[0].text(0.02, most * 1.2, f"above the line: not with {most:,} rows, or not within 60 s",
                 fontsize=8, color="0.4", va="top",
                 transform=axes[0].get_yaxis_transform())  # fmt: skip
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3,
                  frameon=False, fontsize=9)  # fmt: skip
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=130)


def _longest(rows: list[dict[str, Any]], fixed: str, along: str) -> int:
    """The value of one setting at which the other takes most values, and runs are most."""
    seen: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        seen[row[fixed]].add(row[along])
    return max(seen, key=lambda v: (len(seen[v]), sum(row[fixed] == v for row in rows)))
