"""Do the intervals of `limbeck.advise` hold what is measured later? A backtest on small problems.

Of each problem a pilot sees 300 labelled rows and measures on 500 others; its forecasts for these
rows, for 600, for four times the epochs and for a student of twice the size are compared with the
gains that `limbeck.distill` measures afterwards, with three other seeds, on test rows that the
pilot never saw. The teacher learned from up to 4,000 other rows.

The constants of `limbeck.evaluation.forecast` were chosen on the problems called chosen; that pairs
which have not learned yet say nothing, after looking at all but the fresh ones.

    python benchmarks/advise.py --out backtest                   # the ten; goes on where it stopped
    python benchmarks/advise.py --out backtest --problems fresh
    python benchmarks/advise.py --out backtest --problems fresh --table   # from what is kept there
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "reproductions"))
sys.path.remove(str(Path(__file__).resolve().parent))  # it holds another module named networks

from networks.small_sets import Problem, problem

import limbeck
from limbeck.evaluation.forecast import PairScores, Place, forecast
from limbeck.networks import GoldLabels, Samples
from limbeck.networks.initialization.widened import widened
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import train

GROUPS = {
    "ten": ("digits", "MNIST", "Fashion-MNIST", "SST-2", "adult", "bike", "ECG5000", "wafer",
            "COMPAS", "stop and frisk"),
    "chosen": ("breast cancer", "Italian power demand", "CIFAR-10, 8 x 8", "Lending Club",
               "clusters", "Friedman 1"),
    "late": ("clathrin tracks", "MNIST, odd or even", "Hastie", "Friedman 3", "shells"),
    "fresh": ("Friedman 2", "swiss roll", "sparse", "moons", "circles", "rare class",
              "clathrin traces", "bike, casual", "adult, long hours",
              "MNIST, eight or not"),
}  # fmt: skip
SMALLER = {  # rows, rows to measure on
    "digits": (150, 200), "breast cancer": (60, 100), "Italian power demand": (100, 150),
    "clathrin traces": (150, 200),
}  # fmt: skip
SIZE = "a student twice the size"
CHANGES = {  # where in doublings, and how many times the epochs
    "these data": (Place(), 1),
    "twice the inputs": (Place(1, 0), 1),
    "four times the epochs": (Place(0, 2), 4),
    SIZE: (Place(), 1),
}
Line = dict[str, Any]
SETTINGS: dict[str, Any] = {"epochs": 20, "batch_size": 32, "lr": 0.005}


@dataclass(frozen=True, eq=False)
class Task:
    """A problem with its teacher: rows, twice as many, rows to measure on, test rows."""

    teacher: nn.Module
    rows: tuple[Any, Any]
    twice: tuple[Any, Any]
    validation: tuple[Any, Any]
    test: tuple[Any, Any]
    given: Problem

    @classmethod
    def of(cls, name: str) -> Task:
        given = problem(name)
        n, m = SMALLER.get(name, (300, 500))
        (x, y), test = given.train, tuple(t[:4000] for t in given.test)
        if given.outputs == 1:
            y, test = y[:, None], (test[0], test[1][:, None])
        rest = slice(2 * n + m, 2 * n + m + 4000)
        torch.manual_seed(0)
        kind = "regression" if given.outputs == 1 else "classification"
        task = limbeck.Task.of(kind, given.outputs)
        net = mlp(given, 128, 128)
        settings = Training(max_steps=1000, batch_size=64, lr=2e-3)
        samples = Samples.of((x[rest], y[rest])).aimed(task)
        teacher = train(net, samples, GoldLabels(), task, training=settings).module
        return cls(teacher, (x[:n], y[:n]), (x[: 2 * n], y[: 2 * n]),
                   (x[2 * n : 2 * n + m], y[2 * n : 2 * n + m]), test, given)  # fmt: skip

    def student(self) -> nn.Module:
        return mlp(self.given, 16)


def mlp(given: Problem, *widths: int) -> nn.Module:
    sizes = (given.width, *widths)
    hidden = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(sizes[-1], given.outputs))


def advised(name: str, task: Task, budget: float, out: Path) -> limbeck.Advice:
    """The advice of a pilot, which is read from its folder where it ran before."""
    return limbeck.advise(
        task.teacher, task.rows, into=task.student, validation=task.validation, budget=budget,
        progress=False, out=out / name / f"{budget:g} s", **SETTINGS,
    )  # fmt: skip


def measured(name: str, task: Task, out: Path) -> dict[str, float]:
    """The gains of later runs by what was changed, kept in a file."""
    path = out / name / "later.json"
    if path.is_file():
        return dict(json.loads(path.read_text()))
    twice = widened(task.student, task.rows[0][:4])
    found = {}
    for what, (place, longer) in CHANGES.items():
        rows, into = (
            task.twice if place.rows else task.rows,
            twice if what == SIZE else task.student,
        )
        settings = SETTINGS | {"epochs": longer * SETTINGS["epochs"]}
        result = limbeck.distill(
            task.teacher, rows, into=into, test=task.test, seeds=3, seed=100, timing=False,
            baseline=False, progress=False, **settings,
        )  # fmt: skip
        gain = next(d for d in result.comparison.differences if "labels" in d.what)
        found[what] = gain.value
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, allow_nan=False))
    return found


def run(name: str, budget: float, out: Path) -> None:
    """A pilot of a problem, and the later runs."""
    began, task = time.process_time(), Task.of(name)
    told, _ = advised(name, task, budget, out), measured(name, task, out)
    print(f"{name}: {told.settings['pairs']} pairs, {time.process_time() - began:.0f} processor s",
          file=sys.stderr, flush=True)  # fmt: skip


def kept(name: str, folder: Path) -> tuple[list[PairScores], list[PairScores]]:
    """The pairs of a pilot's folder, of the student and of the larger one."""
    rows = SMALLER.get(name, (300, 500))[0]
    cells: dict[tuple[str, int, int], list[tuple[Any, Any]]] = {}
    for path in sorted(folder.glob("pairs/*.npz")):
        model, n, updates = path.stem.split("-")[:3]
        with np.load(path, allow_pickle=False) as file:
            cells.setdefault((model, int(n), int(updates)), []).append(
                (file["student"], file["control"])
            )
    found: dict[str, list[PairScores]] = {"student": [], "larger": []}
    for (model, n, updates), both in cells.items():
        whole = SETTINGS["epochs"] * math.ceil(n / SETTINGS["batch_size"])
        place = Place(math.log2(n / rows), math.log2(updates / whole))
        found[model].append(PairScores(place, *(np.stack(s) for s in zip(*both, strict=True))))
    return found["student"], found["larger"]


