"""Do the intervals of `limbeck.advise` hold what is measured later? A backtest on small problems.

Of each problem a pilot sees 300 labelled rows and measures on 500 others; its forecasts for these
rows, for 600, for four times the epochs and for a student of twice the size are compared with the
gains that `limbeck.distill` measures afterwards, with three other seeds, on test rows that the
pilot never saw. The teacher learned from up to 4,000 other rows.

    python benchmarks/advise.py --out advise.jsonl     # goes on where it stopped
    python benchmarks/advise.py --out advise.jsonl --table
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "reproductions"))
sys.path.remove(str(Path(__file__).resolve().parent))  # it holds another module named networks

from networks.small_sets import problem

import limbeck
from limbeck.networks import GoldLabels, Samples
from limbeck.networks.initialization.widened import widened
from limbeck.networks.training.settings import Training
from limbeck.networks.training.train import train

PROBLEMS = ("digits", "MNIST", "Fashion-MNIST", "SST-2", "adult", "bike", "ECG5000", "wafer")
SMALLER = {"digits": (150, 200)}  # rows, rows to measure on
SETTINGS: dict[str, Any] = {"epochs": 20, "batch_size": 32, "lr": 0.005}


def run(name: str, budget: float) -> list[dict[str, Any]]:
    """The forecasts of a problem beside what was measured."""
    began, given = time.process_time(), problem(name)
    n, m = SMALLER.get(name, (300, 500))
    (x, y), test = given.train, tuple(t[:4000] for t in given.test)
    if given.outputs == 1:
        y, test = y[:, None], (test[0], test[1][:, None])
    rest = slice(2 * n + m, 2 * n + m + 4000)

    def mlp(*widths: int) -> nn.Module:
        sizes = (given.width, *widths)
        hidden = [layer for a, b in pairwise(sizes)
                  for layer in (nn.Linear(a, b), nn.ReLU())]  # fmt: skip
        return nn.Sequential(*hidden, nn.Linear(sizes[-1], given.outputs))

    def student() -> nn.Module:
        return mlp(16)

    torch.manual_seed(0)
    kind = "regression" if given.outputs == 1 else "classification"
    task = limbeck.Task.of(kind, given.outputs)
    teacher = train(mlp(128, 128), Samples.of((x[rest], y[rest])).aimed(task), GoldLabels(), task,
                    training=Training(max_steps=1000, batch_size=64, lr=2e-3)).module  # fmt: skip
    told = limbeck.advise(
        teacher, (x[:n], y[:n]), into=student, validation=(x[2 * n : 2 * n + m],
        y[2 * n : 2 * n + m]), budget=budget, progress=False, **SETTINGS,
    )  # fmt: skip
    later = {
        "these data": (n, 1, student),
        "twice the inputs": (2 * n, 1, student),
        "four times the epochs": (n, 4, student),
        "a student twice the size": (n, 1, widened(student, x[:4])),
    }
    found = []
    for o in told.outlooks:
        rows, longer, into = later[o.name]
        settings = SETTINGS | {"epochs": longer * SETTINGS["epochs"]}
        result = limbeck.distill(
            teacher, (x[:rows], y[:rows]), into=into, test=test, seeds=3, seed=100, timing=False,
            baseline=False, progress=False, **settings,
        )  # fmt: skip
        gain = next(d for d in result.comparison.differences if "labels" in d.what)
        found.append({
            "problem": name, "what": o.name, "doublings": o.doublings, "forecast": o.gain.value,
            "low": o.gain.low, "high": o.gain.high, "measured": gain.value,
            "held": o.gain.low <= gain.value <= o.gain.high, "said": o.verdict,
        })  # fmt: skip
    found[0] |= {"cpu_seconds": time.process_time() - began, "pairs": told.settings["pairs"]}
    return found


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
    held = sum(r["held"] for r in lines)
    return "\n".join([*out, "", f"Held: {held} of {len(lines)} ({held / len(lines):.0%})."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("advise.jsonl"))
    parser.add_argument("--budget", type=float, default=10.0, help="seconds of each pilot")
    parser.add_argument("--problems", nargs="+", default=PROBLEMS)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    old = given.out.read_text().splitlines() if given.out.is_file() else []
    lines = [json.loads(line) for line in old]
    if given.table:
        print(table(lines))
        return
    for name in given.problems:
        if any(r["problem"] == name for r in lines):
            continue
        with given.out.open("a") as file:
            for row in run(name, given.budget):
                print(row, file=sys.stderr, flush=True)
                file.write(json.dumps(row, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
