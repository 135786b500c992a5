"""What a tree costs: distilled out of a network, or learned from the same network's answers.

A random full tree of depth r over d inputs of +-1 is learnt by a network (planted_networks.py),
and every route to the tree is given more and more rows until the tree that it finds is right on
0.999 of 20,000 fresh inputs. Rows are random inputs with the network's answers; queries count as
rows. Seconds are of the processor, on one thread, for the run that succeeded; the network is
trained before and its training is not counted, for no route. The searches run on the CPU, several
at once with ``--jobs``; networks are trained there, or with ``--device cuda``. A call goes on
where the last one with the same ``--out`` ended.

    python reproductions/sample_cost.py --small               # a minute
    python reproductions/sample_cost.py --out cost            # r = 2 ... 6, d = 30 ... 1,000; hours
    python reproductions/sample_cost.py --out cost --cells 100:3 100:4 --seeds 0
    python reproductions/sample_cost.py --out cost --device cuda --jobs 14 --stop-after 480
    python reproductions/sample_cost.py --out cost --report docs/measurements/sample_cost.png

With pystreed installed an optimal tree is a route as well.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import planted_networks
import torch
from pac_trees import Inputs, label
from sample_cost_report import growth, picture, table
from sklearn.tree import DecisionTreeClassifier

from limbeck.core.answers import answers
from limbeck.core.columns import Features, Rows
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.teachers.torch import TorchTeacher

RIGHT = 0.999
FEWEST, FRESH = 25, 20_000
TASK = Task((-1, 1))


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


def inside(case: Case, n: int) -> Any:
    """The network's activations and its answers, and no queries."""
    rng = np.random.default_rng([case.seed, n])
    return case.method(queries=0).distill(case.teacher, case.rows(n), rng, quiet).student


