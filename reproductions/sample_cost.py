"""What a tree costs: distilled out of a network, or learned from the same network's answers.

A random full tree of depth r over d inputs of +-1 is learnt by a ReLU ResNet, as in pac_trees.py,
and every route to the tree is given more and more rows until the tree that it finds is right on
0.999 of 20,000 fresh inputs. Rows are random inputs with the network's answers; queries count as
rows. Seconds are of the processor, on one thread, for the run that succeeded; the network is
trained before and its training is not counted, for no route.

    python reproductions/sample_cost.py --small               # a minute
    python reproductions/sample_cost.py --out cost            # r = 2 ... 6, d = 30 ... 1,000; hours
    python reproductions/sample_cost.py --out cost --r 3 4 --d 100 --seeds 0
    python reproductions/sample_cost.py --out cost --report docs/sample_cost.png   # tables, picture

Runs that are done are in cost/runs.jsonl and are not repeated.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pac_trees import Inputs, ResNet, accuracy, label, random_tree
from safetensors.torch import load_file, save_file
from sklearn.tree import DecisionTreeClassifier
from torch.nn.functional import softplus

from limbeck.core.columns import Features, Rows
from limbeck.core.contract import Task, answers
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.teachers.torch import TorchTeacher

RIGHT = 0.999
FEWEST, FRESH = 25, 20_000
STOPS = {"right": 0.9995, "97%": 0.97}
TASK = Task((-1, 1))


# --- networks ------------------------------------------------------------------------------


def network(folder: Path, d: int, r: int, seed: int, stop: str) -> torch.nn.Module:
    """A network of width 256 trained on fresh rows until it is right as often as wanted."""
    tree, inputs = random_tree(d, r, np.random.default_rng([seed, r, d])), Inputs(d)
    paths = {k: folder / f"d{d}_r{r}_s{seed}_{v}.safetensors" for k, v in STOPS.items()}
    torch.manual_seed(seed)
    net = ResNet(d, 256)
    if not all(path.exists() for path in paths.values()):
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng([seed, 1])
        test = inputs.numpy(5_000, rng)
        told = label(tree, test)
        optimiser, batch = torch.optim.AdamW(net.parameters(), lr=1e-3), 25 * 2**r
        reached = 0.0
        for step in range(1, 20_001):
            X = inputs.numpy(batch, rng)
            y = torch.from_numpy(label(tree, X))
            optimiser.zero_grad()
            softplus(-net(torch.from_numpy(X))[:, 0] * y).mean().backward()
            optimiser.step()
            if step % (25 if reached < 0.8 else 5) == 0:  # few steps lead from 0.8 to 1
                reached = accuracy(net, test, told)
                for kind, wanted in STOPS.items():
                    if reached >= wanted and not paths[kind].exists():
                        save_file(net.state_dict(), paths[kind])
                if reached >= max(STOPS.values()):
                    break
    if not paths[stop].exists():
        sys.exit(f"The network for d={d}, r={r}, seed={seed} was not learnt in 20,000 steps.")
    net.load_state_dict(load_file(paths[stop]))
    return net.eval()


# --- routes --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A tree, the network that learnt it, and rows to draw from."""

    d: int
    r: int
    seed: int
    teacher: TorchTeacher
    X: np.ndarray
    y: np.ndarray
    seconds: float

    def method(self, **settings: Any) -> SearchAndStitch:
        """The search, for trees of depth r."""
        leaves = 2**self.r
        return SearchAndStitch(
            max_leaves=leaves, leaves=leaves, depth=self.r, max_probes=10**9, max_clauses=10**9,
            patience=1000, **settings,
        )  # fmt: skip

    def rows(self, n: int) -> Rows:
        """The first n rows."""
        return Features.of(self.X[:n]).rows(self.X[:n])

    def clock(self) -> Callable[..., None]:
        """Interrupts a search that takes too long; its best tree so far is taken."""
        end = time.process_time() + self.seconds

        def progress(stage: str, done: float, total: float) -> None:
            if stage in ("searching", "stitching") and time.process_time() > end:
                raise KeyboardInterrupt

        return progress