def constant(name: str) -> tuple[float, bool]:
    """The error of the best constant answer on the rows that are measured, and of what task."""
    given = problem(name)
    if given.outputs == 1:
        return 1.0, False
    n, m = SMALLER.get(name, (300, 500))
    _, each = np.unique(given.train[1][2 * n : 2 * n + m].numpy(), return_counts=True)
    return float(1 - each.max() / each.sum()), True


def forecasts(name: str, folder: Path) -> list[Line]:
    """What the pilot of a folder forecasts now, beside what was measured later."""
    later = json.loads((folder.parent / "later.json").read_text())
    own, larger = kept(name, folder)
    error, bounded = constant(name)
    found = []
    for what, (place, _) in CHANGES.items():
        start = larger if what == SIZE else []
        if not own or (what == SIZE and not larger):
            continue
        told = forecast(own, place, start=start, constant=error, bounded=bounded)
        gain = told.gain
        found.append({
            "problem": name, "pilot": folder.name, "what": what, "far": 2**told.doublings,
            "forecast": gain.value, "low": gain.low, "high": gain.high, "measured": later[what],
            "held": gain.low <= later[what] <= gain.high,
        })  # fmt: skip
    return found


def table(lines: list[Line]) -> str:
    """A line for each pilot: forecast, interval and what was measured later; bold: not held."""
    out = ["| problem | pilot | " + " | ".join(CHANGES) + " |", "|---" * (2 + len(CHANGES)) + "|"]
    cells = {(r["problem"], r["pilot"], r["what"]): r for r in lines}
    for name, pilot in dict.fromkeys((r["problem"], r["pilot"]) for r in lines):
        own = [written(cells.get((name, pilot, what))) for what in CHANGES]
        far = cells[name, pilot, "these data"]["far"]
        out.append(f"| {name} | {pilot}, x{far:.3g} | {' | '.join(own)} |")
    return "\n".join([*out, "", summary(lines)])


def written(line: Line | None) -> str:
    if line is None:
        return ""
    seen = f"{100 * line['measured']:+.1f}"
    told = " ".join(f"{100 * line[k]:+.1f}" for k in ("low", "high")).replace(" ", ", ")
    told = f"{100 * line['forecast']:+.1f} [{told}]"
    return f"{told}: {seen}" if line["held"] else f"{told}: **{seen}**"


def summary(lines: list[Line]) -> str:
    """How many intervals held, how wide they are, and what the forecasts are worth."""
    held, names = sum(r["held"] for r in lines), {r["problem"] for r in lines}
    half = statistics.median((r["high"] - r["low"]) / 2 for r in lines)
    off = statistics.mean(abs(r["forecast"] - r["measured"]) for r in lines)
    none = statistics.mean(abs(r["measured"]) for r in lines)
    sure = [r for r in lines if r["low"] > 0 or r["high"] < 0]
    right = sum((r["measured"] > 0) == (r["low"] > 0) for r in sure)
    each = "; ".join(
        f"{what} {sum(r['held'] for r in own)} of {len(own)}"
        for what in CHANGES
        if (own := [r for r in lines if r["what"] == what])
    )
    return (
        f"Held: {held} of {len(lines)} ({held / len(lines):.0%}) of {len(names)} problems ({each})."
        f" Median half-width {100 * half:.1f} points. Mean error of the forecast {100 * off:.1f},"
        f' of always saying "no gain" {100 * none:.1f}. {len(sure)} intervals exclude zero,'
        f" {right} of them rightly."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("backtest"))
    parser.add_argument("--budget", type=float, default=20.0, help="seconds of each pilot")
    parser.add_argument("--problems", nargs="+", default=["ten"], help=f"or {', '.join(GROUPS)}")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    names = [name for each in given.problems for name in GROUPS.get(each, (each,))]
    if not given.table:
        for name in names:
            run(name, given.budget, given.out)
    folders = [(n, f) for n in names for f in sorted((given.out / n).glob("* s"))
               if (given.out / n / "later.json").is_file()]  # fmt: skip
    lines = [line for name, folder in folders for line in forecasts(name, folder)]
    if lines:
        print(table(lines) if given.table else summary(lines))


if __name__ == "__main__":
    main()