def queries(case: Case, n: int) -> Any:
    """Half of the answers are to rows, half to questions about fresh inputs."""
    rng = np.random.default_rng([case.seed, n])
    method = case.method(queries=n // 2, sampler=Inputs(case.d))
    return method.distill(case.teacher, case.rows(n - n // 2), rng, quiet).student


def labels(case: Case, n: int) -> Any:
    """The same search on the same answers, without the network."""
    rng = np.random.default_rng([case.seed, n])
    return case.method().learn(case.rows(n), case.y[:n], TASK, rng)


def optimal(case: Case, n: int) -> Any:
    """The tree of depth r with the fewest errors on the rows, by pystreed."""
    tree = STreeDClassifier(max_depth=case.r, time_limit=1.05 * case.seconds)
    X = Ups(tree).of(case.X[:n])
    return Ups(tree.fit(X, case.y[:n]))


@dataclass(frozen=True)
class Ups:
    """pystreed reads booleans, and says class indices."""

    tree: Any

    @staticmethod
    def of(X: np.ndarray) -> np.ndarray:
        """Which values are +1."""
        return (X > 0).astype(np.int64)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Labels."""
        return TASK.labels[self.tree.predict(self.of(X)).astype(np.int64)]


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
    "labels, optimal tree of depth r": optimal,
    "labels, greedy tree of 2^r leaves": greedy,
    "labels, greedy tree of any size": unlimited,
}
if importlib.util.find_spec("pystreed") is None:
    del ROUTES["labels, optimal tree of depth r"]
else:
    from pystreed import STreeDClassifier


# --- one run -------------------------------------------------------------------------------


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Interrupts what takes more processor seconds; a search then keeps its best tree so far."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


Key = tuple[int, int, int, str, str]
KEY = ("d", "r", "seed", "network", "route")


def run(folder: Path, most: int, limit: float, key: Key) -> dict[str, Any]:
    """More and more rows, twice as many each time, until the tree is right or time is up."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    d, r, seed, _, route = key
    tree, net = planted_networks.tree_of(d, r, seed), planted_networks.read(folder, *key[:4])
    inputs, rng = Inputs(d), np.random.default_rng([seed, 2])
    fresh, X = inputs.numpy(FRESH, rng), inputs.numpy(most, rng)
    wanted, teacher = label(tree, fresh), TorchTeacher(net, classes=[-1, 1], device="cpu")
    y = answers(teacher.scores(X), TASK)
    right = float((TASK.labels[answers(teacher.scores(fresh), TASK)] == wanted).mean())
    case = Case(d, r, seed, teacher, X, y, limit)
    row = dict(zip(KEY, key, strict=True)) | {"network_right": right, "most": most}
    tried: list[list[float]] = []
    n = FEWEST
    while n <= most:
        started = time.process_time()
        try:
            with limited(limit):
                student = ROUTES[route](case, n)
        except ValueError:  # one class among so few rows
            n *= 2
            continue
        except KeyboardInterrupt:  # not even a first tree
            return row | {"rows": None, "seconds": None, "tried": tried, "stopped": n}
        seconds = time.process_time() - started
        agrees = float((student.predict(fresh) == wanted).mean())
        tried.append([n, agrees, round(seconds, 3)])
        if agrees >= RIGHT:
            return row | {"rows": n, "seconds": seconds, "tried": tried}
        if seconds > limit:
            return row | {"rows": None, "seconds": None, "tried": tried, "stopped": n}
        n *= 2
    return row | {"rows": None, "seconds": None, "tried": tried}


# --- all runs ------------------------------------------------------------------------------


def read(path: Path) -> list[dict[str, Any]]:
    """The runs that are done."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def todo(args: argparse.Namespace) -> list[Key]:
    """The runs that are not in the file yet: cells in the order given, then networks, seeds."""
    done = {tuple(row[k] for k in KEY) for row in read(args.out / "runs.jsonl")}
    keys = [
        (d, r, seed, stop, route)
        for stop in args.networks
        for d, r in args.cells
        for seed in args.seeds
        for route in args.routes
    ]
    return [key for key in keys if key not in done]


def run_all(args: argparse.Namespace) -> None:
    """Train the networks that are missing, cell by cell, and start their runs when they are there.

    Training and runs are in processes of their own; what is not done at the end of ``stop_after``
    seconds is dropped, and done by the next call.
    """
    started = time.monotonic()
    args.out.mkdir(parents=True, exist_ok=True)
    folder = args.out / "networks" if args.keep is None else args.keep
    left = todo(args)
    cells = list(dict.fromkeys(key[:2] for key in left))
    context = get_context("spawn")
    trainers = ProcessPoolExecutor(args.trainers, context)
    workers = ProcessPoolExecutor(args.jobs, context)
    waiting: dict[Future[Any], tuple[int, int] | None] = {}
    for cell in cells:
        seeds = sorted({key[2] for key in left if key[:2] == cell})
        waiting[trainers.submit(timed_training, folder, *cell, seeds, args.device)] = cell
    ready: set[tuple[int, int]] = set()
    running = 0
    while waiting:
        limit = None if args.stop_after is None else started + args.stop_after - time.monotonic()
        finished, _ = wait(waiting, limit, FIRST_COMPLETED)
        if not finished or (limit is not None and limit <= 0):
            break
        for future in finished:
            cell = waiting.pop(future)
            if future.exception() is not None:  # the next call tries again
                print(f"failed: {future.exception()!r}", file=sys.stderr, flush=True)
                running -= cell is None
                continue
            if cell is not None:
                print(f"networks of {cell}: {future.result()}", file=sys.stderr, flush=True)
                ready.add(cell)
                continue
            running -= 1
            line = json.dumps(future.result())
            print(line, file=sys.stderr, flush=True)
            with (args.out / "runs.jsonl").open("a") as file:
                file.write(line + "\n")
        for key in [key for key in left if key[:2] in ready][: args.jobs - running]:
            left.remove(key)
            job = partial(run, folder, args.most, args.seconds)
            waiting[workers.submit(job, key)] = None
            running += 1
    for pool in (trainers, workers):
        for process in list(pool._processes.values()):  # what still runs is dropped
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)


def timed_training(folder: Path, d: int, r: int, seeds: list[int], device: str) -> str:
    """Train, and say how long it took."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    started = time.monotonic()
    steps = planted_networks.train(folder, d, r, seeds, device)
    return f"{steps} steps, {time.monotonic() - started:.1f} s on {device}"


def cell_of(text: str) -> tuple[int, int]:
    """``d:r``."""
    d, r = text.split(":")
    return int(d), int(r)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="d=30, r=2 and 3, one seed")
    grid = sorted(((d, r) for d in (30, 100, 300, 1000) for r in range(2, 7)),
                  key=lambda cell: cell[0] * 4 ** cell[1])  # fmt: skip
    parser.add_argument("--cells", type=cell_of, nargs="*", default=grid, help="d:r, in order")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    stops = list(planted_networks.STOPS)
    parser.add_argument("--networks", nargs="*", choices=stops, default=stops)
    parser.add_argument("--routes", nargs="*", choices=list(ROUTES), default=list(ROUTES))
    parser.add_argument("--most", type=int, default=12_800, help="rows at most")
    parser.add_argument(
        "--seconds",
        type=float,
        default=60.0,
        help="for one tree; not right after them ends the run",
    )
    parser.add_argument("--device", default="cpu", help="on which networks are trained")
    parser.add_argument("--trainers", type=int, default=1, help="cells trained at once")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once")
    parser.add_argument("--stop-after", type=float, help="seconds; a later call goes on")
    parser.add_argument("--keep", type=Path, help="folder of networks, by default one in --out")
    parser.add_argument("--out", type=Path, help="folder of runs.jsonl and the networks")
    parser.add_argument("--report", type=Path, help="run nothing; print tables, draw this picture")
    args = parser.parse_args()
    if args.small:
        args.cells, args.seeds, args.networks, args.most = [(30, 2), (30, 3)], [0], ["right"], 3200
    if args.out is None:
        args.out = Path("sample_cost")
    if args.report is None:
        run_all(args)
    rows = read(args.out / "runs.jsonl")
    print(table(rows, list(ROUTES)) + "\n\n" + growth(rows, list(ROUTES)))
    if args.report is not None:
        picture(rows, list(ROUTES), args.report)


if __name__ == "__main__":
    main()