def inside(case: Case, n: int) -> Any:
    """The network's activations and its answers, and no queries."""
    rng = np.random.default_rng([case.seed, n])
    method = case.method(queries=0)
    return method.distill(case.teacher, case.rows(n), rng, case.clock()).student


def queries(case: Case, n: int) -> Any:
    """Half of the answers are to rows, half to questions about fresh inputs."""
    rng = np.random.default_rng([case.seed, n])
    method = case.method(queries=n // 2, sampler=Inputs(case.d))
    return method.distill(case.teacher, case.rows(n - n // 2), rng, case.clock()).student


def labels(case: Case, n: int) -> Any:
    """The same search on the same answers, without the network."""
    rng = np.random.default_rng([case.seed, n])
    return case.method().learn(case.rows(n), case.y[:n], TASK, rng)


def greedy(case: Case, n: int) -> Any:
    """scikit-learn's tree with at most 2^r leaves."""
    tree = DecisionTreeClassifier(max_leaf_nodes=2**case.r, random_state=case.seed)
    return tree.fit(case.X[:n], TASK.labels[case.y[:n]])


def unlimited(case: Case, n: int) -> Any:
    """scikit-learn's tree with as many leaves as it takes."""
    return DecisionTreeClassifier(random_state=case.seed).fit(case.X[:n], TASK.labels[case.y[:n]])


ROUTES: dict[str, Callable[[Case, int], Any]] = {
    "inside": inside,
    "inside, half of the rows as queries": queries,
    "labels, same search": labels,
    "labels, greedy tree of 2^r leaves": greedy,
    "labels, greedy tree of any size": unlimited,
}


# --- runs ----------------------------------------------------------------------------------


def cases(args: argparse.Namespace) -> Iterator[tuple[int, int, int]]:
    """(seed, d, r), the cheap ones of every seed first."""
    cells = sorted(
        ((d, r) for d in args.d for r in args.r), key=lambda cell: cell[0] * 4 ** cell[1]
    )
    for seed in args.seeds:
        for d, r in cells:
            yield seed, d, r


def run(case: Case, route: str, fresh: np.ndarray, wanted: np.ndarray, most: int) -> dict[str, Any]:
    """More and more rows, twice as many each time, until the tree is right."""
    tried: list[list[float]] = []
    n = FEWEST
    while n <= most:
        started = time.process_time()
        try:
            student = ROUTES[route](case, n)
        except ValueError:  # one class among so few rows
            n *= 2
            continue
        seconds = time.process_time() - started
        right = float((student.predict(fresh) == wanted).mean())
        tried.append([n, right, round(seconds, 3)])
        if right >= RIGHT:
            return {"rows": n, "seconds": seconds, "tried": tried}
        n *= 2
    return {"rows": None, "seconds": None, "tried": tried}


def run_all(args: argparse.Namespace) -> None:
    """Every run that is not in the file yet."""
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "runs.jsonl"
    done = {tuple(row[k] for k in KEY) for row in read(path)}
    for seed, d, r in cases(args):
        for stop in args.networks:
            todo = [route for route in args.routes if (d, r, seed, stop, route) not in done]
            if not todo:
                continue
            net = network(args.out / "networks", d, r, seed, stop)
            tree = random_tree(d, r, np.random.default_rng([seed, r, d]))
            inputs, rng = Inputs(d), np.random.default_rng([seed, 2])
            fresh, X = inputs.numpy(FRESH, rng), inputs.numpy(args.most, rng)
            wanted, teacher = label(tree, fresh), TorchTeacher(net, classes=[-1, 1])
            y = answers(teacher.scores(X), TASK)
            case = Case(d, r, seed, teacher, X, y, args.seconds)
            right = float((TASK.labels[answers(teacher.scores(fresh), TASK)] == wanted).mean())
            for route in todo:
                row = dict(zip(KEY, (d, r, seed, stop, route), strict=True))
                row |= {"network_right": right, "most": args.most}
                row |= run(case, route, fresh, wanted, args.most)
                print(json.dumps(row), file=sys.stderr)
                with path.open("a") as file:
                    file.write(json.dumps(row) + "\n")


KEY = ("d", "r", "seed", "network", "route")


def read(path: Path) -> list[dict[str, Any]]:
    """The runs that are done."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


# --- tables, fits and the picture ----------------------------------------------------------


def table(rows: list[dict[str, Any]]) -> str:
    """Median rows and seconds by cell and route; how many seeds got there."""
    cells: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        cells[row["network"], row["d"], row["r"], row["route"]].append(row)
    routes = [route for route in ROUTES if any(row["route"] == route for row in rows)]
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


def growth(rows: list[dict[str, Any]]) -> str:
    """Rows and seconds as c d^a (2^r)^b, by least squares on logarithms over all runs."""
    lines = ["| route | runs | rows: d to the | 2^r to the | seconds: d to the | 2^r to the |",
             "|---" * 6 + "|"]  # fmt: skip
    for route in ROUTES:
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


def picture(rows: list[dict[str, Any]], path: Path) -> None:
    """Rows until right against the depth, and against the number of inputs."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "limbeck"  # the same file from the same runs
    rows = [row for row in rows if row["network"] == "right"]
    d_fixed, r_fixed = _longest(rows, "d", "r"), _longest(rows, "r", "d")
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4.4), sharey=True, layout="constrained")
    panels = (
        ("r", "d", d_fixed, "depth of the tree", f"{d_fixed} inputs"),
        ("d", "r", r_fixed, "inputs", f"depth {r_fixed}"),
    )
    most = max(row["most"] for row in rows)
    for axis, (along, fixed, value, name, title) in zip(axes, panels, strict=True):
        mine = [row for row in rows if row[fixed] == value]
        for i, route in enumerate(ROUTES):
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
    axes[0].text(0.02, most * 1.2, f"above the line: not with {most:,} rows", fontsize=8,
                 color="0.4", va="top", transform=axes[0].get_yaxis_transform())  # fmt: skip
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3,
                  frameon=False, fontsize=9)  # fmt: skip
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=130)


