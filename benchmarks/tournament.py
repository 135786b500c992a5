"""The pick of a tournament by how many numbers a reader must hold, against the best in hindsight.

    python benchmarks/tournament.py --seeds 5 --jobs 2
    python benchmarks/tournament.py --table

35% of the rows train the teacher, 35% are given to the tournament, 30% are judged, as in
readable.py, of which this takes data and teachers. All ways are cross-fitted on the distilling
rows; at each budget the student with the least loss on rows left out is the pick. Agreement for
classes, R2 with the teacher for values. Beside it stands the pick of the prototype
(tournament_prototype.py) for the same teacher and rows. The recommendation is judged, too: how far
it is behind the best student of at most its size. Results are appended to a file of JSON lines;
what is there is not run again.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from readable import SETS, TEACHERS, agreement, all_cells, case_of
from tournament_prototype import prototype

from limbeck.api.tournament import routes_for
from limbeck.selection.front import Entrant, entrants, pareto, recommended
from limbeck.selection.race import Run, budgets_up_to, folds_of
from limbeck.selection.schedule import Race, one_thread, raced
from limbeck.selection.shared_rows import shared_rows

_MARGIN = 0.01  # a recommendation is right if it is so near to the best of its size


def one(name: str, kind: str, seed: int, sizes: list[int]) -> dict[str, Any]:
    """Picks and bests at each size, and how the recommendation does on fresh rows."""
    warnings.filterwarnings("ignore")
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
        "data": name, "teacher": kind, "seed": seed, "rows": len(rows), "judged": len(judged),
        "seconds": round(time.process_time() - started, 2),
        "elapsed": round(time.perf_counter() - began, 2), "sampler": parts[0].sampler,
    }  # fmt: skip
    line["found"] = {}
    theirs = prototype(parts[0], sizes, seed)
    for size in sizes:
        fits = [i for i, e in enumerate(found) if e.student.numbers <= size]
        pick = min(fits, key=lambda i: found[i].loss)
        best = max(fits, key=lambda i: fresh[i])
        plain = [agreement(p.predict(judged), told, teacher) for p in theirs[size]]
        line["found"][size] = {
            "pick": _name(found[pick]), "value": round(fresh[pick], 4),
            "best": _name(found[best]), "hindsight": round(fresh[best], 4),
            "prototype": round(plain[0], 4), "prototype_hindsight": round(max(plain), 4),
        }  # fmt: skip
    line["recommended"] = _recommended(found, fresh)
    line["ways"] = {
        f"{r.route.into}/{r.route.name}": round(r.seconds, 2) for r in runs if isinstance(r, Run)
    }
    line["entrants"] = [
        [_name(e), e.student.numbers, round(e.loss, 5), round(v, 5)]
        for e, v in zip(found, fresh, strict=True)
    ]
    return line


def _recommended(found: list[Entrant], fresh: list[float]) -> dict[str, Any]:
    """The recommendation, and how far it is behind the best of at most its size."""
    chosen = recommended(pareto(found), 0.005)
    at = next(i for i, e in enumerate(found) if e is chosen)
    fits = [i for i, e in enumerate(found) if e.student.numbers <= chosen.student.numbers]
    return {
        "student": _name(chosen), "numbers": chosen.student.numbers, "value": round(fresh[at], 4),
        "behind": round(max(fresh[i] for i in fits) - fresh[at], 4),
    }  # fmt: skip


def _name(entrant: Any) -> str:
    variant = f":{entrant.variant}" if entrant.variant else ""
    return f"{entrant.route.into}/{entrant.route.name}{variant}"


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
    kept = ("value", "hindsight", "prototype", "prototype_hindsight")
    means: dict[int, list[list[float]]] = defaultdict(list)
    for (data, kind), found in sorted(groups.items(), key=lambda g: order[g[0]]):
        cells = []
        for size in sizes:
            each = [[f["found"][str(size)][k] for k in kept] for f in found]
            means[size].append([float(v) for v in np.mean(each, axis=0)])
            cells.append("{:.3f} ({:.3f}); {:.3f}".format(*means[size][-1]))
        seconds = np.mean([f["seconds"] for f in found])
        out.append(f"| {data}, {kind} | {' | '.join(cells)} | {seconds:.0f} | {len(found)} |")
    every = [np.mean(means[size], axis=0) for size in sizes]
    cells = ["{:.3f} ({:.3f}); {:.3f}".format(*e) for e in every]
    out.append(f"| mean of {len(groups)} cells | {' | '.join(cells)} | | {len(lines)} |")
    rows = {
        "above the prototype's pick (wanted .005)": [e[0] - e[2] for e in every],
        "behind the best in hindsight (wanted .004)": [e[1] - e[0] for e in every],
        "the prototype behind its own best": [e[3] - e[2] for e in every],
    }
    for text, values in rows.items():
        out.append(f"| {text} | {' | '.join(f'{v:+.4f}' for v in values)} | | |")
    out += ["", _right(lines)]
    return "\n".join(out)


def _right(lines: list[dict[str, Any]]) -> str:
    """In how many runs the recommendation is near the best of its size, and by luck at most."""
    behind = np.array([line["recommended"]["behind"] for line in lines])
    near = int((behind <= _MARGIN + 1e-9).sum())
    return (
        f"The recommendation is within .01 of the best student of at most its size on fresh rows in"
        f" {near} of {len(behind)} runs; behind by {behind.mean():.4f} on average,"
        f" {behind.max():.3f} at most."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="*", default=list(SETS))
    parser.add_argument("--teachers", nargs="*", default=list(TEACHERS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--sizes", type=int, nargs="*", default=[8, 16, 32, 64])
    parser.add_argument("--out", type=Path, default=Path("build/tournament.jsonl"))
    parser.add_argument("--table", action="store_true", help="print what was measured, run nothing")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    seeds = range(args.first, args.first + args.seeds)
    cells = [(n, k, seed) for seed in seeds for n in args.data for k in args.teachers]
    run = partial(one, sizes=args.sizes)
    keys = ("data", "teacher", "seed")
    lines = all_cells(args.out, keys, [] if args.table else cells, run, args.jobs)
    print(tables(lines, args.sizes))


if __name__ == "__main__":
    main()
