"""Closed-form probes against gradient probes, side by side in one run.

Both probe the same clauses on the same activations. The gradient probe is the published one: a
linear map by Adam, 101 full-batch steps on the squared error, here for 200 clauses at once, which
is kinder to it than one clause at a time. The closed form is timed alone, and with everything
around it: activations read, factorisation, choice of lambda, and the whole search of a tree.

    python benchmarks/search.py [--threads 1]
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path

import numpy as np
import torch

from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.methods.search_and_stitch.probes import Probes
from limbeck.teachers.torch import TorchTeacher

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "reproductions"))
from pac_trees import Inputs, ResNet


def seconds(work, at_least: float = 0.3, repeats: int = 3) -> float:
    """Best of some repeats, each long enough to be timed."""
    work()
    best = float("inf")
    for _ in range(repeats):
        times, started = 0, time.perf_counter()
        while (spent := time.perf_counter() - started) < at_least or times == 0:
            work()
            times += 1
        best = min(best, spent / times)
    return best


def matmul_peak(n: int = 2048) -> float:
    """Float32 operations per second of a large matrix product."""
    a = np.random.default_rng(0).standard_normal((n, n), dtype=np.float32)
    return 2 * n**3 / seconds(lambda: a @ a)


def gradient_probes(phi: torch.Tensor, targets: torch.Tensor, steps: int = 101) -> torch.Tensor:
    weights = torch.zeros(phi.shape[1], targets.shape[1], requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        ((phi @ weights - targets) ** 2).mean(dim=0).sum().backward()
        optimiser.step()
    return weights


def network(d: int, width: int) -> TorchTeacher:
    torch.manual_seed(0)
    return TorchTeacher(ResNet(d, width, scale=1.0), classes=[-1, 1], score_kind="logit")


def activations(teacher: TorchTeacher, X: np.ndarray) -> list[np.ndarray]:
    teacher.scores(X[:2])
    return list(teacher.activations(X, teacher.layers()).values())


def probes_at_depth(probes: Probes, truth: np.ndarray, depth: int) -> tuple[float, float, int]:
    """Seconds, operations and probes of one clause with that many literals."""
    rows = np.flatnonzero(truth[:depth].all(axis=0)) if depth else np.arange(truth.shape[1])
    inside, before = truth[:, rows], probes.count
    probes.siblings(rows, inside)
    made = probes.count - before
    taken = seconds(lambda: probes.siblings(rows, inside), at_least=0.1)
    return taken, 2.0 * len(rows) ** 2 * len(truth), made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--threads", type=int, default=1, help="for torch; OMP_NUM_THREADS for numpy"
    )
    parser.add_argument("--width", type=int, default=1000)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rng = np.random.default_rng(0)
    print(f"python {platform.python_version()}, numpy {np.__version__}, torch {torch.__version__}")
    peak = matmul_peak()
    print(f"matrix product: {peak / 1e9:.0f} GFLOP/s\n")

    n, d = 1200, 100
    X = Inputs(d).numpy(n, rng)
    teacher = network(d, args.width)
    phi = activations(teacher, X)
    A = np.hstack([block - block.mean(axis=0) for block in phi]).astype(np.float32)
    A /= np.sqrt((A**2).sum(axis=1).mean())
    truth = X.T > 0
    targets = torch.from_numpy(np.vstack([truth, ~truth]).T.astype(np.float32))
    slow = seconds(lambda: gradient_probes(torch.from_numpy(A), targets), 0.0, 1) / targets.shape[1]
    started = time.perf_counter()
    probes = Probes(phi, targets.numpy()[:, :48].astype(np.float64))
    ready = time.perf_counter() - started
    print(f"{n} rows, {A.shape[1]:,} activations, {len(truth)} literals")
    print(f"gradient probe: {slow * 1e3:.2f} ms; closed form set up once in {ready:.2f} s\n")
    print("| literals in the clause | µs a probe | x gradient | share of the product's peak |")
    print("|---|---|---|---|")
    for depth in range(4):
        taken, operations, made = probes_at_depth(probes, truth, depth)
        print(
            f"| {depth} | {taken / made * 1e6:.2f} | {slow * made / taken:,.0f} |"
            f" {operations / taken / peak:.0%} |"
        )

    print("\nWhole search (activations, set-up, descent), probes alone as the guide:\n")
    print("| depth | probes | seconds | µs a probe | x gradient |")
    print("|---|---|---|---|---|")
    for depth in (4, 5, 6):
        found = search(teacher, depth)
        stages = found.trace["seconds_by_stage"]
        taken = stages["probes set up"] + stages["search"]
        made = found.trace["probes"]
        each = taken / made
        print(f"| {depth} | {made:,} | {taken:.2f} | {each * 1e6:.1f} | {slow / each:,.0f} |")

    print("\nGrowth (seconds for one clause without literals, and for the set-up):\n")
    print("| rows n | literals d | set-up | clause |")
    print("|---|---|---|---|")
    for n, d in ((600, 100), (1200, 100), (2400, 100), (1200, 300), (1200, 1000)):
        X = Inputs(d).numpy(n, rng)
        phi = activations(network(d, 256), X)
        started = time.perf_counter()
        probes = Probes(phi, (X[:, :48] > 0).astype(np.float64))
        ready = time.perf_counter() - started
        taken = probes_at_depth(probes, X.T > 0, 0)[0]
        print(f"| {n} | {d} | {ready:.2f} | {taken:.4f} |")


def search(teacher: TorchTeacher, depth: int, d: int = 100):
    """A search that runs to its limit: an untrained network is no tree."""
    rng = np.random.default_rng(depth)
    X = Inputs(d).numpy(2000, rng)
    method = SearchAndStitch(
        max_leaves=2**depth, depth=depth, sampler=Inputs(d), guide="probes", max_clauses=400,
        max_probes=10**9, patience=10**9,
    )  # fmt: skip
    return method.distill(teacher, Features.of(X).rows(X), rng, quiet)


if __name__ == "__main__":
    main()
