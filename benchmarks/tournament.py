"""The pick of a tournament by how many numbers a reader must hold, against the best in hindsight.

    python benchmarks/tournament.py --seeds 3
    python benchmarks/tournament.py --table

35% of the rows train the teacher, 35% are given to the tournament, 30% are judged, as in
readable.py, of which this takes data and teachers. All ways are cross-fitted on the distilling
rows; at each budget the student with the least loss on rows left out is the pick. Agreement for
classes, R2 with the teacher for values. The recommendation is judged, too: how far it is behind
the best student of at most its size. Results are appended to a file of JSON lines; what is there is
not run again.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from readable import SETS, TEACHERS, agreement, case_of

from limbeck.api.tournament import routes_for
from limbeck.selection.front import entrants, pareto, recommended
from limbeck.selection.race import Run, budgets_up_to, folds_of
from limbeck.selection.schedule import Race, one_thread, raced
from limbeck.selection.shared_rows import shared_rows

PROTOTYPE = {8: (0.787, 0.791), 16: (0.836, 0.843), 32: (0.880, 0.886), 64: (0.903, 0.908)}
"""The pick of the prototype, and its best in hindsight, on these data sets and teachers."""


def one(name: str, kind: str, seed: int, sizes: list[int]) -> dict[str, Any]:
    """Picks and bests at each size, and how the recommendation does on fresh rows."""
    teacher, rows, judged, told = case_of(name, kind, seed)
    began, started = time.perf_counter(), time.process_time()
    fold = folds_of(np.arange(len(rows)), np.random.default_rng([seed, 0]))
    routes = routes_for(max(sizes), 0.05, teacher.access)
    with one_thread():
        parts = shared_rows(teacher, rows, fold, seed)
    race = Race(parts, fold, budgets_up_to(max(sizes)), seed, time.time() + 3600)
    runs = raced(race, routes, 1)
    found = entrants([run for run in runs if isinstance(run, Run)])
    fresh = [agreement(e.student.predict(judged), told, teacher) for e in found]
    line: dict[str, Any] = {
        "data": name, "teacher": kind, "seed": seed,
        "seconds": round(time.process_time() - started, 2),
        "elapsed": round(time.perf_counter() - began, 2), "sampler": parts[0].sampler,
    }  # fmt: skip
    line["found"] = {}
    for size in sizes:
        fits = [i for i, e in enumerate(found) if e.student.numbers <= size]
        pick = min(fits, key=lambda i: found[i].loss)
        best = max(fits, key=lambda i: fresh[i])
        line["found"][size] = {
            "pick": _name(found[pick]), "value": round(fresh[pick], 4),
            "best": _name(found[best]), "hindsight": round(fresh[best], 4),
        }  # fmt: skip
    chosen = recommended(pareto(found), 0.005)
    at = next(i for i, e in enumerate(found) if e is chosen)
    fits = [i for i, e in enumerate(found) if e.student.numbers <= chosen.student.numbers]
    line["recommended"] = {
        "student": _name(chosen), "numbers": chosen.student.numbers, "value": round(fresh[at], 4),
        "behind": round(max(fresh[i] for i in fits) - fresh[at], 4),
    }  # fmt: skip
    line["ways"] = {
        f"{r.route.into}/{r.route.name}": round(r.seconds, 2) for r in runs if isinstance(r, Run)
    }
    return line


def _name(entrant: Any) -> str:
    return f"{entrant.route.into}/{entrant.route.name}"


def tables(lines: list[dict[str, Any]], sizes: list[int]) -> str:
    """Means over seeds, a row for each data set and teacher, then over all."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        groups[line["data"], line["teacher"]].append(line)
    head = " | ".join(f"{s} numbers" for s in sizes)
    out = [
        f"| data, teacher | {head} | processor seconds | seeds |",
        "|---" * (3 + len(sizes)) + "|",
    ]
    order = {(d, t): i for i, (d, t) in enumerate((d, t) for d in SETS for t in TEACHERS)}
    means: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for (data, kind), found in sorted(groups.items(), key=lambda g: order[g[0]]):
        cells = []
        for size in sizes:
            each = [f["found"][str(size)] for f in found]
            value = float(np.mean([e["value"] for e in each]))
            best = float(np.mean([e["hindsight"] for e in each]))
            means[size].append((value, best))
            cells.append(f"{value:.3f} ({best:.3f})")
        seconds = np.mean([f["seconds"] for f in found])
        out.append(f"| {data}, {kind} | {' | '.join(cells)} | {seconds:.0f} | {len(found)} |")
    every = [np.mean(means[size], axis=0) for size in sizes]
    cells = [f"{v:.3f} ({b:.3f})" for v, b in every]
    out.append(f"| mean of {len(groups)} cells | {' | '.join(cells)} | | {len(lines)} |")
    cells = [f"{p:.3f} ({b:.3f})" for p, b in (PROTOTYPE.get(s, (np.nan, np.nan)) for s in sizes)]
    out.append(f"| prototype, all 12 cells | {' | '.join(cells)} | | |")
    behind = np.array([line["recommended"]["behind"] for line in lines])
    out.append("")
    out.append(
        f"The recommendation is within .01 of the best student of at most its size on fresh rows in"
        f" {(behind <= 0.01 + 1e-9).sum()} of {len(behind)} runs; behind by {behind.mean():.4f} on"
        f" average, {behind.max():.3f} at most."
    )
    return "\n".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="*", default=list(SETS))
    parser.add_argument("--teachers", nargs="*", default=list(TEACHERS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="*", default=[8, 16, 32, 64])
    parser.add_argument("--out", type=Path, default=Path("build/tournament.jsonl"))
    parser.add_argument("--table", action="store_true", help="print what was measured, run nothing")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.loads(t) for t in args.out.read_text().splitlines()] if args.out.exists() else []
    done = {(x["data"], x["teacher"], x["seed"]) for x in lines}
    for seed in range(0 if args.table else args.seeds):
        for name in args.data:
            for kind in args.teachers:
                if (name, kind, seed) in done:
                    continue
                line = one(name, kind, seed, args.sizes)
                with args.out.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                lines.append(json.loads(json.dumps(line)))
    print(tables(lines, args.sizes))


if __name__ == "__main__":
    main()
