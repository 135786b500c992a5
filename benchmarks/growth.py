"""How time grows with rows, columns, classes and leaves: distil, certify, audit, predict, report.

    python benchmarks/growth.py [--only distil certify ...] [--seconds 60] [--plot growth.png]

Processor seconds on made-up tables (normal columns, a teacher that is a formula), one run a cell, a
small run of the same kind before it. A larger size is left out where it would take more than
SECONDS if time grew as fast as the size. Memory is the peak of a process of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import limbeck
from limbeck.certificates.sequential import AnytimeBound
from limbeck.students import Tree

ROWS = (1_000, 10_000, 100_000, 1_000_000)
COLUMNS = (10, 30, 100, 300)
CLASSES = (2, 10, 30, 100)
LEAVES = (8, 64, 512, 5_000)
AT = {"rows": 5_000, "columns": 10, "classes": 2, "leaves": 16}
MOST = {"distil": {"rows": 100_000}, "audit": {"rows": 100_000, "columns": 50},
        "report": {"rows": 100_000, "columns": 50}}  # fmt: skip


def table(rows: int, columns: int, classes: int) -> tuple[pd.DataFrame, np.ndarray]:
    X = np.random.default_rng(0).normal(size=(rows, columns))
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(columns)]), teacher_of(classes)(X)


def teacher_of(classes: int) -> Callable[[np.ndarray], np.ndarray]:
    def teacher(X: np.ndarray) -> np.ndarray:
        z = X[:, 0] + 0.5 * X[:, 1] - (X[:, 2] > 0)
        return np.digitize(z, np.linspace(-2, 1.5, classes - 1)) if classes > 2 else 1 * (z > -0.5)

    return teacher


def student(leaves: int, columns: int, classes: int) -> Tree:
    X, y = table(max(5_000, 10 * leaves), columns, classes)
    noise = np.random.default_rng(1).random(len(X)) < 0.2  # else small trees say all
    y = np.where(noise, np.random.default_rng(2).permutation(y), y)
    return Tree(max_leaves=leaves).fit(X, y)


def distil(rows: int, columns: int, classes: int, leaves: int) -> Callable[[], object]:
    X, _ = table(rows, columns, classes)
    return lambda: limbeck.distill(
        lambda v: teacher_of(classes)(np.asarray(v)), X, into="tree", max_leaves=leaves,
        queries=2_000, progress=False,
    )  # fmt: skip


def certify(rows: int, columns: int, classes: int, leaves: int) -> Callable[[], object]:
    own, (X, y) = student(leaves, columns, classes), table(rows, columns, classes)
    return lambda: limbeck.certify(own, X, y)


def until(rows: int, columns: int, classes: int, leaves: int) -> Callable[[], object]:
    losses = np.random.default_rng(0).beta(2, 8, rows)

    def run() -> float:
        bound = AnytimeBound(0.19, 0.05)
        for start in range(0, rows, 10_000):
            bound.update(losses[start : start + 10_000])
        return bound.bound

    return run


def predict(rows: int, columns: int, classes: int, leaves: int) -> Callable[[], object]:
    own, (X, _) = student(leaves, columns, classes), table(rows, columns, classes)
    return lambda: own.predict(X)


def draw(rows: int, columns: int, classes: int, leaves: int) -> Callable[[], object]:
    own = student(leaves, columns, classes)
    return lambda: (own.text(), own.svg())


def audited(rows: int, columns: int, classes: int, leaves: int) -> Callable[[], limbeck.Audit]:
    X, _ = table(rows, columns, 2)
    rng = np.random.default_rng(3)
    score = X["x0"] + 0.5 * X["x1"] + 0.3 * rng.normal(size=rows)
    frame = X.assign(score=score, outcome=1 * (score + rng.logistic(size=rows) > 0))
    return lambda: limbeck.audit(frame, score="score", outcome="outcome", progress=False)


def report(rows: int, columns: int, classes: int, leaves: int) -> Callable[[], object]:
    found = audited(rows, columns, classes, leaves)()
    folder = tempfile.mkdtemp()
    return lambda: found.report(Path(folder) / "page.html")


WORK = {
    "distil": (distil, ("rows", "columns", "classes", "leaves")),
    "certify": (certify, ("rows", "columns", "classes")),
    "until": (until, ("rows",)),
    "predict": (predict, ("rows", "columns", "leaves")),
    "draw": (draw, ("leaves",)),
    "audit": (audited, ("rows", "columns")),
    "report": (report, ("rows", "columns")),
}
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999")
SIZES = {"rows": ROWS, "columns": COLUMNS, "classes": CLASSES, "leaves": LEAVES}

MEMORY = """
import resource, sys
import numpy as np, pandas as pd
import limbeck
from limbeck.data.row_batches import RowBatches
from limbeck.students import Tree
names = [f"x{j}" for j in range(50)]
def made():
    for i in range(int(sys.argv[1]) // 20_000):
        rows = np.random.default_rng(i).normal(size=(20_000, 50))
        yield pd.DataFrame(rows, columns=names).assign(y=rows[:, 0] + 0.1 * rows[:, 1] > 0)
first = next(made())
student = Tree(max_leaves=4).fit(first[names][:1000], first["y"][:1000])
if sys.argv[2] == "in batches":
    limbeck.certify(student, RowBatches(made), "y")
else:
    whole = pd.concat(made())
    limbeck.certify(student, whole[names], whole["y"])
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_maxrss / 1024, used.ru_utime + used.ru_stime)
"""


def memory(most: float) -> None:
    print("\n| rows x 50 columns | certify | peak memory, MB | seconds |\n|---|---|---|---|")
    for rows in (20_000, 100_000, 1_000_000, 10_000_000):
        for way in ("in memory", "in batches"):
            if 1e-5 * rows > most or (way == "in memory" and rows > 100_000):
                continue
            command = [sys.executable, "-c", MEMORY, str(rows), way]
            out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            peak, seconds = map(float, out.split())
            print(f"| {rows:,} | {way} | {peak:.0f} | {seconds:.1f} |", flush=True)


def measured(name: str, axis: str, size: int) -> float:
    make = WORK[name][0]
    make(**AT)() if name not in ("audit", "report") else None
    run = make(**(AT | {axis: size}))
    started = time.process_time()
    run()
    return time.process_time() - started


def along_axis(name: str, axis: str, most: float) -> list[tuple[int, float]]:
    """Sizes and seconds, as far as the next cell is expected to end in time."""
    end = MOST.get(name, {}).get(axis, SIZES[axis][-1])
    points: list[tuple[int, float]] = []
    for size in dict.fromkeys(min(s, end) for s in SIZES[axis]):
        if points and points[-1][1] * size / points[-1][0] > most:
            break
        points.append((size, measured(name, axis, size)))
    return points


def draw_growth(found: dict[tuple[str, str], list[tuple[int, float]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(SIZES), figsize=(13, 4), sharey=True, layout="tight")
    looks = dict(zip(WORK, COLOURS, strict=True))
    for axis, name in zip(axes, SIZES, strict=True):
        for (what, along), points in found.items():
            if along == name:
                axis.loglog(*zip(*points, strict=True), marker="o", label=what, color=looks[what])
        axis.set_xlabel(name)
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=8)
    axes[0].set_ylabel("processor seconds")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=[*WORK, "memory"], default=[*WORK, "memory"])
    parser.add_argument("--seconds", type=float, default=60.0, help="the most that a cell may take")
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    fixed = ", ".join(f"{value:,} {name}" for name, value in AT.items())
    print(f"Processor seconds; {fixed} where nothing else is said\n")
    print("| | against | size: seconds |\n|---|---|---|", flush=True)
    for name in (n for n in given.only if n in WORK):
        for axis in WORK[name][1]:
            found[name, axis] = points = along_axis(name, axis, given.seconds)
            cells = "; ".join(f"{size:,}: {seconds:.2f}" for size, seconds in points)
            print(f"| {name} | {axis} | {cells} |", flush=True)
    if given.plot:
        draw_growth(found, given.plot)
    if "memory" in given.only:
        memory(given.seconds)


if __name__ == "__main__":
    main()
