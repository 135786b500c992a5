"""How often a tournament recommends a student that is nearly the best of its size.

    python benchmarks/recommendation.py --runs 100
    python benchmarks/recommendation.py --table

Small tournaments of the light ways (seconds each): 200, 400 or 800 rows of a table that has many
more, 30% of them set aside as for certificates, and 3,000 fresh rows that judge. A recommendation
is right where the best student of at most its size, known on the fresh rows alone, is at most .01
better there. Four rules stand side by side on the same students:

* rows left out: the smallest near the best by cross-fitted losses;
* limbeck's: the same, unless a smaller student of the front has as low a certified bound;
* pooled front: by cross-fitted losses and those on the rows set aside together, among the front;
* pooled: the same among all students, which would share delta over all of them.

Results are appended to a file of JSON lines; what is there is not run again.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from readable import model_of, table_of

from limbeck.api.tournament import routes_for
from limbeck.certificates.binomial import interval, upper_bound
from limbeck.core.answers import answers
from limbeck.core.columns import Features, Rows
from limbeck.selection.front import Entrant, entrants, pareto, recommended, undominated
from limbeck.selection.race import Run, budgets_up_to, folds_of, run_route
from limbeck.selection.schedule import one_thread
from limbeck.selection.shared_rows import shared_rows
from limbeck.teachers import as_teacher

WAYS = {"l1_path", "greedy", "sparse_sum", "scorecard", "rule_list"}
TABLES, SIZES, FRESH = ("compas", "adult", "bike"), (200, 400, 800), 3000
MARGIN, WITHIN, NUMBERS, DELTA = 0.01, 0.005, 32, 0.05


@cache
def teacher_of(name: str, kind: str) -> tuple[Any, Features, np.ndarray]:
    """A teacher trained on 4,000 rows, and the others, encoded."""
    X, y, regression = table_of(name)
    at = np.random.default_rng(99).permutation(len(X))
    train, rest = np.split(at, [min(int(0.35 * len(at)), 4000)])
    model = model_of(kind, regression, len(train), 0).fit(X.iloc[train], y[train])
    features = Features.of(X)
    return as_teacher(model, y[train]), features, features.encode(X.iloc[rest])


def one(i: int) -> dict[str, Any]:
    """What each rule recommends in a run, and how far it is behind."""
    warnings.filterwarnings("ignore")
    started = time.process_time()
    name, kind = TABLES[i % 3], ("network", "forest")[i // 3 % 2]
    n = SIZES[i // 6 % 3]
    teacher, features, values = teacher_of(name, kind)
    at = np.random.default_rng([7, i]).permutation(len(values))
    fit, aside, fresh = np.split(at[: n + FRESH], [int(0.7 * n), n])
    rows = Rows(features, values[fit])
    fold = folds_of(np.arange(len(rows)), np.random.default_rng([i, 0]))
    budgets = budgets_up_to(NUMBERS)
    with one_thread():
        parts = shared_rows(teacher, rows, fold, i)
        routes = [r for r in routes_for(NUMBERS, 0.05, teacher.access) if r.name in WAYS]
        runs = [run_route(r, parts, fold, budgets, i, 1e6) for r in routes]
    found = entrants([run for run in runs if isinstance(run, Run)])
    spread = float(np.var(parts[0].answers[: len(fold)]))
    held = [
        _losses(found, teacher, Rows(features, values[some]), spread) for some in (aside, fresh)
    ]
    picks = _picks(found, held[0], teacher.task.classifies)
    value = held[1].mean(axis=1)
    behind = {}
    for rule, j in picks.items():
        fits = [i for i, e in enumerate(found) if e.student.numbers <= found[j].student.numbers]
        behind[rule] = [round(float(value[j] - value[fits].min()), 5), found[j].student.numbers]
    return {
        "run": i, "data": name, "teacher": kind, "rows": n, "students": len(found),
        "behind": behind, "seconds": round(time.process_time() - started, 2),
    }  # fmt: skip


def _losses(found: list[Entrant], teacher: Any, rows: Rows, spread: float) -> np.ndarray:
    """The loss of each student on each row, shape (students, n)."""
    told = answers(np.asarray(teacher.scores(rows.native()), dtype=np.float64), teacher.task)
    said = [np.asarray(e.student.predict(rows)) for e in found]
    if teacher.task.classifies:
        return np.stack([s != teacher.task.labels[told] for s in said]).astype(np.float64)
    return np.stack([(s - told) ** 2 / spread for s in said])


def _picks(found: list[Entrant], aside: np.ndarray, classifies: bool) -> dict[str, int]:
    """The place of the student that each rule recommends."""
    place = {id(e): i for i, e in enumerate(found)}
    front = pareto(found)
    chosen = front.index(recommended(front, WITHIN))
    lost = [aside[place[id(e)]] for e in front]
    n = aside.shape[1]
    bounds = [
        upper_bound(int(x.sum()), n, DELTA / len(front)) if classifies else float(x.mean())
        for x in lost
    ]
    both = [
        Entrant(e.route, e.student, np.concatenate([e.losses, aside[i]]))
        for i, e in enumerate(found)
    ]
    among = pareto([both[place[id(e)]] for e in front])
    at = {id(e): i for i, e in enumerate(both)}
    return {
        "rows left out": place[id(front[chosen])],
        "limbeck's": place[id(front[undominated(front, bounds, chosen)])],
        "pooled front": at[id(recommended(among, WITHIN))],
        "pooled": at[id(recommended(pareto(both), WITHIN))],
    }


def table(lines: list[dict[str, Any]]) -> str:
    """How often each rule is right, with its interval (Clopper and Pearson 1934)."""
    out = ["| rule | right | of | 95% interval | behind, mean | numbers, mean |", "|---" * 6 + "|"]
    for kind, some in (
        ("classes", lambda x: x["data"] != "bike"),
        ("values", lambda x: x["data"] == "bike"),
    ):
        kept = [line for line in lines if some(line)]
        for rule in kept[0]["behind"] if kept else ():
            lost, numbers = np.array([line["behind"][rule] for line in kept]).T
            right = int((lost <= MARGIN + 1e-9).sum())
            low, high = interval(right, len(kept), 0.05)
            out.append(
                f"| {kind}, {rule} | {right} | {len(kept)} | {low:.2f} to {high:.2f} |"
                f" {lost.mean():.4f} | {numbers.mean():.0f} |"
            )
    return "\n".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="the first run")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, default=Path("build/recommendation.jsonl"))
    parser.add_argument("--table", action="store_true", help="print what was measured, run nothing")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.loads(t) for t in args.out.read_text().splitlines()] if args.out.exists() else []
    done = {line["run"] for line in lines}
    todo = [i for i in range(args.first, args.first + args.runs) if i not in done]
    with ProcessPoolExecutor(args.jobs) as pool:
        for run in as_completed([pool.submit(one, i) for i in ([] if args.table else todo)]):
            lines.append(run.result())
            with args.out.open("a") as file:
                file.write(json.dumps(lines[-1]) + "\n")
    print(table(lines))


if __name__ == "__main__":
    main()
