"""Do the intervals of `limbeck.advise` hold what is measured later? A backtest on small problems.

Of each problem a pilot sees 300 labelled rows and measures on 500 others; its forecasts for these
rows, for 600, for four times the epochs and for a student of twice the size are compared with the
gains that `limbeck.distill` measures afterwards, with three other seeds, on test rows that the
pilot never saw. The teacher learned from up to 4,000 other rows.

The constants of `limbeck.evaluation.forecast` were chosen on the problems of `CHOSEN_ON`; those of
`JUDGED_ON` chose nothing.

    python benchmarks/advise.py --out backtest         # goes on where it stopped
    python benchmarks/advise.py --out backtest --table # forecasts anew from the pilots kept there
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "reproductions"))
sys.path.remove(str(Path(__file__).resolve().parent))  # it holds another module named networks

from networks.small_sets import Problem, problem

import limbeck
from limbeck.networks import GoldLabels, Samples
from limbeck.networks.initialization.widened import widened
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import train

JUDGED_ON = ("digits", "MNIST", "Fashion-MNIST", "SST-2", "adult", "bike", "ECG5000", "wafer",
             "COMPAS", "stop and frisk")  # fmt: skip
CHOSEN_ON = ("breast cancer", "Italian power demand", "CIFAR-10, 8 x 8", "Lending Club",
             "clusters", "Friedman 1")  # fmt: skip
LATE = ("clathrin tracks", "MNIST, odd or even", "Hastie", "Friedman 3", "shells")
FRESH = ("Friedman 2", "swiss roll", "sparse", "moons", "circles", "rare class",
         "clathrin traces", "next letter", "bike, casual", "adult, long hours",
         "MNIST, eight or not")  # fmt: skip
SMALLER = {  # rows, rows to measure on
    "digits": (150, 200), "breast cancer": (60, 100), "Italian power demand": (100, 150),
    "clathrin traces": (150, 200),
}  # fmt: skip
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
    later = {
        "these data": (task.rows, 1, task.student),
        "twice the inputs": (task.twice, 1, task.student),
        "four times the epochs": (task.rows, 4, task.student),
        "a student twice the size": (task.rows, 1, twice),
    }
    found = {}
    for what, (rows, longer, into) in later.items():
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


def run(name: str, budget: float, out: Path) -> list[dict[str, Any]]:
    """The forecasts of a problem beside what was measured."""
    began, task = time.process_time(), Task.of(name)
    told, later = advised(name, task, budget, out), measured(name, task, out)
    print(f"{name}: {told.settings['pairs']} pairs, {time.process_time() - began:.0f} processor s",
          file=sys.stderr, flush=True)  # fmt: skip
    return [
        {"problem": name, "what": o.name, "doublings": o.doublings, "forecast": o.gain.value,
         "low": o.gain.low, "high": o.gain.high, "measured": later[o.name],
         "held": o.gain.low <= later[o.name] <= o.gain.high, "said": o.verdict}
        for o in told.outlooks
    ]  # fmt: skip


def table(lines: list[dict[str, Any]]) -> str:
    """All forecasts, as Markdown."""
    out = ["| problem | forecast for | beyond the pilot | forecast gain | measured later | held |",
           "|---|---|---|---|---|---|"]  # fmt: skip
    for r in lines:
        far = "measured" if not r["doublings"] else f"x{2 ** r['doublings']:.3g}"
        out.append(
            f"| {r['problem']} | {r['what']} | {far} | {r['forecast']:+.3f}"
            f" [{r['low']:+.3f}, {r['high']:+.3f}] | {r['measured']:+.3f} |"
            f" {'yes' if r['held'] else '**no**'} |"
        )
    return "\n".join([*out, "", summary(lines)])


def summary(lines: list[dict[str, Any]]) -> str:
    """How many intervals held, how wide they are, and what the forecasts are worth."""
    held, names = sum(r["held"] for r in lines), {r["problem"] for r in lines}
    half = statistics.median((r["high"] - r["low"]) / 2 for r in lines)
    off = statistics.mean(abs(r["forecast"] - r["measured"]) for r in lines)
    none = statistics.mean(abs(r["measured"]) for r in lines)
    said = [r for r in lines if r["said"] in ("pays", "hurts")]
    right = sum((r["measured"] > 0) == (r["said"] == "pays") for r in said)
    return (
        f"Held: {held} of {len(lines)} ({held / len(lines):.0%}) of {len(names)} problems."
        f" Median half-width {half:.3f}. Mean error of the forecast {off:.3f}, of always saying"
        f' "no gain" {none:.3f}. {len(said)} said "pays" or "hurts", {right} of them rightly.'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("backtest"))
    parser.add_argument("--budget", type=float, default=20.0, help="seconds of each pilot")
    parser.add_argument("--problems", nargs="+", default=JUDGED_ON, help="names, or fresh: those")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    names = FRESH if given.problems == ["fresh"] else given.problems
    lines = [row for name in names for row in run(name, given.budget, given.out)]
    print(table(lines) if given.table else summary(lines))


if __name__ == "__main__":
    main()