def _longest(rows: list[dict[str, Any]], fixed: str, along: str) -> int:
    """The value of one setting at which the other takes most values, and runs are most."""
    seen: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        seen[row[fixed]].add(row[along])
    return max(seen, key=lambda v: (len(seen[v]), sum(row[fixed] == v for row in rows)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="d=30, r=2 and 3, one seed")
    parser.add_argument("--d", type=int, nargs="*", default=[30, 100, 300, 1000])
    parser.add_argument("--r", type=int, nargs="*", default=[2, 3, 4, 5, 6])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    parser.add_argument("--networks", nargs="*", choices=list(STOPS), default=list(STOPS))
    parser.add_argument("--routes", nargs="*", choices=list(ROUTES), default=list(ROUTES))
    parser.add_argument("--most", type=int, default=25_600, help="rows at most")
    parser.add_argument("--seconds", type=float, default=60.0, help="of a search inside, at most")
    parser.add_argument("--out", type=Path, help="folder of runs.jsonl and the networks")
    parser.add_argument("--report", type=Path, help="run nothing; print tables, draw this picture")
    args = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if args.small:
        args.d, args.r, args.seeds, args.networks, args.most = [30], [2, 3], [0], ["right"], 3200
    if args.out is None:
        args.out = Path("sample_cost")
    if args.report is None:
        run_all(args)
    rows = read(args.out / "runs.jsonl")
    print(table(rows) + "\n\n" + growth(rows))
    if args.report is not None:
        picture(rows, args.report)


if __name__ == "__main__":
    main()
